/* SPDX-License-Identifier: Apache-2.0 */
/** ACPI tables: found, bounded, checksummed, then read by offset from the copy-free view `read`
 * gives. Source: ACPI 6.5, "Root System Description Pointer", "Multiple APIC Description Table",
 *  "Fixed ACPI Description Table". */
#include "acpi/acpi.h"

#include "dbg/log.h"
#include "lib/boot_info.h"
#include "lib/string.h"

#define RSDP_SIZE_1 20u
#define RSDP_SIZE_2 36u
#define HEADER_SIZE 36u
#define TABLE_MAX   0x100000u
#define ENTRY_MAX   256u

#define MADT_ENTRIES	  44u
#define MADT_LOCAL_APIC	  0u
#define MADT_LOCAL_X2APIC 9u
#define MADT_ENABLED	  1u
#define MADT_ONLINE	  2u
#define FADT_PM_TMR_BLK	  76u
#define FADT_PM_TMR_LEN	  91u
#define FADT_FLAGS	  112u
#define FADT_TMR_VAL_EXT  BIT(8)
#define FADT_X_PM_TMR_BLK 208u
#define GAS_SIZE	  12u
#define GAS_SYSTEM_IO	  1u

#define BIOS_AREA     0xe0000ull
#define BIOS_AREA_END 0x100000ull
#define EBDA_SEGMENT  0x40eull

static struct acpi_info acpi;
static uint8_t dmar_copy[ACPI_DMAR_MAX];

static bool sums_to_zero(const uint8_t *at, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++) {
		sum = (uint8_t)(sum + at[i]);
	}
	return sum == 0;
}

/** The whole table at pa, checked; NULL if it is out of bounds or damaged. */
static const uint8_t *table_at(uint64_t pa, acpi_read_fn read, void *ctx, uint32_t *ret_size)
{
	const uint8_t *at = read(ctx, pa, HEADER_SIZE);
	uint32_t size;

	if (!at) {
		return NULL;
	}
	size = (uint32_t)load_le(at + 4, 4);
	if (size < HEADER_SIZE || size > TABLE_MAX) {
		return NULL;
	}
	at = read(ctx, pa, size);
	if (!at || !sums_to_zero(at, size)) {
		return NULL;
	}
	*ret_size = size;
	return at;
}

static void add_cpu(struct acpi_info *ret, uint32_t apic_id, uint32_t flags)
{
	if (!(flags & (MADT_ENABLED | MADT_ONLINE))) {
		return;
	}
	if (ret->cpu_count < CPU_MAX) {
		ret->apic_id[ret->cpu_count++] = apic_id;
	}
	ret->cpu_found++;
}

static int parse_madt(const uint8_t *table, uint32_t size, struct acpi_info *ret)
{
	uint32_t at = MADT_ENTRIES;

	while (at + 2 <= size) {
		uint8_t len = table[at + 1];

		if (len < 2 || len > size - at) {
			return boot_fail(BH_CORRUPT, "the ACPI MADT is damaged");
		}
		if (table[at] == MADT_LOCAL_APIC && len >= 8) {
			add_cpu(ret, table[at + 3], (uint32_t)load_le(table + at + 4, 4));
		} else if (table[at] == MADT_LOCAL_X2APIC && len >= 16) {
			add_cpu(ret, (uint32_t)load_le(table + at + 4, 4),
				(uint32_t)load_le(table + at + 8, 4));
		}
		at += len;
	}
	return 0;
}

static void parse_fadt(const uint8_t *table, uint32_t size, struct acpi_info *ret)
{
	uint64_t port = 0;

	if (size < FADT_FLAGS + 4) {
		return;
	}
	if (table[FADT_PM_TMR_LEN] == 4) {
		port = (uint32_t)load_le(table + FADT_PM_TMR_BLK, 4);
	}
	if (size >= FADT_X_PM_TMR_BLK + GAS_SIZE && table[FADT_X_PM_TMR_BLK] == GAS_SYSTEM_IO &&
	    load_le(table + FADT_X_PM_TMR_BLK + 4, 8)) {
		port = load_le(table + FADT_X_PM_TMR_BLK + 4, 8);
	}
	ret->pm_timer_port = port <= 0xfffc ? (uint16_t)port : 0;
	ret->pm_timer_32bit = (uint32_t)load_le(table + FADT_FLAGS, 4) & FADT_TMR_VAL_EXT;
}

static int parse_table(uint64_t pa, acpi_read_fn read, void *ctx, struct acpi_info *ret)
{
	uint32_t size;
	const uint8_t *table = table_at(pa, read, ctx, &size), *head;

	if (!table) {
		/* A damaged table that we do not need is the control partition's business. */
		head = read(ctx, pa, HEADER_SIZE);
		return head && memcmp(head, "DMAR", 4) == 0
			       ? boot_fail(BH_CORRUPT, "the ACPI DMAR table is damaged")
			       : 0;
	}
	if (memcmp(table, "APIC", 4) == 0) {
		return parse_madt(table, size, ret);
	}
	if (memcmp(table, "FACP", 4) == 0) {
		parse_fadt(table, size, ret);
	} else if (memcmp(table, "DMAR", 4) == 0) {
		ret->dmar = table;
		ret->dmar_size = size;
	}
	return 0;
}

int acpi_parse(const void *rsdp, size_t rsdp_size, acpi_read_fn read, void *ctx,
	       struct acpi_info *ret)
{
	const uint8_t *root = rsdp;
	unsigned width = 4;
	uint32_t size;
	int rc = 0;

	if (rsdp_size < RSDP_SIZE_1 || memcmp(root, "RSD PTR ", 8) != 0 ||
	    !sums_to_zero(root, RSDP_SIZE_1)) {
		return boot_fail(BH_CORRUPT, "the ACPI root pointer is damaged");
	}
	ret->rsdt = (uint32_t)load_le(root + 16, 4);
	if (root[15] >= 2 && rsdp_size >= RSDP_SIZE_2 && sums_to_zero(root, RSDP_SIZE_2) &&
	    load_le(root + 24, 8)) {
		ret->rsdt = load_le(root + 24, 8);
		width = 8;
	}
	root = table_at(ret->rsdt, read, ctx, &size);
	if (!root || memcmp(root, width == 8 ? "XSDT" : "RSDT", 4) != 0) {
		return boot_fail(BH_CORRUPT, "the ACPI root table is damaged");
	}
	for (uint32_t at = HEADER_SIZE, i = 0; !rc && at + width <= size && i < ENTRY_MAX;
	     at += width, i++) {
		uint64_t pa = width == 8 ? load_le(root + at, 8) : (uint32_t)load_le(root + at, 4);

		rc = parse_table(pa, read, ctx, ret);
	}
	return rc;
}

/** Firmware tables lie in memory the map names, or in the BIOS area; all of it below 4 GiB. */
static const void *read_memory(void *ctx, uint64_t pa, uint64_t size)
{
	const struct boot_info *info = ctx;

	if (pa < PAGE_SIZE || size > BIT(32) || pa > BIT(32) - size) {
		return NULL;
	}
	if (pa >= BIOS_AREA && pa + size <= BIOS_AREA_END) {
		return hpa_ptr(hpa(pa));
	}
	for (uint32_t i = 0; i < info->map_count; i++) {
		const struct boot_mem *m = &info->map[i];

		if (pa >= m->base && size <= m->size && pa - m->base <= m->size - size) {
			return hpa_ptr(hpa(pa));
		}
	}
	return NULL;
}

static uint64_t scan(uint64_t from, uint64_t to)
{
	for (; from + RSDP_SIZE_1 <= to; from += 16) {
		const uint8_t *at = hpa_ptr(hpa(from));

		if (memcmp(at, "RSD PTR ", 8) == 0 && sums_to_zero(at, RSDP_SIZE_1)) {
			return from;
		}
	}
	return 0;
}

/** Where a BIOS has the root pointer; 0: nowhere. UEFI leaves anything there. */
static uint64_t find_rsdp(void)
{
	uint64_t found = scan(BIOS_AREA, BIOS_AREA_END), ebda;
	uint16_t segment;

	memcpy(&segment, hpa_ptr(hpa(EBDA_SEGMENT)), sizeof(segment));
	ebda = (uint64_t)segment << 4;
	if (!found && ebda >= 0x80000 && ebda < 0xa0000) {
		found = scan(ebda, ebda + 0x400);
	}
	return found;
}

int acpi_init(const struct boot_info *info)
{
	struct acpi_info found = {0};
	const void *rsdp = info->rsdp;
	size_t size = info->rsdp_size;
	int rc;

	if (!size) {
		found.rsdp = find_rsdp();
		if (!found.rsdp) {
			return boot_fail(BH_NOENT, "no ACPI root pointer");
		}
		rsdp = hpa_ptr(hpa(found.rsdp));
		size = RSDP_SIZE_2;
	}
	rc = acpi_parse(rsdp, size, read_memory, (void *)(uintptr_t)info, &found);
	if (rc) {
		return rc;
	}
	if (found.dmar_size > sizeof(dmar_copy)) {
		return boot_fail(BH_CORRUPT, "the ACPI DMAR table is larger than 4 KiB");
	}
	if (found.dmar) {
		memcpy(dmar_copy, found.dmar, found.dmar_size);
		/* The control partition must not look for units that it cannot reach: to it this is an
		 * unknown table. The sum of the letters stays. */
		memcpy((void *)(uintptr_t)found.dmar, "RMAD", 4);
		found.dmar = dmar_copy;
	}
	acpi = found;
	log_info("acpi", "%u cpu(s), PM timer at port %x, DMAR table: %s", acpi.cpu_found,
		 acpi.pm_timer_port, acpi.dmar ? "yes" : "no");
	return 0;
}

const struct acpi_info *acpi_get(void)
{
	return &acpi;
}
