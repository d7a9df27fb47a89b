/* SPDX-License-Identifier: Apache-2.0 */
/** Draw effects on the canvas; see screen.h. */
#include "screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/trusted/copy.h"
#include "ui/trusted/look.h"
#include "ui/trusted/panel.h"
#include "ui/trusted/pattern.h"
#include "ui/trusted/question_card.h"
#include "ui/trusted/strip.h"

static int make_canvas(struct canvas *canvas, int32_t width, int32_t height)
{
	*canvas = (struct canvas){.width = width, .height = height, .stride = (uint32_t)width * 4};
	canvas->pixels = calloc((size_t)height, canvas->stride);
	return canvas->pixels ? 0 : -1;
}

int screen_init(struct screen *screen, struct canvas *canvas, const char *font_dir)
{
	struct rect inner = {0, MODEL_STRIP_HEIGHT, canvas->width,
			     canvas->height - MODEL_STRIP_HEIGHT};
	struct rect card = panel_card(inner);
	int32_t width = inner.w < QUESTION_CARD_WIDTH ? inner.w : QUESTION_CARD_WIDTH;
	int32_t height = inner.h < QUESTION_CARD_HEIGHT ? inner.h : QUESTION_CARD_HEIGHT;
	int bad = 0;

	memset(screen, 0, sizeof(*screen));
	screen->canvas = canvas;
	if (font_set_load(&screen->fonts, font_dir) < 0) {
		return -1;
	}
	pattern_init();
	for (unsigned i = 0; i <= SWITCHER_PARTS_MAX; i++) {
		bad |= make_canvas(&screen->strips[i], canvas->width, MODEL_STRIP_HEIGHT);
	}
	bad |= make_canvas(&screen->card, card.w, card.h);
	bad |= make_canvas(&screen->question, width, height);
	if (bad) {
		fprintf(stderr, "bulkhead-switcher: out of memory\n");
		screen_fini(screen);
		return -1;
	}
	return 0;
}

void screen_fini(struct screen *screen)
{
	for (unsigned i = 0; i <= SWITCHER_PARTS_MAX; i++) {
		free(screen->strips[i].pixels);
	}
	free(screen->card.pixels);
	free(screen->question.pixels);
	font_set_free(&screen->fonts);
	memset(screen, 0, sizeof(*screen));
}

static void draw_strip(struct screen *screen, const struct model *model, uint32_t part)
{
	unsigned slot = part == MODEL_PART_NONE ? SWITCHER_PARTS_MAX : part;

	if (screen->strip_version[slot] != model->label_version) {
		strip_draw(model, part, &screen->fonts, &screen->strips[slot]);
		screen->strip_version[slot] = model->label_version;
	}
}

bool screen_prepare_strip(struct screen *screen, const struct model *model)
{
	for (uint32_t i = 0; i < SWITCHER_PARTS_MAX; i++) {
		if (model->parts[i].used && screen->strip_version[i] != model->label_version) {
			draw_strip(screen, model, i);
			return true;
		}
	}
	return false;
}

static void add_rect(struct screen *screen, struct rect r)
{
	if (rect_empty(r)) {
		return;
	}
	if (screen->rect_count < SCREEN_RECTS_MAX) {
		screen->rects[screen->rect_count++] = r;
	} else {
		screen->rects[0] = rect_union(screen->rects[0], r);
	}
}

static void copy_canvas(struct screen *screen, const struct canvas *from, int32_t x, int32_t y)
{
	struct canvas *to = screen->canvas;
	size_t bytes = (size_t)from->width * 4;

	for (int32_t row = 0; row < from->height; row++) {
		copy_pixels(to->pixels + (uint64_t)to->stride * (uint32_t)(y + row) +
				    (uint64_t)x * 4,
			    from->pixels + (uint64_t)from->stride * (uint32_t)row, bytes);
	}
	screen->total.bytes += bytes * (uint64_t)from->height;
	add_rect(screen, (struct rect){x, y, from->width, from->height});
}

static void fill(struct screen *screen, struct rect r)
{
	canvas_fill(screen->canvas, r, LOOK_GROUND);
	screen->total.bytes += (uint64_t)rect_area(r) * 4;
	add_rect(screen, r);
}

static void draw_card(struct screen *screen, const struct model_part *part, struct rect inner)
{
	struct rect card = panel_card(inner);

	panel_draw(part, &screen->fonts, &screen->card);
	copy_canvas(screen, &screen->card, card.x, card.y);
}

static void draw_question(struct screen *screen, const struct model *model, struct rect inner)
{
	struct rect card = question_card_place(model, inner);

	screen->question.height = card.h;
	question_card_draw(model, &screen->fonts, &screen->question);
	copy_canvas(screen, &screen->question, card.x, card.y);
}

/** All of inner but the card. */
static void draw_around(struct screen *screen, struct rect inner, struct rect card)
{
	int32_t card_bottom = card.y + card.h, card_right = card.x + card.w;

	fill(screen, (struct rect){inner.x, inner.y, inner.w, card.y - inner.y});
	fill(screen, (struct rect){inner.x, card_bottom, inner.w, inner.y + inner.h - card_bottom});
	fill(screen, (struct rect){inner.x, card.y, card.x - inner.x, card.h});
	fill(screen, (struct rect){card_right, card.y, inner.x + inner.w - card_right, card.h});
}

void screen_draw(struct screen *screen, const struct model *model, const struct effect *effect,
		 const struct blit_source *source)
{
	const struct model_part *part =
		effect->part == EFFECT_PART_NONE ? NULL : &model->parts[effect->part];

	switch (effect->type) {
	case EFFECT_STRIP:
		draw_strip(screen, model, effect->part);
		copy_canvas(screen,
			    &screen->strips[effect->part == MODEL_PART_NONE ? SWITCHER_PARTS_MAX
									    : effect->part],
			    0, 0);
		break;
	case EFFECT_QUESTION:
		draw_around(screen, effect->rect, question_card_place(model, effect->rect));
		draw_question(screen, model, effect->rect);
		break;
	case EFFECT_QUESTION_CARD:
		draw_question(screen, model, effect->rect);
		break;
	case EFFECT_PANEL:
		draw_around(screen, effect->rect, panel_card(effect->rect));
		draw_card(screen, part, effect->rect);
		break;
	case EFFECT_CARD:
		draw_card(screen, part, effect->rect);
		break;
	case EFFECT_FILL:
		fill(screen, effect->rect);
		break;
	case EFFECT_BLIT:
		if (source && source->pixels) {
			struct rect place = model_place(model, &model->parts[effect->part]);
			uint64_t bytes = blit_surface(screen->canvas, effect->rect, place, source);

			screen->total.bytes += bytes;
			screen->total.blit_bytes += bytes;
			screen->total.rows += (uint64_t)effect->rect.h;
			add_rect(screen, effect->rect);
		}
		break;
	case EFFECT_INPUT:
	case EFFECT_POINTER:
	case EFFECT_RESIZE:
	case EFFECT_FOCUSED:
	case EFFECT_ANSWER:
		break;
	}
}
