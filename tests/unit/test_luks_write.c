/* SPDX-License-Identifier: Apache-2.0 */
/* A header that changes while the power goes: each state has a whole copy, old or new, and the
 * keyslots that this copy names are whole. */
#include "luks_write.h"
#include "fakes/disk_cut.h"
#include "fakes/disk_memory.h"
#include "fakes/luks_header.h"
#include "layer_raw.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE	 (2u << 20)
#define AREA	 32768u
#define NEW_AREA (AREA + 258048u)
#define NAME	 "h.img"
#define CUTS	 40u

static uint8_t before[SIZE], after[SIZE], left[SIZE];
static struct unlock_reply reply;
static struct luks_job job;
static unsigned states, old_count, new_count;
static bool added;

static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static void put_copies(uint8_t *header, uint64_t seqid)
{
	luks_header_make(header, 0, seqid, luks_header_json, strlen(luks_header_json));
	luks_header_make(header + LUKS_HEADER_COPY, LUKS_HEADER_COPY, seqid, luks_header_json,
			 strlen(luks_header_json));
}

/* The JSON names one slot in both; which areas must be whole the test knows by the number. */
static int setup(void **state)
{
	fill(before + AREA, 258048, 1);
	memcpy(after, before, SIZE);
	put_copies(before, 5);
	put_copies(after, 6);
	memset(&reply, 0, sizeof(reply));
	reply.policy.metadata_size = LUKS_HEADER_COPY;
	reply.policy.primary_good = reply.policy.secondary_good = true;
	job = (struct luks_job){.reply = &reply, .before = before, .after = after, .size = SIZE};
	states = old_count = new_count = 0;
	return 0;
}

static void read_all(struct disk_memory *disk)
{
	struct file *file;

	assert_int_equal(folder_open_file(disk_memory_folder(disk), NAME, FOLDER_READ, &file), 0);
	assert_int_equal(file_read(file, left, SIZE, 0), 0);
	file_close(file);
}

static void judge(struct disk_memory *disk)
{
	struct luks_policy policy;
	struct why why;

	read_all(disk);
	assert_int_equal(luks_policy_check(left, SIZE, &policy, &why), 0);
	if (policy.seqid == 5) {
		old_count++;
		assert_memory_equal(left + AREA, before + AREA, 258048);
		if (!added) { /* the slot that goes is still whole */
			assert_memory_equal(left + NEW_AREA, before + NEW_AREA, 258048);
		}
	} else {
		new_count++;
		assert_int_equal(policy.seqid, 6);
		assert_memory_equal(left + AREA, after + AREA, 258048);
		if (added) {
			assert_memory_equal(left + NEW_AREA, after + NEW_AREA, 258048);
		}
	}
}

static void cut_after_each(struct disk_memory *disk, enum disk_call call)
{
	for (uint64_t i = 0; i < CUTS; i++) {
		uint64_t seed = states * 977 + i;
		struct disk_cut cut = disk_cut_choose(disk, &seed);
		struct disk_memory *state = disk_cut_make(disk, &cut);

		judge(state);
		disk_memory_destroy(state);
		states++;
	}
}

static void run(enum luks_write_order order)
{
	struct disk_memory *disk = disk_memory_create(true);
	struct folder *folder = disk_memory_folder(disk);
	struct layer *layer;
	struct file *file;

	assert_int_equal(folder_open_file(folder, NAME, FOLDER_CREATE | FOLDER_WRITE, &file), 0);
	assert_int_equal(file_write(file, before, SIZE, 0), 0);
	assert_int_equal(file_flush(file), 0);
	assert_int_equal(folder_flush(folder), 0);
	assert_int_equal(layer_raw_open(file, &layer), 0);
	disk->on_change = cut_after_each;
	assert_int_equal(luks_write(layer, &job, order), 0);
	disk->on_change = NULL;
	assert_int_equal(layer_close(layer), 0);
	read_all(disk);
	assert_memory_equal(left, after, SIZE);
	disk_memory_destroy(disk);
	assert_true(states >= 5 * CUTS && old_count && new_count);
}

/* A keyslot that is added is whole before a header names it. */
static void added_slot_is_whole_when_it_is_named(void **state)
{
	added = true;
	fill(after + NEW_AREA, 258048, 2);
	run(LUKS_WRITE_ADDED);
}

/* A keyslot that is removed is whole until no header names it. */
static void removed_slot_is_whole_while_it_is_named(void **state)
{
	added = false;
	fill(before + NEW_AREA, 258048, 3);
	fill(after + NEW_AREA, 258048, 4);
	run(LUKS_WRITE_REMOVED);
}

/* With the first copy damaged, it is mended before the second one is touched. */
static void only_whole_copy_is_written_last(void **state)
{
	added = true;
	before[5000] ^= 1;
	reply.policy.primary_good = false;
	run(LUKS_WRITE_ADDED);
}

/* The same with the second copy damaged. */
static void first_copy_waits_when_the_second_is_damaged(void **state)
{
	added = true;
	before[LUKS_HEADER_COPY + 5000] ^= 1;
	reply.policy.secondary_good = false;
	run(LUKS_WRITE_ADDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(added_slot_is_whole_when_it_is_named, setup),
		cmocka_unit_test_setup(removed_slot_is_whole_while_it_is_named, setup),
		cmocka_unit_test_setup(only_whole_copy_is_written_last, setup),
		cmocka_unit_test_setup(first_copy_waits_when_the_second_is_damaged, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
