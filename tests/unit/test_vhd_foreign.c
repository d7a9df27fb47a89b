/* SPDX-License-Identifier: Apache-2.0 */
/* Images as other writers lay them out, made by hand: they are read and written rightly. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bytes.h"
#include "vhd_chain.h"
#include "vhd_header.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SECTOR 512u
#define GRAIN  4096u

/* How it is laid out. Blocks follow each other without gaps, the first one at `first`. */
struct shape {
	enum vhd_type type;
	uint32_t block_size;
	uint32_t blocks;
	uint64_t size; /* 0: whole blocks */
	uint64_t first;
	unsigned footer_size;
	uint32_t used[4], used_count; /* blocks in their order in the file */
	uint8_t bitmap;		      /* each of its bytes */
	char letter;		      /* of block 0; 0: 'A' */
	const char *parent;	      /* header's name */
	const char *locator;	      /* of W2ku */
	uint8_t parent_uuid;
};

static uint64_t stride(const struct shape *shape)
{
	return vhd_header_bitmap_size(shape->block_size) + shape->block_size;
}

static void write_blocks(struct file *file, const struct shape *shape)
{
	uint32_t bitmap_size = vhd_header_bitmap_size(shape->block_size);
	uint8_t *bitmap = malloc(bitmap_size), *data = malloc(shape->block_size);
	uint8_t entry[4];

	memset(entry, 0xff, sizeof(entry));
	memset(bitmap, shape->bitmap, bitmap_size);
	for (uint32_t i = 0; i < shape->blocks; i++) {
		assert_int_equal(file_write(file, entry, 4, 1536 + 4 * i), 0);
	}
	for (uint32_t i = 0; i < shape->used_count; i++) {
		uint64_t at = shape->first + i * stride(shape);

		memset(data, (int)((shape->letter ? shape->letter : 'A') + shape->used[i]),
		       shape->block_size);
		vhd_store32(entry, (uint32_t)(at / SECTOR));
		assert_int_equal(file_write(file, entry, 4, 1536 + 4 * shape->used[i]), 0);
		assert_int_equal(file_write(file, bitmap, bitmap_size, at), 0);
		assert_int_equal(file_write(file, data, shape->block_size, at + bitmap_size), 0);
	}
	free(bitmap);
	free(data);
}

static void write_heads(struct file *file, const struct shape *shape)
{
	struct vhd_footer footer = {
		.type = shape->type,
		.size = shape->size ? shape->size : (uint64_t)shape->blocks * shape->block_size,
		.data_offset = 512,
		.uuid = {1, 2, 3},
	};
	struct vhd_header header = {.table_offset = 1536,
				    .entry_count = shape->blocks,
				    .block_size = shape->block_size};
	uint8_t bytes[VHD_HEADER_SIZE];

	header.parent_uuid[0] = shape->parent_uuid;
	strcpy(header.parent_name, shape->parent ? shape->parent : "");
	if (shape->locator) {
		int length = vhd_text_to_utf16(shape->locator, false, bytes, sizeof(bytes));

		header.locators[2] =
			(struct vhd_locator){VHD_LOCATOR_ABSOLUTE, 8, (uint32_t)length, 3072};
		assert_int_equal(file_write(file, bytes, (size_t)length, 3072), 0);
	}
	assert_int_equal(vhd_header_encode(&header, bytes), 0);
	assert_int_equal(file_write(file, bytes, sizeof(bytes), 512), 0);
	vhd_footer_encode(&footer, bytes);
	assert_int_equal(file_write(file, bytes, 512, 0), 0);
	assert_int_equal(file_write(file, bytes, shape->footer_size ? shape->footer_size : 512,
				    shape->first + shape->used_count * stride(shape)),
			 0);
}

static void make(const char *name, const struct shape *shape)
{
	struct file *file;

	assert_int_equal(folder_open_file(images_folder, name, FOLDER_CREATE, &file), 0);
	write_blocks(file, shape);
	write_heads(file, shape);
	assert_int_equal(file_flush(file), 0);
	file_close(file);
	assert_int_equal(folder_flush(images_folder), 0);
}

/* Reads all, writes into old and new blocks, and finds everything after opening again. */
static void works(const char *name, const struct shape *shape)
{
	uint32_t b = shape->block_size;
	struct layer *layer = images_open(name, VHD_DISK_WRITE);

	images_expect(layer, 0, b, 'A');
	images_expect(layer, b, b, 0);
	images_expect(layer, 2ull * b, b, 'C');
	images_put(layer, 3 * SECTOR, SECTOR, 'x');
	images_put(layer, b + 7 * SECTOR, 3 * SECTOR, 'y');
	images_put(layer, 2ull * b - SECTOR, 2 * SECTOR, 'z');
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	layer = images_open(name, 0);
	images_expect(layer, 0, 3 * SECTOR, 'A');
	images_expect(layer, 3 * SECTOR, SECTOR, 'x');
	images_expect(layer, 4 * SECTOR, b - 4 * SECTOR, 'A');
	images_expect(layer, b, 7 * SECTOR, 0);
	images_expect(layer, b + 7 * SECTOR, 3 * SECTOR, 'y');
	images_expect(layer, b + 10 * SECTOR, b - 11 * SECTOR, 0);
	images_expect(layer, 2ull * b - SECTOR, 2 * SECTOR, 'z');
	images_expect(layer, 2ull * b + SECTOR, b - SECTOR, 'C');
	assert_int_equal(layer_close(layer), 0);
}

/* Data in the middle of a 4 KiB step of the file, blocks out of order: a popular writer's default.
 */
static void vhd_foreign_unaligned_data(void **state)
{
	struct shape shape = {.type = VHD_DYNAMIC,
			      .block_size = 2 << 20,
			      .blocks = 4,
			      .first = 2048,
			      .used = {2, 0},
			      .used_count = 2,
			      .bitmap = 0xff};

	(void)state;
	make("f.vhd", &shape);
	works("f.vhd", &shape);
}

/* Blocks of 512 KiB: a bitmap fills a quarter of its sector. */
static void vhd_foreign_small_blocks(void **state)
{
	struct shape shape = {.type = VHD_DYNAMIC,
			      .block_size = 512 << 10,
			      .blocks = 9,
			      .first = 3584,
			      .used = {0, 2},
			      .used_count = 2,
			      .bitmap = 0xff};

	(void)state;
	make("f.vhd", &shape);
	works("f.vhd", &shape);
}

/* Blocks whose bitmaps are several sectors, also such as fill a 4 KiB step. */
static void vhd_foreign_large_blocks(void **state)
{
	struct shape shape = {.type = VHD_DYNAMIC,
			      .blocks = 4,
			      .first = 4096,
			      .used = {0, 2},
			      .used_count = 2,
			      .bitmap = 0xff};

	(void)state;
	shape.block_size = 4 << 20;
	make("f.vhd", &shape);
	works("f.vhd", &shape);
	shape.block_size = 16 << 20;
	make("g.vhd", &shape);
	works("g.vhd", &shape);
}

/* A footer of 511 bytes. */
static void vhd_foreign_short_footer(void **state)
{
	struct shape shape = {.type = VHD_DYNAMIC,
			      .block_size = 2 << 20,
			      .blocks = 4,
			      .first = 2048,
			      .used = {0, 2},
			      .used_count = 2,
			      .bitmap = 0xff,
			      .footer_size = 511};
	struct vhd_disk_info info;
	struct layer *layer;

	(void)state;
	make("f.vhd", &shape);
	layer = images_open("f.vhd", 0);
	vhd_disk_get_info(layer, 0, &info);
	assert_false(info.was_unclean);
	assert_int_equal(layer_close(layer), 0);
	works("f.vhd", &shape);
}

/* Sectors that the bitmap of a dynamic image leaves out are zeros, whatever lies there; written
 * ones appear, and none beside them. */
static void vhd_foreign_partial_bitmap(void **state)
{
	struct shape shape = {.type = VHD_DYNAMIC,
			      .block_size = 2 << 20,
			      .blocks = 4,
			      .first = 2048,
			      .used = {0},
			      .used_count = 1,
			      .bitmap = 0x80};
	struct layer *layer;

	(void)state;
	make("f.vhd", &shape);
	layer = images_open("f.vhd", VHD_DISK_WRITE);
	images_expect(layer, 0, SECTOR, 'A');
	images_expect(layer, SECTOR, 7 * SECTOR, 0);
	images_expect(layer, 8 * SECTOR, SECTOR, 'A');
	images_put(layer, 3 * SECTOR, SECTOR, 'x');
	images_put(layer, 8 * SECTOR, 16 * SECTOR, 'y');
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	layer = images_open("f.vhd", 0);
	images_expect(layer, 0, SECTOR, 'A');
	images_expect(layer, SECTOR, 2 * SECTOR, 0);
	images_expect(layer, 3 * SECTOR, SECTOR, 'x');
	images_expect(layer, 4 * SECTOR, 4 * SECTOR, 0);
	images_expect(layer, 8 * SECTOR, 16 * SECTOR, 'y');
	images_expect(layer, 24 * SECTOR, SECTOR, 'A');
	images_expect(layer, 25 * SECTOR, 7 * SECTOR, 0);
	assert_int_equal(layer_close(layer), 0);
}

/* A disk that does not end with a block, nor with 4 KiB. */
static void vhd_foreign_odd_size(void **state)
{
	struct shape shape = {.type = VHD_DYNAMIC,
			      .block_size = 2 << 20,
			      .blocks = 4,
			      .size = (6 << 20) + 5 * SECTOR,
			      .first = 2048,
			      .bitmap = 0xff};
	struct layer *layer;
	uint64_t end = shape.size;

	(void)state;
	make("f.vhd", &shape);
	layer = images_open("f.vhd", VHD_DISK_WRITE);
	assert_int_equal(layer->size, end);
	images_put(layer, end - 3 * SECTOR, 3 * SECTOR, 'x');
	assert_int_equal(layer_write(layer, "", 512, end), -EINVAL);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	layer = images_open("f.vhd", 0);
	images_expect(layer, end - 5 * SECTOR, 2 * SECTOR, 0);
	images_expect(layer, end - 3 * SECTOR, 3 * SECTOR, 'x');
	assert_int_equal(layer_close(layer), 0);
}

/* A child whose header and locator have a path of another machine: its parent lies beside it.
 * Single bits are set, which read rightly, and become whole bytes when written. */
static void vhd_foreign_child_of_windows(void **state)
{
	struct shape base = {.type = VHD_DYNAMIC,
			     .block_size = 2 << 20,
			     .blocks = 4,
			     .first = 2048,
			     .used = {0, 1},
			     .used_count = 2,
			     .bitmap = 0xff};
	struct shape child = {.type = VHD_DIFFERENCING,
			      .block_size = 2 << 20,
			      .blocks = 4,
			      .first = 81408,
			      .used = {1},
			      .used_count = 1,
			      .bitmap = 0x11,
			      .letter = 'a',
			      .parent = "C:\\vm\\disks\\base.vhd",
			      .parent_uuid = 1,
			      .locator = "C:\\Users\\me\\base.vhd"};
	struct vhd_disk_info info;
	struct layer *layer;
	uint8_t bits[2], uuid[16] = {1};
	uint64_t b = base.block_size;

	(void)state;
	make("base.vhd", &base);
	make("c.vhd", &child);
	{ /* the UUID that both heads of the base have is {1, 2, 3} */
		uint8_t header[VHD_HEADER_SIZE];

		uuid[1] = 2;
		uuid[2] = 3;
		images_peek("c.vhd", 512, header, sizeof(header));
		memcpy(header + 40, uuid, sizeof(uuid));
		vhd_store32(header + 36, vhd_checksum(header, sizeof(header), 36));
		images_poke("c.vhd", 512, header, sizeof(header));
		images_peek("c.vhd", 0, header, 512);
		header[68] = 9;
		vhd_store32(header + 64, vhd_checksum(header, 512, 64));
		images_poke("c.vhd", 0, header, 512);
		images_poke("c.vhd", images_file_size("c.vhd") - 512, header, 512);
	}
	layer = images_open("c.vhd", VHD_DISK_WRITE);
	assert_int_equal(vhd_disk_get_info(layer, 1, &info), 2);
	assert_string_equal(info.name, "base.vhd");
	vhd_disk_get_info(layer, 0, &info);
	assert_string_equal(info.parent_name, "C:\\vm\\disks\\base.vhd");
	images_expect(layer, 0, b, 'A');
	images_expect(layer, b, 3 * SECTOR, 'B');
	images_expect(layer, b + 3 * SECTOR, SECTOR, 'b');
	images_expect(layer, b + 4 * SECTOR, 3 * SECTOR, 'B');
	images_put(layer, b + 2 * SECTOR, SECTOR, 'x');
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	images_peek("c.vhd", 81408, bits, sizeof(bits));
	assert_int_equal(bits[0], 0xff);
	assert_int_equal(bits[1], 0x11);
	layer = images_open("c.vhd", 0);
	images_expect(layer, b, 2 * SECTOR, 'B');
	images_expect(layer, b + 2 * SECTOR, SECTOR, 'x');
	images_expect(layer, b + 3 * SECTOR, SECTOR, 'b');
	images_expect(layer, b + 4 * SECTOR, 3 * SECTOR, 'B');
	images_expect(layer, b + 7 * SECTOR, SECTOR, 'b');
	images_expect(layer, b + 8 * SECTOR, 3 * SECTOR, 'B');
	assert_int_equal(layer_close(layer), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, images_setup, images_teardown)
	const struct CMUnitTest tests[] = {
		TEST(vhd_foreign_unaligned_data),   TEST(vhd_foreign_small_blocks),
		TEST(vhd_foreign_large_blocks),	    TEST(vhd_foreign_short_footer),
		TEST(vhd_foreign_partial_bitmap),   TEST(vhd_foreign_odd_size),
		TEST(vhd_foreign_child_of_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
