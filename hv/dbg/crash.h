/* SPDX-License-Identifier: Apache-2.0 */
/** The crash record: why root mode stopped, at a fixed place that a warm reset leaves alone. */
#ifndef BH_DBG_CRASH_H
#define BH_DBG_CRASH_H

#include "cpu/trap.h"

#define CRASH_MAGIC 0x3148534152434842ull /* "BHCRASH1" */

struct crash_record {
	uint64_t magic;
	uint32_t crc32c; /* of all that follows */
	uint32_t cpu;
	uint64_t tsc;
	uint64_t cr2, cr3;
	struct trap_frame frame; /* zero when a check failed */
	uint64_t stack[16];	 /* words at RSP */
	char text[128];
};

/** Names the page for the record, logs what the boot before left there, and clears it. */
void crash_init(hpa_t page);

/** Writes the record, prints it and stops this CPU. frame may be NULL. */
BH_NORETURN void crash_stop(const struct trap_frame *frame, const char *text);

#endif
