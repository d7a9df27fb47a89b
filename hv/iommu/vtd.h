/* SPDX-License-Identifier: Apache-2.0 */
/** One VT-d remapping unit: its registers and its invalidation queue.
 *  Source: VT-d specification, "Register Descriptions", "Invalidation Interface", "Fault Logging".
 */
#ifndef BH_IOMMU_VTD_H
#define BH_IOMMU_VTD_H

#include "lib/types.h"

struct vtd {
	hpa_t base;
	uint64_t cap, ecap;
	uint64_t *queue; /* invalidation queue of one page; NULL: by registers */
	uint32_t tail;	 /* bytes */
	uint32_t done;	 /* written by the unit when it has worked off the queue */
};

#define VTD_CAP_SAGAW(cap) ((cap) >> 8 & 0x1f) /* bit 1: 3 levels, bit 2: 4 levels */
#define VTD_CAP_MGAW(cap)  (((cap) >> 16 & 0x3f) + 1)
#define VTD_CAP_2M	   BIT(34)
#define VTD_CAP_1G	   BIT(35)
#define VTD_ECAP_COHERENT  BIT(0)
#define VTD_ECAP_QUEUE	   BIT(1)
#define VTD_ECAP_INTREMAP  BIT(3)
#define VTD_ECAP_SNOOP	   BIT(7)

struct vtd_fault {
	uint64_t address; /* of an interrupt that was refused: index of its entry */
	uint16_t source;
	uint8_t reason;
	bool write;
};

/** Maps the registers, reads what the unit can, and stops what the firmware left running. Errors:
 *  -BH_NOSUPP, -BH_NOMEM; boot_error says what. */
BH_MUST_CHECK int vtd_open(struct vtd *unit, hpa_t base);

/** Translation by `root`, interrupt remapping by `irt` (256 entries; 0: none), fault interrupts as
 * `vector` to the CPU with this APIC id. Error: -BH_NOSUPP, boot_error says what. */
BH_MUST_CHECK int vtd_start(struct vtd *unit, hpa_t root, hpa_t irt, unsigned vector,
			    uint32_t apic_id);

/** The unit forgets all it has cached of tables. Error: -BH_NOSUPP, the unit does not answer. */
BH_MUST_CHECK int vtd_flush(struct vtd *unit);

/** Takes one fault record; false: there is none, and the next one interrupts. */
bool vtd_fault_take(struct vtd *unit, struct vtd_fault *ret);

#endif
