/* SPDX-License-Identifier: Apache-2.0 */
/** Who owns a frame, and what is zeroed when that changes. */
#include "mem/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_cpu.h"
#include "fake_ram.h"

#define RAM_SIZE (128ull << 20)

static int setup(void **state)
{
	fake_cpu_init();
	fake_ram_init(RAM_SIZE);
	return frames_init(boot_record());
}

static bool is_zero(hpa_t base, uint64_t size)
{
	const uint8_t *at = hpa_ptr(base);

	return at[0] == 0 && memcmp(at, at + 1, size - 1) == 0;
}

static void reserve(uint64_t a, uint64_t b)
{
	const uint64_t sizes[] = {a, b};

	assert_int_equal(frames_reserve_pool(boot_record(), sizes, 2), 0);
}

/* Root mode has [1 MiB, 16 MiB); what is no RAM has no owner; all else waits for the policy. */
static void frames_init_gives_root_mode_its_range(void **state)
{
	assert_int_equal(frame_owner(hpa(0x100000)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(FRAMES_HV_END - PAGE_SIZE)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(FRAMES_HV_END)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(0xa0000)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(RAM_SIZE)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(UINT64_MAX)), FRAME_ABSENT);
	assert_int_equal(frames_top(), RAM_SIZE);
}

/* Too little RAM for root mode itself is refused with words. */
static void frames_init_refuses_too_little_memory(void **state)
{
	fake_ram_init(12ull << 20);
	boot_error = NULL;
	boot_record()->map[1].size = 0x100000;
	assert_int_equal(frames_init(boot_record()), -BH_NOMEM);
	assert_non_null(boot_error);
}

/* A boot module inside root mode's range keeps its frames until the control partition takes them. */
static void frames_init_leaves_modules_alone(void **state)
{
	hpa_t frame;

	fake_ram_init(RAM_SIZE);
	fake_ram_module("initrd", 0x800000, "module", 6);
	assert_int_equal(frames_init(boot_record()), 0);
	assert_int_equal(frame_owner(hpa(0x800000)), FRAME_POOL);
	for (unsigned i = 0; i < 3000; i++) {
		if (frame_alloc(&frame) != 0) {
			break;
		}
		assert_true(frame.v != 0x800000);
	}
	assert_memory_equal(hpa_ptr(hpa(0x800000)), "module", 6);
}

/* A frame comes zeroed, even when it was used before. */
static void frame_alloc_zeroes_on_reuse(void **state)
{
	hpa_t first, second;

	assert_int_equal(frame_alloc(&first), 0);
	assert_true(is_zero(first, PAGE_SIZE));
	memset(hpa_ptr(first), 0xff, PAGE_SIZE);
	frame_free(first);
	assert_int_equal(frame_alloc(&second), 0);
	assert_int_equal(second.v, first.v);
	assert_true(is_zero(second, PAGE_SIZE));
}

/* Neighbouring frames are neighbours, and nobody else gets one of them. */
static void frame_alloc_contig_returns_disjoint_runs(void **state)
{
	hpa_t a, b;

	assert_int_equal(frame_alloc_contig(4, &a), 0);
	assert_int_equal(frame_alloc_contig(4, &b), 0);
	assert_true(a.v + 4 * PAGE_SIZE <= b.v || b.v + 4 * PAGE_SIZE <= a.v);
}

/* When root mode's range is used up, allocation fails and nothing outside the range is taken. */
static void frame_alloc_ends_with_its_range(void **state)
{
	unsigned count = 0;
	hpa_t frame;

	while (frame_alloc(&frame) == 0) {
		assert_true(frame.v >= FAKE_IMAGE_END && frame.v < FRAMES_CRASH_PAGE);
		count++;
	}
	assert_true(count > 3000);
	assert_int_equal(frame_owner(hpa(FRAMES_HV_END)), FRAME_POOL);
}

static void free_twice(void)
{
	hpa_t frame;

	(void)!frame_alloc(&frame);
	frame_free(frame);
	frame_free(frame);
}

/* Freeing what is not allocated is a bug of ours and stops the machine. */
static void frame_free_stops_on_double_free(void **state)
{
	assert_true(fake_stops(free_twice));
}

/* What the policy does not reserve becomes the control partition's. */
static void frames_reserve_pool_gives_the_rest_to_control(void **state)
{
	reserve(32 << 20, 16 << 20);
	assert_int_equal(frame_owner(hpa(RAM_SIZE - 1)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(RAM_SIZE - (48 << 20))), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(RAM_SIZE - (48 << 20) - 1)), FRAME_PART0);
	assert_int_equal(frame_owner(hpa(0x1000)), FRAME_PART0);
}

/* A policy that needs more than there is changes nothing. */
static void frames_reserve_pool_refuses_too_much(void **state)
{
	const uint64_t sizes[] = {32 << 20, 512 << 20};

	assert_int_equal(frames_reserve_pool(boot_record(), sizes, 2), -BH_NOMEM);
	assert_int_equal(frame_owner(hpa(0x2000000)), FRAME_POOL);
}

/* RAM of a partition is aligned, zeroed, and owned by it alone. */
static void frame_range_take_zeroes_and_owns(void **state)
{
	hpa_t a, b;

	reserve(32 << 20, 16 << 20);
	assert_int_equal(frame_range_take(32 << 20, 1, &a), 0);
	assert_int_equal(frame_range_take(16 << 20, 2, &b), 0);
	assert_true(IS_ALIGNED(a.v, PAGE_2M) && IS_ALIGNED(b.v, PAGE_2M));
	assert_true(is_zero(a, 32 << 20));
	assert_true(frame_range_owned(a, 32 << 20, 1));
	assert_false(frame_range_owned(a, 32 << 20, 2));
	assert_false(frame_range_owned(a, (32 << 20) + PAGE_SIZE, 1));
	assert_int_equal(frame_owner(b), FRAME_PART0 + 2);
}

/* What a partition wrote is gone before its RAM can be another's. */
static void frame_range_release_zeroes(void **state)
{
	hpa_t a, b;

	reserve(32 << 20, 0x200000);
	assert_int_equal(frame_range_take(32 << 20, 1, &a), 0);
	memset(hpa_ptr(a), 0x5a, 32 << 20);
	frame_range_release(a, 32 << 20);
	assert_int_equal(frame_owner(a), FRAME_POOL);
	assert_true(is_zero(a, 32 << 20));
	assert_int_equal(frame_range_take(32 << 20, 2, &b), 0);
	assert_true(frame_range_owned(b, 32 << 20, 2));
}

/* A range that cannot be had changes nothing; odd sizes have no meaning. */
static void frame_range_take_refuses(void **state)
{
	hpa_t a = hpa(1);

	reserve(32 << 20, 0x200000);
	assert_int_equal(frame_range_take(64 << 20, 1, &a), -BH_NOMEM);
	assert_int_equal(frame_range_take(0x1000, 1, &a), -BH_INVAL);
	assert_int_equal(frame_range_take(0x200000, BH_PART_MAX, &a), -BH_INVAL);
	assert_int_equal(a.v, 1);
}

/* The runs cover every frame once, in order. */
static void frame_run_next_covers_all(void **state)
{
	uint64_t base = 0, size, covered = 0;
	unsigned owner;

	reserve(32 << 20, 16 << 20);
	while (frame_run_next(&base, &size, &owner)) {
		assert_int_equal(base, covered);
		assert_int_equal(frame_owner(hpa(base)), owner);
		covered += size;
		base += size;
	}
	assert_int_equal(covered, RAM_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(frames_init_gives_root_mode_its_range, setup),
		cmocka_unit_test_setup(frames_init_refuses_too_little_memory, setup),
		cmocka_unit_test_setup(frames_init_leaves_modules_alone, setup),
		cmocka_unit_test_setup(frame_alloc_zeroes_on_reuse, setup),
		cmocka_unit_test_setup(frame_alloc_contig_returns_disjoint_runs, setup),
		cmocka_unit_test_setup(frame_alloc_ends_with_its_range, setup),
		cmocka_unit_test_setup(frame_free_stops_on_double_free, setup),
		cmocka_unit_test_setup(frames_reserve_pool_gives_the_rest_to_control, setup),
		cmocka_unit_test_setup(frames_reserve_pool_refuses_too_much, setup),
		cmocka_unit_test_setup(frame_range_take_zeroes_and_owns, setup),
		cmocka_unit_test_setup(frame_range_release_zeroes, setup),
		cmocka_unit_test_setup(frame_range_take_refuses, setup),
		cmocka_unit_test_setup(frame_run_next_covers_all, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
