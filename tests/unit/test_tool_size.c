/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, identifiers and times as people write and read them. */
#define _GNU_SOURCE

#include "tool_size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static uint64_t parse(const char *text)
{
	uint64_t bytes = 12345;

	return tool_size_parse(text, &bytes) ? bytes : UINT64_MAX;
}

/* A size is a number with a binary unit, in any case, with or without "iB" or "B". */
static void size_has_binary_units(void **state)
{
	(void)state;
	assert_int_equal(parse("4096"), 4096);
	assert_int_equal(parse("512M"), 512ull << 20);
	assert_int_equal(parse("20g"), 20ull << 30);
	assert_int_equal(parse("64KiB"), 64ull << 10);
	assert_int_equal(parse("2TB"), 2ull << 40);
	assert_int_equal(parse("20.0 GiB"), 20ull << 30);
}

/* A fraction of a unit is exact to a thousandth. */
static void size_takes_a_fraction(void **state)
{
	(void)state;
	assert_int_equal(parse("1.5G"), 3ull << 29);
	assert_int_equal(parse("0.25M"), 1ull << 18);
	assert_int_equal(parse("1.5"), UINT64_MAX);
	assert_int_equal(parse("1.G"), UINT64_MAX);
	assert_int_equal(parse("1.2345G"), UINT64_MAX);
}

/* What is no size is refused, and so is what no file can have. */
static void size_refuses_the_rest(void **state)
{
	static const char *const wrong[] = {"",
					    "G",
					    "-1",
					    "20Q",
					    "20GG",
					    "0x10",
					    "20G ",
					    " 20",
					    "1e3",
					    "8E",
					    "9223372036854775808",
					    "99999999999G"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(wrong[i]), UINT64_MAX);
	}
}

/* What tool_size_text() says, tool_size_parse() takes again. */
static void size_text_is_short(void **state)
{
	char text[TOOL_SIZE_TEXT];

	(void)state;
	assert_string_equal(tool_size_text(text, 512), "512 bytes");
	assert_string_equal(tool_size_text(text, 20ull << 30), "20.0 GiB");
	assert_string_equal(tool_size_text(text, 513ull << 20), "513 MiB");
	assert_string_equal(tool_size_text(text, UINT64_MAX), "16.0 EiB");
}

/* A UUID is written in five groups and read with or without dashes; a short one is refused. */
static void uuid_goes_both_ways(void **state)
{
	const char *uuid = "00112233-4455-6677-8899-aabbccddeeff";
	char text[TOOL_UUID_TEXT];
	uint8_t bytes[16];

	(void)state;
	assert_true(tool_uuid_parse("00112233445566778899AABBCCDDEEFF", bytes));
	assert_string_equal(tool_uuid_text(text, bytes), uuid);
	assert_false(tool_uuid_parse("00112233", bytes));
	assert_false(tool_uuid_parse("00112233-4455-6677-8899-aabbccddeefg", bytes));
}

/* The clock of a VHD starts at the year 2000. */
static void time_is_counted_from_2000(void **state)
{
	char text[TOOL_TIME_TEXT];

	(void)state;
	assert_string_equal(tool_time_text(text, 0), "2000-01-01 00:00 UTC");
	assert_string_equal(tool_time_text(text, UINT32_MAX), "2136-02-07 06:28 UTC");
}

/* A duration has one or two units. */
static void duration_is_short(void **state)
{
	char text[TOOL_SIZE_TEXT];

	(void)state;
	assert_string_equal(tool_duration_text(text, 59), "59 s");
	assert_string_equal(tool_duration_text(text, 65), "1 min 05 s");
	assert_string_equal(tool_duration_text(text, 3 * 3600 + 7 * 60), "3 h 07 min");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size_has_binary_units),
		cmocka_unit_test(size_takes_a_fraction),
		cmocka_unit_test(size_refuses_the_rest),
		cmocka_unit_test(size_text_is_short),
		cmocka_unit_test(uuid_goes_both_ways),
		cmocka_unit_test(time_is_counted_from_2000),
		cmocka_unit_test(duration_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
