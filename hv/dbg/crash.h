/* SPDX-License-Identifier: Apache-2.0 */
/** The crash record: why root mode stopped, at a fixed place that a warm reset leaves alone.
 *
 *  That place is in page 0, after the BIOS data: GRUB uses all other low memory, and clears high
 *  memory. Root mode's tables do not map it, so the record is written through the tables of the
 *  start. The page is the control partition's: what is read from it is text for the log, no more.
 */
#ifndef BH_DBG_CRASH_H
#define BH_DBG_CRASH_H

#include "cpu/trap.h"

#define CRASH_PLACE 0x600ull
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
_Static_assert(CRASH_PLACE + sizeof(struct crash_record) <= PAGE_SIZE, "stays in page 0");

/** Logs what the boot before left at `place`, and clears it. Called on the tables of the start. */
void crash_init(hpa_t place);

/** Writes the record, prints it and stops this CPU. frame may be NULL. */
BH_NORETURN void crash_stop(const struct trap_frame *frame, const char *text);

#endif
