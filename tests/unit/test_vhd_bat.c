/* SPDX-License-Identifier: Apache-2.0 */
/* The block table in memory. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bat.h"
#include "vhd_bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define OFFSET 4096u
#define COUNT  1000u
#define BLOCK  4097u /* sectors, bitmap included */

static struct file *file;

static int setup(void **state)
{
	uint8_t entry[4];

	images_setup(state);
	assert_int_equal(folder_open_file(images_folder, "t", FOLDER_CREATE, &file), 0);
	for (uint32_t i = 0; i < COUNT; i++) {
		vhd_store32(entry, i % 2 ? VHD_BAT_UNUSED : 100 + (COUNT - i) * BLOCK);
		assert_int_equal(file_write(file, entry, 4, OFFSET + 4 * i), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	file_close(file);
	return images_teardown(state);
}

static struct vhd_bat load(void)
{
	struct vhd_bat bat;

	assert_int_equal(vhd_bat_load(&bat, file, OFFSET, COUNT), 0);
	return bat;
}

/* Loading counts the blocks that the file holds. */
static void vhd_bat_load_reads_entries(void **state)
{
	struct vhd_bat bat = load();

	(void)state;
	assert_int_equal(bat.used_count, COUNT / 2);
	assert_int_equal(bat.entries[0], 100 + COUNT * BLOCK);
	assert_int_equal(bat.entries[1], VHD_BAT_UNUSED);
	assert_int_equal(bat.entries[COUNT], VHD_BAT_UNUSED);
	vhd_bat_fini(&bat);
}

/* Tables that no real disk has are refused before memory is taken for them. */
static void vhd_bat_load_is_bounded(void **state)
{
	struct vhd_bat bat;

	(void)state;
	assert_int_equal(vhd_bat_load(&bat, file, OFFSET, VHD_BAT_MAX + 1), -EFBIG);
}

/* Blocks in any order that share nothing are fine, and the room they take is known. */
static void vhd_bat_check_takes_any_order(void **state)
{
	struct vhd_bat bat = load();
	struct vhd_bat_room room;

	(void)state;
	assert_int_equal(vhd_bat_check(&bat, BLOCK, &room), 0);
	assert_int_equal(room.first_sector, 100 + 2 * BLOCK);
	assert_int_equal(room.end_sector, 100 + (COUNT + 1) * BLOCK);
	vhd_bat_fini(&bat);
}

/* Two blocks that share one sector, or all, are found. */
static void vhd_bat_check_finds_overlap(void **state)
{
	struct vhd_bat_room room;

	(void)state;
	for (uint32_t shared = 1; shared <= BLOCK; shared += BLOCK - 1) {
		struct vhd_bat bat = load();

		vhd_bat_set(&bat, 501, bat.entries[500] + BLOCK - shared);
		assert_int_equal(vhd_bat_check(&bat, BLOCK, &room), -EBADMSG);
		vhd_bat_fini(&bat);
	}
}

/* Only sectors with new entries are written, those beside each other at once. */
static void vhd_bat_store_writes_what_changed(void **state)
{
	struct vhd_bat bat = load(), back;
	uint64_t writes = images_disk->calls[DISK_WRITE];

	(void)state;
	vhd_bat_set(&bat, 1, 7);
	vhd_bat_set(&bat, 3, 8);
	vhd_bat_set(&bat, 129, 9);
	vhd_bat_set(&bat, 999, 10);
	assert_int_equal(bat.dirty_count, 3);
	assert_int_equal(vhd_bat_store(&bat, file), 0);
	assert_int_equal(images_disk->calls[DISK_WRITE] - writes, 2);
	assert_int_equal(bat.dirty_count, 0);
	assert_int_equal(vhd_bat_load(&back, file, OFFSET, COUNT), 0);
	assert_memory_equal(back.entries, bat.entries, 4 * COUNT);
	vhd_bat_fini(&bat);
	vhd_bat_fini(&back);
}

/* What could not be written is written next time. */
static void vhd_bat_store_keeps_what_failed(void **state)
{
	struct vhd_bat bat = load(), back;

	(void)state;
	vhd_bat_set(&bat, 1, 7);
	images_disk->fault = (struct disk_fault){.calls = DISK_BIT(DISK_WRITE), .error = -EIO};
	assert_int_equal(vhd_bat_store(&bat, file), -EIO);
	assert_int_equal(bat.dirty_count, 1);
	assert_int_equal(vhd_bat_store(&bat, file), 0);
	assert_int_equal(vhd_bat_load(&back, file, OFFSET, COUNT), 0);
	assert_int_equal(back.entries[1], 7);
	vhd_bat_fini(&bat);
	vhd_bat_fini(&back);
}

/* A longer copy has its new entries unused and to be written; the first one stays as it was. */
static void vhd_bat_copy_lengthens(void **state)
{
	struct vhd_bat bat = load(), copy;

	(void)state;
	assert_int_equal(vhd_bat_copy(&bat, 1 << 20, 2000, &copy), 0);
	assert_int_equal(copy.count, 2000);
	assert_int_equal(copy.used_count, COUNT / 2);
	assert_int_equal(copy.entries[1999], VHD_BAT_UNUSED);
	assert_int_equal(copy.dirty_count, 16 - COUNT / 128);
	assert_int_equal(bat.count, COUNT);
	vhd_bat_fini(&copy);
	vhd_bat_fini(&bat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_bat_load_reads_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bat_load_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bat_check_takes_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bat_check_finds_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bat_store_writes_what_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bat_store_keeps_what_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bat_copy_lengthens, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
