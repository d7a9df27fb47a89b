/* SPDX-License-Identifier: Apache-2.0 */
/* What a repair mends, and that it never makes things worse. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bytes.h"
#include "vhd_repair.h"

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

/* Repairs; `count` changes are told. Returns whether something was lost. */
static bool repair(const char *name, bool dry_run, unsigned count, enum vhd_check_grade worst)
{
	struct vhd_repair report;
	bool lossy;

	assert_int_equal(vhd_repair_run(images_folder, name, dry_run, NULL, &report, &images_why),
			 0);
	assert_int_equal(report.count, count);
	assert_int_equal(report.worst, worst);
	lossy = report.is_lossy;
	vhd_repair_fini(&report);
	return lossy;
}

static void data_are_there(struct folder *folder)
{
	assert_int_equal(images_at(folder, "a.vhd", 4096), 'a');
	assert_int_equal(images_at(folder, "a.vhd", 2 * IMAGES_BLOCK), 'b');
}

static void set_entry(uint32_t block, uint32_t sector)
{
	uint8_t bytes[4];

	vhd_store32(bytes, sector);
	images_poke("a.vhd", 4096 + 4ull * block, bytes, sizeof(bytes));
}

/* A sound image is left alone. */
static void vhd_repair_changes_nothing_sound(void **state)
{
	uint64_t size = images_file_size("a.vhd");

	(void)state;
	assert_false(repair("a.vhd", false, 0, VHD_CHECK_NOTE));
	assert_int_equal(images_file_size("a.vhd"), size);
	data_are_there(images_folder);
}

/* A footer is written anew from the other one, at either end. */
static void vhd_repair_mends_footers(void **state)
{
	static const uint8_t zeros[512];

	(void)state;
	images_poke("a.vhd", images_file_size("a.vhd") - 512, zeros, sizeof(zeros));
	assert_false(repair("a.vhd", false, 1, VHD_CHECK_NOTE));
	images_poke("a.vhd", 0, zeros, sizeof(zeros));
	assert_false(repair("a.vhd", false, 1, VHD_CHECK_NOTE));
	data_are_there(images_folder);
}

/* Two footers that agree and have a wrong checksum are believed. */
static void vhd_repair_mends_both_checksums(void **state)
{
	(void)state;
	images_poke("a.vhd", images_file_size("a.vhd") - 512 + 64, "?", 1);
	images_poke("a.vhd", 64, "?", 1);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), '?');
	assert_false(repair("a.vhd", false, 1, VHD_CHECK_NOTE));
	data_are_there(images_folder);
}

/* Bytes behind the footer go, of a fixed and of a dynamic disk. */
static void vhd_repair_removes_stray_bytes(void **state)
{
	(void)state;
	images_make("f.vhd", VHD_FIXED, NULL);
	images_poke("f.vhd", images_file_size("f.vhd"), "stray", 5);
	assert_false(repair("f.vhd", false, 1, VHD_CHECK_NOTE));
	assert_int_equal(images_file_size("f.vhd"), IMAGES_SIZE + 512);
	images_poke("f.vhd", IMAGES_SIZE + 1048576, "\0", 1); /* being made longer */
	assert_false(repair("f.vhd", false, 1, VHD_CHECK_NOTE));
	assert_int_equal(images_file_size("f.vhd"), IMAGES_SIZE + 512);
	images_poke("a.vhd", images_file_size("a.vhd"), "stray", 5);
	assert_false(repair("a.vhd", false, 1, VHD_CHECK_NOTE));
	data_are_there(images_folder);
}

/* A checksum alone is written anew. */
static void vhd_repair_mends_a_checksum(void **state)
{
	(void)state;
	images_poke("a.vhd", 512 + 36, "????", 4);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), '?');
	assert_false(repair("a.vhd", false, 1, VHD_CHECK_NOTE));
	data_are_there(images_folder);
}

/* An entry that leads nowhere is taken out, and the loss is told. */
static void vhd_repair_drops_lost_blocks(void **state)
{
	(void)state;
	set_entry(1, 0x00ffffff);
	set_entry(3, 1);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), '?');
	assert_true(repair("a.vhd", false, 2, VHD_CHECK_NOTE));
	data_are_there(images_folder);
	assert_int_equal(images_at(images_folder, "a.vhd", IMAGES_BLOCK), '0');
}

/* Of two blocks at one place, each has it afterwards: nobody knows whose it was. */
static void vhd_repair_parts_shared_blocks(void **state)
{
	(void)state;
	set_entry(1, (uint32_t)(images_place("a.vhd", 0) / 512));
	assert_true(repair("a.vhd", false, 1, VHD_CHECK_NOTE));
	data_are_there(images_folder);
	assert_int_equal(images_at(images_folder, "a.vhd", IMAGES_BLOCK + 4096), 'a');
	assert_int_not_equal(images_place("a.vhd", 1), images_place("a.vhd", 0));
}

/* What is left of a block at the end of a file that was cut off is kept. */
static void vhd_repair_keeps_part_of_a_block(void **state)
{
	struct file *file;

	(void)state;
	assert_int_equal(folder_open_file(images_folder, "a.vhd", FOLDER_WRITE, &file), 0);
	assert_int_equal(file_resize(file, images_place("a.vhd", 2) + 512 + 4096), 0);
	file_close(file);
	(void)repair("a.vhd", false, 2, VHD_CHECK_NOTE);
	data_are_there(images_folder);
	assert_int_equal(images_at(images_folder, "a.vhd", 2 * IMAGES_BLOCK + 4096), '0');
}

/* A bitmap of a dynamic disk that hides only zeros is filled. */
static void vhd_repair_fills_bitmaps(void **state)
{
	(void)state;
	images_poke("a.vhd", images_place("a.vhd", 0) + 500, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
	assert_false(repair("a.vhd", false, 1, VHD_CHECK_NOTE));
	data_are_there(images_folder);
}

/* A dry run tells all and changes nothing. */
static void vhd_repair_dry_run_changes_nothing(void **state)
{
	uint64_t size;

	(void)state;
	set_entry(1, 0x00ffffff);
	set_entry(3, (uint32_t)(images_place("a.vhd", 0) / 512));
	size = images_file_size("a.vhd");
	assert_true(repair("a.vhd", true, 2, VHD_CHECK_REPAIRABLE));
	assert_int_equal(images_file_size("a.vhd"), size);
	assert_int_equal(images_place("a.vhd", 3), images_place("a.vhd", 0));
}

/* Without a footer and a copy there is nothing to go by. */
static void vhd_repair_gives_up(void **state)
{
	struct vhd_repair report;

	(void)state;
	images_poke("a.vhd", images_file_size("a.vhd") - 512 + 70, "?", 1);
	images_poke("a.vhd", 71, "?", 1);
	assert_int_equal(vhd_repair_run(images_folder, "a.vhd", false, NULL, &report, &images_why),
			 -EBADMSG);
}

static unsigned mended, unmended;

/* The state, repaired by itself, has the blocks that were good before. */
static void still_repairable(struct folder *folder)
{
	struct vhd_repair report;

	assert_int_equal(vhd_repair_run(folder, "a.vhd", false, NULL, &report, &images_why), 0);
	assert_int_equal(report.worst, VHD_CHECK_NOTE);
	mended += report.count == 0;
	unmended += report.count > 0;
	vhd_repair_fini(&report);
	data_are_there(folder);
	assert_int_equal(images_at(folder, "a.vhd", IMAGES_BLOCK + 4096), 'a');
}

/* A repair that the power ended is as good as none: the next one does it. */
static void vhd_repair_survives_power_cuts(void **state)
{
	(void)state;
	set_entry(1, (uint32_t)(images_place("a.vhd", 0) / 512));
	set_entry(3, 0x00ffffff);
	images_poke("a.vhd", 512 + 36, "????", 4);
	images_poke("a.vhd", 0, "\0", 1);
	mended = unmended = 0;
	images_cut(2, still_repairable);
	assert_true(repair("a.vhd", false, 4, VHD_CHECK_NOTE));
	images_cut(0, NULL);
	assert_true(mended && unmended > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_repair_changes_nothing_sound, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_mends_footers, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_mends_both_checksums, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_removes_stray_bytes, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_mends_a_checksum, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_drops_lost_blocks, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_parts_shared_blocks, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_keeps_part_of_a_block, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_fills_bitmaps, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_dry_run_changes_nothing, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_gives_up, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_repair_survives_power_cuts, setup,
						images_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
