/* SPDX-License-Identifier: Apache-2.0 */
/* The disk that tests of the engine run on: files, power cuts, faults, order. */
#define _GNU_SOURCE

#include "disk_cut.h"
#include "disk_memory.h"
#include "fiber.h"

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
static struct file *file;

static int setup(void **state)
{
	(void)state;
	disk = disk_memory_create(true);
	folder = disk_memory_folder(disk);
	return folder_open_file(folder, "f", FOLDER_CREATE, &file) || folder_flush(folder);
}

static int teardown(void **state)
{
	(void)state;
	file_close(file);
	disk_memory_destroy(disk);
	fiber_trim();
	return 0;
}

static void fill(uint64_t offset, size_t size, char with)
{
	char bytes[8192];

	memset(bytes, with, sizeof(bytes));
	assert_int_equal(file_write(file, bytes, size, offset), 0);
}

/* What sector of "f" begins with after a cut; 0 also past the end or without the file. */
static char after_cut(const struct disk_cut *cut, unsigned sector)
{
	struct disk_memory *after = disk_cut_make(disk, cut);
	struct file *f;
	char c = 0;

	if (folder_open_file(disk_memory_folder(after), "f", FOLDER_READ, &f) == 0) {
		assert_int_equal(file_read(f, &c, 1, sector * 512ull), 0);
		file_close(f);
	}
	disk_memory_destroy(after);
	return c;
}

/* Bytes come back, also over borders of pages; holes and what lies past the end are zeros. */
static void disk_memory_files_hold_bytes(void **state)
{
	char bytes[16];
	uint64_t at, size;

	(void)state;
	assert_int_equal(file_write(file, "0123456789", 10, 4091), 0);
	assert_int_equal(file_read(file, bytes, 16, 4088), 0);
	assert_memory_equal(bytes,
			    "\0\0\0"
			    "0123456789"
			    "\0\0\0",
			    16);
	assert_int_equal(file_zero(file, 4093, 1 << 20), 0);
	assert_int_equal(file_get_size(file, &size), 0);
	assert_int_equal(size, 4101);
	assert_int_equal(file_read(file, bytes, 4, 4091), 0);
	assert_memory_equal(bytes, "01\0\0", 4);
	assert_int_equal(file_write(file, "x", 1, 1ull << 40), 0);
	assert_int_equal(file_find_data(file, 8192, &at, &size), 0);
	assert_int_equal(at, 1ull << 40);
	assert_int_equal(size, 1);
	assert_int_equal(file_resize(file, 4092), 0);
	assert_int_equal(file_resize(file, 8192), 0);
	assert_int_equal(file_read(file, bytes, 4, 4091), 0);
	assert_memory_equal(bytes, "0\0\0\0", 4);
	assert_int_equal(disk_memory_used(disk), 4096);
}

/* Bytes of random writes, zeros and sizes are those of a plain array. */
static void disk_memory_equals_an_array(void **state)
{
	static uint8_t model[1 << 16], bytes[1 << 16];
	uint64_t seed = 7, size = 0;

	(void)state;
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t dice = disk_memory_random(&seed);
		uint64_t at = dice % sizeof(model), n = dice / 65536 % (sizeof(model) - at);

		if (dice >> 62 == 0) {
			size = at;
			memset(model + at, 0, sizeof(model) - at);
			assert_int_equal(file_resize(file, at), 0);
		} else if (dice >> 62 == 1) {
			memset(model + at, 0, n);
			assert_int_equal(file_zero(file, at, n), 0);
		} else {
			memset(model + at, (int)i, n);
			memset(bytes, (int)i, n);
			size = n && at + n > size ? at + n : size;
			assert_int_equal(file_write(file, bytes, n, at), 0);
		}
		assert_int_equal(file_read(file, bytes, sizeof(bytes), 0), 0);
		assert_memory_equal(bytes, model, sizeof(model));
	}
	assert_int_equal(file_get_size(file, &seed), 0);
	assert_int_equal(seed, size);
}

/* What was flushed survives every cut; what was not may be there or not, by sectors. */
static void disk_cut_keeps_what_was_flushed(void **state)
{
	bool seen[4] = {false};
	uint64_t seed = 3;

	(void)state;
	fill(0, 1024, 'a');
	assert_int_equal(file_flush(file), 0);
	fill(512, 1024, 'b');
	for (unsigned i = 0; i < 300; i++) {
		struct disk_cut cut = disk_cut_choose(disk, &seed);
		char one = after_cut(&cut, 1), two = after_cut(&cut, 2);

		assert_int_equal(after_cut(&cut, 0), 'a');
		assert_true(one == 'a' || one == 'b');
		assert_true(two == 0 || two == 'b');
		seen[(one == 'b') + 2 * (two == 'b')] = true;
	}
	assert_true(seen[0] && seen[1] && seen[2] && seen[3]);
}

/* Of several writes to a sector any may be the last one that got through. */
static void disk_cut_reorders_writes(void **state)
{
	bool seen[128] = {false};

	(void)state;
	fill(0, 512, 'a');
	fill(0, 512, 'b');
	fill(0, 512, 'c');
	for (unsigned i = 0; i < 100; i++) {
		struct disk_cut cut = {.kind = DISK_CUT_SECTORS, .seed = i};

		seen[(unsigned)after_cut(&cut, 0)] = true;
	}
	assert_true(seen[0] && seen['a'] && seen['b'] && seen['c']);
}

/* Each kind of cut does what it says. */
static void disk_cut_kinds_differ(void **state)
{
	uint64_t numbers[8];
	struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL};

	(void)state;
	fill(0, 4096, 'a');
	assert_int_equal(file_flush(file), 0);
	fill(0, 512, 'b');
	fill(1024, 1024, 'c');
	assert_int_equal(disk_cut_list(disk, numbers, 8), 2);
	assert_int_equal(after_cut(&cut, 0), 'a');
	cut.kind = DISK_CUT_KEEP_ALL;
	assert_int_equal(after_cut(&cut, 3), 'c');
	cut = (struct disk_cut){.kind = DISK_CUT_DROP_ONE, .number = numbers[0]};
	assert_int_equal(after_cut(&cut, 0), 'a');
	assert_int_equal(after_cut(&cut, 2), 'c');
	cut = (struct disk_cut){.kind = DISK_CUT_KEEP_ONE, .number = numbers[0]};
	assert_int_equal(after_cut(&cut, 0), 'b');
	assert_int_equal(after_cut(&cut, 2), 'a');
	cut = (struct disk_cut){.kind = DISK_CUT_TORN, .number = numbers[1], .sector = 1};
	assert_int_equal(after_cut(&cut, 0), 'b');
	assert_int_equal(after_cut(&cut, 2), 'c');
	assert_int_equal(after_cut(&cut, 3), 'a');
}

/* A file may keep its old size, or have the new one without the data. */
static void disk_cut_size_is_apart_from_data(void **state)
{
	struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL, .size = DISK_CUT_SIZE_NEW};
	struct disk_memory *after;
	struct file *f;
	uint64_t size;

	(void)state;
	fill(0, 1024, 'a');
	after = disk_cut_make(disk, &cut);
	assert_int_equal(folder_open_file(disk_memory_folder(after), "f", FOLDER_READ, &f), 0);
	assert_int_equal(file_get_size(f, &size), 0);
	assert_int_equal(size, 1024);
	file_close(f);
	disk_memory_destroy(after);
	assert_int_equal(after_cut(&cut, 0), 0);
	cut = (struct disk_cut){.kind = DISK_CUT_KEEP_ALL, .size = DISK_CUT_SIZE_OLD};
	assert_int_equal(after_cut(&cut, 0), 0);
}

/* A name is lasting after the folder was flushed, not after its file was. */
static void disk_cut_names_need_the_folder(void **state)
{
	struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL};

	(void)state;
	fill(0, 512, 'a');
	assert_int_equal(file_flush(file), 0);
	assert_int_equal(folder_rename(folder, "f", "g"), 0);
	assert_int_equal(file_flush(file), 0);
	assert_int_equal(after_cut(&cut, 0), 'a');
	cut.kind = DISK_CUT_KEEP_ALL;
	assert_int_equal(after_cut(&cut, 0), 0);
	assert_int_equal(folder_rename(folder, "g", "f"), 0);
	assert_int_equal(after_cut(&cut, 0), 'a');
	assert_int_equal(folder_remove(folder, "f"), 0);
	assert_int_equal(folder_flush(folder), 0);
	cut.kind = DISK_CUT_DROP_ALL;
	assert_int_equal(after_cut(&cut, 0), 0);
}

/* A replaced file is the old or the new one after any cut. */
static void disk_cut_shows_replaced_files_whole(void **state)
{
	uint64_t seed = 1;
	void *bytes;
	size_t size;

	(void)state;
	assert_int_equal(folder_replace_file(folder, "g", "old", 3), 0);
	disk->fault = (struct disk_fault){DISK_BIT(DISK_FOLDER_FLUSH), 0, -EIO, false, false};
	assert_int_equal(folder_replace_file(folder, "g", "newer", 5), -EIO);
	for (unsigned i = 0; i < 100; i++) {
		struct disk_cut cut = disk_cut_choose(disk, &seed);
		struct disk_memory *after = disk_cut_make(disk, &cut);

		cut.names_apart = false;
		assert_int_equal(folder_read_file(disk_memory_folder(after), "g", 9, &bytes, &size),
				 0);
		assert_true((size == 3 && memcmp(bytes, "old", 3) == 0) ||
			    (size == 5 && memcmp(bytes, "newer", 5) == 0));
		free(bytes);
		disk_memory_destroy(after);
	}
}

/* The call after so many fails once, or from then on. */
static void disk_memory_fails_the_nth_call(void **state)
{
	(void)state;
	disk->fault = (struct disk_fault){DISK_BIT(DISK_WRITE), 2, -EIO, false, false};
	fill(0, 512, 'a');
	fill(0, 512, 'b');
	assert_int_equal(file_flush(file), 0);
	assert_int_equal(file_write(file, "c", 1, 512), -EIO);
	assert_true(disk->fault.happened);
	fill(0, 512, 'd');
	disk->fault = (struct disk_fault){DISK_CHANGING_CALLS, 0, -ENOSPC, true, false};
	assert_int_equal(file_write(file, "c", 1, 512), -ENOSPC);
	assert_int_equal(file_resize(file, 0), -ENOSPC);
	assert_int_equal(file_zero(file, 0, 512), -ENOSPC);
	assert_int_equal(folder_remove(folder, "f"), -ENOSPC);
	assert_int_equal(folder_rename(folder, "f", "g"), -ENOSPC);
	assert_int_equal(disk->calls[DISK_WRITE], 5);
}

/* A full disk takes what fits, and again what replaces bytes that are there. */
static void disk_memory_gets_full(void **state)
{
	char bytes[8192] = {1};

	(void)state;
	disk->budget = 12288;
	fill(0, 8192, 'a');
	assert_int_equal(file_write(file, bytes, 8192, 8192), -ENOSPC);
	assert_int_equal(disk_memory_used(disk), 12288);
	fill(0, 8192, 'b');
	assert_int_equal(file_zero(file, 0, 4096), 0);
	fill(16384, 4096, 'c');
}

/* After a failed flush what was not lasting may never get there, though it still reads back. */
static void disk_memory_failed_flush_loses(void **state)
{
	struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL};
	unsigned lost = 0;
	char c;

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		fill(i * 512, 512, 'a');
	}
	disk->fault = (struct disk_fault){DISK_BIT(DISK_FLUSH), 0, -EIO, false, false};
	assert_int_equal(file_flush(file), -EIO);
	assert_int_equal(file_flush(file), 0);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(file_read(file, &c, 1, i * 512), 0);
		assert_int_equal(c, 'a');
		lost += after_cut(&cut, i) != 'a';
	}
	assert_in_range(lost, 8, 56);
}

/* A flush that lies leaves everything to the next one. */
static void disk_memory_lies_once(void **state)
{
	struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL};

	(void)state;
	disk->lie_calls = DISK_BIT(DISK_FLUSH);
	disk->lie_after = 1;
	fill(0, 512, 'a');
	assert_int_equal(file_flush(file), 0);
	fill(0, 512, 'b');
	assert_int_equal(file_flush(file), 0);
	assert_int_equal(after_cut(&cut, 0), 'a');
	assert_int_equal(file_flush(file), 0);
	assert_int_equal(after_cut(&cut, 0), 'b');
}

static char order[16];

static void write_one(void *argument)
{
	char c = *(const char *)argument;

	assert_int_equal(file_write(file, &c, 1, (uint64_t)(c - 'a') * 512), 0);
	order[strlen(order)] = c;
}

static void flush_one(void *argument)
{
	assert_int_equal(file_flush(file), 0);
}

/* Calls on fibers wait and end in an order that the seed decides. */
static void disk_memory_shuffles_calls(void **state)
{
	char orders[2][16];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		memset(order, 0, sizeof(order));
		disk->seed = i;
		disk->shuffle = true;
		for (const char *c = "abcdefgh"; *c; c++) {
			assert_true(fiber_start(write_one, (char *)c));
		}
		assert_int_equal(disk_memory_waiting(disk), 8);
		disk_memory_run(disk);
		assert_int_equal(strlen(order), 8);
		memcpy(orders[i], order, sizeof(order));
	}
	assert_string_not_equal(orders[0], orders[1]);
}

/* A write that ends while a flush is under way is not flushed by it. */
static void disk_memory_flush_covers_what_was_done_before(void **state)
{
	struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL};

	(void)state;
	fill(512, 512, 'x');
	disk->shuffle = true;
	assert_true(fiber_start(flush_one, NULL));
	disk->shuffle = false;
	assert_true(fiber_start(write_one, (char[]){"a"}));
	disk_memory_run(disk);
	assert_int_equal(after_cut(&cut, 0), 0);
	assert_int_equal(after_cut(&cut, 1), 'x');
}

/* Locks keep a second writer out; a fork is a disk of its own; files go out and come in. */
static void disk_memory_forks_and_saves(void **state)
{
	struct disk_memory *fork, *loaded = disk_memory_create(false);
	char path[] = "/tmp/disk-memory-XXXXXX";
	int fd = mkstemp(path);
	struct file *other;
	char c;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	fill(4096, 512, 'a');
	assert_int_equal(file_lock(file, true), 0);
	assert_int_equal(folder_open_file(folder, "f", FOLDER_READ, &other), 0);
	assert_int_equal(file_lock(other, false), -EAGAIN);
	file_close(other);
	fork = disk_memory_fork(disk);
	fill(4096, 512, 'b');
	assert_int_equal(disk_memory_save(fork, "f", path), 0);
	assert_int_equal(disk_memory_load(loaded, "g", path), 0);
	assert_int_equal(folder_open_file(disk_memory_folder(loaded), "g", FOLDER_READ, &other), 0);
	assert_int_equal(file_lock(other, true), 0);
	assert_int_equal(file_read(other, &c, 1, 4096), 0);
	assert_int_equal(c, 'a');
	assert_int_equal(disk_memory_used(loaded), 4096);
	assert_int_equal(disk_memory_open_count(loaded), 1);
	file_close(other);
	disk_memory_destroy(loaded);
	disk_memory_destroy(fork);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(disk_memory_files_hold_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_memory_equals_an_array, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_cut_keeps_what_was_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_cut_reorders_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_cut_kinds_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_cut_size_is_apart_from_data, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_cut_names_need_the_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_cut_shows_replaced_files_whole, setup,
						teardown),
		cmocka_unit_test_setup_teardown(disk_memory_fails_the_nth_call, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_memory_gets_full, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_memory_failed_flush_loses, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_memory_lies_once, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_memory_shuffles_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(disk_memory_flush_covers_what_was_done_before,
						setup, teardown),
		cmocka_unit_test_setup_teardown(disk_memory_forks_and_saves, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
