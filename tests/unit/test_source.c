/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a policy: read once, from one folder only, and nothing but text. */
#define _GNU_SOURCE
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/scratch.h"

static struct source_set set;
static struct diag_list diags;
static const struct diag_pos at = {0, 1, 1};

static int begin(void **state)
{
	(void)state;
	return scratch_make("/tmp") || source_init(&set, scratch_folder);
}

static int end(void **state)
{
	(void)state;
	source_fini(&set);
	diag_fini(&diags);
	return scratch_remove();
}

static int add(const char *text, size_t size)
{
	return source_add(&set, "x", text, size, &diags);
}

static void assert_refused(const char *text, const char *message)
{
	size_t count = diags.count;

	assert_int_equal(add(text, strlen(text)), -1);
	assert_int_equal(diags.count, count + 1);
	assert_string_equal(diags.item[count].message, message);
}

/* A file is read as it is; a line can be had by its number. */
static void file_is_read_with_its_lines(void **state)
{
	size_t size;

	(void)state;
	scratch_write("a.pol", "one\n\nthree");
	assert_int_equal(source_open(&set, scratch_path("a.pol"), &diags), 0);
	assert_string_equal(set.file[0].text, "one\n\nthree");
	assert_memory_equal(source_line(&set, 0, 1, &size), "one", 3);
	assert_int_equal(size, 3);
	source_line(&set, 0, 2, &size);
	assert_int_equal(size, 0);
	assert_memory_equal(source_line(&set, 0, 3, &size), "three", 5);
	assert_null(source_line(&set, 0, 4, &size));
	assert_null(source_line(&set, 1, 1, &size));
}

/* An include is read once; every layer sees the same bytes. */
static void include_is_read_once(void **state)
{
	(void)state;
	scratch_write("a.pol", "one\n");
	assert_int_equal(source_include(&set, "a.pol", at, &diags), 0);
	scratch_write("a.pol", "two\n");
	assert_int_equal(source_include(&set, "a.pol", at, &diags), 0);
	assert_string_equal(set.file[0].text, "one\n");
	assert_int_equal(diags.count, 0);
}

/* An include never leaves its folder, by path or by link. */
static void include_stays_in_its_folder(void **state)
{
	(void)state;
	assert_int_equal(symlink("/etc/passwd", scratch_path("link.pol")), 0);
	assert_int_equal(source_include(&set, "link.pol", at, &diags), -1);
	assert_int_equal(source_include(&set, "../a.pol", at, &diags), -1);
	assert_int_equal(source_include(&set, ".hidden", at, &diags), -1);
	assert_int_equal(source_include(&set, "", at, &diags), -1);
	assert_int_equal(diags.error_count, 4);
	assert_int_equal(set.count, 0);
}

/* A pipe is refused at once, not waited for. */
static void pipe_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(scratch_path("pipe.pol"), 0600), 0);
	assert_int_equal(source_include(&set, "pipe.pol", at, &diags), -1);
	assert_int_equal(source_open(&set, scratch_folder, &diags), -1);
	assert_int_equal(diags.error_count, 2);
}

/* A sealed set reads nothing more. */
static void sealed_set_includes_nothing(void **state)
{
	(void)state;
	scratch_write("a.pol", "one\n");
	source_seal(&set);
	assert_int_equal(source_include(&set, "a.pol", at, &diags), -1);
	assert_string_equal(diags.item[0].message,
			    "'a.pol' cannot be included: no folder is known");
}

/* A folder of includes that is not there is no empty one. */
static void missing_folder_is_refused(void **state)
{
	struct source_set other;

	(void)state;
	assert_int_equal(source_init(&other, scratch_path("nothing")), -ENOENT);
}

/* A file on disk is read no further than a policy may be long. */
static void large_file_on_disk_is_refused(void **state)
{
	(void)state;
	scratch_write("big.pol", "");
	assert_int_equal(truncate(scratch_path("big.pol"), (off_t)SOURCE_SIZE_MAX + 1), 0);
	assert_int_equal(source_open(&set, scratch_path("big.pol"), &diags), -1);
	assert_non_null(strstr(diags.item[0].message, "File too large"));
	assert_int_equal(set.count, 0);
}

/* A file that is too great is refused. */
static void large_file_is_refused(void **state)
{
	char *text = malloc(SOURCE_SIZE_MAX + 1);

	(void)state;
	memset(text, '\n', SOURCE_SIZE_MAX + 1);
	assert_int_equal(add(text, SOURCE_SIZE_MAX + 1), -1);
	assert_int_equal(add(text, SOURCE_SIZE_MAX), 0);
	assert_int_equal(add(text, SOURCE_SIZE_MAX), 1);
	assert_int_equal(add(text, 1), -1);
	free(text);
}

/* There are at most SOURCE_FILES_MAX files. */
static void number_of_files_is_bounded(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SOURCE_FILES_MAX; i++) {
		assert_int_equal(add("", 0), (int)i);
	}
	assert_int_equal(add("", 0), -1);
}

/* A control character has its place in the message, and so has a wrong byte. */
static void bytes_that_are_no_text_are_refused(void **state)
{
	(void)state;
	assert_refused("ab\x01", "control character U+0001");
	assert_int_equal(diags.item[0].pos.column, 3);
	assert_refused("a\r\n", "the line ends with a carriage return");
	assert_refused("\xef\xbb\xbfpolicy", "the file begins with a byte order mark");
	assert_refused("\xc3\x28", "byte 0xc3 is no UTF-8");
	assert_refused("\xc0\xaf", "byte 0xc0 is no UTF-8");
	assert_refused("\xed\xa0\x80", "byte 0xed is no UTF-8");
	assert_refused("\xf4\x90\x80\x80", "byte 0xf4 is no UTF-8");
	assert_int_equal(add("a\0b", 3), -1);
	assert_int_equal(add("\xc3\xa4\xf0\x9f\x98\x80\t", 7), 8);
}

/* What hides or turns round other text is refused. */
static void invisible_characters_are_refused(void **state)
{
	(void)state;
	assert_refused("\xe2\x80\xae", "invisible character U+202E, which can hide or turn round "
				       "other text");
	assert_refused("\xe2\x80\x8b", "invisible character U+200B, which can hide or turn round "
				       "other text");
}

/* Lines are bounded. */
static void long_line_is_refused(void **state)
{
	char text[SOURCE_LINE_MAX + 2];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_refused(text, "the line has 1001 bytes, at most 1000 are allowed");
	assert_int_equal(add(text, SOURCE_LINE_MAX), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_is_read_with_its_lines, begin, end),
		cmocka_unit_test_setup_teardown(include_is_read_once, begin, end),
		cmocka_unit_test_setup_teardown(include_stays_in_its_folder, begin, end),
		cmocka_unit_test_setup_teardown(pipe_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(sealed_set_includes_nothing, begin, end),
		cmocka_unit_test_setup_teardown(missing_folder_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(large_file_on_disk_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(large_file_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(number_of_files_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(invisible_characters_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(long_line_is_refused, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
