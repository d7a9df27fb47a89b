/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about a policy: what is kept, and how it looks. */
#define _GNU_SOURCE
#include "diag.h"
#include "source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct source_set set;
static struct diag_list list;
static char *printed;

static int begin(void **state)
{
	(void)state;
	return source_init(&set, NULL);
}

static int end(void **state)
{
	(void)state;
	diag_fini(&list);
	source_fini(&set);
	free(printed);
	printed = NULL;
	return 0;
}

static const char *print(void)
{
	size_t size;
	FILE *out;

	free(printed);
	out = open_memstream(&printed, &size);
	diag_print(&list, &set, out);
	fclose(out);
	return printed;
}

static void add_text(const char *text)
{
	struct diag_list unused = {0};

	source_add(&set, "a.pol", text, strlen(text), &unused);
	diag_fini(&unused);
}

/* A message shows its place, the line, a caret and what to do. */
static void message_shows_place_line_caret_and_hint(void **state)
{
	(void)state;
	add_text("one\n\ttwo three\n");
	diag_add(&list, DIAG_ERROR, (struct diag_pos){0, 2, 6}, "say four", "bad %s", "three");
	assert_string_equal(print(), "a.pol:2:6: error: bad three\n"
				     "    \ttwo three\n"
				     "    \t    ^\n"
				     "    hint: say four\n");
}

/* A message without a place is one line; a note follows its error. */
static void message_without_place_is_one_line(void **state)
{
	(void)state;
	add_text("one\n");
	diag_add(&list, DIAG_WARNING, (struct diag_pos){0}, NULL, "odd");
	diag_add(&list, DIAG_NOTE, (struct diag_pos){0, 1, 1}, NULL, "here");
	assert_string_equal(print(), "warning: odd\na.pol:1:1: note: here\n    one\n    ^\n");
}

/* Letters of several bytes count as one column. */
static void columns_are_code_points(void **state)
{
	(void)state;
	add_text("\xc3\xa4\xe2\x82\xac x\n");
	diag_add(&list, DIAG_ERROR, (struct diag_pos){0, 1, 4}, NULL, "bad");
	assert_string_equal(print(),
			    "a.pol:1:4: error: bad\n    \xc3\xa4\xe2\x82\xac x\n       ^\n");
}

/* What is no text, or would turn text round, is shown as '?'. */
static void unsafe_bytes_are_shown_as_question_marks(void **state)
{
	(void)state;
	add_text("a\x1b[2J\xff\xe2\x80\xae"
		 "b\n");
	diag_add(&list, DIAG_ERROR, (struct diag_pos){0, 1, 1}, "x\x07", "y\x1b");
	assert_string_equal(print(), "a.pol:1:1: error: y?\n    a?[2J??b\n    ^\n    hint: x?\n");
}

/* Of a long line only the part around the place is shown. */
static void long_line_is_shown_around_the_place(void **state)
{
	char text[802];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[500] = 'B';
	text[800] = '\n';
	text[801] = '\0';
	add_text(text);
	diag_add(&list, DIAG_ERROR, (struct diag_pos){0, 1, 501}, NULL, "bad");
	print();
	assert_non_null(strstr(printed, "\n    ...aaa"));
	assert_true(strlen(printed) < 300);
	/* The caret stands under the letter. */
	{
		const char *line = strstr(printed, "    ...");
		const char *caret = strchr(line, '\n') + 1;

		assert_int_equal(strchr(line, 'B') - line, strchr(caret, '^') - caret);
	}
}

/* After DIAG_MAX errors only the count goes on. */
static void errors_beyond_the_limit_are_counted(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < DIAG_MAX + 5; i++) {
		diag_add(&list, DIAG_ERROR, (struct diag_pos){0}, NULL, "error %u", i);
	}
	assert_int_equal(list.count, DIAG_MAX);
	assert_int_equal(list.error_count, DIAG_MAX + 5);
	assert_non_null(strstr(print(), "error 99\nnote: there is more, not shown\n"));
}

/* Many warnings leave room for errors, and a note goes with the one that it belongs to. */
static void warnings_never_hide_an_error(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < DIAG_MAX * 2; i++) {
		diag_add(&list, DIAG_WARNING, (struct diag_pos){0}, NULL, "warning");
	}
	diag_add(&list, DIAG_NOTE, (struct diag_pos){0}, NULL, "of a warning");
	diag_add(&list, DIAG_ERROR, (struct diag_pos){0}, NULL, "the error");
	diag_add(&list, DIAG_NOTE, (struct diag_pos){0}, NULL, "of the error");
	assert_int_equal(list.error_count, 1);
	assert_string_equal(list.item[list.count - 2].message, "the error");
	assert_string_equal(list.item[list.count - 1].message, "of the error");
	assert_null(strstr(print(), "of a warning"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(message_shows_place_line_caret_and_hint, begin,
						end),
		cmocka_unit_test_setup_teardown(message_without_place_is_one_line, begin, end),
		cmocka_unit_test_setup_teardown(columns_are_code_points, begin, end),
		cmocka_unit_test_setup_teardown(unsafe_bytes_are_shown_as_question_marks, begin,
						end),
		cmocka_unit_test_setup_teardown(long_line_is_shown_around_the_place, begin, end),
		cmocka_unit_test_setup_teardown(errors_beyond_the_limit_are_counted, begin, end),
		cmocka_unit_test_setup_teardown(warnings_never_hide_an_error, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
