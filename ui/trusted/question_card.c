/* SPDX-License-Identifier: Apache-2.0 */
/** The card of a trusted question; see question_card.h. */
#include "question_card.h"

#include <stdio.h>
#include <string.h>

#include "ui/trusted/colour.h"
#include "ui/trusted/look.h"

#define BAND	      14 /* pattern, at the top of the card */
#define MARGIN	      36
#define GAP	      16 /* between choices */
#define CHOICE_TOP    236
#define CHOICE_HEIGHT 44
#define LINE_FIRST    148
#define LINE_HEIGHT   25
#define ARROW	      12 /* before the marked choice */

struct rect question_card_place(struct rect inner)
{
	struct rect card = {0, 0, inner.w < QUESTION_CARD_WIDTH ? inner.w : QUESTION_CARD_WIDTH,
			    inner.h < QUESTION_CARD_HEIGHT ? inner.h : QUESTION_CARD_HEIGHT};

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

static void draw_words(const struct switcher_question *question, const struct model_part *part,
		       const struct font_set *fonts, struct canvas *canvas)
{
	const struct font *heading = &fonts->fonts[FONT_HEADING];
	int32_t room = canvas->width - 2 * MARGIN;
	char about[SWITCHER_NAME_SIZE + 32];

	snprintf(about, sizeof(about), part ? "Bulkhead asks about %s" : "Bulkhead asks",
		 part ? part->title : "");
	canvas_text(canvas, &fonts->fonts[FONT_TEXT], MARGIN, 62, LOOK_DIM, about, room);
	/* All of it in smaller letters rather than the beginning in large ones. */
	if (font_width(heading, question->title) > room) {
		heading = &fonts->fonts[FONT_TITLE];
	}
	canvas_text(canvas, heading, MARGIN, 104, LOOK_TEXT, question->title, room);
	for (int32_t i = 0; i < (int32_t)SWITCHER_LINES_MAX; i++) {
		canvas_text(canvas, &fonts->fonts[FONT_BODY], MARGIN, LINE_FIRST + i * LINE_HEIGHT,
			    LOOK_TEXT, question->line[i], room);
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

/* The marked one differs in form too: an arrow and a frame. */
static void draw_choice(const char *text, struct rect place, bool marked, bool armed,
			const struct font *font, struct canvas *canvas)
{
	uint32_t ground = marked && armed ? LOOK_TEXT : LOOK_EDGE;
	uint32_t ink = marked && armed ? LOOK_GROUND : armed ? LOOK_TEXT : LOOK_DIM;
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

static void draw_choices(const struct question_queue *queue, const struct font_set *fonts,
			 struct canvas *canvas)
{
	const struct switcher_question *question = &queue->list[0];
	int32_t count = (int32_t)question->choice_count;
	int32_t width = (canvas->width - 2 * MARGIN - (count - 1) * GAP) / count;

	for (int32_t i = 0; i < count; i++) {
		struct rect place = {MARGIN + i * (width + GAP), CHOICE_TOP, width, CHOICE_HEIGHT};

		draw_choice(question->choice[i], place, (uint32_t)i == queue->choice, queue->armed,
			    &fonts->fonts[FONT_BODY], canvas);
	}
}

static void draw_hints(const struct question_queue *queue, const struct font_set *fonts,
		       struct canvas *canvas)
{
	const struct switcher_question *question = &queue->list[0];
	const char *fallback = question->choice[question->fallback];
	const struct font *font = &fonts->fonts[FONT_TEXT];
	int32_t room = canvas->width - 2 * MARGIN, right = 0;
	char keys[SWITCHER_CHOICE_SIZE + 64] = "Keys count in a moment.";
	char left[SWITCHER_CHOICE_SIZE + 32] = "";

	if (queue->armed) {
		snprintf(keys, sizeof(keys), "Left, Right: choose    Enter: take    Esc: %s",
			 fallback);
	}
	if (question->seconds) {
		snprintf(left, sizeof(left), "%s in %u s", fallback, queue->seconds_left);
		right = font_width(font, left);
		canvas_text(canvas, font, canvas->width - MARGIN - right, 310, LOOK_TEXT, left,
			    right);
	}
	canvas_text(canvas, font, MARGIN, 310, LOOK_DIM, keys, room - right - GAP);
}

void question_card_draw(const struct model *model, const struct font_set *fonts,
			struct canvas *canvas)
{
	const struct question_queue *queue = &model->questions;
	const struct switcher_question *question = &queue->list[0];
	uint32_t index = model_find(model, question->part);
	const struct model_part *part = index == MODEL_PART_NONE ? NULL : &model->parts[index];

	draw_ground(part, canvas);
	draw_words(question, part, fonts, canvas);
	draw_choices(queue, fonts, canvas);
	draw_hints(queue, fonts, canvas);
}
