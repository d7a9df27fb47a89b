/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: changes of several files happen all or not at all. */
#define _GNU_SOURCE

#include "disk_cut.h"
#include "disk_memory.h"
#include "vhd_journal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct disk_memory *disk;
static struct folder *folder;
static struct why why;

static void put(const char *name, const char *text)
{
	assert_int_equal(folder_replace_file(folder, name, text, strlen(text)), 0);
}

/* What a file holds; "" when it is not there. */
static const char *get(struct folder *in, const char *name)
{
	static char text[4][64];
	static unsigned turn;
	char *to = text[turn++ % 4];
	void *bytes;
	size_t size;

	memset(to, 0, sizeof(text[0]));
	if (folder_read_file(in, name, sizeof(text[0]) - 1, &bytes, &size) == 0) {
		memcpy(to, bytes, size);
		free(bytes);
	}
	return to;
}

static int setup(void **state)
{
	(void)state;
	disk = disk_memory_create(true);
	folder = disk_memory_folder(disk);
	put("a", "old a");
	put("b", "old b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(disk_memory_open_count(disk), 0);
	disk_memory_destroy(disk);
	return 0;
}

/* "a" and "b" become "a.kept" and "b.kept", new ones take their names. */
static const struct vhd_journal_step undo_steps[] = {
	{.kind = VHD_JOURNAL_REMOVE, .name = "a.new"},
	{.kind = VHD_JOURNAL_REMOVE, .name = "b.new"},
};
static const struct vhd_journal_step redo_steps[] = {
	{.kind = VHD_JOURNAL_SWAP, .name = "a", .to = "a.kept", .from = "a.new"},
	{.kind = VHD_JOURNAL_SWAP, .name = "b", .to = "b.kept", .from = "b.new"},
	{.kind = VHD_JOURNAL_WRITE, .name = "b", .offset = 4, .bytes = "B", .size = 1},
};

static int change_both(void)
{
	struct vhd_journal *journal;
	int rc = vhd_journal_begin(folder, undo_steps, 2, redo_steps, 3, &journal, &why);

	if (rc < 0) {
		return rc;
	}
	rc = folder_replace_file(folder, "a.new", "new a", 5);
	rc = rc ? rc : folder_replace_file(folder, "b.new", "new b", 5);
	if (rc < 0) {
		vhd_journal_abort(journal);
		return rc;
	}
	return vhd_journal_decide(journal, &why);
}

static void assert_old(struct folder *in)
{
	assert_string_equal(get(in, "a"), "old a");
	assert_string_equal(get(in, "b"), "old b");
	assert_string_equal(get(in, "a.kept"), "");
	assert_string_equal(get(in, "b.kept"), "");
}

static void assert_new(struct folder *in)
{
	assert_string_equal(get(in, "a"), "new a");
	assert_string_equal(get(in, "b"), "new B");
	assert_string_equal(get(in, "a.kept"), "old a");
	assert_string_equal(get(in, "b.kept"), "old b");
}

static void assert_tidy(struct folder *in)
{
	assert_string_equal(get(in, "a.new"), "");
	assert_string_equal(get(in, "b.new"), "");
	assert_string_equal(get(in, VHD_JOURNAL_NAME), "");
}

/* A decision is carried out at once and leaves no journal. */
static void vhd_journal_decide_does_all(void **state)
{
	(void)state;
	assert_int_equal(change_both(), 0);
	assert_new(folder);
	assert_tidy(folder);
}

/* An operation given up leaves everything as it was. */
static void vhd_journal_abort_undoes_all(void **state)
{
	struct vhd_journal *journal;

	(void)state;
	assert_int_equal(vhd_journal_begin(folder, undo_steps, 2, redo_steps, 3, &journal, &why),
			 0);
	put("a.new", "new a");
	vhd_journal_abort(journal);
	assert_old(folder);
	assert_tidy(folder);
}

/* While one operation is under way, nobody starts another one or takes it for cut off. */
static void vhd_journal_is_held_by_its_owner(void **state)
{
	struct vhd_journal *journal, *second;

	(void)state;
	assert_int_equal(vhd_journal_begin(folder, undo_steps, 2, redo_steps, 3, &journal, &why),
			 0);
	assert_int_equal(vhd_journal_recover(folder, &why), -EAGAIN);
	assert_int_equal(vhd_journal_begin(folder, undo_steps, 2, redo_steps, 3, &second, &why),
			 -EAGAIN);
	vhd_journal_abort(journal);
	assert_int_equal(vhd_journal_recover(folder, &why), 0);
}

static unsigned old_count, new_count;

/* Looks at one state that a power cut may leave now. */
static void cut_once(struct disk_memory *now, uint64_t *seed)
{
	struct disk_cut cut = disk_cut_choose(now, seed);
	struct disk_memory *after = disk_cut_make(now, &cut);
	struct folder *in = disk_memory_folder(after);

	assert_int_equal(vhd_journal_recover(in, &why), 0);
	if (strcmp(get(in, "a"), "old a") == 0) {
		assert_old(in);
		old_count++;
	} else {
		assert_new(in);
		new_count++;
	}
	assert_tidy(in);
	assert_int_equal(disk_memory_open_count(after), 0);
	disk_memory_destroy(after);
}

static void cut_here(struct disk_memory *now, enum disk_call call)
{
	static uint64_t seed = 1;

	(void)call;
	for (unsigned i = 0; i < 24; i++) {
		cut_once(now, &seed);
	}
}

/* A power cut at any point leaves both files old or both new, once somebody recovered. */
static void vhd_journal_survives_power_cuts(void **state)
{
	(void)state;
	old_count = new_count = 0;
	disk->on_change = cut_here;
	assert_int_equal(change_both(), 0);
	disk->on_change = NULL;
	assert_true(old_count > 100 && new_count > 100);
}

/* Recovery itself may be cut off too, anywhere. */
static void vhd_journal_recover_survives_power_cuts(void **state)
{
	(void)state;
	old_count = new_count = 0;
	/* The change of names fails: decided, and left to the next one. */
	disk->fault =
		(struct disk_fault){.calls = DISK_BIT(DISK_RENAME), .after = 3, .error = -EIO};
	assert_int_equal(change_both(), -EIO);
	disk->fault.calls = 0;
	disk->on_change = cut_here;
	assert_int_equal(vhd_journal_recover(folder, &why), 0);
	disk->on_change = NULL;
	assert_int_equal(old_count, 0);
	assert_new(folder);
}

/* Whatever call fails, and whether it fails once or for ever: all or nothing. */
static void vhd_journal_survives_errors(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 80; n++) {
		struct disk_memory *after;
		struct folder *in;
		int rc;

		teardown(NULL);
		setup(NULL);
		disk->fault = (struct disk_fault){.calls = DISK_CHANGING_CALLS,
						  .after = n / 2,
						  .error = n % 3 ? -EIO : -ENOSPC,
						  .for_ever = n % 2};
		rc = change_both();
		disk->fault.calls = 0;
		after = disk_memory_fork(disk);
		in = disk_memory_folder(after);
		assert_int_equal(vhd_journal_recover(in, &why), 0);
		if (rc == 0 || strcmp(get(in, "a"), "new a") == 0) {
			assert_new(in);
		} else {
			assert_old(in);
		}
		disk_memory_destroy(after);
	}
}

/* A damaged journal is refused with its name, and nothing is done by it. */
static void vhd_journal_recover_refuses_damage(void **state)
{
	char bytes[600];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(folder_replace_file(folder, VHD_JOURNAL_NAME, bytes, sizeof(bytes)), 0);
	assert_int_equal(vhd_journal_recover(folder, &why), -EBADMSG);
	assert_non_null(strstr(why.text, VHD_JOURNAL_NAME));
	assert_old(folder);
}

/* One that never got its head is thrown away. */
static void vhd_journal_recover_drops_an_empty_one(void **state)
{
	(void)state;
	put(VHD_JOURNAL_NAME, "");
	assert_int_equal(vhd_journal_recover(folder, &why), 0);
	assert_old(folder);
	assert_tidy(folder);
}

/* A step cannot name a file of another folder. */
static void vhd_journal_recover_stays_in_the_folder(void **state)
{
	static const struct vhd_journal_step steps[] = {
		{.kind = VHD_JOURNAL_REMOVE, .name = "../a"}};
	struct vhd_journal *journal;

	(void)state;
	assert_int_equal(vhd_journal_begin(folder, NULL, 0, steps, 1, &journal, &why), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_journal_decide_does_all, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_abort_undoes_all, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_is_held_by_its_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_survives_power_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_recover_survives_power_cuts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_survives_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_recover_refuses_damage, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_recover_drops_an_empty_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_journal_recover_stays_in_the_folder, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
