/* SPDX-License-Identifier: Apache-2.0 */
/** Draws strips and panels of an invented laptop into PNG files, to look at: `switcher-gallery DIR
 * [FONT-DIR]`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/backend/png.h"
#include "ui/core/model.h"
#include "ui/trusted/look.h"
#include "ui/trusted/panel.h"
#include "ui/trusted/pattern.h"
#include "ui/trusted/strip.h"

#define WIDTH	   1024
#define HEIGHT	   800
#define CARD_WIDTH 500

static struct effects effects;

static void add(struct model *model, uint32_t order, const char *name, const char *title,
		uint32_t colour, enum switcher_pattern pattern, enum switcher_state state,
		uint32_t progress, const char *text)
{
	struct switcher_msg msg = {
		.id = order, .order = order, .colour = colour, .pattern = pattern};

	snprintf(msg.name, sizeof(msg.name), "%s", name);
	snprintf(msg.title, sizeof(msg.title), "%s", title);
	model_add(model, &msg, &effects);
	msg.state = state;
	msg.progress = progress;
	snprintf(msg.text, sizeof(msg.text), "%s", text);
	model_state(model, &msg, &effects);
	effects.count = 0;
}

static int save(const char *dir, const char *name, struct canvas *canvas)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s.png", dir, name);
	if (png_write(path, canvas) < 0) {
		perror(path);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct font_set fonts;
	static uint8_t pixels[WIDTH * HEIGHT * 4], card_pixels[CARD_WIDTH * PANEL_HEIGHT * 4];
	struct canvas canvas = {pixels, WIDTH, HEIGHT, WIDTH * 4};
	struct canvas card = {card_pixels, CARD_WIDTH, PANEL_HEIGHT, CARD_WIDTH * 4};
	struct model model;

	if (argc < 2 || font_set_load(&fonts, argc > 2 ? argv[2] : FONT_DIR) < 0) {
		fprintf(stderr, "usage: switcher-gallery DIR [FONT-DIR]\n");
		return 2;
	}
	pattern_init();
	model_init(&model, WIDTH, HEIGHT);
	add(&model, 1, "desktop", "Desktop", 0x6b4fa0, SWITCHER_STRIPES, SWITCHER_RUNNING, 0, "");
	add(&model, 2, "browser", "Browser", 0x1b5faa, SWITCHER_DOTS, SWITCHER_STARTING, 62,
	    "Waiting for the first picture");
	add(&model, 3, "management", "Management", 0xa0522d, SWITCHER_CHECKS, SWITCHER_RUNNING, 0,
	    "");
	add(&model, 4, "lab", "Lab", 0xfacc15, SWITCHER_WAVES, SWITCHER_FAILED, 0, "triple fault");
	add(&model, 5, "vault", "Vault", 0x15803d, SWITCHER_BARS, SWITCHER_PAUSED, 0, "");
	add(&model, 6, "spare", "Spare", 0x475569, SWITCHER_PLAIN, SWITCHER_STOPPED, 0, "");
	canvas_fill(&canvas, (struct rect){0, 0, WIDTH, HEIGHT}, LOOK_GROUND);
	for (uint32_t i = 0; i < 6; i++) {
		struct model shown = model;
		struct canvas row = canvas;

		/* The first three as on a laptop with three partitions. */
		for (uint32_t k = 3; i < 3 && k < 6; k++) {
			shown.parts[k].used = false;
		}
		row.pixels += (size_t)i * 48 * row.stride;
		row.height = MODEL_STRIP_HEIGHT;
		strip_draw(&shown, i, &fonts, &row);
	}
	for (uint32_t i = 0; i < 4; i++) {
		static const uint32_t parts[] = {1, 3, 5, 4};
		struct rect at = {8 + (int32_t)(i % 2) * 508, 296 + (int32_t)(i / 2) * 248, 0, 0};

		panel_draw(&model.parts[parts[i]], &fonts, &card);
		for (int32_t y = 0; y < PANEL_HEIGHT; y++) {
			memcpy(pixels + ((size_t)(at.y + y) * WIDTH + (size_t)at.x) * 4,
			       card_pixels + (size_t)y * card.stride, card.stride);
		}
	}
	return save(argv[1], "gallery", &canvas) < 0;
}
