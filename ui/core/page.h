/* SPDX-License-Identifier: Apache-2.0 */
/** Lines of a trusted question, broken into rows and pages of its card: nothing of a line is left
 * out, whatever it holds and however small the screen is. The model counts pages by it and the card
 * is drawn by it, so what counts as read is what was on the screen.
 *
 *  Widths are pixels, those of letters the caller's (font_advances()).
 */
#ifndef BH_PAGE_H
#define BH_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "rect.h"
#include "ui/proto/switcher.h"

#define PAGE_ROWS_MAX	24u /* of one page */
#define PAGE_GLYPHS	95u /* ' ' .. '~' */
#define PAGE_LETTER_MAX 16u /* pixels; the widest letter before any font is known */

/* The card: all of it but the rows, one row, and what a row may not use at both ends. */
#define PAGE_CARD_WIDTH 680
#define PAGE_CARD_FIXED 255
#define PAGE_ROW_HEIGHT 25
#define PAGE_MARGIN	36
#define PAGE_INDENT	18 /* at the left, for the mark of a line */

struct page_metrics {
	uint8_t advance[PAGE_GLYPHS]; /* of each letter */
	int32_t room;		      /* of a row */
	uint32_t rows;		      /* of a page; 0: no card fits on this screen */
};

/** A piece of a line. */
struct page_row {
	uint32_t line, begin, size; /* bytes */
};

struct page {
	struct page_row row[PAGE_ROWS_MAX];
	uint32_t row_count;
	uint32_t line_end; /* lines before this one are told whole by this page and those before */
};

/** Pages within `inner`, the screen without its strip, with letters of PAGE_LETTER_MAX. */
void page_metrics_init(struct page_metrics *metrics, struct rect inner);

/** How many bytes of the text go into a row of that room: all, or up to a blank, or, of a word that
 * is too long, what fits; at least one, unless the text is empty. */
uint32_t page_fit(const uint8_t advance[PAGE_GLYPHS], int32_t room, const char *text);

/** Pages of a question; 1 for one without lines, 0 for any when no row fits on this screen. */
uint32_t page_count(const struct page_metrics *metrics, const struct switcher_question *question);
/** Page `index`, from 0. False: there is no such page. */
bool page_make(const struct page_metrics *metrics, const struct switcher_question *question,
	       uint32_t index, struct page *ret_page);

#endif
