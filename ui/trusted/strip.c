/* SPDX-License-Identifier: Apache-2.0 */
/** The trusted strip; see strip.h. */
#include "strip.h"

#include <stdio.h>
#include <string.h>

#include "ui/trusted/colour.h"
#include "ui/trusted/look.h"
#include "ui/trusted/mark.h"
#include "ui/trusted/pattern.h"

#define HEIGHT	    MODEL_STRIP_HEIGHT
#define MARGIN	    14 /* before the name, behind the state */
#define GAP	    12 /* between name and state */
#define KEY_SIZE    18
#define TAB_TOP	    4
#define TAB_HEIGHT  (HEIGHT - 2 * TAB_TOP)
#define TAB_PAD	    5
#define TAB_SPACE   4 /* between tabs */
#define NAME_MIN    24
#define WARN_PAD    7
#define PATTERN_MIN 64	/* the band is what names a partition without words */
#define TITLE_KEEP  140 /* the focused name gives way to tabs down to this */
#define PATTERN_INK 125 /* of 255: clear in grey, calm in colour */
#define TITLE_MAX   400

static const char *const state_words[SWITCHER_STATE_COUNT] = {
	[SWITCHER_STOPPED] = "stopped", [SWITCHER_STARTING] = "starting", [SWITCHER_RUNNING] = "",
	[SWITCHER_PAUSED] = "paused",	[SWITCHER_FAILED] = "stopped",
};

struct state_line {
	char text[SWITCHER_TEXT_SIZE + 32];
};

static struct state_line state_line(const struct model_part *part)
{
	struct state_line line;

	if (part->state == SWITCHER_STARTING && part->progress) {
		snprintf(line.text, sizeof(line.text), "starting  %u %%", part->progress);
	} else if (part->state == SWITCHER_FAILED && part->text[0]) {
		snprintf(line.text, sizeof(line.text), "stopped: %s", part->text);
	} else {
		snprintf(line.text, sizeof(line.text), "%s", state_words[part->state]);
	}
	return line;
}

static int32_t lower(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static int32_t higher(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static void lay_out_tabs(const struct model *model, const struct font_set *fonts,
			 struct strip_layout *layout)
{
	const struct font *font = &fonts->fonts[FONT_TEXT];
	const int32_t fixed = TAB_PAD + KEY_SIZE + 6 + 8 + MARK_SIZE + TAB_PAD + 2 + TAB_SPACE;
	uint32_t order[SWITCHER_PARTS_MAX];
	unsigned count = 0;
	int32_t widest = 0, title = 0;

	for (uint32_t i = 1; i <= SWITCHER_ORDER_MAX && count < SWITCHER_PARTS_MAX; i++) {
		uint32_t part = model_find_order(model, i);

		if (part != MODEL_PART_NONE) {
			const char *name = model->parts[part].title;

			widest = higher(widest, font_width(font, name));
			title = higher(title, font_width(&fonts->fonts[FONT_TITLE], name));
			order[count++] = part;
		}
	}
	layout->tab_count = count;
	if (count == 0) {
		layout->tabs = (struct rect){model->width, 0, 0, HEIGHT};
		return;
	}
	/* All tabs are as wide as the widest, so that nothing moves when a partition changes; names
	 * give way first. */
	title = lower(title, TITLE_KEEP) + 2 * MARGIN;
	int32_t room = (model->width - PATTERN_MIN - title - TAB_SPACE) / (int32_t)count;
	int32_t name = lower(widest, room - fixed);

	name = name < 0 ? 0 : name;
	int32_t each = fixed + name;
	int32_t left = model->width - each * (int32_t)count - TAB_SPACE;

	left = left < 0 ? 0 : left;
	layout->tabs = (struct rect){left, 0, model->width - left, HEIGHT};
	for (unsigned i = 0; i < count; i++) {
		int32_t x = left + TAB_SPACE + each * (int32_t)i;
		struct strip_tab *tab = &layout->tab[i];

		tab->part = order[i];
		tab->all = (struct rect){x, TAB_TOP, each - TAB_SPACE, TAB_HEIGHT};
		tab->key = (struct rect){x + TAB_PAD - 2, TAB_TOP + (TAB_HEIGHT - KEY_SIZE) / 2,
					 KEY_SIZE, KEY_SIZE};
		tab->name_x = x + TAB_PAD + KEY_SIZE + 6;
		tab->name_width = name;
		tab->mark =
			(struct rect){tab->name_x + name + 8,
				      TAB_TOP + (TAB_HEIGHT - MARK_SIZE) / 2, MARK_SIZE, MARK_SIZE};
	}
}

static const char *name_of(const struct model *model, uint32_t focus)
{
	if (focus != MODEL_PART_NONE) {
		return model->parts[focus].title;
	}
	return model_asking(model) ? "Bulkhead asks" : "Bulkhead";
}

void strip_lay_out(const struct model *model, uint32_t focus, const struct font_set *fonts,
		   struct strip_layout *ret_layout)
{
	struct strip_layout *layout = ret_layout;
	const char *name = name_of(model, focus);

	memset(layout, 0, sizeof(*layout));
	lay_out_tabs(model, fonts, layout);
	int32_t room = lower(layout->tabs.x - PATTERN_MIN, TITLE_MAX);

	room = room < 0 ? 0 : room;
	layout->name_x = MARGIN;
	layout->name_width = lower(font_width(&fonts->fonts[FONT_TITLE], name), room - 2 * MARGIN);
	layout->name_width = layout->name_width < 0 ? 0 : layout->name_width;
	int32_t end = layout->name_x + layout->name_width;

	if (model->warning[0]) { /* before the state: it does not give way */
		int32_t width = font_width(&fonts->fonts[FONT_TEXT], model->warning) + 2 * WARN_PAD;

		width = lower(width, room - MARGIN - GAP - end);
		if (width >= NAME_MIN) {
			layout->warning = (struct rect){end + GAP, TAB_TOP, width, TAB_HEIGHT};
			end += GAP + width;
		}
	}
	if (focus != MODEL_PART_NONE) {
		struct state_line line = state_line(&model->parts[focus]);
		int32_t width = font_width(&fonts->fonts[FONT_TEXT], line.text);

		width = lower(width, room - MARGIN - GAP - end);
		if (width >= NAME_MIN) {
			layout->state_x = end + GAP;
			layout->state_width = width;
			end = layout->state_x + width;
		}
	}
	end = lower(end + MARGIN, layout->tabs.x);
	/* Whole tiles only: the ground gives way. */
	end += (layout->tabs.x - end) % PATTERN_SIZE;
	layout->title = (struct rect){0, 0, end, HEIGHT};
	layout->pattern = (struct rect){end, 0, layout->tabs.x - end, HEIGHT};
}

/** Baseline that centres capitals in rows y .. y + h. */
static int32_t baseline(const struct font *font, int32_t y, int32_t h)
{
	return y + (h + font->ascent) / 2;
}

static void draw_tab(const struct model *model, const struct strip_tab *tab, bool focused,
		     const struct font_set *fonts, struct canvas *canvas)
{
	const struct model_part *part = &model->parts[tab->part];
	const struct font *font = &fonts->fonts[FONT_TEXT];
	uint32_t on_colour = colour_text_on(part->colour);
	uint32_t ground = focused ? part->colour : LOOK_RAISED;
	uint32_t text = focused ? on_colour : LOOK_TEXT;
	uint32_t cap = focused ? on_colour : part->colour;
	char digit[2] = {(char)('0' + part->order), '\0'};
	int32_t digit_width = font_width(font, digit);

	canvas_round(canvas, tab->all, 5, ground);
	canvas_round(canvas, tab->key, 4, cap);
	canvas_text(canvas, font, tab->key.x + (KEY_SIZE - digit_width + 1) / 2,
		    baseline(font, tab->key.y, KEY_SIZE), focused ? part->colour : on_colour, digit,
		    KEY_SIZE);
	canvas_text(canvas, font, tab->name_x, baseline(font, tab->all.y, TAB_HEIGHT), text,
		    part->title, tab->name_width);
	mark_draw(canvas, tab->mark.x, tab->mark.y, part->state, ground,
		  focused ? on_colour : LOOK_DIM);
}

void strip_draw(const struct model *model, uint32_t focus, const struct font_set *fonts,
		struct canvas *canvas)
{
	const struct model_part *part = focus == MODEL_PART_NONE ? NULL : &model->parts[focus];
	const struct font *title = &fonts->fonts[FONT_TITLE], *text = &fonts->fonts[FONT_TEXT];
	uint32_t ground = part ? part->colour : LOOK_GROUND;
	uint32_t ink = colour_text_on(ground);
	struct strip_layout layout;

	strip_lay_out(model, focus, fonts, &layout);
	canvas_fill(canvas, layout.title, ground);
	canvas_text(canvas, title, layout.name_x, baseline(title, 0, HEIGHT), ink,
		    name_of(model, focus), layout.name_width);
	if (layout.warning.w) {
		canvas_round(canvas, layout.warning, 5, LOOK_WARN);
		canvas_text(canvas, text, layout.warning.x + WARN_PAD,
			    baseline(text, layout.warning.y, TAB_HEIGHT), LOOK_GROUND,
			    model->warning, layout.warning.w - 2 * WARN_PAD);
	}
	if (part && layout.state_width) {
		struct state_line line = state_line(part);

		canvas_text(canvas, text, layout.state_x, baseline(text, 0, HEIGHT), ink, line.text,
			    layout.state_width);
	}
	canvas_pattern(canvas, layout.pattern, part ? part->pattern : SWITCHER_PLAIN, ground,
		       colour_mix(ground, ink, PATTERN_INK));
	canvas_fill(canvas, layout.tabs, LOOK_GROUND);
	for (unsigned i = 0; i < layout.tab_count; i++) {
		draw_tab(model, &layout.tab[i], layout.tab[i].part == focus, fonts, canvas);
	}
}
