/* SPDX-License-Identifier: Apache-2.0 */
/* A chain of images as one. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_flatten.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
	images_setup(state);
	images_make("base.vhd", VHD_DYNAMIC, NULL);
	images_fill("base.vhd", 0, 8192, 'b');
	images_fill("base.vhd", 5 * 1048576, 4096, 'c');
	images_make("mid.vhd", VHD_DIFFERENCING, "base.vhd");
	images_fill("mid.vhd", 4096, 4096, 'm');
	images_make("top.vhd", VHD_DIFFERENCING, "mid.vhd");
	images_fill("top.vhd", 3 * 1048576, 512, 't');
	return 0;
}

static void assert_is_whole(const char *name)
{
	assert_int_equal(images_at(images_folder, name, 0), 'b');
	assert_int_equal(images_at(images_folder, name, 4096), 'm');
	assert_int_equal(images_at(images_folder, name, 8192), '0');
	assert_int_equal(images_at(images_folder, name, 3 * 1048576), 't');
	assert_int_equal(images_at(images_folder, name, 3 * 1048576 + 512), '0');
	assert_int_equal(images_at(images_folder, name, 5 * 1048576), 'c');
}

/* The new image shows what the chain showed, alone, and holds no blocks of zeros. */
static void vhd_flatten_makes_one(void **state)
{
	struct vhd_disk_info info;
	struct layer *layer;

	(void)state;
	assert_int_equal(vhd_flatten_run(images_folder, "top.vhd", images_folder, "flat.vhd",
					 VHD_DYNAMIC, NULL, &images_why),
			 0);
	assert_int_equal(folder_remove(images_folder, "base.vhd"), 0);
	assert_is_whole("flat.vhd");
	assert_int_equal(vhd_disk_open(images_folder, "flat.vhd", 0, &layer, &images_why), 0);
	assert_int_equal(vhd_disk_get_info(layer, 0, &info), 1);
	assert_int_equal(info.allocated_count, 3);
	assert_int_equal(layer_close(layer), 0);
}

/* It may be fixed as well. */
static void vhd_flatten_makes_a_fixed_one(void **state)
{
	(void)state;
	assert_int_equal(vhd_flatten_run(images_folder, "top.vhd", images_folder, "flat.vhd",
					 VHD_FIXED, NULL, &images_why),
			 0);
	assert_is_whole("flat.vhd");
	assert_int_equal(images_file_size("flat.vhd"), IMAGES_SIZE + 512);
}

static int stop_later(void *context, uint64_t done, uint64_t total)
{
	assert_true(done <= total);
	return ++*(int *)context == 2;
}

/* Who stops it finds nothing made. */
static void vhd_flatten_stops(void **state)
{
	int calls = 0;
	struct progress progress = {stop_later, &calls};

	(void)state;
	assert_int_equal(vhd_flatten_run(images_folder, "top.vhd", images_folder, "flat.vhd",
					 VHD_DYNAMIC, &progress, &images_why),
			 -ECANCELED);
	assert_false(images_is_there(images_folder, "flat.vhd"));
	assert_false(images_is_there(images_folder, "flat.vhd.new"));
}

/* It never takes the place of another file, nor makes what does not stand alone. */
static void vhd_flatten_refuses(void **state)
{
	(void)state;
	assert_int_equal(vhd_flatten_run(images_folder, "top.vhd", images_folder, "mid.vhd",
					 VHD_DYNAMIC, NULL, &images_why),
			 -EEXIST);
	assert_int_equal(vhd_flatten_run(images_folder, "top.vhd", images_folder, "flat.vhd",
					 VHD_DIFFERENCING, NULL, &images_why),
			 -EINVAL);
	assert_int_equal(images_at(images_folder, "mid.vhd", 4096), 'm');
}

static void none_or_whole(struct folder *folder)
{
	char first = images_at(folder, "flat.vhd", 0);

	assert_true(first == '?' || first == 'b');
	if (first == 'b') {
		assert_int_equal(images_at(folder, "flat.vhd", 4096), 'm');
		assert_int_equal(images_at(folder, "flat.vhd", 5 * 1048576), 'c');
	}
	assert_int_equal(images_at(folder, "top.vhd", 0), 'b');
}

/* After a power cut the new image is whole or not there. */
static void vhd_flatten_survives_power_cuts(void **state)
{
	(void)state;
	images_cut(4, none_or_whole);
	assert_int_equal(vhd_flatten_run(images_folder, "top.vhd", images_folder, "flat.vhd",
					 VHD_DYNAMIC, NULL, &images_why),
			 0);
	images_cut(0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_flatten_makes_one, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_flatten_makes_a_fixed_one, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_flatten_stops, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_flatten_refuses, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_flatten_survives_power_cuts, setup,
						images_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
