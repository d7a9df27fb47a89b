/* SPDX-License-Identifier: Apache-2.0 */
/** The time that layers count and wait by: given by the server (which parks the fiber) and by tests
 * (which need no real time).
 */
#ifndef VHD_LAYER_CLOCK_H
#define VHD_LAYER_CLOCK_H

#include <stdint.h>

struct layer_clock {
	uint64_t (*now_ns)(const struct layer_clock *clock); /* never goes back */
	/** Returns after at least `ns`, or a little earlier: callers look at the time again. */
	void (*wait_ns)(const struct layer_clock *clock, uint64_t ns);
};

/** CLOCK_MONOTONIC; waiting puts the whole thread to sleep. */
extern const struct layer_clock layer_clock_real;

#endif
