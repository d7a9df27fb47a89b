/* SPDX-License-Identifier: Apache-2.0 */
/** One VT-d unit at register level, in host tests: it walks the tables that root mode made, and
 * goes on using what it has cached until it is told to forget it. */
#ifndef BH_TESTS_FAKES_VTD_FAKE_H
#define BH_TESTS_FAKES_VTD_FAKE_H

#include "lib/types.h"

#define VTD_FAKE_BASE 0xfed90000ull

struct vtd_fake {
	uint32_t version;
	uint64_t cap, ecap;
	uint32_t deaf;	      /* command bits that change no status */
	bool queue_stuck;     /* descriptors are not worked off */
	uint16_t fault_at_on; /* a device that reads as soon as translation is on; 0: none */
	uint64_t fault_address;
	/* What the unit did. */
	uint32_t status, protect;
	unsigned interrupts, flushes, write_flushes;
	uint64_t event_address;
	uint32_t event_data;
};

extern struct vtd_fake vtd_fake;

/** A unit as QEMU's: 39 bits, 2 MiB and 1 GiB pages, queue, interrupt remapping, caches not
 * snooped. */
void vtd_fake_reset(void);

/** The device accesses an address. Returns whether it got there, and where; else a fault is
 * recorded. */
bool vtd_fake_access(uint16_t source, uint64_t address, bool write, uint64_t *ret_hpa);
/** The device writes a message. Returns the vector that the CPU gets; 0: none, a fault is recorded.
 */
unsigned vtd_fake_message(uint16_t source, uint64_t address, uint32_t data);

#endif
