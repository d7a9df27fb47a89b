/* SPDX-License-Identifier: Apache-2.0 */
/** Trusted panels; see panel.h. */
#include "panel.h"

#include <stdio.h>

#include "ui/trusted/colour.h"
#include "ui/trusted/look.h"

#define BAND   14 /* pattern, at the top of the card */
#define MARGIN 36
#define BAR    10

struct rect panel_card(struct rect inner)
{
	struct rect card = {0, 0, inner.w < PANEL_WIDTH_MAX ? inner.w : PANEL_WIDTH_MAX,
			    inner.h < PANEL_HEIGHT ? inner.h : PANEL_HEIGHT};

	card.x = inner.x + (inner.w - card.w) / 2;
	/* A little above the middle looks like the middle. */
	card.y = inner.y + (inner.h - card.h) * 2 / 5;
	return card;
}

struct words {
	char head[SWITCHER_NAME_SIZE + 48];
	char detail[SWITCHER_TEXT_SIZE + 32];
	char hint[SWITCHER_NAME_SIZE + 64];
};

static void say(const struct model_part *part, struct words *words)
{
	const char *is = "", *detail = part->text, *hint = "", *name = "";

	switch (part->state) {
	case SWITCHER_STOPPED:
		is = "is stopped";
		hint = "To start it:  bulkhead start ";
		break;
	case SWITCHER_STARTING:
		is = "is starting";
		break;
	case SWITCHER_RUNNING:
		is = "is running";
		detail = part->text[0] ? part->text : "It has not drawn anything yet.";
		break;
	case SWITCHER_PAUSED:
		is = "is paused";
		hint = "To go on:  bulkhead start ";
		break;
	case SWITCHER_FAILED:
		is = "stopped";
		detail = part->text[0] ? part->text : "The reason is not known.";
		hint = "To start it again:  bulkhead reset ";
		break;
	}
	if (hint[0]) {
		name = part->name;
	}
	snprintf(words->head, sizeof(words->head), "%s %s", part->title, is);
	snprintf(words->hint, sizeof(words->hint), "%s%s", hint, name);
	snprintf(words->detail, sizeof(words->detail), "%s", detail);
	if (words->detail[0] >= 'a' && words->detail[0] <= 'z') {
		words->detail[0] -= 'a' - 'A';
	}
}

static void draw_bar(const struct model_part *part, int32_t y, struct canvas *canvas)
{
	struct rect trough = {MARGIN, y, canvas->width - 2 * MARGIN, BAR};
	uint32_t progress = part->progress > 100 ? 100 : part->progress;
	struct rect done = trough;

	done.w = (int32_t)((int64_t)trough.w * progress / 100);
	canvas_round(canvas, trough, BAR / 2, LOOK_EDGE);
	if (done.w >= BAR) {
		canvas_round(canvas, done, BAR / 2, colour_mix(part->colour, COLOUR_WHITE, 60));
	}
}

void panel_draw(const struct model_part *part, const struct font_set *fonts, struct canvas *canvas)
{
	const struct font *heading = &fonts->fonts[FONT_HEADING], *body = &fonts->fonts[FONT_BODY];
	struct rect card = {0, 0, canvas->width, canvas->height};
	int32_t room = canvas->width - 2 * MARGIN;

	canvas_fill(canvas, card, LOOK_GROUND);
	canvas_round(canvas, card, 10, LOOK_RAISED);
	if (!part) {
		canvas_text(canvas, heading, MARGIN, 96, LOOK_TEXT, "Bulkhead", room);
		canvas_text(canvas, body, MARGIN, 136, LOOK_DIM,
			    "Partitions appear here as they start.", room);
		return;
	}
	struct words words;

	say(part, &words);
	canvas_round(canvas, (struct rect){0, 0, canvas->width, 2 * BAND}, 10, part->colour);
	canvas_pattern(canvas, (struct rect){10, 0, canvas->width - 20, BAND}, part->pattern,
		       part->colour, colour_mix(part->colour, colour_text_on(part->colour), 150));
	canvas_fill(canvas, (struct rect){0, BAND, canvas->width, 2 * BAND}, LOOK_RAISED);
	canvas_text(canvas, heading, MARGIN, 96, LOOK_TEXT, words.head, room);
	canvas_text(canvas, body, MARGIN, 136, LOOK_DIM, words.detail, room);
	if (part->state == SWITCHER_STARTING && part->progress) {
		draw_bar(part, 166, canvas);
	}
	canvas_text(canvas, body, MARGIN, 190, LOOK_TEXT, words.hint, room);
}
