/* SPDX-License-Identifier: Apache-2.0 */
/** The ACPI DMAR table: remapping units and memory that the firmware reserves for devices.
 *  Source: VT-d specification, "DMA Remapping Reporting Structure", "BIOS Considerations". */
#ifndef BH_IOMMU_DMAR_H
#define BH_IOMMU_DMAR_H

#include "lib/types.h"

#define DMAR_UNIT_MAX	8u
#define DMAR_REGION_MAX 16u

/** Memory that devices go on using after the firmware (RMRR). */
struct dmar_region {
	uint64_t base, end;
	const uint8_t *scopes; /* whose memory it is: in the table, bounded by dmar_parse */
	uint32_t scopes_size;
};

struct dmar {
	unsigned width; /* bits of a DMA address */
	uint32_t unit_count, region_count;
	uint64_t unit[DMAR_UNIT_MAX]; /* address of one page of registers */
	struct dmar_region region[DMAR_REGION_MAX];
};

/** Checks the table, which must be a private copy, and finds its parts. Pure. Whether the addresses
 * are free is not known here. Error: -BH_CORRUPT; boot_error says what. */
BH_MUST_CHECK int dmar_parse(const uint8_t *table, uint32_t size, struct dmar *ret);

/** The region may be memory of this PCI function: its path ends there, whatever bridges are before
 * it. */
bool dmar_region_names(const struct dmar_region *region, uint16_t source);

#endif
