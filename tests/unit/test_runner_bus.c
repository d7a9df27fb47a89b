/* SPDX-License-Identifier: Apache-2.0 */
/* Which region answers an access, and what happens where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "bus.h"

static struct bus bus;
static uint64_t last_offset, last_value;

static uint64_t answer(void *device, uint64_t offset, unsigned size)
{
	last_offset = offset;
	return 0x1122334455667788ull;
}

static void take(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	last_offset = offset;
	last_value = value;
}

static const struct bus_ops ops = {.read = answer, .write = take};

static int setup(void **state)
{
	memset(&bus, 0, sizeof(bus));
	last_offset = last_value = UINT64_MAX;
	return 0;
}

static uint64_t do_access(enum bh_ioreq_type type, enum bh_ioreq_dir dir, uint64_t addr,
			  unsigned size, uint64_t value)
{
	const struct bh_ioreq request = {.type = (uint8_t)type,
					 .dir = (uint8_t)dir,
					 .addr = addr,
					 .size = size,
					 .data = value};

	return bus_access(&bus, &request);
}

/* What nobody answers reads as all ones of its size. */
static void bus_reads_ones_where_nothing_is(void **state)
{
	assert_int_equal(do_access(BH_IOREQ_PIO, BH_IOREQ_READ, 0x64, 1, 0), 0xff);
	assert_int_equal(do_access(BH_IOREQ_MMIO, BH_IOREQ_READ, 0xd0000000, 4, 0), 0xffffffff);
	assert_true(do_access(BH_IOREQ_MMIO, BH_IOREQ_READ, 0xd0000000, 8, 0) == UINT64_MAX);
}

/* Ports and memory are different spaces. */
static void bus_tells_ports_from_memory(void **state)
{
	bus_add(&bus, BH_IOREQ_PIO, 0x100, 8, &ops, NULL);
	assert_int_equal(do_access(BH_IOREQ_MMIO, BH_IOREQ_READ, 0x100, 1, 0), 0xff);
	assert_int_equal(do_access(BH_IOREQ_PIO, BH_IOREQ_READ, 0x102, 1, 0), 0x88);
	assert_int_equal(last_offset, 2);
}

/* A value is cut to the size of the access, both ways. */
static void bus_cuts_values_to_size(void **state)
{
	bus_add(&bus, BH_IOREQ_PIO, 0x100, 8, &ops, NULL);
	assert_int_equal(do_access(BH_IOREQ_PIO, BH_IOREQ_READ, 0x100, 2, 0), 0x7788);
	do_access(BH_IOREQ_PIO, BH_IOREQ_WRITE, 0x100, 2, 0xabcdef);
	assert_int_equal(last_value, 0xcdef);
}

/* An access that only begins in a region does not reach it, also at the end of the address space.
 */
static void bus_wants_the_whole_access_inside(void **state)
{
	bus_add(&bus, BH_IOREQ_PIO, 0x100, 8, &ops, NULL);
	bus_add(&bus, BH_IOREQ_MMIO, UINT64_MAX - 3, 4, &ops, NULL);
	assert_int_equal(do_access(BH_IOREQ_PIO, BH_IOREQ_READ, 0x106, 4, 0), 0xffffffff);
	assert_int_equal(do_access(BH_IOREQ_PIO, BH_IOREQ_READ, 0xff, 2, 0), 0xffff);
	assert_true(do_access(BH_IOREQ_MMIO, BH_IOREQ_READ, UINT64_MAX - 3, 8, 0) == UINT64_MAX);
	assert_true(last_offset == UINT64_MAX);
}

/* A disabled region lets the access fall through to the next one. */
static void bus_skips_disabled_regions(void **state)
{
	bus_add(&bus, BH_IOREQ_PIO, 0x100, 8, &ops, NULL)->enabled = false;
	bus_add(&bus, BH_IOREQ_PIO, 0x0, 0x1000, &ops, NULL);
	do_access(BH_IOREQ_PIO, BH_IOREQ_READ, 0x100, 1, 0);
	assert_int_equal(last_offset, 0x100);
}

/* The table has an end, and says so. */
static void bus_add_stops_when_full(void **state)
{
	for (unsigned i = 0; i < BUS_REGION_MAX; i++) {
		assert_non_null(bus_add(&bus, BH_IOREQ_PIO, i, 1, &ops, NULL));
	}
	assert_null(bus_add(&bus, BH_IOREQ_PIO, 0, 1, &ops, NULL));
}

/* Regions overlap when both are enabled, of one type and share an address; one never overlaps itself. */
static void bus_finds_overlaps(void **state)
{
	struct bus_region *low = bus_add(&bus, BH_IOREQ_MMIO, 0x1000, 0x1000, &ops, NULL);
	struct bus_region *high = bus_add(&bus, BH_IOREQ_MMIO, 0x1fff, 0x1000, &ops, NULL);

	bus_add(&bus, BH_IOREQ_PIO, 0x2fff, 1, &ops, NULL);
	assert_true(bus_overlaps(&bus, low));
	assert_true(bus_overlaps(&bus, high));
	low->enabled = false;
	assert_false(bus_overlaps(&bus, high));
	low->enabled = true;
	high->base = 0x2000;
	assert_false(bus_overlaps(&bus, low));
	assert_false(bus_overlaps(&bus, high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bus_reads_ones_where_nothing_is, setup),
		cmocka_unit_test_setup(bus_tells_ports_from_memory, setup),
		cmocka_unit_test_setup(bus_cuts_values_to_size, setup),
		cmocka_unit_test_setup(bus_wants_the_whole_access_inside, setup),
		cmocka_unit_test_setup(bus_skips_disabled_regions, setup),
		cmocka_unit_test_setup(bus_add_stops_when_full, setup),
		cmocka_unit_test_setup(bus_finds_overlaps, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
