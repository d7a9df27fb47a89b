/* SPDX-License-Identifier: Apache-2.0 */
/** Rows and pages of a question; see page.h. */
#include "page.h"

#include <string.h>

#define AROUND	 16  /* above and below the largest card */
#define ROOM_MIN 200 /* less than this is no row to read */

/* Where the next row begins. */
struct cursor {
	uint32_t line, at;
};

void page_metrics_init(struct page_metrics *metrics, struct rect inner)
{
	int32_t width = inner.w < PAGE_CARD_WIDTH ? inner.w : PAGE_CARD_WIDTH;
	/* One row says which page it is. */
	int32_t height = inner.h - 2 * AROUND - PAGE_CARD_FIXED - PAGE_ROW_HEIGHT;
	uint32_t rows = height > 0 ? (uint32_t)(height / PAGE_ROW_HEIGHT) : 0;

	memset(metrics->advance, PAGE_LETTER_MAX, sizeof(metrics->advance));
	metrics->room = width - 2 * PAGE_MARGIN - PAGE_INDENT;
	metrics->rows = metrics->room < ROOM_MIN ? 0 : rows < PAGE_ROWS_MAX ? rows : PAGE_ROWS_MAX;
}

static int32_t advance_of(const uint8_t advance[PAGE_GLYPHS], char letter)
{
	/* What is not printable is drawn as a question mark. */
	return advance[(letter < ' ' || letter > '~' ? '?' : letter) - ' '];
}

uint32_t page_fit(const uint8_t advance[PAGE_GLYPHS], int32_t room, const char *text)
{
	uint32_t size = 0, blank = 0;
	bool word = false;
	int32_t width = 0;

	while (text[size]) {
		width += advance_of(advance, text[size]);
		if (text[size] == ' ' && word) {
			blank = size;
		}
		if (width > room) {
			return blank ? blank : size ? size : 1;
		}
		word |= text[size] != ' ';
		size++;
	}
	return size;
}

/* Takes one row and moves on behind it; blanks at which a line is broken are in neither row. */
static struct page_row take_row(const struct page_metrics *metrics,
				const struct switcher_question *question, struct cursor *cursor)
{
	const char *text = question->line[cursor->line];
	struct page_row row = {cursor->line, cursor->at,
			       page_fit(metrics->advance, metrics->room, text + cursor->at)};

	cursor->at += row.size;
	while (text[cursor->at] == ' ') {
		cursor->at++;
	}
	if (!text[cursor->at]) {
		*cursor = (struct cursor){cursor->line + 1, 0};
	}
	return row;
}

static uint32_t rows_of_line(const struct page_metrics *metrics,
			     const struct switcher_question *question, uint32_t line)
{
	struct cursor cursor = {line, 0};
	uint32_t count = 0;

	while (cursor.line == line) {
		take_row(metrics, question, &cursor);
		count++;
	}
	return count;
}

/* A line goes to the next page rather than into two, unless it is longer than a page. */
static void fill(const struct page_metrics *metrics, const struct switcher_question *question,
		 struct cursor *cursor, struct page *page)
{
	page->row_count = 0;
	while (page->row_count < metrics->rows && cursor->line < question->line_count) {
		uint32_t left = metrics->rows - page->row_count;

		if (page->row_count > 0 && cursor->at == 0 &&
		    rows_of_line(metrics, question, cursor->line) > left) {
			break;
		}
		page->row[page->row_count++] = take_row(metrics, question, cursor);
	}
	page->line_end = cursor->line;
}

uint32_t page_count(const struct page_metrics *metrics, const struct switcher_question *question)
{
	struct cursor cursor = {0, 0};
	struct page page;
	uint32_t count = 0;

	if (question->line_count == 0) {
		return metrics->rows > 0;
	}
	while (metrics->rows > 0 && cursor.line < question->line_count) {
		fill(metrics, question, &cursor, &page);
		count++;
	}
	return count;
}

bool page_make(const struct page_metrics *metrics, const struct switcher_question *question,
	       uint32_t index, struct page *ret_page)
{
	struct cursor cursor = {0, 0};
	struct page page;

	for (uint32_t i = 0; i <= index; i++) {
		if (i > 0 && (metrics->rows == 0 || cursor.line == question->line_count)) {
			return false;
		}
		fill(metrics, question, &cursor, &page);
	}
	*ret_page = page;
	return true;
}
