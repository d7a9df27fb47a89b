/* SPDX-License-Identifier: Apache-2.0 */
/* Names between UTF-16 and UTF-8. */
#define _GNU_SOURCE

#include "vhd_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What is written is read back, in both orders of bytes, beyond the first plane too. */
static void vhd_text_survives_the_way_there_and_back(void **state)
{
	static const char name[] = "B\xc3\xbcro \xe2\x82\xac \xf0\x9f\x92\xbe.vhd";
	char back[VHD_NAME_SIZE];
	uint8_t bytes[64];

	(void)state;
	for (int big = 0; big < 2; big++) {
		int size = vhd_text_to_utf16(name, big, bytes, sizeof(bytes));

		assert_int_equal(size, 2 * 13);
		assert_int_equal(vhd_text_from_utf16(bytes, (size_t)size, big, back), 0);
		assert_string_equal(back, name);
	}
}

/* Half of a surrogate pair is no text, nor is UTF-8 that is cut or too long for its value. */
static void vhd_text_refuses_what_is_not_well_formed(void **state)
{
	static const uint8_t halves[][4] = {
		{0xd8, 0x00, 0, 'a'}, {0xdc, 0x00, 0, 'a'}, {0, 'a', 0xd8, 0x00}};
	static const char *const bad[] = {"\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80",
					  "\xf5\x80\x80\x80"};
	char text[VHD_NAME_SIZE] = "as it was";
	uint8_t bytes[16];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(vhd_text_from_utf16(halves[i], 4, true, text), -EILSEQ);
	}
	assert_string_equal(text, "as it was");
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(vhd_text_to_utf16(bad[i], true, bytes, sizeof(bytes)), -EILSEQ);
	}
}

/* Nothing is cut off in silence. */
static void vhd_text_says_when_there_is_no_room(void **state)
{
	static uint8_t many[2 * VHD_NAME_SIZE];
	char text[VHD_NAME_SIZE];

	(void)state;
	memset(many, 'a', sizeof(many));
	assert_int_equal(vhd_text_from_utf16(many, sizeof(many), true, text), -ENAMETOOLONG);
	assert_int_equal(vhd_text_to_utf16("abcd", true, many, 7), -ENAMETOOLONG);
	assert_int_equal(vhd_text_to_utf16("abcd", true, many, 8), 8);
}

/* Of a path, in the way of either system, the last part counts. */
static void vhd_text_base_name_takes_last_part(void **state)
{
	(void)state;
	assert_string_equal(vhd_text_base_name("C:\\disks\\a.vhd"), "a.vhd");
	assert_string_equal(vhd_text_base_name(".\\a.vhd"), "a.vhd");
	assert_string_equal(vhd_text_base_name("../x/a.vhd"), "a.vhd");
	assert_string_equal(vhd_text_base_name("a.vhd"), "a.vhd");
	assert_string_equal(vhd_text_base_name("a\\"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhd_text_survives_the_way_there_and_back),
		cmocka_unit_test(vhd_text_refuses_what_is_not_well_formed),
		cmocka_unit_test(vhd_text_says_when_there_is_no_room),
		cmocka_unit_test(vhd_text_base_name_takes_last_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
