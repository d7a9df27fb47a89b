/* SPDX-License-Identifier: Apache-2.0 */
/** The card of a trusted question; see question_card.h. */
#include "question_card.h"

#include <stdio.h>
#include <string.h>

#include "ui/trusted/colour.h"
#include "ui/trusted/look.h"

#define BAND	      14 /* pattern, at the top of the card */
#define MARGIN	      PAGE_MARGIN
#define GAP	      16 /* between choices */
#define TITLE_AT      104
#define LINE_FIRST    148
#define CHOICE_HEIGHT 44
#define ARROW	      12 /* before the marked choice */
#define ROWS_MIN      3	 /* so that most cards are of one size */

/* Below the last row: where choices begin and the base of the last words. */
#define CHOICE_BELOW 13
#define HINT_BELOW   87
_Static_assert(LINE_FIRST + HINT_BELOW + 20 == PAGE_CARD_FIXED, "what is not rows");

/* Rows that the card has room for, the one that names the page included. */
static int32_t rows_of(const struct question_queue *queue, struct page *ret_page)
{
	int32_t rows;

	page_make(&queue->metrics, &queue->list[0], queue->page, ret_page);
	rows = queue->page_count > 1 ? (int32_t)queue->metrics.rows + 1
				     : (int32_t)ret_page->row_count;
	return rows < ROWS_MIN ? ROWS_MIN : rows;
}

struct rect question_card_place(const struct model *model, struct rect inner)
{
	struct page page;
	int32_t height = PAGE_CARD_FIXED + rows_of(&model->questions, &page) * PAGE_ROW_HEIGHT;
	struct rect card = {0, 0, inner.w < QUESTION_CARD_WIDTH ? inner.w : QUESTION_CARD_WIDTH,
			    inner.h < height ? inner.h : height};

	card.x = inner.x + (inner.w - card.w) / 2;
	card.y = inner.y + (inner.h - card.h) * 2 / 5;
	return card;
}

static void draw_ground(const struct model_part *part, struct canvas *canvas)
{
	uint32_t colour = part ? part->colour : LOOK_EDGE;
	enum switcher_pattern pattern = part ? part->pattern : SWITCHER_PLAIN;

	canvas_fill(canvas, (struct rect){0, 0, canvas->width, canvas->height}, LOOK_GROUND);
	canvas_round(canvas, (struct rect){0, 0, canvas->width, canvas->height}, 10, LOOK_RAISED);
	canvas_round(canvas, (struct rect){0, 0, canvas->width, 2 * BAND}, 10, colour);
	canvas_pattern(canvas, (struct rect){10, 0, canvas->width - 20, BAND}, pattern, colour,
		       colour_mix(colour, colour_text_on(colour), 150));
	canvas_fill(canvas, (struct rect){0, BAND, canvas->width, 2 * BAND}, LOOK_RAISED);
}

/* All of it in smaller letters, then in two rows, rather than the beginning in large ones. */
static void draw_title(const char *title, const struct font_set *fonts, struct canvas *canvas)
{
	const struct font *large = &fonts->fonts[FONT_HEADING], *small = &fonts->fonts[FONT_TITLE];
	int32_t room = canvas->width - 2 * MARGIN;
	uint8_t advance[FONT_GLYPHS];
	char first[SWITCHER_TEXT_SIZE];
	uint32_t size;

	if (font_width(large, title) <= room || font_width(small, title) <= room) {
		canvas_text(canvas, font_width(large, title) <= room ? large : small, MARGIN,
			    TITLE_AT, LOOK_TEXT, title, room);
		return;
	}
	font_advances(small, advance);
	size = page_fit(advance, room, title);
	snprintf(first, sizeof(first), "%.*s", (int)size, title);
	canvas_text(canvas, small, MARGIN, TITLE_AT - 12, LOOK_TEXT, first, room);
	canvas_text(canvas, small, MARGIN, TITLE_AT + 12, LOOK_TEXT,
		    title + size + strspn(title + size, " "), room);
}

/* A line begins with a mark that no text can draw; what goes on below has none. */
static void draw_row(const struct switcher_question *question, const struct page_row *row,
		     int32_t y, const struct font *font, struct canvas *canvas)
{
	bool marks = question->line_count > 1;
	char text[SWITCHER_LINE_SIZE];

	snprintf(text, sizeof(text), "%.*s", (int)row->size,
		 question->line[row->line] + row->begin);
	if (marks && row->begin == 0) {
		canvas_fill(canvas, (struct rect){MARGIN, y - 8, 5, 5}, LOOK_DIM);
	}
	canvas_text(canvas, font, MARGIN + (marks ? PAGE_INDENT : 0), y, LOOK_TEXT, text,
		    canvas->width - 2 * MARGIN);
}

/* What is still to come, which page this is, and how to turn it. */
static void draw_pager(const struct question_queue *queue, const struct page *page, int32_t y,
		       const struct font_set *fonts, struct canvas *canvas)
{
	const struct font *font = &fonts->fonts[FONT_TEXT];
	uint32_t more = queue->list[0].line_count - page->line_end;
	int32_t room = canvas->width - 2 * MARGIN, width;
	char text[96];

	snprintf(text, sizeof(text), "Page %u of %u    Up, Down: turn the page", queue->page + 1,
		 queue->page_count);
	width = font_width(font, text);
	width = width < room ? width : room;
	canvas_text(canvas, font, canvas->width - MARGIN - width, y, LOOK_TEXT, text, width);
	snprintf(text, sizeof(text), "and %u more", more);
	canvas_text(canvas, &fonts->fonts[FONT_TITLE], MARGIN, y, LOOK_TEXT,
		    more ? text : "That is all.", room - width - GAP);
}

static void draw_words(const struct question_queue *queue, const struct page *page, int32_t end,
		       const struct model_part *part, const struct font_set *fonts,
		       struct canvas *canvas)
{
	const struct switcher_question *question = &queue->list[0];
	const struct font *small = &fonts->fonts[FONT_TEXT];
	char about[SWITCHER_NAME_SIZE + 32];

	snprintf(about, sizeof(about), part ? "Bulkhead asks about %s" : "Bulkhead asks",
		 part ? part->title : "");
	canvas_text(canvas, small, MARGIN, 62, LOOK_DIM, about, canvas->width - 2 * MARGIN);
	draw_title(question->title, fonts, canvas);
	for (uint32_t i = 0; i < page->row_count; i++) {
		draw_row(question, &page->row[i], LINE_FIRST + (int32_t)i * PAGE_ROW_HEIGHT,
			 &fonts->fonts[QUESTION_CARD_FONT], canvas);
	}
	if (queue->page_count > 1) {
		draw_pager(queue, page, end - PAGE_ROW_HEIGHT, fonts, canvas);
	}
}

static void draw_arrow(int32_t x, int32_t y, uint32_t colour, struct canvas *canvas)
{
	const struct canvas_point points[] = {
		{x * 16, (y - ARROW / 2) * 16},
		{(x + ARROW - 3) * 16, y * 16},
		{x * 16, (y + ARROW / 2) * 16},
	};

	canvas_polygon(canvas, points, 3, colour);
}

/* The marked one differs in form too: an arrow and a frame. One that cannot be chosen yet is no
 * more than its frame. */
static void draw_choice(const char *text, struct rect place, bool marked, bool armed, bool locked,
			const struct font *font, struct canvas *canvas)
{
	uint32_t ground = marked && armed ? LOOK_TEXT : locked ? LOOK_RAISED : LOOK_EDGE;
	uint32_t ink = marked && armed ? LOOK_GROUND : armed && !locked ? LOOK_TEXT : LOOK_DIM;
	struct rect inside = {place.x + 2, place.y + 2, place.w - 4, place.h - 4};
	int32_t room = place.w - 2 * (ARROW + 12);
	int32_t width = font_width(font, text);
	int32_t middle = place.y + place.h / 2;

	width = width < room ? width : room;
	canvas_round(canvas, place, 8, marked ? LOOK_TEXT : LOOK_EDGE);
	canvas_round(canvas, inside, 6, ground);
	if (marked) {
		draw_arrow(place.x + 12, middle, ink, canvas);
	}
	canvas_text(canvas, font, place.x + (place.w - width) / 2, middle + font->ascent / 2, ink,
		    text, room);
}

static void draw_choices(const struct question_queue *queue, int32_t top,
			 const struct font_set *fonts, struct canvas *canvas)
{
	const struct switcher_question *question = &queue->list[0];
	int32_t count = (int32_t)question->choice_count;
	int32_t width = (canvas->width - 2 * MARGIN - (count - 1) * GAP) / count;

	for (int32_t i = 0; i < count; i++) {
		struct rect place = {MARGIN + i * (width + GAP), top, width, CHOICE_HEIGHT};
		bool locked = (uint32_t)i != question->fallback && !question_is_read(queue);

		draw_choice(question->choice[i], place, (uint32_t)i == queue->choice, queue->armed,
			    locked, &fonts->fonts[FONT_BODY], canvas);
	}
}

static void hint(const struct question_queue *queue, const char *fallback, char *text, size_t size)
{
	if (!queue->armed) {
		snprintf(text, size, "Keys count in a moment.");
	} else if (question_is_read(queue)) {
		snprintf(text, size, "Left, Right: choose    Enter: take    Esc: %s", fallback);
	} else if (queue->page_count == 0) {
		snprintf(text, size, "Too much for this screen.    Esc: %s", fallback);
	} else {
		snprintf(text, size, "Down: read on, then choose    Esc: %s", fallback);
	}
}

static void draw_hints(const struct question_queue *queue, int32_t y, const struct font_set *fonts,
		       struct canvas *canvas)
{
	const struct switcher_question *question = &queue->list[0];
	const char *fallback = question->choice[question->fallback];
	const struct font *font = &fonts->fonts[FONT_TEXT];
	int32_t room = canvas->width - 2 * MARGIN, right = 0;
	char keys[SWITCHER_CHOICE_SIZE + 64];
	char left[SWITCHER_CHOICE_SIZE + 32];

	if (question->seconds) {
		snprintf(left, sizeof(left), "%s in %u s", fallback, queue->seconds_left);
		right = font_width(font, left);
		canvas_text(canvas, font, canvas->width - MARGIN - right, y, LOOK_TEXT, left,
			    right);
	}
	hint(queue, fallback, keys, sizeof(keys));
	canvas_text(canvas, font, MARGIN, y, LOOK_DIM, keys, room - right - GAP);
}

void question_card_draw(const struct model *model, const struct font_set *fonts,
			struct canvas *canvas)
{
	const struct question_queue *queue = &model->questions;
	uint32_t index = model_find(model, queue->list[0].part);
	const struct model_part *part = index == MODEL_PART_NONE ? NULL : &model->parts[index];
	struct page page;
	int32_t end = LINE_FIRST + rows_of(queue, &page) * PAGE_ROW_HEIGHT;

	draw_ground(part, canvas);
	draw_words(queue, &page, end, part, fonts, canvas);
	draw_choices(queue, end + CHOICE_BELOW, fonts, canvas);
	draw_hints(queue, end + HINT_BELOW, fonts, canvas);
}
