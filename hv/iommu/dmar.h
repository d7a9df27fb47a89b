/* SPDX-License-Identifier: Apache-2.0 */
/** The ACPI DMAR table: remapping units and memory that the firmware reserves for devices.
 *  Source: VT-d specification, "DMA Remapping Reporting Structure", "BIOS Considerations". */
#ifndef BH_IOMMU_DMAR_H
#define BH_IOMMU_DMAR_H

#include "lib/types.h"

#define DMAR_UNIT_MAX	8u
#define DMAR_REGION_MAX 16u

/** Device scopes inside the table: bounded by dmar_parse, read by dmar_scope_next. */
struct dmar_scopes {
	const uint8_t *at;
	uint32_t size;
};

#define DMAR_SCOPE_ENDPOINT 1u
#define DMAR_SCOPE_BRIDGE   2u /* with all that lies behind it */

struct dmar_scope {
	uint8_t type, bus;   /* bus on which the path starts */
	unsigned depth;	     /* steps, at least 1 */
	const uint8_t *path; /* device, function of each step */
};

struct dmar_unit {
	uint64_t base; /* of one page of registers */
	bool all;      /* every device that no other unit names */
	struct dmar_scopes scopes;
};

/** Memory that devices go on using after the firmware (RMRR). */
struct dmar_region {
	uint64_t base, end;
	struct dmar_scopes scopes;
};

struct dmar {
	unsigned width; /* bits of a DMA address */
	uint32_t unit_count, region_count;
	struct dmar_unit unit[DMAR_UNIT_MAX];
	struct dmar_region region[DMAR_REGION_MAX];
};

/** Checks the table, which must be a private copy, and finds its parts. Pure. Whether the addresses
 * are free is not known here. Errors: -BH_CORRUPT, -BH_NOSUPP (more than we hold); boot_error says
 * what. */
BH_MUST_CHECK int dmar_parse(const uint8_t *table, uint32_t size, struct dmar *ret);

/** Takes the first scope off the list; false at its end. */
bool dmar_scope_next(struct dmar_scopes *scopes, struct dmar_scope *ret);

#endif
