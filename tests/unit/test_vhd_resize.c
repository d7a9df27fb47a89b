/* SPDX-License-Identifier: Apache-2.0 */
/* The size of a disk changes as a whole, and what comes new is zeros. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bytes.h"
#include "vhd_chain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MIB   (1ull << 20)
#define GRAIN 4096u

static void resize(const char *name, uint64_t size)
{
	struct layer *layer;

	assert_int_equal(vhd_disk_open(images_folder, name, VHD_DISK_WRITE, &layer, &images_why),
			 0);
	assert_int_equal(vhd_disk_resize(layer, size, &images_why), 0);
	assert_int_equal(layer->size, size);
	assert_int_equal(layer_close(layer), 0);
}

static uint64_t size_of(struct folder *folder, const char *name, bool *ret_unclean)
{
	struct vhd_disk_info info;
	struct layer *layer;
	uint64_t size;

	if (vhd_disk_open(folder, name, 0, &layer, &images_why) < 0) {
		fail_msg("%s", images_why.text);
	}
	size = layer->size;
	vhd_disk_get_info(layer, 0, &info);
	*ret_unclean = info.was_unclean;
	assert_int_equal(layer_close(layer), 0);
	return size;
}

static void is_clean(const char *name, uint64_t size)
{
	bool unclean;

	assert_int_equal(size_of(images_folder, name, &unclean), size);
	assert_false(unclean);
}

/* Every type becomes longer, by zeros, and shorter; what stays is as it was; what was cut off does
 * not come back. */
static void vhd_resize_changes_size_of_every_type(void **state)
{
	static const enum vhd_type types[] = {VHD_FIXED, VHD_DYNAMIC, VHD_DIFFERENCING};

	(void)state;
	images_make("base.vhd", VHD_DYNAMIC, NULL);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = {"f.vhd", "d.vhd", "c.vhd"};
		const char *name = names[i];

		images_make(name, types[i], i == 2 ? "base.vhd" : NULL);
		images_fill(name, 0, GRAIN, 'a');
		images_fill(name, 8 * MIB - GRAIN, GRAIN, 'z');
		resize(name, 20 * MIB);
		is_clean(name, 20 * MIB);
		assert_int_equal(images_at(images_folder, name, 8 * MIB - GRAIN), 'z');
		assert_int_equal(images_at(images_folder, name, 8 * MIB), '0');
		assert_int_equal(images_at(images_folder, name, 20 * MIB - 512), '0');
		images_fill(name, 18 * MIB, GRAIN, 'y');
		resize(name, 4 * MIB);
		is_clean(name, 4 * MIB);
		resize(name, 20 * MIB);
		assert_int_equal(images_at(images_folder, name, 0), 'a');
		assert_int_equal(images_at(images_folder, name, 8 * MIB - GRAIN), '0');
		assert_int_equal(images_at(images_folder, name, 18 * MIB), '0');
	}
}

/* A child that became shorter than its parent and longer again shows none of the parent there. */
static void vhd_resize_hides_parent_behind_old_end(void **state)
{
	(void)state;
	images_make("base.vhd", VHD_DYNAMIC, NULL);
	images_fill("base.vhd", 0, 8 * MIB, 'p');
	images_make("c.vhd", VHD_DIFFERENCING, "base.vhd");
	resize("c.vhd", 4 * MIB);
	assert_int_equal(images_at(images_folder, "c.vhd", 4 * MIB - 512), 'p');
	resize("c.vhd", 8 * MIB);
	assert_int_equal(images_at(images_folder, "c.vhd", 4 * MIB - 512), 'p');
	assert_int_equal(images_at(images_folder, "c.vhd", 4 * MIB), '0');
	assert_int_equal(images_at(images_folder, "c.vhd", 8 * MIB - 512), '0');
}

static uint64_t table_offset(const char *name)
{
	uint8_t bytes[8];

	images_peek(name, 512 + 16, bytes, sizeof(bytes));
	return vhd_load64(bytes);
}

/* The table stays where it is when room was set apart for it, else it moves to the end. */
static void vhd_resize_moves_table_when_it_must(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = 8 * MIB};

	(void)state;
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &create, &images_why), 0);
	create.reserve = 16384 * MIB;
	assert_int_equal(vhd_disk_create(images_folder, "b.vhd", &create, &images_why), 0);
	images_fill("a.vhd", 0, GRAIN, 'a');
	images_fill("b.vhd", 0, GRAIN, 'b');
	resize("a.vhd", 16384 * MIB);
	resize("b.vhd", 16384 * MIB);
	assert_true(table_offset("a.vhd") > 2 * MIB);
	assert_int_equal(table_offset("b.vhd"), 4096);
	images_fill("a.vhd", 16000 * MIB, GRAIN, 'c');
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'a');
	assert_int_equal(images_at(images_folder, "a.vhd", 16000 * MIB), 'c');
	assert_int_equal(images_at(images_folder, "b.vhd", 0), 'b');
	is_clean("a.vhd", 16384 * MIB);
	resize("a.vhd", 8 * MIB);
	is_clean("a.vhd", 8 * MIB);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'a');
}

/* Bytes of others behind the table are not overwritten: some writers keep a map there. */
static void vhd_resize_leaves_unknown_bytes_alone(void **state)
{
	struct vhd_disk_create create = {
		.type = VHD_DYNAMIC, .size = 8 * MIB, .reserve = 16384 * MIB};
	char map[16] = "somebody's map", back[16];

	(void)state;
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &create, &images_why), 0);
	images_poke("a.vhd", 4096 + 1024, map, sizeof(map));
	resize("a.vhd", 16384 * MIB);
	images_peek("a.vhd", 4096 + 1024, back, sizeof(back));
	assert_memory_equal(map, back, sizeof(map));
	is_clean("a.vhd", 16384 * MIB);
}

static bool grows;

static void looks_whole(struct folder *folder)
{
	bool unclean;
	uint64_t size = size_of(folder, "d.vhd", &unclean);

	assert_true(size == 8 * MIB || size == 16384 * MIB);
	assert_int_equal(images_at(folder, "d.vhd", 0), 'a');
	if (grows && size > 8 * MIB) {
		assert_int_equal(images_at(folder, "d.vhd", 8 * MIB), '0');
	}
}

/* However the power is cut, the size is the old or the new one, and what was there stays. */
static void vhd_resize_survives_power_cuts(void **state)
{
	static const enum vhd_type types[] = {VHD_FIXED, VHD_DYNAMIC, VHD_DIFFERENCING};

	(void)state;
	images_make("base.vhd", VHD_DYNAMIC, NULL);
	images_fill("base.vhd", 0, GRAIN, 'a');
	for (unsigned i = 0; i < 3; i++) {
		images_make("d.vhd", types[i], types[i] == VHD_DIFFERENCING ? "base.vhd" : NULL);
		images_fill("d.vhd", 0, GRAIN, 'a');
		images_cut(20, looks_whole);
		grows = true;
		resize("d.vhd", 16384 * MIB);
		grows = false; /* what lies behind is being thrown away */
		resize("d.vhd", 8 * MIB);
		images_cut(0, NULL);
		assert_int_equal(folder_remove(images_folder, "d.vhd"), 0);
	}
}

/* Whatever call fails, the disk has its old size or its new one, in memory and in the file. */
static void vhd_resize_survives_errors(void **state)
{
	static const enum vhd_type types[] = {VHD_FIXED, VHD_DYNAMIC};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct layer *layer;
		bool unclean;
		uint64_t size;

		images_make("d.vhd", types[i % 2], NULL);
		images_fill("d.vhd", 0, GRAIN, 'a');
		assert_int_equal(
			vhd_disk_open(images_folder, "d.vhd", VHD_DISK_WRITE, &layer, &images_why),
			0);
		images_disk->fault = (struct disk_fault){
			.calls = DISK_CHANGING_CALLS, .after = i / 2, .error = -EIO};
		(void)!vhd_disk_resize(layer, 16384 * MIB, &images_why);
		size = layer->size;
		assert_true(size == 8 * MIB || size == 16384 * MIB);
		images_disk->fault.calls = 0;
		(void)!layer_close(layer);
		assert_true(size_of(images_folder, "d.vhd", &unclean) == size || size == 8 * MIB);
		assert_int_equal(images_at(images_folder, "d.vhd", 0), 'a');
		assert_int_equal(folder_remove(images_folder, "d.vhd"), 0);
	}
}

/* Sizes that no disk can have, and disks that must not be written, are refused with a reason. */
static void vhd_resize_refuses(void **state)
{
	struct layer *layer;

	(void)state;
	images_make("d.vhd", VHD_DYNAMIC, NULL);
	assert_int_equal(vhd_disk_open(images_folder, "d.vhd", 0, &layer, &images_why), 0);
	assert_int_equal(vhd_disk_resize(layer, 4 * MIB, &images_why), -EROFS);
	assert_int_equal(layer_close(layer), 0);
	assert_int_equal(vhd_disk_open(images_folder, "d.vhd", VHD_DISK_WRITE, &layer, &images_why),
			 0);
	assert_int_equal(vhd_disk_resize(layer, 0, &images_why), -EINVAL);
	assert_int_equal(vhd_disk_resize(layer, VHD_SIZE_MAX + 512, &images_why), -EFBIG);
	assert_int_not_equal(images_why.text[0], 0);
	assert_int_equal(layer->size, 8 * MIB);
	assert_int_equal(layer_close(layer), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, images_setup, images_teardown)
	const struct CMUnitTest tests[] = {
		TEST(vhd_resize_changes_size_of_every_type),
		TEST(vhd_resize_hides_parent_behind_old_end),
		TEST(vhd_resize_moves_table_when_it_must),
		TEST(vhd_resize_leaves_unknown_bytes_alone),
		TEST(vhd_resize_survives_power_cuts),
		TEST(vhd_resize_survives_errors),
		TEST(vhd_resize_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
