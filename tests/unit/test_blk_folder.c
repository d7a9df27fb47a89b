/* SPDX-License-Identifier: Apache-2.0 */
/* A disk by descriptor: one file, as writable as the descriptor, and nothing beside it. */
#define _GNU_SOURCE

#include "blk_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static int setup(void **state)
{
	static int fd;

	fd = memfd_create("disk", MFD_CLOEXEC);
	assert_int_equal(write(fd, "bytes", 5), 5);
	*state = &fd;
	return 0;
}

static int teardown(void **state)
{
	close(*(int *)*state);
	return 0;
}

/* The file can be opened again and again; the descriptor stays open. */
static void blk_folder_opens_its_file(void **state)
{
	struct folder *folder;
	struct file *file;
	char bytes[5];

	assert_int_equal(blk_folder_create(*(int *)*state, &folder), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(folder_open_file(folder, BLK_FOLDER_NAME, FOLDER_WRITE, &file), 0);
		assert_false(file->read_only);
		assert_int_equal(file_read(file, bytes, 5, 0), 0);
		assert_memory_equal(bytes, "bytes", 5);
		file_close(file);
	}
	assert_int_equal(folder_open_file(folder, BLK_FOLDER_NAME, FOLDER_READ, &file), 0);
	assert_true(file->read_only);
	file_close(file);
	folder_close(folder);
	assert_true(fcntl(*(int *)*state, F_GETFD) >= 0);
}

/* No other name is there, and nothing can be made, renamed or removed. */
static void blk_folder_has_nothing_else(void **state)
{
	struct folder *folder;
	struct file *file;

	assert_int_equal(blk_folder_create(*(int *)*state, &folder), 0);
	assert_int_equal(folder_open_file(folder, "base.vhd", FOLDER_READ, &file), -ENOENT);
	assert_int_equal(folder_open_file(folder, "new", FOLDER_CREATE, &file), -EROFS);
	assert_int_equal(folder_rename(folder, BLK_FOLDER_NAME, "other"), -EROFS);
	assert_int_equal(folder_remove(folder, BLK_FOLDER_NAME), -EROFS);
	assert_int_equal(folder_flush(folder), 0);
	folder_close(folder);
}

/* A descriptor that cannot write gives no writable file. */
static void blk_folder_keeps_read_only_descriptors(void **state)
{
	struct folder *folder;
	struct file *file;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(blk_folder_create(fd, &folder), 0);
	assert_int_equal(folder_open_file(folder, BLK_FOLDER_NAME, FOLDER_WRITE, &file), -EACCES);
	assert_int_equal(folder_open_file(folder, BLK_FOLDER_NAME, FOLDER_READ, &file), 0);
	file_close(file);
	folder_close(folder);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blk_folder_opens_its_file),
		TEST(blk_folder_has_nothing_else),
		TEST(blk_folder_keeps_read_only_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
