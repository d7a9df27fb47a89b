/* SPDX-License-Identifier: Apache-2.0 */
/** Rate of the time-stamp counter. */
#ifndef BH_CPU_TSC_H
#define BH_CPU_TSC_H

#include "lib/lock.h"
#include "lib/types.h"

/** Takes the boot option tsc_khz=N, else measures 10 ms against the ACPI PM timer at pm_port
 *  (0: there is none). Error: -BH_NOSUPP. */
BH_MUST_CHECK int tsc_init(uint16_t pm_port, bool pm_32bit);

/** TSC ticks per millisecond. */
uint64_t tsc_khz(void);

/** Where two CPUs meet to compare their counters; zero before. */
struct tsc_pair {
	struct spinlock lock;
	uint32_t here; /* CPUs that have come, and gone */
	uint64_t last;
	uint64_t off;
};

/** Both CPUs call this: they read their counters in turns for a while. Returns by how much one
 *  was behind what the other had read before, 0: they are in step. Waits for the other CPU at
 *  most `patience` ticks; if it does not come the result is 1. */
uint64_t tsc_compare(struct tsc_pair *pair, uint64_t patience);

#endif
