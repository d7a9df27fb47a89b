/* SPDX-License-Identifier: Apache-2.0 */
/** Draws strips and panels of an invented laptop into PNG files, to look at: `switcher-gallery DIR
 * [FONT-DIR]`. */
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/backend/png.h"
#include "ui/core/model.h"
#include "ui/trusted/look.h"
#include "ui/trusted/panel.h"
#include "ui/trusted/pattern.h"
#include "ui/trusted/question_card.h"
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

static void tell_letters(struct model *model, const struct font_set *fonts)
{
	uint8_t advance[FONT_GLYPHS];

	font_advances(&fonts->fonts[QUESTION_CARD_FONT], advance);
	model_set_letters(model, advance);
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

static void ask(struct model *model, uint32_t id, const char *title, const char *const lines[],
		const char *const choices[3], uint32_t seconds)
{
	struct switcher_question question = {.type = SWITCHER_ASK, .id = id, .seconds = seconds};

	question.part = id;
	snprintf(question.title, sizeof(question.title), "%s", title);
	for (; lines[question.line_count]; question.line_count++) {
		snprintf(question.line[question.line_count], SWITCHER_LINE_SIZE, "%s",
			 lines[question.line_count]);
	}
	for (unsigned i = 0; i < 3; i++) {
		snprintf(question.choice[i], sizeof(question.choice[i]), "%s", choices[i]);
		question.choice_count += choices[i][0] != 0;
	}
	model_ask(model, &question, &effects);
	model_frame(model, &effects);
	effects.count = 0;
}

/* The screen while a question is shown: nothing of a guest is on it. */
static void draw_question(const struct model *model, const struct font_set *fonts,
			  struct canvas *canvas)
{
	static uint8_t pixels[QUESTION_CARD_WIDTH * QUESTION_CARD_HEIGHT * 4];
	struct rect place = question_card_place(model, model_inner(model));
	struct canvas card = {pixels, place.w, place.h, (uint32_t)place.w * 4};
	struct canvas strip = *canvas;

	strip.height = MODEL_STRIP_HEIGHT;
	canvas_fill(canvas, (struct rect){0, 0, canvas->width, canvas->height}, LOOK_GROUND);
	strip_draw(model, MODEL_PART_NONE, fonts, &strip);
	question_card_draw(model, fonts, &card);
	for (int32_t y = 0; y < card.height; y++) {
		memcpy(canvas->pixels + (size_t)(place.y + y) * canvas->stride +
			       (size_t)place.x * 4,
		       pixels + (size_t)y * card.stride, card.stride);
	}
}

static void press(struct model *model, uint16_t key, uint64_t after_ms)
{
	model_time(model, model->now_ms + after_ms, &effects);
	model_input(model, EV_KEY, key, 1, &effects);
	model_frame(model, &effects);
	effects.count = 0;
}

/* A change of policy that does not fit: the first page, and the last one with its answer marked. */
static int save_pages(const char *dir, struct model *model, const struct font_set *fonts,
		      struct canvas *canvas)
{
	static const char *const changes[] = {
		"opens input pointer -> desktop",
		"opens input keyboard -> browser",
		"tightens browser: devices, from its next start",
		"changes which addresses the zones mean",
		"tightens management: memory in MiB 256 -> 192, from its next start",
		"opens desktop: what user may change",
		"opens clipboard browser -> desktop",
		"opens file browser -> desktop",
		"opens network desktop -> servers",
		"opens network browser -> printers",
		"opens usb stick -> desktop",
		"opens camera webcam -> browser",
		"opens microphone headset -> browser",
		"opens desktop: cpu weight 100 -> 200",
		"opens browser: memory in MiB 512 -> 1024, from its next start",
		"changes browser: title, colour, pattern or order, from its next start",
		"changes desktop: disks, from its next start",
		"changes browser: restarts and health",
		"changes confirm within 120 s -> 60 s",
		"tightens clipboard desktop -> browser",
		"tightens network browser -> internet",
		"tightens browser: network rate none -> 1048576",
		NULL,
	};
	static const char *const choices[3] = {"Take it back", "Keep it", ""};

	model_withdraw_all(model);
	ask(model, 77, "Keep the new policy?", changes, choices, 120);
	model_time(model, model->now_ms + 9000, &effects);
	draw_question(model, fonts, canvas);
	if (save(dir, "question-pages", canvas) < 0) {
		return -1;
	}
	press(model, KEY_DOWN, 0);
	press(model, KEY_DOWN, 20000);
	press(model, KEY_RIGHT, 1000);
	draw_question(model, fonts, canvas);
	return save(dir, "question-last-page", canvas);
}

static int save_questions(const char *dir, struct model *model, const struct font_set *fonts,
			  struct canvas *canvas)
{
	static const char *const copy[] = {"Text, 214 bytes. It is gone from there in 60 seconds.",
					   "Rule: clipboard-with-question", NULL};
	static const char *const copy_choices[3] = {"Deny", "Allow once", ""};
	static const char *const keep[] = {"opens input pointer -> desktop",
					   "opens network desktop -> servers",
					   "tightens browser: cpu weight 100 -> 50", NULL};
	static const char *const keep_choices[3] = {"Take it back", "Keep it", ""};

	ask(model, 2, "Copy from Browser to Desktop?", copy, copy_choices, 0);
	draw_question(model, fonts, canvas);
	if (save(dir, "question-early", canvas) < 0) {
		return -1;
	}
	model_time(model, SWITCHER_DEAD_MS, &effects);
	draw_question(model, fonts, canvas);
	if (save(dir, "question", canvas) < 0) {
		return -1;
	}
	model_withdraw_all(model);
	ask(model, 77, "Keep the new policy?", keep, keep_choices, 60);
	press(model, KEY_RIGHT, 13000);
	draw_question(model, fonts, canvas);
	return save(dir, "question-policy", canvas) < 0 ? -1
							: save_pages(dir, model, fonts, canvas);
}

int main(int argc, char **argv)
{
	static struct font_set fonts;
	static uint8_t pixels[WIDTH * HEIGHT * 4], card_pixels[CARD_WIDTH * PANEL_HEIGHT * 4];
	struct canvas canvas = {pixels, WIDTH, HEIGHT, WIDTH * 4};
	struct canvas card = {card_pixels, CARD_WIDTH, PANEL_HEIGHT, CARD_WIDTH * 4};
	static struct model model;

	if (argc < 2 || font_set_load(&fonts, argc > 2 ? argv[2] : FONT_DIR) < 0) {
		fprintf(stderr, "usage: switcher-gallery DIR [FONT-DIR]\n");
		return 2;
	}
	pattern_init();
	model_init(&model, WIDTH, HEIGHT);
	tell_letters(&model, &fonts);
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
	if (save(argv[1], "gallery", &canvas) < 0) {
		return 1;
	}
	for (uint32_t k = 3; k < 6; k++) {
		model.parts[k].used = false;
	}
	canvas.height = 560;
	model.height = canvas.height;
	page_metrics_init(&model.questions.metrics, model_inner(&model));
	tell_letters(&model, &fonts);
	return save_questions(argv[1], &model, &fonts, &canvas) < 0;
}
