/* SPDX-License-Identifier: Apache-2.0 */
/* Images in a chain: who has which sector, for readers, writers, zeros and discards. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bytes.h"
#include "vhd_chain.h"
#include "vhd_header.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECTOR 512u
#define GRAIN  4096u

/* base: 'a' in blocks 0 and 1; middle: 'b' at 8 KiB; top: 'c' at 12 KiB. */
static int setup(void **state)
{
	images_setup(state);
	images_make("base.vhd", VHD_DYNAMIC, NULL);
	images_fill("base.vhd", 0, 2 * IMAGES_BLOCK, 'a');
	images_make("middle.vhd", VHD_DIFFERENCING, "base.vhd");
	images_fill("middle.vhd", 2 * GRAIN, GRAIN, 'b');
	images_make("top.vhd", VHD_DIFFERENCING, "middle.vhd");
	images_fill("top.vhd", 3 * GRAIN, GRAIN, 'c');
	return 0;
}

/* Each sector comes from the nearest image that has it, also into a vector cut at odd places. */
static void vhd_chain_reads_nearest_image(void **state)
{
	struct layer *layer = images_open("top.vhd", 0);
	char bytes[4 * GRAIN];
	struct iovec iov[] = {{bytes, 100},
			      {bytes + 100, 0},
			      {bytes + 100, 9000},
			      {bytes + 9100, sizeof(bytes) - 9100}};

	(void)state;
	assert_int_equal(layer_readv(layer, iov, 4, sizeof(bytes), GRAIN), 0);
	assert_int_equal(bytes[GRAIN - 1], 'a');
	assert_int_equal(bytes[GRAIN], 'b');
	assert_int_equal(bytes[2 * GRAIN - 1], 'b');
	assert_int_equal(bytes[2 * GRAIN], 'c');
	assert_int_equal(bytes[3 * GRAIN], 'a');
	images_expect(layer, 2 * IMAGES_BLOCK, 2 * IMAGES_BLOCK, 0);
	assert_int_equal(layer_close(layer), 0);
}

/* What lies in one piece is read by one call. */
static void vhd_chain_reads_runs_at_once(void **state)
{
	struct layer *layer = images_open("top.vhd", 0);
	uint64_t before;

	(void)state;
	images_expect(layer, 0, GRAIN, 'a'); /* loads the bitmaps */
	before = images_disk->calls[DISK_READ];
	images_expect(layer, 4 * GRAIN, 1 << 20, 'a');
	assert_int_equal(images_disk->calls[DISK_READ] - before, 1);
	assert_int_equal(layer_close(layer), 0);
}

/* Only the top image is written. A small write takes the rest of its 4 KiB from the parent. */
static void vhd_chain_writes_top_image_only(void **state)
{
	uint64_t base = images_file_size("base.vhd"), middle = images_file_size("middle.vhd");
	uint64_t before, size;
	struct layer *layer = images_open("top.vhd", VHD_DISK_WRITE);
	bool present;

	(void)state;
	before = images_disk->calls[DISK_WRITE];
	images_put(layer, 5 * GRAIN + SECTOR, SECTOR, 'x');
	images_put(layer, 2 * GRAIN + SECTOR, SECTOR, 'y');
	assert_true(images_disk->calls[DISK_WRITE] > before);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	assert_int_equal(images_file_size("base.vhd"), base);
	assert_int_equal(images_file_size("middle.vhd"), middle);
	layer = images_open("top.vhd", 0);
	images_expect(layer, 5 * GRAIN, SECTOR, 'a');
	images_expect(layer, 5 * GRAIN + SECTOR, SECTOR, 'x');
	images_expect(layer, 5 * GRAIN + 2 * SECTOR, 6 * SECTOR, 'a');
	images_expect(layer, 2 * GRAIN, SECTOR, 'b');
	images_expect(layer, 2 * GRAIN + SECTOR, SECTOR, 'y');
	images_expect(layer, 2 * GRAIN + 2 * SECTOR, 6 * SECTOR, 'b');
	assert_int_equal(vhd_disk_find(layer, 5 * GRAIN, &size, &present), 0);
	assert_true(present);
	assert_int_equal(size, GRAIN);
	assert_int_equal(vhd_disk_find(layer, 4 * GRAIN, &size, &present), 0);
	assert_false(present);
	assert_int_equal(size, GRAIN);
	assert_int_equal(layer_close(layer), 0);
}

/* Zeros hide the parent, at any edge, and stay after opening again. */
static void vhd_chain_zero_hides_parent(void **state)
{
	struct layer *layer = images_open("top.vhd", VHD_DISK_WRITE);

	(void)state;
	assert_int_equal(layer_zero(layer, SECTOR, 4 * GRAIN), 0);
	assert_int_equal(layer_zero(layer, IMAGES_BLOCK - GRAIN, 2 * GRAIN), 0);
	assert_int_equal(layer_zero(layer, 3 * IMAGES_BLOCK, IMAGES_BLOCK), 0);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	layer = images_open("top.vhd", 0);
	images_expect(layer, 0, SECTOR, 'a');
	images_expect(layer, SECTOR, 4 * GRAIN, 0);
	images_expect(layer, 4 * GRAIN + SECTOR, 7 * SECTOR, 'a');
	images_expect(layer, IMAGES_BLOCK - GRAIN, 2 * GRAIN, 0);
	images_expect(layer, IMAGES_BLOCK + GRAIN, GRAIN, 'a');
	assert_int_equal(vhd_chain_of(layer)->images[0]->bat.entries[3], VHD_BAT_UNUSED);
	assert_int_equal(layer_close(layer), 0);
}

/* A discarded range reads as before or as zeros, never as something that it did not show. */
static void vhd_chain_discard_shows_nothing_else(void **state)
{
	struct layer *layer = images_open("top.vhd", VHD_DISK_WRITE);

	(void)state;
	assert_int_equal(layer_discard(layer, 0, IMAGES_SIZE), 0);
	images_expect(layer, 0, 2 * GRAIN, 'a');
	images_expect(layer, 2 * GRAIN, GRAIN, 'b');
	images_expect(layer, 3 * GRAIN, GRAIN, 0);
	assert_int_equal(layer_close(layer), 0);
}

/* Extents tell zeros that are sure, and what the top image's file does not hold. */
static void vhd_chain_extent_tells_zeros_and_holes(void **state)
{
	struct layer *layer = images_open("top.vhd", VHD_DISK_WRITE);
	unsigned extent;
	uint64_t size;

	(void)state;
	assert_int_equal(layer_extent(layer, 0, &size, &extent), 0);
	assert_int_equal(extent, LAYER_HOLE);
	assert_int_equal(layer_extent(layer, 3 * GRAIN, &size, &extent), 0);
	assert_int_equal(extent, LAYER_DATA);
	assert_int_equal(size, GRAIN);
	assert_int_equal(layer_extent(layer, 2 * IMAGES_BLOCK, &size, &extent), 0);
	assert_int_equal(extent, LAYER_ZERO | LAYER_HOLE);
	assert_int_equal(size, 2 * IMAGES_BLOCK);
	assert_int_equal(layer_close(layer), 0);
}

static struct layer *shared;

struct request {
	uint64_t offset, size;
	char with;
};

static void write_one(void *argument)
{
	const struct request *request = argument;

	images_put(shared, request->offset, request->size, request->with);
}

/* Small writes beside each other in 4 KiB that the image did not hold, at once and in any order of
 * the file's answers: none undoes another by what it takes from the parent. */
static void vhd_chain_small_writes_share_grain(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		const struct request requests[] = {{0, SECTOR, 'A'},
						   {3 * SECTOR, SECTOR, 'B'},
						   {5 * SECTOR, 9 * SECTOR, 'C'},
						   {14 * SECTOR, 2 * SECTOR, 'D'}};
		char name[16];

		snprintf(name, sizeof(name), "s%u.vhd", round);
		images_make(name, VHD_DIFFERENCING, "base.vhd");
		shared = images_open(name, VHD_DISK_WRITE);
		images_disk->shuffle = true;
		for (unsigned i = 0; i < 4; i++) {
			assert_true(fiber_start(write_one, (void *)&requests[i]));
		}
		disk_memory_run(images_disk);
		images_disk->shuffle = false;
		images_expect(shared, 0, SECTOR, 'A');
		images_expect(shared, SECTOR, 2 * SECTOR, 'a');
		images_expect(shared, 3 * SECTOR, SECTOR, 'B');
		images_expect(shared, 4 * SECTOR, SECTOR, 'a');
		images_expect(shared, 5 * SECTOR, 9 * SECTOR, 'C');
		images_expect(shared, 14 * SECTOR, 2 * SECTOR, 'D');
		images_expect(shared, 16 * SECTOR, GRAIN, 'a');
		assert_int_equal(layer_close(shared), 0);
	}
	fiber_trim();
}

/* A write that begins in a grain that the image holds already, and sets the next one, leaves what
 * another request writes to the first grain meanwhile. */
static void vhd_chain_write_keeps_its_neighbours(void **state)
{
	(void)state;
	shared = images_open("top.vhd", VHD_DISK_WRITE);
	for (uint64_t i = 0; i < 40; i++) {
		uint64_t at = 16 * GRAIN + i * 2 * GRAIN;
		const struct request across = {at + 2048, GRAIN, 'B'}, beside = {at, 1024, 'C'};

		images_put(shared, at, GRAIN, 'A');
		images_disk->shuffle = true;
		assert_true(fiber_start(write_one, (void *)&across));
		assert_true(fiber_start(write_one, (void *)&beside));
		disk_memory_run(images_disk);
		images_disk->shuffle = false;
		images_expect(shared, at, 1024, 'C');
		images_expect(shared, at + 1024, 1024, 'A');
		images_expect(shared, at + 2048, GRAIN, 'B');
		images_expect(shared, at + 2048 + GRAIN, 2048, 'a');
	}
	assert_int_equal(layer_close(shared), 0);
	fiber_trim();
}

/* Sixteen images, and as many as there may be. One more is refused. */
static void vhd_chain_has_bounded_depth(void **state)
{
	char name[16], parent[16] = "base.vhd";
	struct layer *layer;

	(void)state;
	for (unsigned i = 1; i <= VHD_DEPTH_MAX; i++) {
		int rc;

		snprintf(name, sizeof(name), "n%u.vhd", i);
		images_make(name, VHD_DIFFERENCING, parent);
		rc = vhd_disk_open(images_folder, name, VHD_DISK_WRITE, &layer, &images_why);
		assert_int_equal(rc, i < VHD_DEPTH_MAX ? 0 : -ELOOP);
		if (!rc) {
			images_put(layer, i * GRAIN, GRAIN, (char)i);
			images_expect(layer, GRAIN, GRAIN, 1);
			assert_int_equal(layer_flush(layer), 0);
			assert_int_equal(layer_close(layer), 0);
		}
		strcpy(parent, name);
	}
}

/* An image whose parents lead back to it is refused before it waits for its own lock. */
static void vhd_chain_refuses_circle(void **state)
{
	uint8_t header[VHD_HEADER_SIZE], footer[512];
	struct layer *layer;

	(void)state;
	images_peek("top.vhd", 0, footer, sizeof(footer));
	images_peek("middle.vhd", 512, header, sizeof(header));
	memcpy(header + 40, footer + 68, 16);
	vhd_store32(header + 36, vhd_checksum(header, sizeof(header), 36));
	images_poke("middle.vhd", 512, header, sizeof(header));
	assert_int_equal(
		vhd_disk_open(images_folder, "top.vhd", VHD_DISK_WRITE, &layer, &images_why),
		-ELOOP);
}

/* Refusals name the file and what to do. */
static void vhd_chain_refuses_wrong_parents(void **state)
{
	struct layer *layer;

	(void)state;
	assert_int_equal(folder_rename(images_folder, "base.vhd", "away.vhd"), 0);
	assert_int_equal(vhd_disk_open(images_folder, "top.vhd", 0, &layer, &images_why), -ENOENT);
	assert_non_null(strstr(images_why.text, "base.vhd"));
	images_make("base.vhd", VHD_DYNAMIC, NULL);
	assert_int_equal(vhd_disk_open(images_folder, "top.vhd", 0, &layer, &images_why), -ESTALE);
	assert_non_null(strstr(images_why.text, "middle.vhd"));
	assert_int_equal(folder_remove(images_folder, "base.vhd"), 0);
	assert_int_equal(folder_rename(images_folder, "middle.vhd", "base.vhd"), 0);
	assert_int_equal(vhd_disk_open(images_folder, "base.vhd", 0, &layer, &images_why), -ESTALE);
}

/* A parent whose name was written in other letters is found, as it is on Windows. */
static void vhd_chain_finds_parent_in_other_letters(void **state)
{
	(void)state;
	assert_int_equal(folder_rename(images_folder, "base.vhd", "Base.VHD"), 0);
	assert_int_equal(images_at(images_folder, "top.vhd", 0), 'a');
	images_make("BASE.vhd", VHD_DYNAMIC, NULL);
	assert_int_equal(folder_remove(images_folder, "Base.VHD"), 0);
	assert_int_equal(images_at(images_folder, "top.vhd", 0), '?');
}

/* Without its parents an image shows what it holds itself. */
static void vhd_chain_top_only_shows_own_sectors(void **state)
{
	struct layer *layer;

	(void)state;
	assert_int_equal(folder_remove(images_folder, "base.vhd"), 0);
	layer = images_open("top.vhd", VHD_DISK_TOP_ONLY);
	images_expect(layer, 0, 3 * GRAIN, 0);
	images_expect(layer, 3 * GRAIN, GRAIN, 'c');
	assert_int_equal(layer_close(layer), 0);
}

/* A parent that somebody writes is not read, and one that is read is not written. */
static void vhd_chain_locks_parents(void **state)
{
	struct layer *layer, *parent;

	(void)state;
	layer = images_open("top.vhd", VHD_DISK_WRITE);
	assert_int_equal(
		vhd_disk_open(images_folder, "base.vhd", VHD_DISK_WRITE, &parent, &images_why),
		-EAGAIN);
	assert_int_equal(vhd_disk_open(images_folder, "base.vhd", 0, &parent, &images_why), 0);
	assert_int_equal(layer_close(parent), 0);
	assert_int_equal(layer_close(layer), 0);
}

/* When many new sectors wait for a flush, one is made: memory is bounded. */
static void vhd_chain_bounds_what_waits(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC,
					 .size = (uint64_t)IMAGES_BLOCK * 5000};
	struct layer *layer;
	uint64_t before;

	(void)state;
	assert_int_equal(vhd_disk_create(images_folder, "big.vhd", &create, &images_why), 0);
	images_make("child.vhd", VHD_DIFFERENCING, "big.vhd");
	images_disk->on_change = NULL;
	layer = images_open("child.vhd", VHD_DISK_WRITE);
	before = images_disk->calls[DISK_FLUSH];
	for (uint64_t i = 0; i < 5000; i++) {
		images_put(layer, i * IMAGES_BLOCK, GRAIN, 'x');
		assert_in_range(vhd_chain_of(layer)->images[0]->bitmaps.dirty_bytes, 0,
				VHD_BITMAP_DIRTY_MAX + 512);
	}
	assert_in_range(images_disk->calls[DISK_FLUSH] - before, 1, 5000 / 32 + 10);
	assert_int_equal(layer_close(layer), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, images_teardown)
	const struct CMUnitTest tests[] = {
		TEST(vhd_chain_reads_nearest_image),
		TEST(vhd_chain_reads_runs_at_once),
		TEST(vhd_chain_writes_top_image_only),
		TEST(vhd_chain_zero_hides_parent),
		TEST(vhd_chain_discard_shows_nothing_else),
		TEST(vhd_chain_extent_tells_zeros_and_holes),
		TEST(vhd_chain_small_writes_share_grain),
		TEST(vhd_chain_write_keeps_its_neighbours),
		TEST(vhd_chain_has_bounded_depth),
		TEST(vhd_chain_refuses_circle),
		TEST(vhd_chain_refuses_wrong_parents),
		TEST(vhd_chain_finds_parent_in_other_letters),
		TEST(vhd_chain_top_only_shows_own_sectors),
		TEST(vhd_chain_locks_parents),
		TEST(vhd_chain_bounds_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
