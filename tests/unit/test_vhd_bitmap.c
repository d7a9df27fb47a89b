/* SPDX-License-Identifier: Apache-2.0 */
/* Sector bitmaps: loaded late, kept within bounds, written as they were when taken. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bitmap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BLOCKS 20000u
#define SIZE   (2u << 20)

static struct file *file;
static struct vhd_bitmaps bitmaps;

/* Block 0: all ones. Block 1: sectors 3 to 17. Others: zeros. */
static int setup(void **state)
{
	uint8_t bits[512];

	images_setup(state);
	assert_int_equal(folder_open_file(images_folder, "t", FOLDER_CREATE, &file), 0);
	memset(bits, 0xff, sizeof(bits));
	assert_int_equal(file_write(file, bits, sizeof(bits), 0), 0);
	memset(bits, 0, sizeof(bits));
	bits[0] = 0x1f;
	bits[1] = 0xff;
	bits[2] = 0xc0;
	assert_int_equal(file_write(file, bits, sizeof(bits), 512), 0);
	assert_int_equal(vhd_bitmaps_init(&bitmaps, file, BLOCKS, SIZE), 0);
	return 0;
}

static int teardown(void **state)
{
	vhd_bitmaps_fini(&bitmaps);
	file_close(file);
	return images_teardown(state);
}

static struct vhd_bitmap *get(uint32_t block)
{
	struct vhd_bitmap *bitmap;

	assert_int_equal(vhd_bitmaps_get(&bitmaps, block, 512ull * block, &bitmap), 0);
	return bitmap;
}

/* A bitmap of ones costs one read for ever. */
static void vhd_bitmaps_get_remembers_full_blocks(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_null(get(0));
	}
	assert_true(vhd_bitmaps_is_full(&bitmaps, 0));
	assert_int_equal(images_disk->calls[DISK_READ], 1);
	assert_int_equal(bitmaps.loaded_bytes, 0);
}

/* Runs of alike sectors are found, whatever byte they begin in. */
static void vhd_bitmap_run_finds_runs(void **state)
{
	struct vhd_bitmap *bitmap = get(1);
	bool set;

	(void)state;
	assert_int_equal(vhd_bitmap_run(bitmap, 0, 4096, &set), 3);
	assert_false(set);
	assert_int_equal(vhd_bitmap_run(bitmap, 3, 4093, &set), 15);
	assert_true(set);
	assert_int_equal(vhd_bitmap_run(bitmap, 5, 4, &set), 4);
	assert_true(set);
	assert_int_equal(vhd_bitmap_run(bitmap, 18, 4078, &set), 4078);
	assert_false(set);
	assert_int_equal(vhd_bitmap_run(bitmap, 4095, 1, &set), 1);
}

/* However many blocks are looked at, memory stays within the limit, and pinned ones stay. */
static void vhd_bitmaps_get_is_bounded(void **state)
{
	struct vhd_bitmap *pinned = get(1);

	(void)state;
	vhd_bitmap_pin(pinned);
	for (uint32_t i = 2; i < BLOCKS; i++) {
		assert_non_null(get(i));
	}
	assert_in_range(bitmaps.loaded_bytes, 1, VHD_BITMAP_KEPT);
	assert_ptr_equal(get(1), pinned);
	vhd_bitmap_unpin(pinned);
}

static uint32_t entries[BLOCKS];

/* What was set after it was taken is not written with it, but next time. */
static void vhd_bitmaps_store_writes_what_was_taken(void **state)
{
	struct vhd_bitmap *bitmap = get(2);
	struct vhd_bitmaps_taken taken;
	uint8_t bits[512];

	(void)state;
	entries[2] = 2;
	vhd_bitmaps_set(&bitmaps, bitmap, 8, 8);
	assert_int_equal(vhd_bitmaps_take(&bitmaps, &taken), 0);
	vhd_bitmaps_set(&bitmaps, bitmap, 16, 16);
	assert_int_equal(vhd_bitmaps_store(&bitmaps, &taken, entries, 0), 0);
	images_peek("t", 1024, bits, sizeof(bits));
	assert_int_equal(bits[1], 0xff);
	assert_int_equal(bits[2], 0);
	assert_ptr_equal(bitmaps.dirty, bitmap);
	assert_int_equal(vhd_bitmaps_take(&bitmaps, &taken), 0);
	assert_int_equal(vhd_bitmaps_store(&bitmaps, &taken, entries, 0), 0);
	images_peek("t", 1024, bits, sizeof(bits));
	assert_int_equal(bits[3], 0xff);
	assert_null(bitmaps.dirty);
}

/* After an error nothing is forgotten. */
static void vhd_bitmaps_store_keeps_what_failed(void **state)
{
	struct vhd_bitmap *bitmap = get(2);
	struct vhd_bitmaps_taken taken;

	(void)state;
	vhd_bitmaps_set(&bitmaps, bitmap, 8, 8);
	assert_int_equal(vhd_bitmaps_take(&bitmaps, &taken), 0);
	assert_int_equal(vhd_bitmaps_store(&bitmaps, &taken, entries, -EIO), -EIO);
	assert_ptr_equal(bitmaps.dirty, bitmap);
	assert_int_equal(bitmaps.dirty_bytes, 512);
}

/* A bitmap that filled up is not kept once it is written. */
static void vhd_bitmaps_store_drops_full_ones(void **state)
{
	struct vhd_bitmap *bitmap = get(2);
	struct vhd_bitmaps_taken taken;

	(void)state;
	entries[2] = 2;
	vhd_bitmaps_set(&bitmaps, bitmap, 0, 4096);
	assert_int_equal(vhd_bitmaps_take(&bitmaps, &taken), 0);
	assert_int_equal(vhd_bitmaps_store(&bitmaps, &taken, entries, 0), 0);
	assert_true(vhd_bitmaps_is_full(&bitmaps, 2));
	assert_int_equal(bitmaps.loaded_bytes, 0);
}

static unsigned loads;

static void load_one(void *argument)
{
	(void)argument;
	assert_non_null(get(1));
	loads++;
}

/* Who asks for a bitmap that is being read waits for it instead of reading it again. */
static void vhd_bitmaps_get_reads_once_for_all(void **state)
{
	(void)state;
	loads = 0;
	images_disk->shuffle = true;
	for (unsigned i = 0; i < 5; i++) {
		assert_true(fiber_start(load_one, NULL));
	}
	disk_memory_run(images_disk);
	assert_int_equal(loads, 5);
	assert_int_equal(images_disk->calls[DISK_READ], 1);
	images_disk->shuffle = false;
	fiber_trim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_bitmaps_get_remembers_full_blocks, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_bitmap_run_finds_runs, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bitmaps_get_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bitmaps_store_writes_what_was_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_bitmaps_store_keeps_what_failed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_bitmaps_store_drops_full_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_bitmaps_get_reads_once_for_all, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
