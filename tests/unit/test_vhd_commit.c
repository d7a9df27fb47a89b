/* SPDX-License-Identifier: Apache-2.0 */
/* Merging a child into its parent. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_commit.h"
#include "vhd_journal.h"
#include "vhd_snapshot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const set[] = {"a.vhd", "b.vhd"};

static int setup(void **state)
{
	images_setup(state);
	images_make("a.vhd", VHD_DYNAMIC, NULL);
	images_make("b.vhd", VHD_FIXED, NULL);
	images_fill("a.vhd", 0, 3 * 4096, 'a');
	images_fill("b.vhd", 0, 3 * 4096, 'b');
	assert_int_equal(vhd_snapshot_take(images_folder, set, 2, "one", &images_why), 0);
	images_fill("a.vhd", 4096, 4096, 'x');
	images_fill("a.vhd", 5 * 1048576, 4096, 'z');
	images_fill("b.vhd", 4096, 4096, 'y');
	return 0;
}

/* Old or new: the disks read the same at every instant. */
static void looks_the_same(struct folder *folder)
{
	assert_int_equal(vhd_journal_recover(folder, &images_why), 0);
	assert_int_equal(images_at(folder, "a.vhd", 0), 'a');
	assert_int_equal(images_at(folder, "a.vhd", 4096), 'x');
	assert_int_equal(images_at(folder, "a.vhd", 8192), 'a');
	assert_int_equal(images_at(folder, "a.vhd", 5 * 1048576), 'z');
	assert_int_equal(images_at(folder, "b.vhd", 4096), 'y');
	assert_int_equal(images_at(folder, "b.vhd", 8192), 'b');
}

static unsigned depth_of(const char *name)
{
	struct vhd_disk_info info;
	struct layer *layer;
	unsigned depth;

	assert_int_equal(vhd_disk_open(images_folder, name, 0, &layer, &images_why), 0);
	depth = vhd_disk_get_info(layer, 0, &info);
	assert_int_equal(layer_close(layer), 0);
	return depth;
}

/* Afterwards the parent has the child's name, alone, and reads the same. */
static void vhd_commit_merges_a_set(void **state)
{
	(void)state;
	assert_int_equal(vhd_commit_run(images_folder, set, 2, NULL, &images_why), 0);
	looks_the_same(images_folder);
	assert_int_equal(depth_of("a.vhd"), 1);
	assert_int_equal(depth_of("b.vhd"), 1);
	assert_false(images_is_there(images_folder, "a.one.vhd"));
	assert_int_equal(vhd_commit_run(images_folder, set, 1, NULL, &images_why), -EINVAL);
}

/* What stands on the child goes on to stand: the merged image is who the child was. */
static void vhd_commit_keeps_grandchildren(void **state)
{
	static const char *const middle[] = {"a.two.vhd"};

	(void)state;
	assert_int_equal(vhd_snapshot_take(images_folder, set, 1, "two", &images_why), 0);
	images_fill("a.vhd", 0, 512, 't');
	assert_int_equal(depth_of("a.vhd"), 3);
	assert_int_equal(vhd_commit_run(images_folder, middle, 1, NULL, &images_why), 0);
	assert_int_equal(depth_of("a.vhd"), 2);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 't');
	assert_int_equal(images_at(images_folder, "a.vhd", 4096), 'x');
}

/* Another child of the parent would be lost: it is named, and nothing changes. */
static void vhd_commit_refuses_with_another_child(void **state)
{
	(void)state;
	images_make("other.vhd", VHD_DIFFERENCING, "a.one.vhd");
	assert_int_equal(vhd_commit_run(images_folder, set, 2, NULL, &images_why), -EBUSY);
	assert_non_null(strstr(images_why.text, "other.vhd"));
	assert_int_equal(depth_of("a.vhd"), 2);
	looks_the_same(images_folder);
}

/* A disk that somebody has open is left alone. */
static void vhd_commit_refuses_a_disk_in_use(void **state)
{
	struct layer *layer;

	(void)state;
	assert_int_equal(vhd_disk_open(images_folder, "b.vhd", 0, &layer, &images_why), 0);
	assert_int_equal(vhd_commit_run(images_folder, set, 2, NULL, &images_why), -EAGAIN);
	assert_int_equal(layer_close(layer), 0);
	looks_the_same(images_folder);
	assert_int_equal(depth_of("a.vhd"), 2);
}

/* The merged disk has the size of the child, larger or smaller. */
static void vhd_commit_takes_the_size_of_the_child(void **state)
{
	struct layer *layer;

	(void)state;
	assert_int_equal(vhd_disk_open(images_folder, "a.vhd", VHD_DISK_WRITE, &layer, &images_why),
			 0);
	assert_int_equal(vhd_disk_resize(layer, 2 * IMAGES_SIZE, &images_why), 0);
	assert_int_equal(layer_close(layer), 0);
	images_fill("a.vhd", IMAGES_SIZE + 4096, 4096, 'l');
	assert_int_equal(vhd_disk_open(images_folder, "b.vhd", VHD_DISK_WRITE, &layer, &images_why),
			 0);
	assert_int_equal(vhd_disk_resize(layer, IMAGES_SIZE / 2, &images_why), 0);
	assert_int_equal(layer_close(layer), 0);
	assert_int_equal(vhd_commit_run(images_folder, set, 2, NULL, &images_why), 0);
	looks_the_same(images_folder);
	assert_int_equal(images_at(images_folder, "a.vhd", IMAGES_SIZE + 4096), 'l');
	assert_int_equal(images_at(images_folder, "a.vhd", 2 * IMAGES_SIZE - 512), '0');
	assert_int_equal(vhd_disk_open(images_folder, "b.vhd", 0, &layer, &images_why), 0);
	assert_int_equal(layer->size, IMAGES_SIZE / 2);
	assert_int_equal(layer_close(layer), 0);
}

static int stop_later(void *context, uint64_t done, uint64_t total)
{
	assert_true(done <= total);
	return ++*(int *)context == 3;
}

/* Who stops it has the disk as it was, and can run it again. */
static void vhd_commit_stops(void **state)
{
	int calls = 0;
	struct progress progress = {stop_later, &calls};

	(void)state;
	assert_int_equal(vhd_commit_run(images_folder, set, 2, &progress, &images_why), -ECANCELED);
	looks_the_same(images_folder);
	assert_int_equal(depth_of("a.vhd"), 2);
	assert_int_equal(vhd_commit_run(images_folder, set, 2, NULL, &images_why), 0);
	looks_the_same(images_folder);
}

/* Wherever the power goes, both disks read the same. */
static void vhd_commit_survives_power_cuts(void **state)
{
	(void)state;
	images_cut(4, looks_the_same);
	assert_int_equal(vhd_commit_run(images_folder, set, 2, NULL, &images_why), 0);
	images_cut(0, NULL);
	assert_int_equal(depth_of("a.vhd"), 1);
}

/* Whatever call fails, once or for ever, both disks read the same. */
static void vhd_commit_survives_errors(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 100; n++) {
		images_teardown(NULL);
		setup(NULL);
		images_disk->fault = (struct disk_fault){.calls = DISK_CHANGING_CALLS,
							 .after = n / 2,
							 .error = n % 3 ? -EIO : -ENOSPC,
							 .for_ever = n % 2};
		(void)!vhd_commit_run(images_folder, set, 2, NULL, &images_why);
		images_disk->fault.calls = 0;
		looks_the_same(images_folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_commit_merges_a_set, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_commit_keeps_grandchildren, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_commit_refuses_with_another_child, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_commit_refuses_a_disk_in_use, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_commit_takes_the_size_of_the_child, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_commit_stops, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_commit_survives_power_cuts, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_commit_survives_errors, setup, images_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
