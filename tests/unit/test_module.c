/* SPDX-License-Identifier: Apache-2.0 */
/* Boot modules on a command line and their measures. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <cmocka.h>

#include "module.h"

/* ROLE=FILE is taken apart at the first '='. */
static void module_decode_splits_role_and_path(void **state)
{
	struct module module;

	(void)state;
	assert_int_equal(module_decode("kernel=/boot/a=b", &module), 0);
	assert_string_equal(module.role, "kernel");
	assert_string_equal(module.path, "/boot/a=b");
	assert_int_equal(module.size, 0);
}

/* A role that root mode would not find, or no file, is refused and changes nothing. */
static void module_decode_refuses_bad_arguments(void **state)
{
	static const char *const bad[] = {
		"",	    "kernel",	"kernel=", "=file",  "Kernel=f",
		"policy=f", "a b=file", "-a=file", "9=file", "a-role-of-16-chr=f",
	};
	struct module module = {.size = 5};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(module_decode(bad[i], &module), -EINVAL);
		assert_int_equal(module.size, 5);
	}
	assert_int_equal(module_decode("a-role-of-15-ch=f", &module), 0);
}

/* Size and CRC are those of the whole file; an empty or missing one is an error. */
static void module_measure_reads_files_through(void **state)
{
	char path[] = "/tmp/test_module.XXXXXX";
	int fd = mkstemp(path);
	struct module module = {.path = path};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(module_measure(&module), -ENODATA);
	assert_int_equal(write(fd, "123456789", 9), 9);
	close(fd);
	assert_int_equal(module_measure(&module), 0);
	assert_int_equal(module.size, 9);
	assert_int_equal(module.crc32c, 0xe3069283u);
	unlink(path);
	assert_int_equal(module_measure(&module), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_decode_splits_role_and_path),
		cmocka_unit_test(module_decode_refuses_bad_arguments),
		cmocka_unit_test(module_measure_reads_files_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
