/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing all of it, over a system that does a byte a call and is often interrupted. */
#define _GNU_SOURCE
#include "bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static char file[16];
static size_t file_size;
static unsigned calls;
static int refusal; /* of every call */

ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset);

static int fails(void)
{
	errno = refusal ? refusal : EINTR;
	return refusal || calls++ % 2;
}

ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off_t offset)
{
	assert_true(size > 0);
	if (fails()) {
		return -1;
	}
	if ((size_t)offset >= file_size) {
		return 0;
	}
	*(char *)bytes = file[offset];
	return 1;
}

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off_t offset)
{
	assert_true(size > 0);
	if (fails()) {
		return -1;
	}
	if ((size_t)offset >= sizeof(file)) {
		return 0;
	}
	file[offset] = *(const char *)bytes;
	file_size = (size_t)offset + 1 > file_size ? (size_t)offset + 1 : file_size;
	return 1;
}

static int setup(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	file_size = calls = 0;
	refusal = 0;
	return 0;
}

/* Every byte gets to its place and back. */
static void bytes_go_all_the_way(void **state)
{
	char back[8] = {0};

	(void)state;
	assert_int_equal(bytes_write(3, "abcdef", 6, 2), 0);
	assert_memory_equal(file, "\0\0abcdef", 9);
	assert_int_equal(bytes_read(3, back, 4, 3), 4);
	assert_string_equal(back, "bcde");
}

/* At the end of the file there are fewer, and that is no error. */
static void bytes_read_stops_at_the_end(void **state)
{
	char back[8] = "xxxxxxx";

	(void)state;
	assert_int_equal(bytes_write(3, "abc", 3, 0), 0);
	assert_int_equal(bytes_read(3, back, 7, 1), 2);
	assert_string_equal(back, "bcxxxxx");
	assert_int_equal(bytes_read(3, back, 7, 9), 0);
}

/* What the system refuses is told, and so is a write that goes nowhere. */
static void bytes_tell_what_was_refused(void **state)
{
	char back[8];

	(void)state;
	assert_int_equal(bytes_write(3, "ab", 2, sizeof(file) - 1), -EIO);
	refusal = ENOSPC;
	assert_int_equal(bytes_write(3, "ab", 2, 0), -ENOSPC);
	assert_int_equal(bytes_read(3, back, 2, 0), -ENOSPC);
	assert_int_equal(bytes_write(3, "", 0, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bytes_go_all_the_way, setup),
		cmocka_unit_test_setup(bytes_read_stops_at_the_end, setup),
		cmocka_unit_test_setup(bytes_tell_what_was_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
