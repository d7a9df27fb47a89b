/* SPDX-License-Identifier: Apache-2.0 */
/** The page-table walker with a format of its own: read, write, execute in bits 0 to 2, large in bit 7. */
#include "mem/ptab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "insn_fake.h"
#include "machine.h"
#include "mem/frames.h"

#define MIB    0x100000ull
#define TOP    (32 * MIB)
#define RW     (PTAB_READ | PTAB_WRITE)

static uint64_t attributes(unsigned prot, unsigned memtype)
{
	return prot | (uint64_t)memtype << 3;
}

static uint64_t leaf(uint64_t pa, unsigned level, unsigned prot, unsigned memtype)
{
	return pa | attributes(prot, memtype) | (level > 1 ? PTAB_LARGE : 0);
}

/* Memory as a reader sees it that does not look into the CPU's caches. */
static uint8_t behind_cache[TOP];

static void wrote(const void *at, size_t size)
{
	memcpy(behind_cache + (uintptr_t)at, at, size);
}

static const struct ptab_format format = {4, 3, 7, 7, attributes, wrote};

static struct ptab pt;
static uint64_t used_before;

static int prepare(void **state)
{
	static struct boot_info info;

	(void)state;
	insn_fake_reset();
	machine_map_ram(MIB, TOP - MIB);
	machine_boot_info(&info, TOP);
	if (frames_init(&info)) {
		return -1;
	}
	used_before = frames_hv_used();
	return ptab_init(&pt, &format);
}

/* Every test ends with all tables given back. */
static int finish(void **state)
{
	bool balanced;

	(void)state;
	ptab_fini(&pt);
	balanced = frames_hv_used() == used_before;
	machine_unmap_ram(MIB, TOP - MIB);
	return balanced ? 0 : -1;
}

static void expect(uint64_t va, uint64_t entry, unsigned level)
{
	uint64_t found;
	unsigned at;

	assert_true(machine_lookup(&pt, va, &found, &at));
	assert_int_equal(found, entry);
	assert_int_equal(at, level);
}

static void expect_none(uint64_t va)
{
	uint64_t found;
	unsigned at;

	assert_false(machine_lookup(&pt, va, &found, &at));
}

static uint64_t tables(void)
{
	return (frames_hv_used() - used_before) / PAGE_SIZE;
}

/* The largest page that fits both addresses and the rest of the range is used at each place. */
static void ptab_map_uses_the_largest_pages(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, PAGE_1G - PAGE_2M - PAGE_SIZE, PAGE_1G - PAGE_2M - PAGE_SIZE,
				  PAGE_SIZE + PAGE_2M + PAGE_1G + PAGE_2M + PAGE_SIZE, RW, PTAB_WB),
			 0);
	expect(PAGE_1G - PAGE_2M - PAGE_SIZE, leaf(PAGE_1G - PAGE_2M - PAGE_SIZE, 1, RW, 6), 1);
	expect(PAGE_1G - PAGE_2M, leaf(PAGE_1G - PAGE_2M, 2, RW, 6), 2);
	expect(PAGE_1G, leaf(PAGE_1G, 3, RW, 6), 3);
	expect(2 * PAGE_1G, leaf(2 * PAGE_1G, 2, RW, 6), 2);
	expect(2 * PAGE_1G + PAGE_2M, leaf(2 * PAGE_1G + PAGE_2M, 1, RW, 6), 1);
	expect_none(2 * PAGE_1G + PAGE_2M + PAGE_SIZE);
}

/* Addresses that are not congruent modulo a large page are mapped with small ones. */
static void ptab_map_respects_alignment_of_both(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, PAGE_2M, PAGE_2M + PAGE_SIZE, PAGE_2M, RW, PTAB_WB), 0);
	expect(PAGE_2M, leaf(PAGE_2M + PAGE_SIZE, 1, RW, 6), 1);
	expect(2 * PAGE_2M - 1, leaf(2 * PAGE_2M, 1, RW, 6), 1);
}

/* Unmapping a part of a large page splits it; all attributes of the rest stay. */
static void ptab_unmap_splits_large_page(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, 0, 0, PAGE_1G, PTAB_READ, PTAB_UC), 0);
	assert_int_equal(ptab_unmap(&pt, 5 * PAGE_2M + 7 * PAGE_SIZE, PAGE_SIZE), 0);
	expect_none(5 * PAGE_2M + 7 * PAGE_SIZE);
	expect(5 * PAGE_2M + 6 * PAGE_SIZE, leaf(5 * PAGE_2M + 6 * PAGE_SIZE, 1, PTAB_READ, 0), 1);
	expect(5 * PAGE_2M + 8 * PAGE_SIZE, leaf(5 * PAGE_2M + 8 * PAGE_SIZE, 1, PTAB_READ, 0), 1);
	expect(4 * PAGE_2M, leaf(4 * PAGE_2M, 2, PTAB_READ, 0), 2);
	expect(511 * PAGE_2M, leaf(511 * PAGE_2M, 2, PTAB_READ, 0), 2);
	assert_int_equal(tables(), 4);
}

/* Mapping a part of a large page anew changes only that part. */
static void ptab_map_splits_large_page(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, 0, 0, PAGE_2M, RW, PTAB_WB), 0);
	assert_int_equal(ptab_map(&pt, PAGE_SIZE, 0x123000, PAGE_SIZE, PTAB_READ, PTAB_WB), 0);
	expect(0, leaf(0, 1, RW, 6), 1);
	expect(PAGE_SIZE, leaf(0x123000, 1, PTAB_READ, 6), 1);
	expect(2 * PAGE_SIZE, leaf(2 * PAGE_SIZE, 1, RW, 6), 1);
}

/* A large page over small ones gives their tables back, when nobody walks them any more. */
static void ptab_map_replaces_tables(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, 0, 0, PAGE_SIZE, RW, PTAB_WB), 0);
	assert_int_equal(tables(), 4);
	assert_int_equal(ptab_map(&pt, 0, 0, PAGE_2M, RW, PTAB_WB), 0);
	assert_int_equal(tables(), 4);
	ptab_free_retired(ptab_take_retired(&pt));
	assert_int_equal(tables(), 3);
	expect(PAGE_SIZE, leaf(0, 2, RW, 6), 2);
}

/* When the last page of a table goes, the table goes; who still walks it finds nothing there. */
static void ptab_unmap_frees_empty_tables(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, PAGE_1G, 0, 2 * PAGE_SIZE, RW, PTAB_WB), 0);
	assert_int_equal(ptab_unmap(&pt, PAGE_1G, PAGE_SIZE), 0);
	assert_int_equal(tables(), 4);
	assert_int_equal(ptab_unmap(&pt, PAGE_1G + PAGE_SIZE, PAGE_SIZE), 0);
	assert_int_equal(tables(), 4);
	for (hpa_t at = pt.retired; at.v; at = hpa(*(uint64_t *)at.v)) {
		for (unsigned i = 0; i < 512; i++) {
			assert_false(((uint64_t *)at.v)[i] & 7);
		}
	}
	ptab_free_retired(ptab_take_retired(&pt));
	assert_int_equal(tables(), 1);
}

/* Unmapping what is not mapped is no error and takes no frame. */
static void ptab_unmap_of_nothing(void **state)
{
	(void)state;
	assert_int_equal(ptab_unmap(&pt, PAGE_SIZE, 3 * PAGE_1G), 0);
	assert_int_equal(tables(), 1);
}

/* Out of frames: the error is returned and every translation is as before. */
static void ptab_map_without_frames_changes_nothing(void **state)
{
	static hpa_t taken[FRAMES_HV_SIZE / PAGE_SIZE];
	unsigned count = 0;

	(void)state;
	assert_int_equal(ptab_map(&pt, 0, 0, PAGE_1G, RW, PTAB_WB), 0);
	while (frame_alloc(&taken[count]) == 0) {
		count++;
	}
	frame_free(taken[0]); /* one table of two */
	assert_int_equal(ptab_map(&pt, PAGE_SIZE, 0x5000, PAGE_SIZE, PTAB_READ, PTAB_UC), -BH_NOMEM);
	assert_int_equal(ptab_unmap(&pt, PAGE_SIZE, PAGE_SIZE), -BH_NOMEM);
	expect(0, leaf(0, 2, RW, 6), 2);
	expect(PAGE_SIZE, leaf(0, 2, RW, 6), 2);
	expect(PAGE_1G - 1, leaf(PAGE_1G - PAGE_2M, 2, RW, 6), 2);
	for (unsigned i = 1; i < count; i++) {
		frame_free(taken[i]);
	}
}

/* Ranges that are empty, not whole pages, or leave the address space are refused. */
static void ptab_checks_ranges(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, 0, 0, 0, RW, PTAB_WB), -BH_INVAL);
	assert_int_equal(ptab_map(&pt, 1, 0, PAGE_SIZE, RW, PTAB_WB), -BH_INVAL);
	assert_int_equal(ptab_map(&pt, 0, 0x800, PAGE_SIZE, RW, PTAB_WB), -BH_INVAL);
	assert_int_equal(ptab_map(&pt, BIT(48) - PAGE_SIZE, 0, 2 * PAGE_SIZE, RW, PTAB_WB), -BH_INVAL);
	assert_int_equal(ptab_map(&pt, 0, ~0xfffull, 2 * PAGE_SIZE, RW, PTAB_WB), -BH_INVAL);
	assert_int_equal(ptab_unmap(&pt, BIT(48), PAGE_SIZE), -BH_INVAL);
	assert_int_equal(ptab_set_raw(&pt, BIT(48), 1), -BH_INVAL);
	assert_int_equal(ptab_map(&pt, BIT(48) - PAGE_SIZE, 0, PAGE_SIZE, RW, PTAB_WB), 0);
}

/* A raw entry lands at the 4 KiB level and splits what was there. */
static void ptab_set_raw_writes_one_entry(void **state)
{
	(void)state;
	assert_int_equal(ptab_map(&pt, 0, 0, PAGE_2M, RW, PTAB_WB), 0);
	assert_int_equal(ptab_set_raw(&pt, 3 * PAGE_SIZE, 0xabc002), 0);
	expect(3 * PAGE_SIZE, 0xabc002, 1);
	expect(4 * PAGE_SIZE, leaf(4 * PAGE_SIZE, 1, RW, 6), 1);
	assert_int_equal(ptab_set_raw(&pt, 5 * PAGE_1G, 0xdef003), 0);
	expect(5 * PAGE_1G, 0xdef003, 1);
}

struct seen {
	uint64_t va[8];
	unsigned level[8];
	unsigned count, stop_at;
};

static int see(void *ctx, uint64_t va, uint64_t entry, unsigned level)
{
	struct seen *seen = ctx;

	(void)entry;
	seen->va[seen->count] = va;
	seen->level[seen->count++] = level;
	return seen->count == seen->stop_at ? -7 : 0;
}

/* The walk sees each leaf once, in order, and stops when told. */
static void ptab_walk_visits_leaves_in_order(void **state)
{
	struct seen seen = {0};

	(void)state;
	assert_int_equal(ptab_map(&pt, PAGE_2M - PAGE_SIZE, 0x7ff000, PAGE_SIZE, RW, PTAB_WB), 0);
	assert_int_equal(ptab_map(&pt, PAGE_2M, 0, PAGE_2M, RW, PTAB_WB), 0);
	assert_int_equal(ptab_map(&pt, BIT(40), 0, PAGE_1G, RW, PTAB_WB), 0);
	assert_int_equal(ptab_walk(&pt, see, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.va[0], PAGE_2M - PAGE_SIZE);
	assert_int_equal(seen.va[1], PAGE_2M);
	assert_int_equal(seen.va[2], BIT(40));
	assert_int_equal(seen.level[2], 3);
	seen = (struct seen){.stop_at = 2};
	assert_int_equal(ptab_walk(&pt, see, &seen), -7);
	assert_int_equal(seen.count, 2);
}

static void expect_written(const uint64_t *entries, unsigned level)
{
	assert_memory_equal(entries, behind_cache + (uintptr_t)entries, PAGE_SIZE);
	for (unsigned i = 0; i < 512 && level > 1; i++) {
		if ((entries[i] & 7) && !ptab_is_leaf(entries[i], level)) {
			expect_written(hpa_ptr(hpa(ptab_addr(entries[i], level))), level - 1);
		}
	}
}

/* Every byte of every table was handed to `wrote`, fresh tables and split pages too. */
static void ptab_tells_all_it_writes(void **state)
{
	(void)state;
	memset(behind_cache, 0xa5, sizeof(behind_cache));
	wrote(hpa_ptr(pt.root), PAGE_SIZE);
	assert_int_equal(ptab_map(&pt, 0, 0, PAGE_1G, RW, PTAB_WB), 0);
	assert_int_equal(ptab_unmap(&pt, 5 * PAGE_2M + PAGE_SIZE, PAGE_SIZE), 0);
	assert_int_equal(ptab_map(&pt, 3 * PAGE_1G, PAGE_SIZE, PAGE_2M, RW, PTAB_WB), 0);
	assert_int_equal(ptab_set_raw(&pt, 2 * PAGE_1G, 2), 0);
	expect_written(hpa_ptr(pt.root), 4);
	assert_int_equal(ptab_unmap(&pt, 3 * PAGE_1G, PAGE_2M), 0);
	expect_written(hpa_ptr(pt.root), 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, prepare, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ptab_tells_all_it_writes),
		T(ptab_map_uses_the_largest_pages),
		T(ptab_map_respects_alignment_of_both),
		T(ptab_unmap_splits_large_page),
		T(ptab_map_splits_large_page),
		T(ptab_map_replaces_tables),
		T(ptab_unmap_frees_empty_tables),
		T(ptab_unmap_of_nothing),
		T(ptab_map_without_frames_changes_nothing),
		T(ptab_checks_ranges),
		T(ptab_set_raw_writes_one_entry),
		T(ptab_walk_visits_leaves_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
