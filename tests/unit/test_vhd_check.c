/* SPDX-License-Identifier: Apache-2.0 */
/* What a check finds, one damage at a time. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bytes.h"
#include "vhd_check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
	images_setup(state);
	images_make("a.vhd", VHD_DYNAMIC, NULL);
	images_fill("a.vhd", 0, 8192, 'a');
	images_fill("a.vhd", 2 * IMAGES_BLOCK, 8192, 'b');
	return 0;
}

/* Findings as "KIND:GRADE ", in order. */
static const char *findings(const char *name)
{
	static char text[512];
	struct vhd_check check;
	size_t used = 0;

	assert_int_equal(vhd_check_run(images_folder, name, NULL, &check, &images_why), 0);
	text[0] = 0;
	for (unsigned i = 0; i < check.kept; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s:%s ",
					 vhd_check_kind_name(check.findings[i].kind),
					 vhd_check_grade_name(check.findings[i].grade));
		assert_true(check.findings[i].sentence[0]);
	}
	assert_int_equal(check.is_sound, check.worst == VHD_CHECK_NOTE);
	vhd_check_fini(&check);
	return text;
}

/* Images that the engine made are without a finding, whatever their type. */
static void vhd_check_finds_nothing_in_ours(void **state)
{
	(void)state;
	images_make("f.vhd", VHD_FIXED, NULL);
	images_make("c.vhd", VHD_DIFFERENCING, "a.vhd");
	images_fill("c.vhd", 512, 512, 'c');
	assert_string_equal(findings("a.vhd"), "");
	assert_string_equal(findings("f.vhd"), "");
	assert_string_equal(findings("c.vhd"), "");
}

/* What begins and ends like no VHD is none. */
static void vhd_check_refuses_other_files(void **state)
{
	struct vhd_check check;

	(void)state;
	assert_int_equal(folder_replace_file(images_folder, "t", "text", 4), 0);
	assert_int_equal(vhd_check_run(images_folder, "t", NULL, &check, &images_why), -EINVAL);
	assert_int_equal(vhd_check_run(images_folder, "u", NULL, &check, &images_why), -ENOENT);
}

/* A footer that is gone or changed at one end is found at that end. */
static void vhd_check_finds_lost_footers(void **state)
{
	static const uint8_t zeros[512];
	uint64_t end = images_file_size("a.vhd") - 512;

	(void)state;
	images_poke("a.vhd", end, zeros, sizeof(zeros));
	assert_string_equal(findings("a.vhd"), "footer:repairable ");
	images_poke("a.vhd", 0, zeros, sizeof(zeros));
	images_poke("a.vhd", 0, "conectix", 8);
	assert_string_equal(findings("a.vhd"), "footer:lost ");
}

/* A copy that is gone, or whole and different. */
static void vhd_check_compares_the_copy(void **state)
{
	struct vhd_footer footer;
	uint8_t bytes[512];

	(void)state;
	images_peek("a.vhd", 0, bytes, sizeof(bytes));
	assert_int_equal(vhd_footer_decode(bytes, &footer), 0);
	footer.timestamp++;
	vhd_footer_encode(&footer, bytes);
	images_poke("a.vhd", 0, bytes, sizeof(bytes));
	assert_string_equal(findings("a.vhd"), "footers-differ:repairable ");
	bytes[100] ^= 1;
	images_poke("a.vhd", 0, bytes, sizeof(bytes));
	assert_string_equal(findings("a.vhd"), "footer-copy:repairable ");
}

/* Bytes behind the footer of a fixed disk. */
static void vhd_check_finds_stray_bytes(void **state)
{
	(void)state;
	images_make("f.vhd", VHD_FIXED, NULL);
	images_poke("f.vhd", images_file_size("f.vhd"), "stray", 5);
	assert_string_equal(findings("f.vhd"), "stray:repairable ");
	images_make("g.vhd", VHD_FIXED, NULL);
	images_poke("g.vhd", images_file_size("g.vhd") + 1048575, "\0", 1);
	assert_string_equal(findings("g.vhd"), "stray:repairable ");
}

/* A footer that a guest wrote into a fixed disk is not taken for the disk's. */
static void vhd_check_believes_no_guest(void **state)
{
	struct vhd_check check;
	uint8_t bytes[512];

	(void)state;
	images_make("f.vhd", VHD_FIXED, NULL);
	images_peek("f.vhd", IMAGES_SIZE, bytes, sizeof(bytes));
	images_poke("f.vhd", 512, bytes, sizeof(bytes));
	images_poke("f.vhd", IMAGES_SIZE, "????????", 8);
	assert_int_equal(vhd_check_run(images_folder, "f.vhd", NULL, &check, &images_why), -EINVAL);
}

/* A fixed disk that is longer than its file. */
static void vhd_check_finds_a_short_file(void **state)
{
	struct vhd_footer footer;
	uint8_t bytes[512];

	(void)state;
	images_make("f.vhd", VHD_FIXED, NULL);
	images_peek("f.vhd", IMAGES_SIZE, bytes, sizeof(bytes));
	assert_int_equal(vhd_footer_decode(bytes, &footer), 0);
	footer.size = footer.original_size = IMAGES_SIZE + VHD_SIZE_STEP;
	vhd_footer_encode(&footer, bytes);
	images_poke("f.vhd", IMAGES_SIZE, bytes, sizeof(bytes));
	assert_string_equal(findings("f.vhd"), "size:lost ");
}

/* Four bytes of the block table; our table lies on the second page. */
static void set_entry(uint32_t block, uint32_t sector)
{
	uint8_t bytes[4];

	vhd_store32(bytes, sector);
	images_poke("a.vhd", 4096 + 4ull * block, bytes, sizeof(bytes));
}

/* Entries that lead out of the file, over the tables, or to another's place. */
static void vhd_check_finds_wrong_entries(void **state)
{
	uint32_t place = (uint32_t)(images_place("a.vhd", 0) / 512);

	(void)state;
	set_entry(1, 0x00ffffff);
	assert_string_equal(findings("a.vhd"), "block-outside:repairable ");
	set_entry(1, 2);
	assert_string_equal(findings("a.vhd"), "block-overlap:repairable ");
	set_entry(1, place + 8);
	assert_string_equal(findings("a.vhd"), "block-overlap:repairable ");
	set_entry(1, place);
	assert_string_equal(findings("a.vhd"), "block-overlap:repairable ");
}

/* Blocks that no entry names any more are counted. */
static void vhd_check_finds_leaks(void **state)
{
	(void)state;
	set_entry(0, UINT32_MAX);
	assert_string_equal(findings("a.vhd"), "leaked:note ");
}

/* A dynamic disk's bitmap that hides zeros, and one that hides data. */
static void vhd_check_looks_at_bitmaps(void **state)
{
	uint64_t place = images_place("a.vhd", 0);

	(void)state;
	images_poke("a.vhd", place + 511, "\0", 1);
	assert_string_equal(findings("a.vhd"), "bitmap:repairable ");
	images_poke("a.vhd", place, "\x7f", 1);
	assert_string_equal(findings("a.vhd"), "bitmap:note ");
}

/* A header whose checksum alone is wrong, and one that is gone. */
static void vhd_check_looks_at_the_header(void **state)
{
	static const uint8_t zeros[512];

	(void)state;
	images_poke("a.vhd", 512 + 36, "????", 4);
	assert_string_equal(findings("a.vhd"), "header:repairable ");
	images_poke("a.vhd", 512, zeros, sizeof(zeros));
	assert_string_equal(findings("a.vhd"), "header:lost ");
}

/* A parent that is missing, or another one. */
static void vhd_check_asks_for_the_parent(void **state)
{
	(void)state;
	images_make("c.vhd", VHD_DIFFERENCING, "a.vhd");
	assert_int_equal(folder_rename(images_folder, "a.vhd", "z.vhd"), 0);
	assert_string_equal(findings("c.vhd"), "parent:lost ");
	images_make("a.vhd", VHD_DYNAMIC, NULL);
	assert_string_equal(findings("c.vhd"), "parent:lost ");
	assert_int_equal(folder_remove(images_folder, "a.vhd"), 0);
	assert_int_equal(folder_rename(images_folder, "z.vhd", "A.VHD"), 0);
	assert_string_equal(findings("c.vhd"), "locator:note ");
}

/* An image that somebody writes is not checked. */
static void vhd_check_refuses_a_disk_in_use(void **state)
{
	struct vhd_check check;
	struct layer *layer;

	(void)state;
	assert_int_equal(vhd_disk_open(images_folder, "a.vhd", VHD_DISK_WRITE, &layer, &images_why),
			 0);
	assert_int_equal(vhd_check_run(images_folder, "a.vhd", NULL, &check, &images_why), -EAGAIN);
	assert_int_equal(layer_close(layer), 0);
}

/* A table full of nonsense fills the list up to its bound, and is counted to the end. */
static void vhd_check_bounds_its_list(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = 8192ull << 20};
	static uint8_t entries[4096 * 4];
	struct vhd_check check;

	(void)state;
	assert_int_equal(vhd_disk_create(images_folder, "l.vhd", &create, &images_why), 0);
	memset(entries, 0x7f, sizeof(entries));
	images_poke("l.vhd", 4096, entries, sizeof(entries));
	assert_int_equal(vhd_check_run(images_folder, "l.vhd", NULL, &check, &images_why), 0);
	assert_int_equal(check.count, 4096);
	assert_int_equal(check.kept, VHD_CHECK_KEPT_MAX);
	assert_int_equal(check.worst, VHD_CHECK_REPAIRABLE);
	vhd_check_fini(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_check_finds_nothing_in_ours, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_refuses_other_files, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_finds_lost_footers, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_compares_the_copy, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_finds_stray_bytes, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_believes_no_guest, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_finds_a_short_file, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_finds_wrong_entries, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_finds_leaks, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_looks_at_bitmaps, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_looks_at_the_header, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_asks_for_the_parent, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_refuses_a_disk_in_use, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_check_bounds_its_list, setup, images_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
