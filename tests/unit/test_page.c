/* SPDX-License-Identifier: Apache-2.0 */
/** Rows and pages of a question: nothing is left out, nothing is wider than a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ui/core/page.h"

static struct page_metrics metrics;
static struct switcher_question question;

/* Ten letters to a row, four rows to a page. */
static int setup(void **state)
{
	(void)state;
	memset(&question, 0, sizeof(question));
	memset(metrics.advance, 10, sizeof(metrics.advance));
	metrics.room = 100;
	metrics.rows = 4;
	return 0;
}

static void add(const char *line)
{
	snprintf(question.line[question.line_count++], SWITCHER_LINE_SIZE, "%s", line);
}

static void expect_row(const struct page *page, uint32_t row, const char *text)
{
	const struct page_row *r = &page->row[row];

	assert_true(row < page->row_count);
	assert_int_equal(r->size, strlen(text));
	assert_memory_equal(question.line[r->line] + r->begin, text, r->size);
}

/* What fits is one row; a longer line is broken at its last blank that fits, which is shown in
 * neither row; a word that is too long is broken where the row ends. */
static void page_breaks_lines_at_blanks(void **state)
{
	struct page page;

	(void)state;
	add("0123456789");
	add("one two three");
	add("0123456789abc");
	assert_true(page_make(&metrics, &question, 0, &page));
	expect_row(&page, 0, "0123456789");
	expect_row(&page, 1, "one two");
	expect_row(&page, 2, "three");
	assert_int_equal(page.row_count, 3);
	assert_int_equal(page.line_end, 2);
	assert_true(page_make(&metrics, &question, 1, &page));
	expect_row(&page, 0, "0123456789");
	expect_row(&page, 1, "abc");
	assert_int_equal(page.line_end, 3);
	assert_int_equal(page_count(&metrics, &question), 2);
	assert_false(page_make(&metrics, &question, 2, &page));
}

/* Widths count, not letters. */
static void page_goes_by_widths(void **state)
{
	(void)state;
	metrics.advance['i' - ' '] = 5;
	metrics.advance['W' - ' '] = 20;
	assert_int_equal(page_fit(metrics.advance, 100, "iiiiiiiiiiiiiiiiiiiiiii"), 20);
	assert_int_equal(page_fit(metrics.advance, 100, "WWWWWWW"), 5);
	assert_int_equal(page_fit(metrics.advance, 100, ""), 0);
	assert_int_equal(page_fit(metrics.advance, 3, "W"), 1);
	assert_int_equal(page_fit(metrics.advance, 100, "          x y"), 10);
	/* A letter that is none is as wide as the question mark that is drawn for it. */
	metrics.advance['?' - ' '] = 50;
	assert_int_equal(page_fit(metrics.advance, 100, "\x01\x7f\xff"), 2);
}

/* A line stays on one page if one can hold it; one that is longer than a page goes on. */
static void page_keeps_a_line_together(void **state)
{
	struct page page;

	(void)state;
	add("a");
	add("b");
	add("c");
	add("0123456789 0123456789");
	assert_true(page_make(&metrics, &question, 0, &page));
	assert_int_equal(page.row_count, 3);
	assert_int_equal(page.line_end, 3);
	assert_int_equal(page_count(&metrics, &question), 2);
	question.line_count = 0;
	add("0123456789 0123456789 0123456789 0123456789 0123456789");
	add("d");
	assert_true(page_make(&metrics, &question, 0, &page));
	assert_int_equal(page.row_count, 4);
	assert_int_equal(page.line_end, 0); /* not yet told whole */
	assert_true(page_make(&metrics, &question, 1, &page));
	assert_int_equal(page.row_count, 2);
	expect_row(&page, 1, "d");
	assert_int_equal(page.line_end, 2);
}

/* Empty lines are empty rows; a question without lines has one page. */
static void page_knows_empty_lines(void **state)
{
	struct page page;

	(void)state;
	assert_int_equal(page_count(&metrics, &question), 1);
	assert_true(page_make(&metrics, &question, 0, &page));
	assert_int_equal(page.row_count, 0);
	add("");
	add("x");
	assert_true(page_make(&metrics, &question, 0, &page));
	expect_row(&page, 0, "");
	expect_row(&page, 1, "x");
}

/* As many and as long lines as there can be: every letter is in one row, in order. */
static void page_leaves_nothing_out(void **state)
{
	char told[SWITCHER_LINE_SIZE] = "";
	uint32_t line = 0, size = 0, rows = 0;
	struct page page;

	(void)state;
	for (uint32_t i = 0; i < SWITCHER_LINES_MAX; i++) {
		char text[SWITCHER_LINE_SIZE];

		for (uint32_t k = 0; k < SWITCHER_LINE_SIZE - 1; k++) {
			text[k] = (char)('!' + (i + k * 7) % 90);
		}
		text[SWITCHER_LINE_SIZE - 1] = 0;
		add(text);
	}
	for (uint32_t i = 0; i < page_count(&metrics, &question); i++) {
		assert_true(page_make(&metrics, &question, i, &page));
		rows += page.row_count;
		for (uint32_t k = 0; k < page.row_count; k++) {
			const struct page_row *row = &page.row[k];

			if (row->line != line) {
				assert_string_equal(told, question.line[line]);
				assert_int_equal(row->line, ++line);
				size = 0;
			}
			assert_int_equal(row->begin, size);
			memcpy(told + size, question.line[line] + row->begin, row->size);
			size += row->size;
			told[size] = 0;
		}
	}
	assert_string_equal(told, question.line[SWITCHER_LINES_MAX - 1]);
	assert_int_equal(line, SWITCHER_LINES_MAX - 1);
	assert_int_equal(page.line_end, SWITCHER_LINES_MAX);
	assert_int_equal(rows, SWITCHER_LINES_MAX * 13);
}

/* Rows by size of the screen; on one that holds no card there is no page. */
static void page_metrics_follow_the_screen(void **state)
{
	static const struct {
		int32_t w, h;
		uint32_t rows;
	} screens[] = {{1024, 736, 16}, {1920, 1048, 24}, {640, 448, 5}, {1024, 337, 1},
		       {1024, 336, 0},	{320, 168, 0},	  {289, 736, 0}, {290, 736, 16}};

	(void)state;
	add("x");
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		page_metrics_init(&metrics, (struct rect){0, 32, screens[i].w, screens[i].h});
		assert_int_equal(metrics.rows, screens[i].rows);
		assert_int_equal(page_count(&metrics, &question), screens[i].rows > 0);
	}
	question.line_count = 0;
	metrics.rows = 0;
	assert_int_equal(page_count(&metrics, &question), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(page_breaks_lines_at_blanks, setup),
		cmocka_unit_test_setup(page_goes_by_widths, setup),
		cmocka_unit_test_setup(page_keeps_a_line_together, setup),
		cmocka_unit_test_setup(page_knows_empty_lines, setup),
		cmocka_unit_test_setup(page_leaves_nothing_out, setup),
		cmocka_unit_test_setup(page_metrics_follow_the_screen, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
