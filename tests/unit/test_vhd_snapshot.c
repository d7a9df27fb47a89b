/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: names, sets at one instant, and the list of them. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_journal.h"
#include "vhd_snapshot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const set[] = {"a.vhd", "b.vhd"};

static int setup(void **state)
{
	images_setup(state);
	images_make("a.vhd", VHD_DYNAMIC, NULL);
	images_make("b.vhd", VHD_FIXED, NULL);
	images_fill("a.vhd", 0, 4096, 'a');
	images_fill("b.vhd", 0, 4096, 'b');
	return 0;
}

/* The disk keeps its name, and what it was is called NAME.TAG.vhd. */
static void vhd_snapshot_keeps_the_name(void **state)
{
	(void)state;
	assert_int_equal(vhd_snapshot_take(images_folder, set, 2, "monday", &images_why), 0);
	images_fill("a.vhd", 0, 512, 'n');
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'n');
	assert_int_equal(images_at(images_folder, "a.vhd", 512), 'a');
	assert_int_equal(images_at(images_folder, "a.monday.vhd", 0), 'a');
	assert_int_equal(images_at(images_folder, "b.vhd", 0), 'b');
	assert_false(images_is_there(images_folder, VHD_JOURNAL_NAME));
}

/* Tags that would leave the naming rule, or that are taken, are refused and nothing changes. */
static void vhd_snapshot_refuses_bad_tags(void **state)
{
	static const char *const bad[] = {"", "reverted", "Reverted", "a/b", ".x", "x.", "a b"};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(vhd_snapshot_take(images_folder, set, 1, bad[i], &images_why),
				 -EINVAL);
	}
	assert_int_equal(vhd_snapshot_take(images_folder, set, 1, "one", &images_why), 0);
	assert_int_equal(vhd_snapshot_take(images_folder, set, 2, "one", &images_why), -EEXIST);
	assert_false(images_is_there(images_folder, "b.one.vhd"));
}

/* A disk that somebody writes to is not taken, nor is any other of the set. */
static void vhd_snapshot_refuses_a_disk_in_use(void **state)
{
	struct layer *layer;

	(void)state;
	assert_int_equal(vhd_disk_open(images_folder, "b.vhd", VHD_DISK_WRITE, &layer, &images_why),
			 0);
	assert_int_equal(vhd_snapshot_take(images_folder, set, 2, "one", &images_why), -EAGAIN);
	assert_non_null(strstr(images_why.text, "b.vhd"));
	assert_int_equal(layer_close(layer), 0);
	assert_false(images_is_there(images_folder, "a.one.vhd"));
}

/* A disk cannot be in a set twice. */
static void vhd_snapshot_refuses_a_disk_named_twice(void **state)
{
	static const char *const twice[] = {"a.vhd", "a.vhd"};

	(void)state;
	assert_int_equal(vhd_snapshot_take(images_folder, twice, 2, "one", &images_why), -EINVAL);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'a');
}

static unsigned before, after;

static void all_or_none(struct folder *folder)
{
	bool a, b;

	assert_int_equal(vhd_journal_recover(folder, &images_why), 0);
	a = images_is_there(folder, "a.one.vhd");
	b = images_is_there(folder, "b.one.vhd");
	assert_int_equal(a, b);
	assert_int_equal(images_at(folder, "a.vhd", 0), 'a');
	assert_int_equal(images_at(folder, "b.vhd", 0), 'b');
	assert_false(images_is_there(folder, "a.vhd.new"));
	assert_int_equal(images_at(folder, "a.one.vhd", 0), a ? 'a' : '?');
	before += !a;
	after += a;
}

/* Wherever the power goes: both disks have the snapshot or none has, and both open. */
static void vhd_snapshot_survives_power_cuts(void **state)
{
	(void)state;
	images_cut(12, all_or_none);
	assert_int_equal(vhd_snapshot_take(images_folder, set, 2, "one", &images_why), 0);
	images_cut(0, NULL);
	assert_true(before > 50 && after > 50);
}

/* Whatever call fails, once or for ever: both or none, and the disks open. */
static void vhd_snapshot_survives_errors(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 120; n++) {
		images_teardown(NULL);
		setup(NULL);
		images_disk->fault = (struct disk_fault){.calls = DISK_CHANGING_CALLS,
							 .after = n / 2,
							 .error = n % 3 ? -EIO : -ENOSPC,
							 .for_ever = n % 2};
		(void)!vhd_snapshot_take(images_folder, set, 2, "one", &images_why);
		images_disk->fault.calls = 0;
		all_or_none(images_folder);
	}
}

/* A manifest tells what the disk reads as: it stays with the disk's name. */
static void vhd_snapshot_keeps_the_manifest(void **state)
{
	(void)state;
	assert_int_equal(folder_replace_file(images_folder, "a.vhd.manifest", "m", 1), 0);
	assert_int_equal(vhd_snapshot_take(images_folder, set, 1, "one", &images_why), 0);
	assert_true(images_is_there(images_folder, "a.vhd.manifest"));
	assert_false(images_is_there(images_folder, "a.one.vhd.manifest"));
}

static char told[256];

static int tell(void *context, const struct vhd_snapshot *snapshot)
{
	size_t used = strlen(told);

	(void)context;
	snprintf(told + used, sizeof(told) - used, "%u %s %s<%s; ", snapshot->depth,
		 snapshot->tag ? snapshot->tag : "-", snapshot->name,
		 snapshot->parent ? snapshot->parent : "");
	return 0;
}

/* The list has the chain below the disk, the nearest first. */
static void vhd_snapshot_list_tells_the_chain(void **state)
{
	(void)state;
	assert_int_equal(vhd_snapshot_take(images_folder, set, 1, "one", &images_why), 0);
	assert_int_equal(vhd_snapshot_take(images_folder, set, 1, "two", &images_why), 0);
	assert_int_equal(vhd_snapshot_list(images_folder, "a.vhd", tell, NULL, &images_why), 0);
	assert_string_equal(told, "1 two a.two.vhd<a.one.vhd; 2 one a.one.vhd<; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_snapshot_keeps_the_name, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_snapshot_refuses_bad_tags, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_snapshot_refuses_a_disk_in_use, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_snapshot_refuses_a_disk_named_twice, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_snapshot_survives_power_cuts, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_snapshot_survives_errors, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_snapshot_keeps_the_manifest, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_snapshot_list_tells_the_chain, setup,
						images_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
