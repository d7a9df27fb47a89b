/* SPDX-License-Identifier: Apache-2.0 */
/** The formatter against the C library's, for the conversions it has. */
#include "lib/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char ours[128], theirs[128];                                                       \
		int len = snprintf(theirs, sizeof(theirs), __VA_ARGS__);                           \
		assert_int_equal(fmt_snprintf(ours, sizeof(ours), __VA_ARGS__), len);              \
		assert_string_equal(ours, theirs);                                                 \
	} while (0)

/* Integers of every length print as in the C library, the lowest and highest value too. */
static void format_prints_integers(void **state)
{
	(void)state;
	SAME("%d %d %d", 0, -1, 2147483647);
	SAME("%d %ld", (int)-2147483648ll, (long)(-9223372036854775807ll - 1));
	SAME("%u %lu %llu %zu", 4294967295u, ~0ul, ~0ull, (size_t)5);
	SAME("%x %lx %016lx", 0xbeefu, 0x123456789abcdeful, 0xfeedul);
}

/* Width, zero padding and left adjustment. */
static void format_pads(void **state)
{
	(void)state;
	SAME("[%5d][%-5d][%05u]", 42, -42, 42u);
	SAME("[%8s][%-8s][%1s]", "abc", "abc", "abc");
	SAME("%c%%%s", 'x', "");
}

/* Output that does not fit is cut and terminated; the length returned is what was written. */
static void format_cuts_at_the_end(void **state)
{
	char buf[8];

	(void)state;
	memset(buf, 'z', sizeof(buf));
	assert_int_equal(fmt_snprintf(buf, 5, "%s", "abcdefgh"), 4);
	assert_string_equal(buf, "abcd");
	assert_int_equal(buf[5], 'z');
}

/* A null string is named, not read. */
static void format_names_null(void **state)
{
	char buf[16];
	const char *volatile none = NULL;

	(void)state;
	fmt_snprintf(buf, sizeof(buf), "%s", none);
	assert_string_equal(buf, "(null)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_prints_integers),
		cmocka_unit_test(format_pads),
		cmocka_unit_test(format_cuts_at_the_end),
		cmocka_unit_test(format_names_null),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
