/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the file: how it grows, what a power cut leaves of it, what an error costs. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_chain.h"
#include "vhd_room.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GRAIN 4096u

static struct layer *open_disk(const char *name)
{
	struct layer *layer;

	assert_int_equal(vhd_disk_open(images_folder, name, VHD_DISK_WRITE, &layer, &images_why),
			 0);
	return layer;
}

static int put(struct layer *layer, uint64_t offset, char with)
{
	char bytes[GRAIN];

	memset(bytes, with, sizeof(bytes));
	return layer_write(layer, bytes, sizeof(bytes), offset);
}

static char at(struct layer *layer, uint64_t offset)
{
	char bytes[GRAIN];

	assert_int_equal(layer_read(layer, bytes, sizeof(bytes), offset), 0);
	return bytes[0] ? bytes[0] : '0';
}

static uint64_t flushes(void)
{
	return images_disk->calls[DISK_FLUSH];
}

/* The file grows by several blocks with two flushes; taking a block of them, and writing, has none.
 * A flush of a dynamic disk is one. */
static void vhd_room_grows_in_batches(void **state)
{
	struct layer *layer;
	uint64_t before;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	layer = open_disk("d.vhd");
	before = flushes();
	assert_int_equal(put(layer, 0, 'a'), 0);
	assert_int_equal(flushes() - before, 2);
	assert_int_equal(put(layer, IMAGES_BLOCK, 'b'), 0);
	assert_int_equal(put(layer, 3 * IMAGES_BLOCK, 'c'), 0);
	assert_int_equal(put(layer, GRAIN, 'd'), 0);
	assert_int_equal(flushes() - before, 2);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(flushes() - before, 3);
	assert_int_equal(layer_close(layer), 0);
}

/* Growing a differencing image needs one flush; flushing it two when sectors are new, else one. */
static void vhd_room_differencing_flushes_data_first(void **state)
{
	struct layer *layer;
	uint64_t before;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	images_make("c.vhd", VHD_DIFFERENCING, "d.vhd");
	layer = open_disk("c.vhd");
	before = flushes();
	assert_int_equal(put(layer, 0, 'a'), 0);
	assert_int_equal(flushes() - before, 1);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(flushes() - before, 3);
	assert_int_equal(put(layer, 0, 'b'), 0);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(flushes() - before, 4);
	assert_int_equal(layer_close(layer), 0);
}

/* Data lie on 4 KiB of the file, right behind their bitmap, which is all ones in a dynamic image.
 */
static void vhd_room_aligns_data(void **state)
{
	uint8_t bitmap[512], ones[512];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	for (unsigned i = 0; i < 4; i++) {
		images_fill("d.vhd", (uint64_t)i * IMAGES_BLOCK, GRAIN, 'a');
		assert_int_equal((images_place("d.vhd", i) + 512) % GRAIN, 0);
		images_peek("d.vhd", images_place("d.vhd", i), bitmap, sizeof(bitmap));
		assert_memory_equal(bitmap, ones, sizeof(ones));
	}
}

/* Closing gives unused room back, behind a footer. */
static void vhd_room_trim_gives_room_back(void **state)
{
	struct vhd_disk_info info;
	struct layer *layer;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	layer = open_disk("d.vhd");
	assert_int_equal(put(layer, 0, 'a'), 0);
	assert_true(images_file_size("d.vhd") > 4ull * IMAGES_BLOCK);
	assert_int_equal(layer_close(layer), 0);
	assert_true(images_file_size("d.vhd") < IMAGES_BLOCK + 32768);
	layer = open_disk("d.vhd");
	vhd_disk_get_info(layer, 0, &info);
	assert_false(info.was_unclean);
	assert_int_equal(at(layer, 0), 'a');
	assert_int_equal(layer_close(layer), 0);
}

/* A full disk fails the writes that need room and loses nothing: not what was there, and not what
 * is written after it (a popular engine gives one place to two blocks here). */
static void vhd_room_full_disk_loses_nothing(void **state)
{
	struct layer *layer;

	(void)state;
	for (uint64_t after = 0; after < 8; after++) {
		char name[16];
		unsigned failed = 0;

		snprintf(name, sizeof(name), "e%u.vhd", (unsigned)after);
		images_make(name, VHD_DYNAMIC, NULL);
		layer = open_disk(name);
		images_disk->fault = (struct disk_fault){
			.calls = DISK_BIT(DISK_WRITE) | DISK_BIT(DISK_RESIZE),
			.after = after,
			.error = -ENOSPC,
		};
		failed += put(layer, 0, 'a') < 0;
		failed += put(layer, 2 * IMAGES_BLOCK, 'b') < 0;
		assert_in_range(failed, 0, 1);
		images_disk->fault.calls = 0;
		assert_int_equal(put(layer, 0, 'c'), 0);
		assert_int_equal(put(layer, 2 * IMAGES_BLOCK, 'd'), 0);
		assert_int_equal(layer_flush(layer), 0);
		assert_int_equal(layer_close(layer), 0);
		layer = open_disk(name);
		assert_int_equal(at(layer, 0), 'c');
		assert_int_equal(at(layer, 2 * IMAGES_BLOCK), 'd');
		assert_int_equal(layer_close(layer), 0);
	}
}

/* After a failed flush nobody may be told that data are safe, until the disk is opened again. */
static void vhd_room_failed_flush_poisons(void **state)
{
	struct layer *layer;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	layer = open_disk("d.vhd");
	assert_int_equal(put(layer, 0, 'a'), 0);
	images_disk->fault = (struct disk_fault){.calls = DISK_BIT(DISK_FLUSH), .error = -EIO};
	assert_int_equal(layer_flush(layer), -EIO);
	assert_int_equal(layer_flush(layer), -EIO);
	assert_int_equal(put(layer, 0, 'b'), -EIO);
	assert_int_equal(layer_zero(layer, 0, GRAIN), -EIO);
	assert_int_equal(layer_discard(layer, 0, GRAIN), -EIO);
	(void)!layer_close(layer);
	layer = open_disk("d.vhd");
	assert_int_equal(put(layer, 0, 'c'), 0);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
}

static void looks_old_or_new(struct folder *folder)
{
	char byte = images_at(folder, "d.vhd", 0);

	assert_true(byte == 'a' || byte == '0');
	byte = images_at(folder, "d.vhd", IMAGES_BLOCK);
	assert_true(byte == 'b' || byte == '0');
	assert_int_equal(images_at(folder, "d.vhd", GRAIN), '0');
	assert_int_equal(images_at(folder, "d.vhd", 2 * IMAGES_BLOCK), '0');
}

/* However the power is cut while the file grows, it opens, and each sector is old or new. */
static void vhd_room_growing_survives_power_cuts(void **state)
{
	struct layer *layer;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	images_cut(20, looks_old_or_new);
	layer = open_disk("d.vhd");
	assert_int_equal(put(layer, 0, 'a'), 0);
	assert_int_equal(put(layer, IMAGES_BLOCK, 'b'), 0);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	images_cut(0, NULL);
}

/* A footer that is missing at the end is put back by a writer; readers change nothing. */
static void vhd_room_settle_restores_footer(void **state)
{
	struct vhd_disk_info info;
	struct layer *layer;
	struct file *file;
	uint64_t size;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	images_fill("d.vhd", 0, GRAIN, 'a');
	size = images_file_size("d.vhd");
	assert_int_equal(folder_open_file(images_folder, "d.vhd", FOLDER_WRITE, &file), 0);
	assert_int_equal(file_resize(file, size - 70000), 0);
	file_close(file);
	assert_int_equal(images_at(images_folder, "d.vhd", 0), 'a');
	assert_int_equal(images_file_size("d.vhd"), size - 70000);
	layer = open_disk("d.vhd");
	vhd_disk_get_info(layer, 0, &info);
	assert_true(info.was_unclean);
	assert_int_equal(layer_close(layer), 0);
	assert_int_equal(images_file_size("d.vhd"), size);
	layer = open_disk("d.vhd");
	vhd_disk_get_info(layer, 0, &info);
	assert_false(info.was_unclean);
	assert_int_equal(layer_close(layer), 0);
}

/* Blocks behind the last one that the table names held something once: it does not come back. */
static void vhd_room_settle_drops_leaked_blocks(void **state)
{
	struct layer *layer;
	uint8_t unused[4];
	uint64_t place;

	(void)state;
	memset(unused, 0xff, sizeof(unused));
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	images_fill("d.vhd", 0, GRAIN, 'a');
	images_fill("d.vhd", IMAGES_BLOCK, IMAGES_BLOCK, 'x');
	place = images_place("d.vhd", 1);
	images_poke("d.vhd", 4096 + 4, unused, 4);
	layer = open_disk("d.vhd");
	assert_int_equal(put(layer, 2 * IMAGES_BLOCK, 'b'), 0);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(images_place("d.vhd", 2), place);
	assert_int_equal(at(layer, 2 * IMAGES_BLOCK), 'b');
	assert_int_equal(at(layer, 2 * IMAGES_BLOCK + GRAIN), '0');
	assert_int_equal(at(layer, IMAGES_BLOCK), '0');
	assert_int_equal(layer_close(layer), 0);
}

/* The copy of the footer is written again when it is damaged. */
static void vhd_room_settle_restores_copy(void **state)
{
	uint8_t first[512], last[512] = {0};

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	images_poke("d.vhd", 0, last, sizeof(last));
	images_fill("d.vhd", 0, GRAIN, 'a');
	images_peek("d.vhd", 0, first, sizeof(first));
	images_peek("d.vhd", images_file_size("d.vhd") - 512, last, sizeof(last));
	assert_memory_equal(first, last, sizeof(first));
}

static struct layer *shared;
static unsigned ended;

struct request {
	uint64_t offset;
	char with;
};

static void write_one(void *argument)
{
	const struct request *request = argument;

	assert_int_equal(put(shared, request->offset, request->with), 0);
	ended++;
}

/* Writers into one new block, at once and in any order of the file's answers, share its place. */
static void vhd_room_writers_share_new_block(void **state)
{
	struct request requests[8];

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	shared = open_disk("d.vhd");
	ended = 0;
	images_disk->shuffle = true;
	for (unsigned i = 0; i < 8; i++) {
		requests[i].offset = (i % 2) * (uint64_t)IMAGES_BLOCK + i * GRAIN;
		requests[i].with = (char)('a' + i);
		assert_true(fiber_start(write_one, &requests[i]));
	}
	disk_memory_run(images_disk);
	images_disk->shuffle = false;
	assert_int_equal(ended, 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(at(shared, requests[i].offset), requests[i].with);
	}
	assert_int_equal(vhd_chain_of(shared)->images[0]->bat.used_count, 2);
	assert_int_equal(layer_close(shared), 0);
	fiber_trim();
}

static void flush_one(void *argument)
{
	(void)argument;
	assert_int_equal(layer_flush(shared), 0);
	ended++;
}

/* Flushes that come while one runs share the next one. */
static void vhd_room_flushes_are_shared(void **state)
{
	uint64_t before;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	shared = open_disk("d.vhd");
	assert_int_equal(put(shared, 0, 'a'), 0);
	ended = 0;
	before = flushes();
	images_disk->shuffle = true;
	for (unsigned i = 0; i < 9; i++) {
		assert_true(fiber_start(flush_one, NULL));
	}
	disk_memory_run(images_disk);
	images_disk->shuffle = false;
	assert_int_equal(ended, 9);
	assert_int_equal(flushes() - before, 2);
	assert_int_equal(layer_close(shared), 0);
	fiber_trim();
}

static void flush_in_vain(void *argument)
{
	(void)argument;
	assert_int_equal(layer_flush(shared), -EIO);
	ended++;
}

/* When one of them fails, none of those who waited is told that its data are safe. */
static void vhd_room_failed_flush_fails_all_who_wait(void **state)
{
	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	shared = open_disk("d.vhd");
	assert_int_equal(put(shared, 0, 'a'), 0);
	ended = 0;
	images_disk->shuffle = true;
	images_disk->fault = (struct disk_fault){.calls = DISK_BIT(DISK_FLUSH), .error = -EIO};
	for (unsigned i = 0; i < 3; i++) {
		assert_true(fiber_start(flush_in_vain, NULL));
	}
	disk_memory_run(images_disk);
	images_disk->shuffle = false;
	assert_int_equal(ended, 3);
	(void)!layer_close(shared);
	fiber_trim();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, images_setup, images_teardown)
	const struct CMUnitTest tests[] = {
		TEST(vhd_room_grows_in_batches),
		TEST(vhd_room_differencing_flushes_data_first),
		TEST(vhd_room_aligns_data),
		TEST(vhd_room_trim_gives_room_back),
		TEST(vhd_room_full_disk_loses_nothing),
		TEST(vhd_room_failed_flush_poisons),
		TEST(vhd_room_growing_survives_power_cuts),
		TEST(vhd_room_settle_restores_footer),
		TEST(vhd_room_settle_drops_leaked_blocks),
		TEST(vhd_room_settle_restores_copy),
		TEST(vhd_room_writers_share_new_block),
		TEST(vhd_room_flushes_are_shared),
		TEST(vhd_room_failed_flush_fails_all_who_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
