/* SPDX-License-Identifier: Apache-2.0 */
/** One owner per frame, and zeroed before it changes. */
#include "mem/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "insn_fake.h"
#include "machine.h"

#define MIB    0x100000ull
#define TOP    (256 * MIB)
#define WINDOW (TOP - FRAMES_HV_SIZE)

static struct boot_info info;

static int prepare(void **state)
{
	(void)state;
	insn_fake_reset();
	machine_map_ram(MIB, TOP - MIB);
	machine_boot_info(&info, TOP);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	machine_unmap_ram(MIB, TOP - MIB);
	return 0;
}

/* After the start root mode has its image and its window, holes belong to nobody, the rest is pool.
 */
static void frames_init_divides_ram(void **state)
{
	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_owner(hpa(0)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(0x10000)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(0xa0000)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(MIB)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(machine_image.end - 1)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(machine_image.end)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(WINDOW - 1)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(WINDOW)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(TOP - 1)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(TOP)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(~0ull)), FRAME_ABSENT);
	assert_int_equal(frames_top(), TOP);
}

/* What firmware keeps anywhere in RAM is nobody's, and root mode's window goes around it. */
static void frames_init_goes_around_firmware(void **state)
{
	static const struct boot_mem ovmf[] = {
		{0x800000, 0x8000, BOOT_MEM_NVS},
		{0x80b000, 0x1000, BOOT_MEM_NVS},
		{0x810000, 0xf0000, BOOT_MEM_NVS},
		{TOP - 3 * MIB, MIB, BOOT_MEM_RESERVED}, /* runtime services */
	};

	(void)state;
	memcpy(info.map + info.map_count, ovmf, sizeof(ovmf));
	info.map_count += ARRAY_SIZE(ovmf);
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_owner(hpa(0x800000)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(0x808000)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(0x80b000)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(0x8fffff)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(TOP - 3 * MIB)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(TOP - MIB)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(TOP - 4 * MIB - 1)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(TOP - 20 * MIB)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(TOP - 20 * MIB - 1)), FRAME_POOL);
}

/* The tables of the start reach 4 GiB: the window is below, however much RAM is above. */
static void frames_init_stays_below_4_gib(void **state)
{
	(void)state;
	info.map[info.map_count++] = (struct boot_mem){BIT(32), BIT(32), BOOT_MEM_RAM};
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_owner(hpa(WINDOW)), FRAME_HV);
	assert_int_equal(frame_owner(hpa(BIT(32))), FRAME_POOL);
	assert_int_equal(frames_top(), BIT(33));
}

/* A page that is RAM only in part, or that another entry takes away, is not RAM. */
static void frames_init_rounds_inward(void **state)
{
	(void)state;
	info.map[0].size = 0x8fc00;
	info.map[info.map_count++] = (struct boot_mem){0x2000800, 0x1000, BOOT_MEM_ACPI};
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_owner(hpa(0x9e000)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(0x9f000)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(0x2000000)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(0x2001000)), FRAME_ABSENT);
	assert_int_equal(frame_owner(hpa(0x2002000)), FRAME_POOL);
}

/* No RAM for the window, or the image on memory that firmware keeps: refused by name. */
static void frames_init_refuses_too_little(void **state)
{
	(void)state;
	machine_boot_info(&info, 17 * MIB);
	assert_int_equal(frames_init(&info), -BH_NOMEM);
	assert_non_null(strstr(boot_error, "too little memory"));
	machine_boot_info(&info, TOP);
	info.map[info.map_count++] = (struct boot_mem){MIB + 0x3000, 0x1000, BOOT_MEM_RESERVED};
	assert_int_equal(frames_init(&info), -BH_NOMEM);
}

/* A module keeps its frames, wherever the loader put it. */
static void frames_init_spares_modules(void **state)
{
	hpa_t frame;

	(void)state;
	machine_add_module(&info, "policy", "", TOP - 0x1000, 0x800);
	machine_add_module(&info, "kernel", "", machine_image.end, MIB);
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_owner(hpa(TOP - 0x1000)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(TOP - 2 * MIB - 1)), FRAME_HV);
	for (unsigned i = 0; frame_alloc(&frame) == 0; i++) {
		assert_in_range(frame.v, WINDOW - 2 * MIB, TOP - 2 * MIB - PAGE_SIZE);
	}
}

/* Frames come zeroed, out of the window, each once; the last one is followed by -BH_NOMEM. */
static void frame_alloc_gives_zeroed_frames(void **state)
{
	uint64_t before, count = 0;
	hpa_t frame;

	(void)state;
	memset((void *)WINDOW, 0xaa, FRAMES_HV_SIZE);
	assert_int_equal(frames_init(&info), 0);
	before = frames_hv_used();
	while (frame_alloc(&frame) == 0) {
		assert_in_range(frame.v, WINDOW, TOP - PAGE_SIZE);
		assert_int_equal(*(uint64_t *)hpa_ptr(frame), 0);
		assert_int_equal(((uint64_t *)hpa_ptr(frame))[511], 0);
		*(uint64_t *)hpa_ptr(frame) = 1; /* a second owner would see it */
		count++;
	}
	assert_int_equal(frames_hv_used(), before + count * PAGE_SIZE);
	assert_int_equal(frames_hv_used(), machine_image.end - MIB + FRAMES_HV_SIZE);
}

/* A freed frame can be had again, zeroed. */
static void frame_free_returns_the_frame(void **state)
{
	hpa_t first, again;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_alloc(&first), 0);
	memset(hpa_ptr(first), 0x55, PAGE_SIZE);
	frame_free(first);
	assert_int_equal(frame_alloc(&again), 0);
	assert_int_equal(again.v, first.v);
	assert_int_equal(*(uint64_t *)hpa_ptr(again), 0);
}

/* Freeing twice is our own error and stops the machine. */
static void frame_free_checks_the_owner(void **state)
{
	hpa_t frame;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_alloc(&frame), 0);
	frame_free(frame);
	assert_true(INSN_FAKE_STOPS(frame_free(frame)));
}

/* Neighbouring frames skip what is taken. */
static void frame_alloc_contig_finds_a_run(void **state)
{
	hpa_t a, b, c, run;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_alloc(&a), 0);
	assert_int_equal(frame_alloc(&b), 0);
	assert_int_equal(frame_alloc(&c), 0);
	frame_free(b);
	assert_int_equal(frame_alloc_contig(4, &run), 0);
	assert_int_equal(run.v, c.v + PAGE_SIZE);
	assert_int_equal(frame_alloc_contig(5000, &run), -BH_NOMEM);
}

/* The reserve lies at the top, around the modules; everything else becomes the control partition's.
 */
static void frames_reserve_pool_avoids_modules(void **state)
{
	const uint64_t sizes[] = {16 * MIB, 64 * MIB};

	(void)state;
	machine_add_module(&info, "kernel", "", 200 * MIB, 10 * MIB);
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 2), 0);
	assert_int_equal(frame_owner(hpa(WINDOW - PAGE_SIZE)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(224 * MIB)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(223 * MIB)), FRAME_PART0);
	assert_int_equal(frame_owner(hpa(200 * MIB)), FRAME_PART0);
	assert_int_equal(frame_owner(hpa(199 * MIB)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(136 * MIB)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(135 * MIB)), FRAME_PART0);
	assert_int_equal(frame_owner(hpa(0x10000)), FRAME_PART0);
}

/* Too little RAM for the policy changes no owner. */
static void frames_reserve_pool_is_all_or_nothing(void **state)
{
	const uint64_t sizes[] = {64 * MIB, 200 * MIB};

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 2), -BH_NOMEM);
	assert_int_equal(frame_owner(hpa(WINDOW - PAGE_SIZE)), FRAME_POOL);
	assert_int_equal(frame_owner(hpa(0x10000)), FRAME_POOL);
}

/* What a partition gets is zeroed, whatever was there at the start or from the owner before. */
static void frame_range_take_zeroes(void **state)
{
	const uint64_t sizes[] = {4 * MIB};
	uint64_t *word;
	hpa_t base;

	(void)state;
	memset((void *)(WINDOW - 4 * MIB), 0xaa, 4 * MIB);
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 1), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(frame_range_take(4 * MIB, 3, &base), 0);
		word = hpa_ptr(base);
		for (uint64_t i = 0; i < 4 * MIB / 8; i++) {
			if (word[i]) {
				fail_msg("word %lu is not zero", (unsigned long)i);
			}
		}
		assert_true(frame_range_owned(base, 4 * MIB, 3));
		memset(word, 0x55, 4 * MIB);
		frame_range_release(base, 4 * MIB);
		assert_int_equal(*word, 0);
		assert_int_equal(frame_owner(base), FRAME_POOL);
	}
}

/* Partitions that come and go in any order always fit into what was reserved for them. */
static void frame_range_take_never_fragments(void **state)
{
	const uint64_t sizes[] = {24 * MIB, 16 * MIB, 8 * MIB};
	hpa_t a, b, c;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 3), 0);
	assert_int_equal(frame_range_take(8 * MIB, 3, &c), 0);
	assert_int_equal(frame_range_take(16 * MIB, 2, &b), 0);
	assert_int_equal(frame_range_take(24 * MIB, 1, &a), 0);
	assert_int_equal(frame_range_take(8 * MIB, 4, &c), -BH_NOMEM);
	frame_range_release(a, 24 * MIB);
	frame_range_release(c, 8 * MIB);
	assert_int_equal(frame_range_take(8 * MIB, 3, &c), 0);
	assert_int_equal(frame_range_take(24 * MIB, 1, &a), 0);
}

/* A partition that another policy gives less takes less of what is its own, and leaves the others'. */
static void frame_range_take_gives_less(void **state)
{
	const uint64_t sizes[] = {24 * MIB, 16 * MIB, 8 * MIB};
	hpa_t a, b, c;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 3), 0);
	assert_int_equal(frame_range_take(8 * MIB, 1, &a), 0);
	assert_int_equal(frame_range_take(6 * MIB, 2, &b), 0);
	assert_int_equal(frame_range_take(8 * MIB, 3, &c), 0);
	frame_range_release(a, 8 * MIB);
	assert_int_equal(frame_range_take(24 * MIB, 1, &a), 0);
	assert_int_equal(frame_range_take(16 * MIB, 2, &b), -BH_NOMEM);
}

/* Sizes and partitions that make no sense are refused. */
static void frame_range_take_checks_arguments(void **state)
{
	hpa_t base;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frame_range_take(0, 1, &base), -BH_INVAL);
	assert_int_equal(frame_range_take(MIB, 1, &base), -BH_INVAL);
	assert_int_equal(frame_range_take(2 * MIB, BH_PART_MAX, &base), -BH_INVAL);
}

/* A range counts as owned only if every frame of it is, and never past the end or around zero. */
static void frame_range_owned_looks_at_every_frame(void **state)
{
	const uint64_t sizes[] = {4 * MIB};
	hpa_t base;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 1), 0);
	assert_int_equal(frame_range_take(4 * MIB, 5, &base), 0);
	assert_true(frame_range_owned(hpa(base.v + 8), 8, 5));
	assert_false(frame_range_owned(hpa(base.v - 1), 2, 5));
	assert_false(frame_range_owned(hpa(base.v + 4 * MIB - 1), 2, 5));
	assert_false(frame_range_owned(base, 4 * MIB, 6));
	assert_false(frame_range_owned(base, 0, 5));
	assert_false(frame_range_owned(hpa(~0ull), 2, 5));
	assert_false(frame_range_owned(base, ~0ull, 5));
}

/* Runs cover the table without gap or overlap, and neighbours differ. */
static void frame_run_next_covers_all(void **state)
{
	const uint64_t sizes[] = {4 * MIB};
	uint64_t base = 0, size, expected = 0;
	unsigned owner, last = ~0u;

	(void)state;
	assert_int_equal(frames_init(&info), 0);
	assert_int_equal(frames_reserve_pool(&info, sizes, 1), 0);
	for (; frame_run_next(&base, &size, &owner); base += size) {
		assert_int_equal(base, expected);
		assert_true(owner != last);
		assert_int_equal(frame_owner(hpa(base + size - 1)), owner);
		last = owner;
		expected = base + size;
	}
	assert_int_equal(expected, TOP);
}

#define T(name) cmocka_unit_test_setup_teardown(name, prepare, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_init_divides_ram),
		T(frames_init_goes_around_firmware),
		T(frames_init_stays_below_4_gib),
		T(frames_init_rounds_inward),
		T(frames_init_refuses_too_little),
		T(frames_init_spares_modules),
		T(frame_alloc_gives_zeroed_frames),
		T(frame_free_returns_the_frame),
		T(frame_free_checks_the_owner),
		T(frame_alloc_contig_finds_a_run),
		T(frames_reserve_pool_avoids_modules),
		T(frames_reserve_pool_is_all_or_nothing),
		T(frame_range_take_zeroes),
		T(frame_range_take_never_fragments),
		T(frame_range_take_gives_less),
		T(frame_range_take_checks_arguments),
		T(frame_range_owned_looks_at_every_frame),
		T(frame_run_next_covers_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
