/* SPDX-License-Identifier: Apache-2.0 */
/* Going back to a snapshot, and taking that back. */
#define _GNU_SOURCE

#include "images.h"
#include "vhd_journal.h"
#include "vhd_revert.h"
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
	images_make("b.vhd", VHD_DYNAMIC, NULL);
	images_fill("a.vhd", 0, 4096, 'a');
	images_fill("b.vhd", 0, 4096, 'b');
	assert_int_equal(vhd_snapshot_take(images_folder, set, 2, "one", &images_why), 0);
	images_fill("a.vhd", 0, 4096, 'x');
	images_fill("b.vhd", 0, 4096, 'y');
	return 0;
}

/* What was written since the snapshot is gone from the disk, and kept aside. */
static void vhd_revert_goes_back(void **state)
{
	(void)state;
	assert_int_equal(vhd_revert_run(images_folder, set, 2, NULL, &images_why), 0);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'a');
	assert_int_equal(images_at(images_folder, "b.vhd", 0), 'b');
	assert_int_equal(images_at(images_folder, "a.reverted.vhd", 0), 'x');
}

/* With a tag it goes back further, over snapshots that stay. */
static void vhd_revert_goes_to_a_tag(void **state)
{
	(void)state;
	assert_int_equal(vhd_snapshot_take(images_folder, set, 1, "two", &images_why), 0);
	images_fill("a.vhd", 0, 4096, 'z');
	assert_int_equal(vhd_revert_run(images_folder, set, 1, "one", &images_why), 0);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'a');
	assert_int_equal(images_at(images_folder, "a.two.vhd", 0), 'x');
	assert_int_equal(images_at(images_folder, "a.reverted.vhd", 0), 'z');
	assert_int_equal(vhd_revert_run(images_folder, set, 1, "none", &images_why), -ENOENT);
}

/* Undo brings back what was put aside; undoing that reverts again. */
static void vhd_revert_undo_exchanges(void **state)
{
	(void)state;
	assert_int_equal(vhd_revert_run(images_folder, set, 2, NULL, &images_why), 0);
	images_fill("a.vhd", 0, 4096, 'n');
	assert_int_equal(vhd_revert_undo(images_folder, set, 2, &images_why), 0);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'x');
	assert_int_equal(images_at(images_folder, "b.vhd", 0), 'y');
	assert_int_equal(images_at(images_folder, "a.reverted.vhd", 0), 'n');
	assert_int_equal(vhd_revert_undo(images_folder, set, 2, &images_why), 0);
	assert_int_equal(images_at(images_folder, "a.vhd", 0), 'n');
}

/* The next revert takes the place of the last one's remains. */
static void vhd_revert_keeps_one(void **state)
{
	(void)state;
	assert_int_equal(vhd_revert_run(images_folder, set, 1, NULL, &images_why), 0);
	images_fill("a.vhd", 0, 4096, 'n');
	assert_int_equal(vhd_revert_run(images_folder, set, 1, NULL, &images_why), 0);
	assert_int_equal(images_at(images_folder, "a.reverted.vhd", 0), 'n');
	assert_int_equal(vhd_revert_forget(images_folder, "a.vhd", &images_why), 0);
	assert_int_equal(vhd_revert_forget(images_folder, "a.vhd", &images_why), -ENOENT);
	assert_int_equal(vhd_revert_undo(images_folder, set, 1, &images_why), -ENOENT);
}

/* A disk that stands alone has nothing to go back to. */
static void vhd_revert_refuses_a_base(void **state)
{
	static const char *const base[] = {"a.one.vhd"};

	(void)state;
	assert_int_equal(vhd_revert_run(images_folder, base, 1, NULL, &images_why), -EINVAL);
}

/* A manifest and its tree go aside with their image, and come back with it. */
static void vhd_revert_moves_the_manifest(void **state)
{
	(void)state;
	assert_int_equal(folder_replace_file(images_folder, "a.vhd.manifest", "m", 1), 0);
	assert_int_equal(folder_replace_file(images_folder, "a.vhd.tree", "t", 1), 0);
	assert_int_equal(vhd_revert_run(images_folder, set, 1, NULL, &images_why), 0);
	assert_false(images_is_there(images_folder, "a.vhd.manifest"));
	assert_false(images_is_there(images_folder, "a.vhd.tree"));
	assert_int_equal(folder_replace_file(images_folder, "a.vhd.tree", "new", 3), 0);
	assert_int_equal(vhd_revert_undo(images_folder, set, 1, &images_why), 0);
	assert_true(images_is_there(images_folder, "a.vhd.manifest"));
	assert_int_equal(images_file_size("a.vhd.tree"), 1);
	assert_int_equal(images_file_size("a.reverted.vhd.tree"), 3);
	assert_false(images_is_there(images_folder, "a.reverted.vhd.manifest"));
}

static unsigned old_count, new_count;

static void both_or_none(struct folder *folder)
{
	char a, b;

	assert_int_equal(vhd_journal_recover(folder, &images_why), 0);
	a = images_at(folder, "a.vhd", 0);
	b = images_at(folder, "b.vhd", 0);
	assert_true((a == 'a' && b == 'b') || (a == 'x' && b == 'y'));
	old_count += a == 'x';
	new_count += a == 'a';
	if (a == 'a') {
		assert_int_equal(images_at(folder, "a.reverted.vhd", 0), 'x');
	}
	assert_int_equal(images_at(folder, "a.one.vhd", 0), 'a');
}

/* Wherever the power goes: all disks went back or none, and nothing is lost. */
static void vhd_revert_survives_power_cuts(void **state)
{
	(void)state;
	old_count = new_count = 0;
	images_cut(8, both_or_none);
	assert_int_equal(vhd_revert_run(images_folder, set, 2, NULL, &images_why), 0);
	images_cut(0, NULL);
	assert_true(old_count > 50 && new_count > 50);
}

static void exchanged_or_not(struct folder *folder)
{
	char a, kept;

	assert_int_equal(vhd_journal_recover(folder, &images_why), 0);
	a = images_at(folder, "a.vhd", 0);
	kept = images_at(folder, "a.reverted.vhd", 0);
	assert_true((a == 'a' && kept == 'x') || (a == 'x' && kept == 'a'));
	assert_int_equal(images_at(folder, "b.vhd", 0), a == 'a' ? 'b' : 'y');
}

/* The same for its undo. */
static void vhd_revert_undo_survives_power_cuts(void **state)
{
	(void)state;
	assert_int_equal(vhd_revert_run(images_folder, set, 2, NULL, &images_why), 0);
	images_cut(8, exchanged_or_not);
	assert_int_equal(vhd_revert_undo(images_folder, set, 2, &images_why), 0);
	images_cut(0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_revert_goes_back, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_revert_goes_to_a_tag, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_revert_undo_exchanges, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_revert_keeps_one, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_revert_refuses_a_base, setup, images_teardown),
		cmocka_unit_test_setup_teardown(vhd_revert_moves_the_manifest, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_revert_survives_power_cuts, setup,
						images_teardown),
		cmocka_unit_test_setup_teardown(vhd_revert_undo_survives_power_cuts, setup,
						images_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
