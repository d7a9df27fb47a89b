/* SPDX-License-Identifier: Apache-2.0 */
/** What root mode reads from ACPI: CPUs, the PM timer, the DMAR table. ACPI 6.5,
 * "ACPI Software Programming Model". Tables are untrusted: length and checksum are verified before
 * a byte is used. */
#ifndef BH_ACPI_ACPI_H
#define BH_ACPI_ACPI_H

#include "cpu/percpu.h"
#include "lib/types.h"

struct acpi_info {
	uint32_t cpu_count; /* usable CPUs, at most CPU_MAX */
	uint32_t cpu_found; /* usable CPUs in the MADT */
	uint32_t apic_id[CPU_MAX];
	uint16_t pm_timer_port; /* 0: none */
	bool pm_timer_32bit;
	const uint8_t *dmar; /* the DMAR table, checksum verified; NULL: none. acpi_init makes a copy */
	uint32_t dmar_size;
	uint64_t rsdp; /* physical address; 0: the boot loader gave a copy */
	uint64_t rsdt; /* RSDT or XSDT */
};

/** A DMAR table has a few hundred bytes; a larger one than this is refused. */
#define ACPI_DMAR_MAX 4096u

struct boot_info;

/** Reads the tables through the identity map below 4 GiB, and hides the DMAR table from who comes
 * later. Errors: -BH_NOENT (no RSDP), -BH_CORRUPT.
 */
BH_MUST_CHECK int acpi_init(const struct boot_info *info);
const struct acpi_info *acpi_get(void);

/** The parser alone, for tests: `read(ctx, pa, size)` yields size bytes at pa, or NULL when they
 * are out of bounds. */
typedef const void *(*acpi_read_fn)(void *ctx, uint64_t pa, uint64_t size);
BH_MUST_CHECK int acpi_parse(const void *rsdp, size_t rsdp_size, acpi_read_fn read, void *ctx,
			     struct acpi_info *ret);

#endif
