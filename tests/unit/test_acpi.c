/* SPDX-License-Identifier: Apache-2.0 */
/** ACPI tables: what is read, and that nothing damaged is used. */
#include "acpi/acpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/boot_info.h"

#define BASE   0x100000u
#define XSDT   (BASE + 0x000)
#define RSDT   (BASE + 0x100)
#define MADT   (BASE + 0x200)
#define FADT   (BASE + 0x400)
#define DMAR   (BASE + 0x600)
#define MEMORY 0x800

static uint8_t memory[MEMORY];
static uint8_t rsdp[36];
static struct acpi_info info;

static const void *read(void *ctx, uint64_t pa, uint64_t size)
{
	(void)ctx;
	if (pa < BASE || pa - BASE > MEMORY || size > MEMORY - (pa - BASE)) {
		return NULL;
	}
	return memory + (pa - BASE);
}

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, 4);
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, 8);
}

static void fix_sum(uint8_t *at, size_t size, uint8_t *sum)
{
	uint8_t total = 0;

	*sum = 0;
	for (size_t i = 0; i < size; i++) {
		total = (uint8_t)(total + at[i]);
	}
	*sum = (uint8_t)-total;
}

static uint8_t *table(uint32_t pa, const char *signature, uint32_t size)
{
	uint8_t *at = memory + (pa - BASE);

	memcpy(at, signature, 4);
	put32(at + 4, size);
	fix_sum(at, size, at + 9);
	return at;
}

static void seal_rsdp(void)
{
	fix_sum(rsdp, 20, rsdp + 8);
	fix_sum(rsdp, 36, rsdp + 32);
}

/* One enabled CPU by APIC entry, one disabled, one by x2APIC entry; a PM timer; a DMAR table. */
static int prepare(void **state)
{
	static const uint8_t entries[] = {
		0, 8, 0, 3, 1, 0, 0, 0,                                 /* APIC id 3, enabled */
		0, 8, 1, 4, 0, 0, 0, 0,                                 /* APIC id 4, disabled */
		9, 16, 0, 0, 0x00, 0x01, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, /* x2APIC id 256, can go online */
		1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                    /* an I/O APIC */
	};
	uint8_t *at;

	(void)state;
	memset(memory, 0, sizeof(memory));
	memset(&info, 0, sizeof(info));
	memcpy(memory + (MADT - BASE) + 44, entries, sizeof(entries));
	table(MADT, "APIC", 44 + sizeof(entries));
	at = memory + (FADT - BASE);
	put32(at + 76, 0x608);
	at[91] = 4;
	put32(at + 112, 1 << 8);
	table(FADT, "FACP", 276);
	table(DMAR, "DMAR", 48);
	at = memory + (XSDT - BASE);
	put64(at + 36, MADT);
	put64(at + 44, FADT);
	put64(at + 52, DMAR);
	table(XSDT, "XSDT", 60);
	at = memory + (RSDT - BASE);
	put32(at + 36, MADT);
	table(RSDT, "RSDT", 40);
	memset(rsdp, 0, sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = 2;
	put32(rsdp + 16, RSDT);
	put32(rsdp + 20, 36);
	put64(rsdp + 24, XSDT);
	seal_rsdp();
	return 0;
}

static int parse(void)
{
	return acpi_parse(rsdp, sizeof(rsdp), read, NULL, &info);
}

/* Usable CPUs of both kinds, the PM timer and its width, and the DMAR table are found. */
static void acpi_finds_what_is_needed(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(info.cpu_count, 2);
	assert_int_equal(info.cpu_found, 2);
	assert_int_equal(info.apic_id[0], 3);
	assert_int_equal(info.apic_id[1], 256);
	assert_int_equal(info.pm_timer_port, 0x608);
	assert_true(info.pm_timer_32bit);
	assert_ptr_equal(info.dmar, memory + (DMAR - BASE));
	assert_int_equal(info.dmar_size, 48);
	assert_int_equal(info.rsdt, XSDT);
}

/* ACPI 1.0 has only the RSDT. */
static void acpi_reads_the_rsdt(void **state)
{
	(void)state;
	rsdp[15] = 0;
	seal_rsdp();
	assert_int_equal(parse(), 0);
	assert_int_equal(info.rsdt, RSDT);
	assert_int_equal(info.cpu_count, 2);
	assert_null(info.dmar);
}

/* The extended PM timer block wins when it is a port. */
static void acpi_prefers_the_extended_block(void **state)
{
	uint8_t *at = memory + (FADT - BASE);

	(void)state;
	at[208] = 1;
	put64(at + 212, 0xb008);
	table(FADT, "FACP", 276);
	assert_int_equal(parse(), 0);
	assert_int_equal(info.pm_timer_port, 0xb008);
}

/* A root pointer with another signature or sum is refused. */
static void acpi_checks_the_root_pointer(void **state)
{
	(void)state;
	rsdp[8]++;
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	rsdp[0] = 'X';
	seal_rsdp();
	assert_int_equal(parse(), -BH_CORRUPT);
	assert_int_equal(acpi_parse(rsdp, 19, read, NULL, &info), -BH_CORRUPT);
}

/* A root table with a wrong sum, a wrong length, or out of bounds is refused. */
static void acpi_checks_the_root_table(void **state)
{
	(void)state;
	memory[XSDT - BASE + 9]++;
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	put32(memory + (XSDT - BASE) + 4, MEMORY + 1);
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	put32(memory + (XSDT - BASE) + 4, 35);
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	put64(rsdp + 24, ~0ull - 8);
	seal_rsdp();
	assert_int_equal(parse(), -BH_CORRUPT);
}

/* A damaged table is not used, the others are. */
static void acpi_skips_damaged_tables(void **state)
{
	(void)state;
	memory[FADT - BASE + 20]++;
	assert_int_equal(parse(), 0);
	assert_int_equal(info.pm_timer_port, 0);
	assert_int_equal(info.cpu_count, 2);
}

/* A machine whose DMAR table cannot be read is not started as if it had no IOMMU. */
static void acpi_refuses_a_damaged_dmar(void **state)
{
	(void)state;
	memory[DMAR - BASE + 40]++;
	assert_int_equal(parse(), -BH_CORRUPT);
	assert_non_null(strstr(boot_error, "DMAR"));
}

/* Entries of the MADT that lie about their length end it with an error, not with a loop. */
static void acpi_bounds_madt_entries(void **state)
{
	uint8_t *at = memory + (MADT - BASE);

	(void)state;
	at[44 + 1] = 0;
	table(MADT, "APIC", 88);
	assert_int_equal(parse(), -BH_CORRUPT);
	prepare(state);
	at[44 + 1] = 200;
	table(MADT, "APIC", 88);
	assert_int_equal(parse(), -BH_CORRUPT);
}

/* More CPUs than root mode has room for are counted and left alone. */
static void acpi_caps_cpus(void **state)
{
	uint8_t *at = memory + (MADT - BASE) + 44;

	(void)state;
	for (unsigned i = 0; i < CPU_MAX + 4; i++, at += 8) {
		memcpy(at, (const uint8_t[]){0, 8, 0, (uint8_t)i, 1, 0, 0, 0}, 8);
	}
	table(MADT, "APIC", 44 + 8 * (CPU_MAX + 4));
	assert_int_equal(parse(), 0);
	assert_int_equal(info.cpu_count, CPU_MAX);
	assert_int_equal(info.cpu_found, CPU_MAX + 4);
}

#define T(name) cmocka_unit_test_setup(name, prepare)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(acpi_finds_what_is_needed),
		T(acpi_reads_the_rsdt),
		T(acpi_prefers_the_extended_block),
		T(acpi_checks_the_root_pointer),
		T(acpi_checks_the_root_table),
		T(acpi_skips_damaged_tables),
		T(acpi_refuses_a_damaged_dmar),
		T(acpi_bounds_madt_entries),
		T(acpi_caps_cpus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
