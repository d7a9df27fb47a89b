/* SPDX-License-Identifier: Apache-2.0 */
/* The ACPI tables hang together and a foreign tool reads them. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fakes/scratch.h"
#include "acpi.h"
#include "layout.h"
#include "power.h"

static uint8_t area[LAYOUT_ACPI_SIZE];

static uint64_t get(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		value |= (uint64_t)at[i] << (8 * i);
	}
	return value;
}

static uint8_t sum(const uint8_t *bytes, size_t size)
{
	uint8_t total = 0;

	for (size_t i = 0; i < size; i++) {
		total = (uint8_t)(total + bytes[i]);
	}
	return total;
}

static const uint8_t *at_gpa(uint64_t gpa)
{
	assert_in_range(gpa, LAYOUT_ACPI_GPA, LAYOUT_ACPI_GPA + LAYOUT_ACPI_SIZE - 36);
	return area + (gpa - LAYOUT_ACPI_GPA);
}

static const uint8_t *table(const char *signature)
{
	const uint8_t *xsdt = at_gpa(get(area + 24, 8)), *fadt = NULL;

	if (strcmp(signature, "XSDT") == 0) {
		return xsdt;
	}
	for (unsigned i = 36; i < get(xsdt + 4, 4); i += 8) {
		const uint8_t *found = at_gpa(get(xsdt + i, 8));

		if (memcmp(found, signature, 4) == 0) {
			return found;
		}
		if (memcmp(found, "FACP", 4) == 0) {
			fadt = found;
		}
	}
	assert_string_equal(signature, "DSDT");
	assert_non_null(fadt);
	return at_gpa(get(fadt + 140, 8));
}

static const char *const names[] = {"XSDT", "FACP", "APIC", "DSDT"};

static int setup(void **state)
{
	return acpi_build(area, sizeof(area), LAYOUT_ACPI_GPA, 3) > 0 ? 0 : -1;
}

/* RSDP and every table have checksums of 0. */
static void acpi_checksums_are_right(void **state)
{
	assert_memory_equal(area, "RSD PTR ", 8);
	assert_int_equal(sum(area, 20), 0);
	assert_int_equal(sum(area, 36), 0);
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *t = table(names[i]);

		assert_memory_equal(t, names[i], 4);
		assert_int_equal(sum(t, get(t + 4, 4)), 0);
	}
}

/* The MADT names each vcpu once, enabled, by its APIC id. */
static void acpi_madt_names_every_vcpu(void **state)
{
	const uint8_t *madt = table("APIC");

	assert_int_equal(get(madt + 4, 4), 44 + 3 * 8);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(get(madt + 44 + 8 * i, 4), 0x0800u | i << 16 | i << 24);
		assert_int_equal(get(madt + 48 + 8 * i, 4), 1);
	}
}

/* The FADT says: hardware-reduced, reset by port, physical APIC destinations, sleep registers. */
static void acpi_fadt_describes_the_ports(void **state)
{
	const uint8_t *fadt = table("FACP");

	assert_int_equal(get(fadt + 112, 4) & (1u << 20 | 1u << 19 | 1u << 10),
			 1u << 20 | 1u << 19 | 1u << 10);
	assert_int_equal(fadt[116], 1);
	assert_int_equal(get(fadt + 120, 8), POWER_RESET_PORT);
	assert_int_equal(fadt[128], POWER_RESET_VALUE);
	assert_int_equal(get(fadt + 248, 8), POWER_SLEEP_PORT);
	assert_int_equal(get(fadt + 260, 8), POWER_SLEEP_PORT + 1);
}

/* Tables that do not fit are not made. */
static void acpi_build_wants_room(void **state)
{
	assert_int_equal(acpi_build(area, 200, LAYOUT_ACPI_GPA, 1), 0);
	assert_int_equal(acpi_build(area, 0, LAYOUT_ACPI_GPA, 1), 0);
}

/* iasl disassembles each table without an error or a warning. */
static void acpi_tables_please_iasl(void **state)
{
	char command[256];

	assert_int_equal(scratch_make("/tmp"), 0);
	for (unsigned i = 0; i < 4; i++) {
		const char *path = scratch_path(names[i]);
		const uint8_t *t = table(names[i]);
		FILE *file;

		file = fopen(path, "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(t, get(t + 4, 4), 1, file), 1);
		fclose(file);
		snprintf(command, sizeof(command),
			 "iasl -d %s >%s/log 2>&1 && ! grep -iE 'error|warning|invalid' %s/log",
			 path, scratch_folder, scratch_folder);
		assert_int_equal(system(command), 0);
	}
	assert_int_equal(scratch_remove(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(acpi_checksums_are_right, setup),
		cmocka_unit_test_setup(acpi_madt_names_every_vcpu, setup),
		cmocka_unit_test_setup(acpi_fadt_describes_the_ports, setup),
		cmocka_unit_test_setup(acpi_build_wants_room, setup),
		cmocka_unit_test_setup(acpi_tables_please_iasl, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
