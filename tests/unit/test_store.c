/* SPDX-License-Identifier: Apache-2.0 */
/** Generations of policy in a folder, on a disk whose power fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "disk_cut.h"
#include "store.h"

#define BOOT "0f9d2c1a-5b5e-4f6a-8c3d-2e1f00aa77bb"

static struct disk_memory *disk;
static struct folder *folder;

static int setup(void **state)
{
	(void)state;
	disk = disk_memory_create(true);
	folder = disk_memory_folder(disk);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	disk_memory_destroy(disk);
	return 0;
}

/* A name of a file says everything about it, and nothing else is such a name. */
static void store_names_are_read_as_they_are_made(void **state)
{
	static const char *const others[] = {"state",	      "g1.0.layer.",	  "g1.0.layer.a/b",
					     "g01.0.layer.a", "g1.6.layer.a",	  "g1.0.include..a",
					     "g1.0.thing.a",  "g1.0.layer.a.tmp", "g1.0.layer.a b",
					     "g-1.0.layer.a", "x1.0.layer.a",	  "g1.0.layer"};
	struct store_file file = {
		.generation = 12, .set = 2, .part = STORE_SIGNATURE, .name = "office.pol.sig"};
	struct store_file again;
	char path[STORE_PATH_SIZE];

	(void)state;
	assert_int_equal(store_path(&file, path), 0);
	assert_string_equal(path, "g12.2.signature.office.pol.sig");
	assert_true(store_decode(path, &again));
	assert_memory_equal(&again, &file, sizeof(file));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(store_decode(others[i], &again));
	}
	snprintf(file.name, sizeof(file.name), "../state");
	assert_int_equal(store_path(&file, path), -EINVAL);
}

/* A folder without a record says that nothing was ever applied; a record of others is an error. */
static void store_state_is_zero_or_ours(void **state)
{
	struct policy_state policy = {.current = 9};

	(void)state;
	assert_int_equal(store_read_state(folder, &policy), 0);
	assert_int_equal(policy.current, 0);
	policy.current = 4;
	assert_int_equal(store_write_state(folder, &policy), 0);
	policy.current = 0;
	assert_int_equal(store_read_state(folder, &policy), 0);
	assert_int_equal(policy.current, 4);
	assert_int_equal(folder_replace_file(folder, STORE_STATE, "current 7\n", 10), 0);
	assert_int_equal(store_read_state(folder, &policy), -EBADMSG);
	assert_int_equal(policy.current, 4);
}

static void put(uint32_t generation, uint32_t set, const char *name, const char *text)
{
	struct store_file file = {.generation = generation, .set = set, .part = STORE_LAYER};

	snprintf(file.name, sizeof(file.name), "%s", name);
	assert_int_equal(store_put(folder, &file, text, strlen(text)), 0);
}

static bool has(struct folder *from, const char *path, const char *text)
{
	void *bytes;
	size_t size;
	bool same;

	if (folder_read_file(from, path, STORE_FILE_MAX, &bytes, &size)) {
		return false;
	}
	same = size == strlen(text) && !memcmp(bytes, text, size);
	free(bytes);
	return same;
}

/* A generation begins as a copy of the one before; sets are added and dropped one by one. */
static void store_copies_sets(void **state)
{
	uint32_t set = 99;

	(void)state;
	assert_int_equal(store_next_set(folder, 5, &set), 0);
	assert_int_equal(set, 0);
	put(5, 0, "it.pol", "it");
	put(5, 1, "user.pol", "user");
	put(6, 0, "other.pol", "other");
	assert_int_equal(store_copy(folder, 5, 7), 0);
	assert_true(has(folder, "g7.0.layer.it.pol", "it"));
	assert_true(has(folder, "g7.1.layer.user.pol", "user"));
	assert_int_equal(store_next_set(folder, 7, &set), 0);
	assert_int_equal(set, 2);
	put(7, 2, "it.pol", "newer");
	put(7, 5, "x.pol", "x");
	assert_int_equal(store_next_set(folder, 7, &set), -ENOSPC);
	assert_int_equal(store_drop_set(folder, 7, 5), 0);
	assert_int_equal(store_drop_set(folder, 7, 0), 0);
	assert_false(has(folder, "g7.0.layer.it.pol", "it"));
	assert_true(has(folder, "g7.2.layer.it.pol", "newer"));
	assert_true(has(folder, "g5.0.layer.it.pol", "it"));
	assert_int_equal(store_copy(folder, 7, 8), 0);
	assert_true(has(folder, "g8.0.layer.user.pol", "user"));
	assert_true(has(folder, "g8.1.layer.it.pol", "newer"));
}

/* What the state does not name is swept away, with what a power cut left half made. */
static void store_sweeps_what_is_not_named(void **state)
{
	struct policy_state policy = {.current = 2, .trial = 3};

	(void)state;
	put(1, 0, "a.pol", "1");
	put(2, 0, "a.pol", "2");
	put(3, 0, "a.pol", "3");
	put(4, 0, "a.pol", "4");
	for (uint32_t i = 1; i <= 4; i++) {
		assert_int_equal(store_put_before(folder, i, "table", 5), 0);
	}
	assert_int_equal(folder_replace_file(folder, "before.01", "x", 1), 0);
	assert_int_equal(folder_replace_file(folder, "g2.0.layer.b.pol.tmp", "x", 1), 0);
	assert_int_equal(folder_replace_file(folder, "audit.000001", "x", 1), 0);
	assert_int_equal(store_sweep(folder, &policy), 0);
	assert_false(has(folder, "g1.0.layer.a.pol", "1"));
	assert_true(has(folder, "g2.0.layer.a.pol", "2"));
	assert_true(has(folder, "g3.0.layer.a.pol", "3"));
	assert_false(has(folder, "g4.0.layer.a.pol", "4"));
	assert_false(has(folder, "g2.0.layer.b.pol.tmp", "x"));
	assert_true(has(folder, "audit.000001", "x"));
	assert_false(has(folder, "before.1", "table"));
	assert_true(has(folder, "before.2", "table"));
	assert_true(has(folder, "before.3", "table"));
	assert_false(has(folder, "before.4", "table"));
	assert_true(has(folder, "before.01", "x")); /* not ours */
}

/* The table before a generation is read back as it was; sets are copied and numbered without it. */
static void store_keeps_the_table_before(void **state)
{
	uint32_t set = 99;
	size_t size;
	void *bytes;

	(void)state;
	assert_int_equal(store_read_before(folder, 5, &bytes, &size), -ENOENT);
	assert_int_equal(store_put_before(folder, 5, "table", 5), 0);
	assert_int_equal(store_read_before(folder, 5, &bytes, &size), 0);
	assert_int_equal(size, 5);
	assert_memory_equal(bytes, "table", 5);
	free(bytes);
	assert_int_equal(store_next_set(folder, 5, &set), 0);
	assert_int_equal(set, 0);
	assert_int_equal(store_copy(folder, 5, 6), 0);
	assert_int_equal(store_read_before(folder, 6, &bytes, &size), -ENOENT);
}

/* Generations in which files lie, by what they must say. */
static void check_generation(struct folder *from, uint32_t generation)
{
	char path[STORE_PATH_SIZE], text[32];

	if (generation > 0) {
		snprintf(path, sizeof(path), "g%u.0.layer.it.pol", generation);
		snprintf(text, sizeof(text), "policy %u", generation);
		assert_true(has(from, path, text));
		snprintf(path, sizeof(path), "g%u.1.layer.user.pol", generation);
		assert_true(has(from, path, "user"));
		snprintf(path, sizeof(path), "before.%u", generation);
		assert_true(has(from, path, text));
	}
}

static struct policy_state before, after;
static unsigned int cuts;

static bool same(const struct policy_state *one, const struct policy_state *other)
{
	return one->current == other->current && one->trial == other->trial &&
	       one->needs == other->needs;
}

/* The power fails now, in several ways: what is there is the state before or after, whole. */
static void cut_now(struct disk_memory *now, enum disk_call call)
{
	static uint64_t seed = 1;

	(void)call;
	for (unsigned int i = 0; i < 6; i++) {
		struct disk_cut cut = disk_cut_choose(now, &seed);
		struct disk_memory *left;
		struct policy_state policy;

		cut.names_apart = false;
		left = disk_cut_make(now, &cut);
		assert_int_equal(store_read_state(disk_memory_folder(left), &policy), 0);
		assert_true(same(&policy, &before) || same(&policy, &after));
		check_generation(disk_memory_folder(left), policy.current);
		check_generation(disk_memory_folder(left), policy.trial);
		disk_memory_destroy(left);
		cuts++;
	}
}

static void step_to(const struct policy_state *policy)
{
	after = *policy;
	assert_int_equal(store_write_state(folder, policy), 0);
	before = after;
	assert_int_equal(store_sweep(folder, policy), 0);
}

static void apply(struct policy_state *policy, uint32_t generation, uint32_t needs)
{
	char text[32];

	if (generation > 1) {
		assert_int_equal(store_copy(folder, policy->current, generation), 0);
		assert_int_equal(store_drop_set(folder, generation, 0), 0);
	} else {
		put(generation, 1, "user.pol", "user");
	}
	snprintf(text, sizeof(text), "policy %u", generation);
	put(generation, 0, "it.pol", text);
	assert_int_equal(store_put_before(folder, generation, text, strlen(text)), 0);
	assert_true(policy_state_begin(policy, generation, needs, 0, 60, BOOT));
	step_to(policy);
}

/* Apply, try, confirm, try, revert: cut at every write of it, the disk holds one state or the
 * next, with all files of its generations. */
static void store_survives_power_cuts(void **state)
{
	struct policy_state policy = {0};

	(void)state;
	before = after = policy;
	disk->on_change = cut_now;
	apply(&policy, 1, 0);
	apply(&policy, 2, POLICY_NEED_PROMPT);
	assert_true(policy_state_confirm(&policy, POLICY_NEED_PROMPT));
	step_to(&policy);
	apply(&policy, 3, POLICY_NEED_IT);
	assert_true(policy_state_revert(&policy));
	step_to(&policy);
	disk->on_change = NULL;
	assert_int_equal(policy.current, 2);
	assert_true(cuts > 300);
}

/* A disk that is full refuses the change and keeps the state that was. */
static void store_keeps_the_state_when_the_disk_is_full(void **state)
{
	struct policy_state policy = {.current = 1}, read;

	(void)state;
	assert_int_equal(store_write_state(folder, &policy), 0);
	policy.current = 2;
	disk->fault = (struct disk_fault){
		.calls = DISK_BIT(DISK_WRITE), .error = -ENOSPC, .for_ever = true};
	assert_int_equal(store_write_state(folder, &policy), -ENOSPC);
	disk->fault.calls = 0;
	assert_int_equal(store_read_state(folder, &read), 0);
	assert_int_equal(read.current, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(store_names_are_read_as_they_are_made, setup,
						teardown),
		cmocka_unit_test_setup_teardown(store_state_is_zero_or_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(store_copies_sets, setup, teardown),
		cmocka_unit_test_setup_teardown(store_sweeps_what_is_not_named, setup, teardown),
		cmocka_unit_test_setup_teardown(store_keeps_the_table_before, setup, teardown),
		cmocka_unit_test_setup_teardown(store_survives_power_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(store_keeps_the_state_when_the_disk_is_full, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
