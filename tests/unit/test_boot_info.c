/* SPDX-License-Identifier: Apache-2.0 */
/** Questions to the boot record. */
#include "lib/boot_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void set_cmdline(const char *text)
{
	strcpy(boot_record()->cmdline, text);
}

/* An option is found as a whole word, with or without a value. */
static void boot_option_matches_whole_words(void **state)
{
	char buf[16];

	(void)state;
	set_cmdline("quiet console=always  tsc_khz=50000 xlog=1");
	assert_true(boot_option("console", buf, sizeof(buf)));
	assert_string_equal(buf, "always");
	assert_true(boot_option("quiet", buf, sizeof(buf)));
	assert_string_equal(buf, "");
	assert_false(boot_option("log", buf, sizeof(buf)));
	assert_false(boot_option("tsc", buf, sizeof(buf)));
}

/* A value that does not fit is cut. */
static void boot_option_cuts_values(void **state)
{
	char buf[4];

	(void)state;
	set_cmdline("a=123456");
	assert_true(boot_option("a", buf, sizeof(buf)));
	assert_string_equal(buf, "123");
}

/* Numbers that are none give the fallback. */
static void boot_option_u64_checks_digits(void **state)
{
	(void)state;
	set_cmdline("a=50000 b=5x c= d=99999999999999999999999");
	assert_int_equal(boot_option_u64("a", 1), 50000);
	assert_int_equal(boot_option_u64("b", 1), 1);
	assert_int_equal(boot_option_u64("c", 1), 1);
	assert_int_equal(boot_option_u64("d", 1), 9999999999999999999ull);
	assert_int_equal(boot_option_u64("e", 7), 7);
}

/* The first module with a role counts; others are not confused with it. */
static void boot_module_finds_by_role(void **state)
{
	struct boot_info *info = boot_record();

	(void)state;
	strcpy(info->modules[0].role, "kernelx");
	strcpy(info->modules[1].role, "kernel");
	strcpy(info->modules[2].role, "kernel");
	info->module_count = 3;
	assert_ptr_equal(boot_module(info, "kernel"), &info->modules[1]);
	assert_null(boot_module(info, "policy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_option_matches_whole_words),
		cmocka_unit_test(boot_option_cuts_values),
		cmocka_unit_test(boot_option_u64_checks_digits),
		cmocka_unit_test(boot_module_finds_by_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
