/* SPDX-License-Identifier: Apache-2.0 */
/* New images: their layout, and that they appear whole or not at all. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_bytes.h"
#include "vhd_header.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct vhd_disk_create dynamic = {.type = VHD_DYNAMIC, .size = IMAGES_SIZE};

/* Sizes are rounded up to 2 MiB, UUIDs made up when none is given. */
static void vhd_disk_create_rounds_and_names(void **state)
{
	static const enum vhd_type types[] = {VHD_FIXED, VHD_DYNAMIC};
	struct vhd_disk_info info[2];
	struct layer *layer;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		const struct vhd_disk_create create = {.type = types[i], .size = 5000000};
		const char *name = i ? "b.vhd" : "a.vhd";

		assert_int_equal(vhd_disk_create(images_folder, name, &create, &images_why), 0);
		assert_int_equal(vhd_disk_open(images_folder, name, 0, &layer, &images_why), 0);
		assert_int_equal(layer->size, 6 << 20);
		vhd_disk_get_info(layer, 0, &info[i]);
		assert_int_equal(info[i].footer.type, types[i]);
		assert_int_equal(info[i].footer.uuid[6] >> 4, 4);
		assert_false(info[i].was_unclean);
		assert_int_equal(layer_close(layer), 0);
	}
	assert_memory_not_equal(info[0].footer.uuid, info[1].footer.uuid, 16);
}

/* Same UUID and time, same bytes. */
static void vhd_disk_create_is_reproducible(void **state)
{
	struct vhd_disk_create create = dynamic;
	uint8_t a[8192], b[8192];

	(void)state;
	create.uuid[0] = 1;
	create.timestamp = 5;
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &create, &images_why), 0);
	assert_int_equal(vhd_disk_create(images_folder, "b.vhd", &create, &images_why), 0);
	images_peek("a.vhd", 0, a, sizeof(a));
	images_peek("b.vhd", 0, b, sizeof(b));
	assert_memory_equal(a, b, sizeof(a));
}

/* Footer and copy are the same, the footer on 4 KiB, the table as long as the disk. */
static void vhd_disk_create_lays_out_dynamic(void **state)
{
	uint8_t first[512], last[512], header[VHD_HEADER_SIZE];
	uint64_t size;
	struct vhd_header decoded;

	(void)state;
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &dynamic, &images_why), 0);
	size = images_file_size("a.vhd");
	assert_int_equal((size - 512) % 4096, 0);
	images_peek("a.vhd", 0, first, sizeof(first));
	images_peek("a.vhd", size - 512, last, sizeof(last));
	assert_memory_equal(first, last, sizeof(first));
	images_peek("a.vhd", 512, header, sizeof(header));
	assert_int_equal(vhd_header_decode(header, &decoded), 0);
	assert_int_equal(decoded.entry_count, 4);
	assert_int_equal(decoded.block_size, IMAGES_BLOCK);
}

/* A child names its parent three times, without a folder, and has its size. */
static void vhd_disk_create_names_parent(void **state)
{
	struct vhd_disk_create create = {
		.type = VHD_DIFFERENCING, .parent = "a.vhd", .parent_name = "a.1.vhd"};
	static const uint8_t name[] = {'.', 0,	 '\\', 0,   'a', 0,   '.', 0,	'1',
				       0,   '.', 0,    'v', 0,	 'h', 0,   'd', 0};
	uint8_t bytes[sizeof(name)], header[VHD_HEADER_SIZE];
	struct vhd_header decoded;

	(void)state;
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &dynamic, &images_why), 0);
	assert_int_equal(vhd_disk_create(images_folder, "c.vhd", &create, &images_why), 0);
	images_peek("c.vhd", 512, header, sizeof(header));
	assert_int_equal(vhd_header_decode(header, &decoded), 0);
	assert_string_equal(decoded.parent_name, "a.1.vhd");
	assert_int_equal(decoded.locators[0].platform, VHD_LOCATOR_RELATIVE);
	assert_int_equal(decoded.locators[1].platform, VHD_LOCATOR_ABSOLUTE);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(decoded.locators[i].length, sizeof(name));
		images_peek("c.vhd", decoded.locators[i].offset, bytes, sizeof(bytes));
		assert_memory_equal(bytes, name, sizeof(name));
	}
	assert_int_equal(images_at(images_folder, "c.vhd", 0), '?');
	assert_int_equal(folder_rename(images_folder, "a.vhd", "a.1.vhd"), 0);
	assert_int_equal(images_at(images_folder, "c.vhd", IMAGES_SIZE - 512), '0');
}

/* What cannot be is refused with a reason and leaves nothing behind. */
static void vhd_disk_create_refuses(void **state)
{
	const struct {
		struct vhd_disk_create create;
		int error;
	} bad[] = {
		{{.type = VHD_DYNAMIC}, -EINVAL},
		{{.type = VHD_DYNAMIC, .size = VHD_SIZE_MAX + 1}, -EFBIG},
		{{.type = (enum vhd_type)7, .size = IMAGES_SIZE}, -EINVAL},
		{{.type = VHD_DIFFERENCING}, -EINVAL},
		{{.type = VHD_DIFFERENCING, .parent = "nobody.vhd"}, -ENOENT},
		{{.type = VHD_DIFFERENCING, .parent = "../a.vhd"}, -EINVAL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		images_why.text[0] = 0;
		assert_int_equal(
			vhd_disk_create(images_folder, "x.vhd", &bad[i].create, &images_why),
			bad[i].error);
		assert_int_not_equal(images_why.text[0], 0);
		assert_false(images_is_there(images_folder, "x.vhd"));
	}
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &dynamic, &images_why), 0);
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &dynamic, &images_why), -EEXIST);
	assert_int_equal(vhd_disk_create(images_folder, "a/b.vhd", &dynamic, &images_why), -EINVAL);
}

static void looks_whole_or_absent(struct folder *folder)
{
	if (images_is_there(folder, "a.vhd")) {
		assert_int_equal(images_at(folder, "a.vhd", 0), '0');
	}
}

/* A power cut leaves no image or a whole one; an error leaves none. */
static void vhd_disk_create_is_all_or_nothing(void **state)
{
	(void)state;
	images_cut(30, looks_whole_or_absent);
	assert_int_equal(vhd_disk_create(images_folder, "a.vhd", &dynamic, &images_why), 0);
	images_cut(0, NULL);
	for (unsigned i = 0; i < 6; i++) {
		images_disk->fault = (struct disk_fault){.calls = DISK_CHANGING_CALLS &
								  ~DISK_BIT(DISK_FOLDER_FLUSH),
							 .after = i,
							 .error = -ENOSPC};
		assert_int_equal(vhd_disk_create(images_folder, "b.vhd", &dynamic, &images_why),
				 -ENOSPC);
		images_disk->fault.calls = 0;
		assert_false(images_is_there(images_folder, "b.vhd"));
		assert_false(images_is_there(images_folder, ".b.vhd.new"));
	}
	assert_int_equal(vhd_disk_create(images_folder, "b.vhd", &dynamic, &images_why), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, images_setup, images_teardown)
	const struct CMUnitTest tests[] = {
		TEST(vhd_disk_create_rounds_and_names), TEST(vhd_disk_create_is_reproducible),
		TEST(vhd_disk_create_lays_out_dynamic), TEST(vhd_disk_create_names_parent),
		TEST(vhd_disk_create_refuses),		TEST(vhd_disk_create_is_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
