/* SPDX-License-Identifier: Apache-2.0 */
/** The "delay" layer holds requests back for a fixed time, for tests of what must go on meanwhile.
 */
#ifndef VHD_LAYER_DELAY_H
#define VHD_LAYER_DELAY_H

#include "layer_clock.h"
#include "layer_hook.h"

struct layer_delay {
	uint64_t ns[LAYER_REQUEST_KINDS]; /* by kind; 0: not at all */
	uint64_t offset, size;		  /* what begins in this range; size 0: everything */
	const struct layer_clock *clock;  /* waits; NULL: layer_clock_real */
};

/** Owns `below` from now on when 0 is returned. -ENOMEM. */
VHD_MUST_CHECK int layer_delay_open(struct layer *below, const struct layer_delay *delay,
				    struct layer **ret_layer);

#endif
