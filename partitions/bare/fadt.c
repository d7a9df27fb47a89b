/* SPDX-License-Identifier: Apache-2.0 */
/** The port that switches the machine off, out of the firmware's tables. Those are the real
 * machine's own, so they are taken as they are. Source: ACPI 6.5, "Root System Description
 * Pointer", "Root System Description Table", "Fixed ACPI Description Table". */
#include "bare.h"

#define RSDP_REVISION	  15u
#define RSDP_RSDT	  16u
#define RSDP_XSDT	  24u
#define TABLE_LENGTH	  4u
#define TABLE_HEADER	  36u
#define FADT_PM1A_CONTROL 64u

static uint64_t get(uint64_t at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)at, size);
	return value;
}

uint16_t fadt_power_port(uint64_t rsdp)
{
	uint64_t root;
	size_t entry;

	if (rsdp == 0) {
		return 0;
	}
	entry = get(rsdp + RSDP_REVISION, 1) >= 2 ? 8 : 4;
	root = entry == 8 ? get(rsdp + RSDP_XSDT, 8) : get(rsdp + RSDP_RSDT, 4);
	for (size_t at = TABLE_HEADER; at + entry <= get(root + TABLE_LENGTH, 4); at += entry) {
		uint64_t table = get(root + at, entry);

		if (memcmp((const void *)table, "FACP", 4) == 0) {
			return (uint16_t)get(table + FADT_PM1A_CONTROL, 4);
		}
	}
	return 0;
}
