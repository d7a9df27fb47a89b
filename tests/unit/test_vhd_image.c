/* SPDX-License-Identifier: Apache-2.0 */
/* One file: which footer counts, what is refused. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bytes.h"
#include "vhd_header.h"
#include "vhd_image.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GRAIN 4096u

static int setup(void **state)
{
	images_setup(state);
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	images_fill("d.vhd", 0, GRAIN, 'a');
	images_fill("d.vhd", IMAGES_BLOCK, GRAIN, 'b');
	images_make("f.vhd", VHD_FIXED, NULL);
	return 0;
}

static int try_open(const char *name)
{
	struct layer *layer;
	int rc = vhd_disk_open(images_folder, name, 0, &layer, &images_why);

	if (!rc) {
		assert_int_equal(layer_close(layer), 0);
	} else {
		assert_int_not_equal(images_why.text[0], 0);
	}
	return rc;
}

/* Changes bytes of the header and makes its checksum right. */
static void poke_header(unsigned offset, const void *bytes, size_t size)
{
	uint8_t header[VHD_HEADER_SIZE];

	images_peek("d.vhd", 512, header, sizeof(header));
	memcpy(header + offset, bytes, size);
	vhd_store32(header + 36, vhd_checksum(header, sizeof(header), 36));
	images_poke("d.vhd", 512, header, sizeof(header));
}

static void poke_header32(unsigned offset, uint32_t value)
{
	uint8_t bytes[4];

	vhd_store32(bytes, value);
	poke_header(offset, bytes, sizeof(bytes));
}

static void poke_entry(uint32_t block, uint64_t place)
{
	uint8_t bytes[4];

	vhd_store32(bytes, (uint32_t)(place / 512));
	images_poke("d.vhd", 4096 + 4 * block, bytes, sizeof(bytes));
}

/* What is no image at all, whatever its size, is refused as that. */
static void vhd_image_open_refuses_other_files(void **state)
{
	static const unsigned sizes[] = {0, 1, 511, 512, 70000};
	uint8_t *bytes = malloc(70000);

	(void)state;
	memset(bytes, 'x', 70000);
	for (unsigned i = 0; i < 5; i++) {
		struct file *file;

		assert_int_equal(folder_open_file(images_folder, "x", FOLDER_CREATE, &file), 0);
		assert_int_equal(file_write(file, bytes, sizes[i], 0), 0);
		file_close(file);
		assert_int_equal(try_open("x"), -EINVAL);
		assert_int_equal(folder_remove(images_folder, "x"), 0);
	}
	assert_int_equal(try_open("nobody"), -ENOENT);
	free(bytes);
}

/* The start of a fixed disk belongs to the guest, who may write a footer there. */
static void vhd_image_open_ignores_start_of_fixed_disk(void **state)
{
	uint8_t heads[1536];
	struct vhd_disk_info info;
	struct layer *layer;

	(void)state;
	images_peek("d.vhd", 0, heads, sizeof(heads));
	images_poke("f.vhd", 0, heads, sizeof(heads));
	assert_int_equal(vhd_disk_open(images_folder, "f.vhd", 0, &layer, &images_why), 0);
	vhd_disk_get_info(layer, 0, &info);
	assert_int_equal(info.footer.type, VHD_FIXED);
	assert_int_equal(layer_close(layer), 0);
}

/* A fixed disk that lost its end is not read as a shorter one. */
static void vhd_image_open_refuses_cut_fixed_disk(void **state)
{
	struct file *file;
	uint8_t footer[512];

	(void)state;
	images_peek("f.vhd", IMAGES_SIZE, footer, sizeof(footer));
	assert_int_equal(folder_open_file(images_folder, "f.vhd", FOLDER_WRITE, &file), 0);
	assert_int_equal(file_resize(file, 1 << 20), 0);
	assert_int_equal(file_write(file, footer, 512, 1 << 20), 0);
	file_close(file);
	assert_int_equal(try_open("f.vhd"), -EBADMSG);
}

/* A damaged footer without a copy is refused, and repair is named. */
static void vhd_image_open_refuses_damaged_footer(void **state)
{
	uint8_t byte = 0x5a;

	(void)state;
	images_poke("f.vhd", IMAGES_SIZE + 100, &byte, 1);
	assert_int_equal(try_open("f.vhd"), -EBADMSG);
	assert_non_null(strstr(images_why.text, "repair"));
}

/* Bytes that somebody added behind a sparse image do no harm. */
static void vhd_image_open_survives_stray_bytes(void **state)
{
	(void)state;
	images_poke("d.vhd", images_file_size("d.vhd"), "stray", 5);
	assert_int_equal(images_at(images_folder, "d.vhd", 0), 'a');
	images_fill("d.vhd", 2 * IMAGES_BLOCK, GRAIN, 'c');
	assert_int_equal(images_at(images_folder, "d.vhd", 0), 'a');
	assert_int_equal(images_at(images_folder, "d.vhd", IMAGES_BLOCK), 'b');
	assert_int_equal(images_at(images_folder, "d.vhd", 2 * IMAGES_BLOCK), 'c');
	assert_int_equal((images_file_size("d.vhd") - 512) % GRAIN, 0);
}

/* Blocks out of the file, over heads or table, or over each other: refused before anything is read.
 */
static void vhd_image_open_checks_places_of_blocks(void **state)
{
	uint64_t place = images_place("d.vhd", 0);
	const uint64_t bad[] = {0,
				512,
				4096 - 512,
				images_file_size("d.vhd"),
				1ull << 40,
				place + 4096,
				place - 512,
				images_place("d.vhd", 1),
				images_file_size("d.vhd") - 4096};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		poke_entry(3, bad[i]);
		assert_int_equal(try_open("d.vhd"), -EBADMSG);
	}
	poke_entry(3, 0xffffffffull * 512);
	assert_int_equal(try_open("d.vhd"), 0);
}

/* A table out of the file, over the heads, or too short for the disk is refused. */
static void vhd_image_open_checks_table(void **state)
{
	const uint64_t bad[] = {0, 512, 1024, 1536 - 512, 1ull << 40, UINT64_MAX - 511};
	uint8_t offset[8];

	(void)state;
	poke_header32(28, 3);
	assert_int_equal(try_open("d.vhd"), -EBADMSG);
	poke_header32(28, UINT32_MAX);
	assert_int_equal(try_open("d.vhd"), 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		vhd_store64(offset, bad[i]);
		poke_header(16, offset, sizeof(offset));
		assert_int_equal(try_open("d.vhd"), -EBADMSG);
	}
}

/* A header somewhere else, or with blocks of a size that nobody uses, is refused. */
static void vhd_image_open_checks_header(void **state)
{
	uint8_t footer[512], byte = 1;

	(void)state;
	poke_header32(32, 512);
	assert_int_equal(try_open("d.vhd"), -EOPNOTSUPP);
	poke_header32(32, IMAGES_BLOCK);
	images_poke("d.vhd", 600, &byte, 1);
	assert_int_equal(try_open("d.vhd"), -EBADMSG);
	images_peek("d.vhd", 0, footer, sizeof(footer));
	vhd_store64(footer + 16, images_file_size("d.vhd") - 512);
	vhd_store32(footer + 64, vhd_checksum(footer, 512, 64));
	images_poke("d.vhd", images_file_size("d.vhd") - 512, footer, sizeof(footer));
	assert_int_equal(try_open("d.vhd"), -EBADMSG);
}

/* Puts the names for the parent of a child somewhere else in its file. */
static void move_names(const char *name, uint64_t place)
{
	uint8_t header[VHD_HEADER_SIZE], text[GRAIN];

	images_peek(name, 512, header, sizeof(header));
	for (unsigned i = 0; i < 2; i++) {
		images_peek(name, GRAIN * (1 + i), text, sizeof(text));
		images_poke(name, place + i * GRAIN, text, sizeof(text));
		vhd_store64(header + 576 + 24 * i + 16, place + i * GRAIN);
	}
	vhd_store32(header + 36, vhd_checksum(header, sizeof(header), 36));
	images_poke(name, 512, header, sizeof(header));
}

/* A block over the names of the parent would lose them when it is written: it is only read. */
static void vhd_image_names_are_not_written_over(void **state)
{
	struct layer *layer;

	(void)state;
	images_make("c.vhd", VHD_DIFFERENCING, "d.vhd");
	images_fill("c.vhd", 0, GRAIN, 'c');
	move_names("c.vhd", images_place("c.vhd", 0) + IMAGES_BLOCK / 2);
	assert_int_equal(images_at(images_folder, "c.vhd", 0), 'c');
	assert_int_equal(vhd_disk_open(images_folder, "c.vhd", VHD_DISK_WRITE, &layer, &images_why),
			 -EBADMSG);
	assert_non_null(strstr(images_why.text, "flatten"));
}

/* A name that reaches into the footer, the header or the table: the same. */
static void vhd_image_names_are_not_under_what_is_written(void **state)
{
	enum { FOOTER, HEADER, TABLE, PLACES };
	struct layer *layer;
	uint8_t header[VHD_HEADER_SIZE];

	(void)state;
	for (unsigned where = 0; where < PLACES; where++) {
		images_make("c.vhd", VHD_DIFFERENCING, "d.vhd");
		images_peek("c.vhd", 512, header, sizeof(header));
		vhd_store64(header + 576 + 24 + 16, where == FOOTER   ? 0
						    : where == HEADER ? 512
								      : vhd_load64(header + 16));
		vhd_store32(header + 36, vhd_checksum(header, sizeof(header), 36));
		images_poke("c.vhd", 512, header, sizeof(header));
		assert_int_equal(
			vhd_disk_open(images_folder, "c.vhd", VHD_DISK_WRITE, &layer, &images_why),
			-EBADMSG);
		assert_non_null(strstr(images_why.text, "flatten"));
		assert_int_equal(folder_remove(images_folder, "c.vhd"), 0);
	}
}

/* An image that somebody writes is not opened a second time; readers share it. */
static void vhd_image_open_locks(void **state)
{
	struct layer *reader, *second;

	(void)state;
	assert_int_equal(vhd_disk_open(images_folder, "d.vhd", 0, &reader, &images_why), 0);
	assert_int_equal(vhd_disk_open(images_folder, "d.vhd", 0, &second, &images_why), 0);
	assert_int_equal(layer_close(second), 0);
	assert_int_equal(
		vhd_disk_open(images_folder, "d.vhd", VHD_DISK_WRITE, &second, &images_why),
		-EAGAIN);
	assert_int_equal(layer_close(reader), 0);
	assert_int_equal(
		vhd_disk_open(images_folder, "d.vhd", VHD_DISK_WRITE, &second, &images_why), 0);
	assert_int_equal(try_open("d.vhd"), -EAGAIN);
	assert_int_equal(layer_close(second), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, images_teardown)
	const struct CMUnitTest tests[] = {
		TEST(vhd_image_open_refuses_other_files),
		TEST(vhd_image_open_ignores_start_of_fixed_disk),
		TEST(vhd_image_open_refuses_cut_fixed_disk),
		TEST(vhd_image_open_refuses_damaged_footer),
		TEST(vhd_image_open_survives_stray_bytes),
		TEST(vhd_image_open_checks_places_of_blocks),
		TEST(vhd_image_open_checks_table),
		TEST(vhd_image_open_checks_header),
		TEST(vhd_image_names_are_not_written_over),
		TEST(vhd_image_names_are_not_under_what_is_written),
		TEST(vhd_image_open_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
