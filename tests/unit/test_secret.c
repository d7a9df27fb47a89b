/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets out of files: whole, without the newline at the end, never cut. */
#define _GNU_SOURCE

#include "secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("secret", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void expect(const char *in, size_t in_size, const char *out, size_t out_size)
{
	struct secret secret = {0};
	int fd = file_of(in, in_size);

	assert_int_equal(secret_read_fd(fd, &secret), 0);
	assert_int_equal(secret.size, out_size);
	assert_memory_equal(secret.bytes, out, out_size);
	assert_int_equal(secret.bytes[out_size], 0);
	secret_wipe(&secret);
	assert_null(secret.bytes);
	close(fd);
}

/* One newline at the end does not count; all other bytes do. */
static void secret_drops_last_newline_only(void **state)
{
	expect("horse\n", 6, "horse", 5);
	expect("horse", 5, "horse", 5);
	expect("a\nb\n\n", 5, "a\nb\n", 4);
	expect("a\0b", 3, "a\0b", 3);
	expect("", 0, "", 0);
}

/* What is too long is refused instead of being cut. */
static void secret_refuses_long_files(void **state)
{
	static char bytes[SECRET_MAX + 1];
	struct secret secret = {0};
	int fd = file_of(bytes, sizeof(bytes));

	assert_int_equal(secret_read_fd(fd, &secret), -E2BIG);
	assert_null(secret.bytes);
	close(fd);
}

/* A file that is not there is named in the refusal. */
static void secret_names_missing_file(void **state)
{
	struct secret secret = {0};
	struct why why = {""};

	assert_int_equal(secret_read_file("/nowhere/key", &secret, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/nowhere/key"));
	assert_int_equal(secret_read_fd(-1, &secret), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_drops_last_newline_only),
		cmocka_unit_test(secret_refuses_long_files),
		cmocka_unit_test(secret_names_missing_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
