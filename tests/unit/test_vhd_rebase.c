/* SPDX-License-Identifier: Apache-2.0 */
/* Another parent for an image that goes on to read the same. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_journal.h"
#include "vhd_rebase.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int setup(void **state)
{
	images_setup(state);
	images_make("old.vhd", VHD_DYNAMIC, NULL);
	images_fill("old.vhd", 0, 4 * 4096, 'o');
	images_make("new.vhd", VHD_DYNAMIC, NULL);
	images_fill("new.vhd", 0, 4096, 'o');
	images_fill("new.vhd", 5 * 1048576, 4096, 'n');
	images_make("top.vhd", VHD_DIFFERENCING, "old.vhd");
	images_fill("top.vhd", 4096, 4096, 't');
	return 0;
}

static void looks_the_same(struct folder *folder)
{
	assert_int_equal(vhd_journal_recover(folder, &images_why), 0);
	assert_int_equal(images_at(folder, "top.vhd", 0), 'o');
	assert_int_equal(images_at(folder, "top.vhd", 4096), 't');
	assert_int_equal(images_at(folder, "top.vhd", 8192), 'o');
	assert_int_equal(images_at(folder, "top.vhd", 16384), '0');
	assert_int_equal(images_at(folder, "top.vhd", 5 * 1048576), '0');
}

static const char *parent_of_top(void)
{
	static char name[64];
	struct vhd_disk_info info;
	struct layer *layer;

	assert_int_equal(vhd_disk_open(images_folder, "top.vhd", 0, &layer, &images_why), 0);
	assert_int_equal(vhd_disk_get_info(layer, 1, &info), 2);
	strncpy(name, info.name, sizeof(name) - 1);
	assert_int_equal(layer_close(layer), 0);
	return name;
}

/* What differs is copied, what is alike stays with the parent, and the old one may go. */
static void vhd_rebase_copies_differences(void **state)
{
	(void)state;
	assert_int_equal(
		vhd_rebase_run(images_folder, "top.vhd", "new.vhd", false, NULL, &images_why), 0);
	assert_int_equal(folder_remove(images_folder, "old.vhd"), 0);
	looks_the_same(images_folder);
	assert_string_equal(parent_of_top(), "new.vhd");
}

/* A parent that only got another name is named anew, without a copy. */
static void vhd_rebase_by_name_only(void **state)
{
	(void)state;
	assert_int_equal(folder_rename(images_folder, "old.vhd", "moved.vhd"), 0);
	assert_int_equal(images_at(images_folder, "top.vhd", 0), '?');
	assert_int_equal(
		vhd_rebase_run(images_folder, "top.vhd", "new.vhd", true, NULL, &images_why),
		-ESTALE);
	assert_int_equal(
		vhd_rebase_run(images_folder, "top.vhd", "moved.vhd", true, NULL, &images_why), 0);
	looks_the_same(images_folder);
	assert_string_equal(parent_of_top(), "moved.vhd");
}

/* No image becomes its own ancestor. */
static void vhd_rebase_refuses_a_circle(void **state)
{
	(void)state;
	images_make("upper.vhd", VHD_DIFFERENCING, "top.vhd");
	assert_int_equal(
		vhd_rebase_run(images_folder, "top.vhd", "upper.vhd", false, NULL, &images_why),
		-EINVAL);
	assert_int_equal(
		vhd_rebase_run(images_folder, "top.vhd", "top.vhd", false, NULL, &images_why),
		-EINVAL);
	assert_int_equal(
		vhd_rebase_run(images_folder, "old.vhd", "new.vhd", false, NULL, &images_why),
		-EINVAL);
	looks_the_same(images_folder);
}

static int stop_at_once(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	(void)done;
	(void)total;
	return 1;
}

/* Who stops it keeps the old parent. */
static void vhd_rebase_stops(void **state)
{
	struct progress progress = {stop_at_once, NULL};

	(void)state;
	assert_int_equal(
		vhd_rebase_run(images_folder, "top.vhd", "new.vhd", false, &progress, &images_why),
		-ECANCELED);
	looks_the_same(images_folder);
	assert_string_equal(parent_of_top(), "old.vhd");
}

/* Wherever the power goes, the disk reads the same. */
static void vhd_rebase_survives_power_cuts(void **state)
{
	(void)state;
	images_cut(12, looks_the_same);
	assert_int_equal(
		vhd_rebase_run(images_folder, "top.vhd", "new.vhd", false, NULL, &images_why), 0);
	images_cut(0, NULL);
}

/* Whatever call fails, once or for ever, the disk reads the same. */
static void vhd_rebase_survives_errors(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 80; n++) {
		images_teardown(NULL);
		setup(NULL);
		images_disk->fault = (struct disk_fault){.calls = DISK_CHANGING_CALLS,
							 .after = n / 2,
							 .error = n % 3 ? -EIO : -ENOSPC,
							 .for_ever = n % 2};
		(void)!vhd_rebase_run(images_folder, "top.vhd", "new.vhd", false, NULL,
				      &images_why);
		images_disk->fault.calls = 0;
		looks_the_same(images_folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_rebase_copies_differences, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_rebase_by_name_only, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_rebase_refuses_a_circle, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_rebase_stops, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_rebase_survives_power_cuts, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_rebase_survives_errors, setup, images_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
