/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of images, and the files in them, on a real file system. */
#define _GNU_SOURCE

#include "folder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/scratch.h"

static struct folder *folder;

static int setup(void **state)
{
	const char *name;

	(void)state;
	assert_int_equal(scratch_make("/tmp"), 0);
	return folder_of_path(scratch_path("name"), &folder, &name);
}

static int teardown(void **state)
{
	(void)state;
	folder_close(folder);
	return scratch_remove();
}

/* A name that leaves the folder is refused, whatever is there. */
static void folder_names_stay_inside(void **state)
{
	struct file *file;

	(void)state;
	assert_int_equal(folder_open_file(folder, "../etc", FOLDER_READ, &file), -EINVAL);
	assert_int_equal(folder_open_file(folder, "..", FOLDER_READ, &file), -EINVAL);
	assert_int_equal(folder_open_file(folder, "", FOLDER_READ, &file), -EINVAL);
	assert_int_equal(folder_rename(folder, "a", "b/c"), -EINVAL);
	assert_int_equal(folder_open_file(folder, "none", FOLDER_READ, &file), -ENOENT);
}

/* Opening a pipe neither waits nor succeeds. */
static void folder_opens_no_pipe(void **state)
{
	struct file *file;

	(void)state;
	assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
	assert_int_equal(folder_open_file(folder, "pipe", FOLDER_READ, &file), -EINVAL);
}

/* A name is free until a file has it; a name that leaves the folder never is. */
static void folder_check_free_looks(void **state)
{
	(void)state;
	assert_int_equal(folder_check_free(folder, "f"), 0);
	assert_int_equal(folder_replace_file(folder, "f", "x", 1), 0);
	assert_int_equal(folder_check_free(folder, "f"), -EEXIST);
	assert_int_equal(folder_check_free(folder, "a/f"), -EINVAL);
}

/* A replaced file holds the new bytes as a whole, also over the remains of a power cut. */
static void folder_replace_file_replaces(void **state)
{
	struct file *left;
	void *bytes;
	size_t size;

	(void)state;
	assert_int_equal(folder_replace_file(folder, "f", "old bytes", 9), 0);
	assert_int_equal(folder_open_file(folder, "f.tmp", FOLDER_CREATE, &left), 0);
	assert_int_equal(file_write(left, "garbage and more", 16, 0), 0);
	file_close(left);
	assert_int_equal(folder_replace_file(folder, "f", "new", 3), 0);
	assert_int_equal(folder_read_file(folder, "f", 2, &bytes, &size), -EFBIG);
	assert_int_equal(folder_read_file(folder, "f", 3, &bytes, &size), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(bytes, "new", 3);
	free(bytes);
}

/* Reads past the end give zeros, writes past it grow the file, zeroing keeps its size. */
static void file_ends_in_zeros(void **state)
{
	char bytes[8];
	struct iovec iov[2] = {{bytes, 3}, {bytes + 3, 5}};
	struct file *file;
	uint64_t size, at;

	(void)state;
	assert_int_equal(folder_open_file(folder, "f", FOLDER_CREATE, &file), 0);
	assert_int_equal(file_write(file, "abcd", 4, 4096), 0);
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(file_readv(file, iov, 2, 8, 4094), 0);
	assert_memory_equal(bytes, "\0\0abcd\0\0", 8);
	assert_int_equal(file_zero(file, 4097, 8192), 0);
	assert_int_equal(file_get_size(file, &size), 0);
	assert_int_equal(size, 4100);
	assert_int_equal(file_read(file, bytes, 4, 4096), 0);
	assert_memory_equal(bytes, "a\0\0\0", 4);
	assert_int_equal(file_find_data(file, 0, &at, &size), 0);
	assert_true(at <= 4096 && size >= 4);
	assert_int_equal(file_find_data(file, 5000, &at, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(file_flush(file), 0);
	file_close(file);
}

/* A writer keeps others out, readers do not. */
static void file_lock_has_one_writer(void **state)
{
	struct file *a, *b;

	(void)state;
	assert_int_equal(folder_open_file(folder, "f", FOLDER_CREATE, &a), 0);
	assert_int_equal(folder_open_file(folder, "f", FOLDER_READ, &b), 0);
	assert_int_equal(file_lock(a, true), 0);
	assert_int_equal(file_lock(b, false), -EAGAIN);
	assert_int_equal(file_lock(a, false), 0);
	assert_int_equal(file_lock(b, false), 0);
	assert_int_equal(file_write(b, "x", 1, 0), -EROFS);
	file_close(a);
	file_close(b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folder_names_stay_inside, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_opens_no_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_check_free_looks, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_replace_file_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(file_ends_in_zeros, setup, teardown),
		cmocka_unit_test_setup_teardown(file_lock_has_one_writer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
