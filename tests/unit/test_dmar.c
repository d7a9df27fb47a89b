/* SPDX-License-Identifier: Apache-2.0 */
/** The DMAR table: what is found, and that each impossible thing is refused by name. */
#include "iommu/dmar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/boot_info.h"

static uint8_t table[1024];
static uint32_t size;
static struct dmar dmar;

static void put(size_t at, uint64_t value, size_t bytes)
{
	memcpy(table + at, &value, bytes);
}

/* Begins an entry and returns where it is. */
static uint32_t add(unsigned type, uint32_t length)
{
	uint32_t at = size;

	put(at, type, 2);
	put(at + 2, length, 2);
	size += length;
	put(4, size, 4);
	return at;
}

static uint32_t add_unit(uint64_t base, uint32_t scopes)
{
	uint32_t at = add(0, 16 + scopes);

	put(at + 8, base, 8);
	return at;
}

static uint32_t add_region(uint64_t base, uint64_t limit)
{
	uint32_t at = add(1, 24);

	put(at + 8, base, 8);
	put(at + 16, limit, 8);
	return at;
}

/* Header with 39 bits of address and one unit with two scopes. */
static int prepare(void **state)
{
	static const uint8_t scopes[] = {1, 8, 0, 0, 0, 0, 2, 0,	/* 00:02.0 */
					 2, 10, 0, 0, 0, 0, 0x1c, 1, 0, 0}; /* behind 00:1c.1, its 00.0 */
	uint32_t at;

	(void)state;
	memset(table, 0, sizeof(table));
	memcpy(table, "DMAR", 4);
	table[36] = 38;
	size = 48;
	at = add_unit(0xfed90000, sizeof(scopes));
	memcpy(table + at + 16, scopes, sizeof(scopes));
	return 0;
}

static void assert_refused(int err, const char *word)
{
	boot_error = "";
	assert_int_equal(dmar_parse(table, size, &dmar), err);
	if (!strstr(boot_error, word)) {
		fail_msg("said: %s", boot_error);
	}
}

/* Units and reserved regions are found; entries of other kinds are passed over. */
static void dmar_parse_finds_units_and_regions(void **state)
{
	(void)state;
	add(2, 8); /* ATSR */
	add_unit(0xfed91000, 0);
	add_region(0x7d000000, 0x7dffffff);
	assert_int_equal(dmar_parse(table, size, &dmar), 0);
	assert_int_equal(dmar.width, 39);
	assert_int_equal(dmar.unit_count, 2);
	assert_int_equal(dmar.unit[0], 0xfed90000);
	assert_int_equal(dmar.unit[1], 0xfed91000);
	assert_int_equal(dmar.region_count, 1);
	assert_int_equal(dmar.region[0].base, 0x7d000000);
	assert_int_equal(dmar.region[0].end, 0x7e000000);
	assert_false(dmar_region_names(&dmar.region[0], 0));
}

/* A region belongs to the function at the end of a path; behind bridges the bus is not known. */
static void dmar_region_names_its_devices(void **state)
{
	static const uint8_t scopes[] = {1, 8, 0, 0, 0, 0, 2, 0, 1, 10, 0, 0, 0, 0, 0x1c, 1, 3, 2};
	uint32_t at = add(1, 24 + sizeof(scopes));

	(void)state;
	put(at + 8, 0x2000, 8);
	put(at + 16, 0x2fff, 8);
	memcpy(table + at + 24, scopes, sizeof(scopes));
	assert_int_equal(dmar_parse(table, size, &dmar), 0);
	assert_true(dmar_region_names(&dmar.region[0], 0x0010));
	assert_false(dmar_region_names(&dmar.region[0], 0x0110));
	assert_true(dmar_region_names(&dmar.region[0], 0x051a));
	assert_false(dmar_region_names(&dmar.region[0], 0x00e1));
}

/* A table that ends early is refused at every length. */
static void dmar_parse_refuses_truncation(void **state)
{
	uint32_t whole;

	(void)state;
	add_region(0x7d000000, 0x7dffffff);
	whole = size;
	for (size = 0; size < whole; size++) {
		put(4, size, 4);
		assert_true(dmar_parse(table, size, &dmar) != 0 || size == 48 + 16 + 18);
	}
}

/* Entries that lie about their length end in an error, not in a loop. */
static void dmar_parse_bounds_entries(void **state)
{
	(void)state;
	put(48 + 2, 0, 2);
	assert_refused(-BH_CORRUPT, "entry has an impossible length");
	put(48 + 2, 3000, 2);
	assert_refused(-BH_CORRUPT, "entry has an impossible length");
	put(48 + 2, 8, 2);
	assert_refused(-BH_CORRUPT, "unit is truncated");
}

/* Scopes are bounded by their entry, have whole steps, and name devices that can be. */
static void dmar_parse_bounds_scopes(void **state)
{
	static const uint8_t bad[] = {0, 6, 7, 9, 28, 255};

	for (size_t i = 0; i < sizeof(bad); i++) {
		prepare(state);
		table[48 + 16 + 1] = bad[i];
		assert_refused(-BH_CORRUPT, "scope has an impossible length");
	}
	prepare(state);
	table[48 + 16 + 6] = 32;
	assert_refused(-BH_CORRUPT, "names no PCI function");
	prepare(state);
	table[48 + 16 + 7] = 8;
	assert_refused(-BH_CORRUPT, "names no PCI function");
}

/* Registers lie at a page inside the address width, each unit at its own. */
static void dmar_parse_refuses_impossible_units(void **state)
{
	static const uint64_t bad[] = {0, 0xfed90800, 1ull << 39, ~0xfffull};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		prepare(state);
		put(48 + 8, bad[i], 8);
		assert_refused(-BH_CORRUPT, "registers of a remapping unit at an impossible address");
	}
	prepare(state);
	add_unit(0xfed90000, 0);
	assert_refused(-BH_CORRUPT, "two remapping units at one address");
	prepare(state);
	put(48 + 6, 1, 2);
	assert_refused(-BH_CORRUPT, "segment");
	prepare(state);
	for (unsigned i = 1; i <= DMAR_UNIT_MAX; i++) {
		add_unit(0xfed90000 + i * PAGE_SIZE, 0);
	}
	assert_refused(-BH_CORRUPT, "more than 8");
}

/* A reserved region is whole pages, ends after it begins, and lies inside the address width. */
static void dmar_parse_refuses_impossible_regions(void **state)
{
	add_region(0x2000, 0x1fff);
	assert_refused(-BH_CORRUPT, "ends before it begins");
	prepare(state);
	add_region(0x2000, ~0ull);
	assert_refused(-BH_CORRUPT, "region at an impossible address");
	prepare(state);
	add_region(0x2800, 0x2fff);
	assert_refused(-BH_CORRUPT, "region at an impossible address");
	prepare(state);
	add_region(0x2000, 0x2ffe);
	assert_refused(-BH_CORRUPT, "region at an impossible address");
	prepare(state);
	for (unsigned i = 0; i <= DMAR_REGION_MAX; i++) {
		add_region(0x2000, 0x2fff);
	}
	assert_refused(-BH_CORRUPT, "more than 16");
}

/* A table without a unit, or with a width that no machine has, is refused. */
static void dmar_parse_wants_a_unit_and_a_width(void **state)
{
	(void)state;
	put(48, 2, 2);
	assert_refused(-BH_CORRUPT, "no remapping unit");
	table[36] = 255;
	assert_refused(-BH_CORRUPT, "width");
	table[36] = 0;
	assert_refused(-BH_CORRUPT, "width");
}

#define T(name) cmocka_unit_test_setup(name, prepare)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(dmar_parse_finds_units_and_regions),
		T(dmar_region_names_its_devices),
		T(dmar_parse_refuses_truncation),
		T(dmar_parse_bounds_entries),
		T(dmar_parse_bounds_scopes),
		T(dmar_parse_refuses_impossible_units),
		T(dmar_parse_refuses_impossible_regions),
		T(dmar_parse_wants_a_unit_and_a_width),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
