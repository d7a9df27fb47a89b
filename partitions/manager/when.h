/* SPDX-License-Identifier: Apache-2.0 */
/** Conditions of the machine that a partition may be bound to: mains power, an idle machine.
 *
 *  Idle: for WHEN_QUIET looks in a row, WHEN_LOOK_MS apart, the partitions that do not wait for
 * idleness themselves used less than a twentieth of one CPU.
 */
#ifndef MANAGER_WHEN_H
#define MANAGER_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define WHEN_LOOK_MS 10000u
#define WHEN_QUIET   6u

struct when {
	bool mains, idle;
	/* Since the last look. */
	uint64_t tsc, used_tsc;
	unsigned int quiet; /* looks in a row without much load */
};

/** What of `run` (bits of enum text_run) is not there, in words: "on mains power". NULL: nothing.
 */
const char *when_missing(const struct when *when, uint32_t run);
/** A look: time stamp counter now, and the sum of what the partitions used. The first one only
 * begins. */
void when_look_load(struct when *when, uint64_t tsc, uint64_t used_tsc);
/** A machine without a battery is on mains power. sysfs: "/sys". */
void when_look_power(struct when *when, const char *sysfs);

#endif
