/* SPDX-License-Identifier: Apache-2.0 */
/* Names that an image brings are shown only as far as they are harmless. */
#include "tool_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const char *clean(const char *text)
{
	static char out[16];

	return tool_text_clean(out, sizeof(out), text);
}

/* Letters of all languages stay as they are. */
static void text_keeps_letters(void **state)
{
	(void)state;
	assert_string_equal(clean("Gr\xc3\xbc\xc3\x9f"
				  "e"),
			    "Gr\xc3\xbc\xc3\x9f"
			    "e");
	assert_string_equal(clean("\xe6\x96\x87\xf0\x9f\x93\x81"), "\xe6\x96\x87\xf0\x9f\x93\x81");
}

/* A terminal is never told to do something. */
static void text_drops_controls(void **state)
{
	(void)state;
	assert_string_equal(clean("a\033[2Jb\n\x7f"), "a?[2Jb??");
	assert_string_equal(clean("\xc2\x9b"
				  "1m"),
			    "?1m");
	assert_string_equal(clean("x\xe2\x80\xae"
				  "exe"),
			    "x?exe");
}

/* What is no UTF-8 does not get into JSON: strays, cut, too long, surrogates. */
static void text_is_valid_utf8(void **state)
{
	(void)state;
	assert_string_equal(clean("\xff\x80"), "??");
	assert_string_equal(clean("\xe6\x96"), "??");
	assert_string_equal(clean("\xc0\xaf"), "??");
	assert_string_equal(clean("\xed\xa0\x80"), "???");
}

/* A long text is cut at a whole character. */
static void text_is_cut_at_a_character(void **state)
{
	(void)state;
	assert_string_equal(clean("12345678901234\xc3\xbc"), "12345678901234");
	assert_string_equal(clean("1234567890123\xc3\xbc"), "1234567890123\xc3\xbc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_keeps_letters),
		cmocka_unit_test(text_drops_controls),
		cmocka_unit_test(text_is_valid_utf8),
		cmocka_unit_test(text_is_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
