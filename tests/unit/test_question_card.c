/* SPDX-License-Identifier: Apache-2.0 */
/** The card of a trusted question on screens of many sizes: all of a line is drawn, whole, and
 * choices and countdown stay where they are seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/input-event-codes.h>

#include "ui/trusted/look.h"
#include "ui/trusted/pattern.h"
#include "ui/trusted/question_card.h"

static const struct {
	int32_t width, height;
	uint32_t pages; /* of forty lines of one row each */
} screens[] = {{1024, 768, 3}, {1920, 1080, 2}, {3840, 2160, 2}, {800, 600, 4}, {640, 480, 8}};
#define SCREENS (sizeof(screens) / sizeof(screens[0]))
#define LINES	40u

static struct font_set fonts;
static struct model model;
static struct effects effects;
static uint64_t now;
static uint8_t pixels[2][QUESTION_CARD_WIDTH * QUESTION_CARD_HEIGHT * 4];

static int load(void **state)
{
	(void)state;
	pattern_init();
	return font_set_load(&fonts, FONT_DIR);
}

static int unload(void **state)
{
	(void)state;
	font_set_free(&fonts);
	return 0;
}

static void show(int32_t width, int32_t height)
{
	uint8_t advance[FONT_GLYPHS];

	now = 0;
	model_init(&model, width, height);
	font_advances(&fonts.fonts[QUESTION_CARD_FONT], advance);
	model_set_letters(&model, advance);
}

static struct switcher_question question_of(uint32_t lines, const char *text)
{
	struct switcher_question question = {.type = SWITCHER_ASK,
					     .id = 1,
					     .part = SWITCHER_NOBODY,
					     .choice_count = 2,
					     .seconds = 60,
					     .line_count = lines,
					     .title = "Keep the new policy?",
					     .choice = {"Take it back", "Keep it"}};

	for (uint32_t i = 0; i < lines; i++) {
		snprintf(question.line[i], SWITCHER_LINE_SIZE, "%s %u", text, i);
	}
	return question;
}

static void pass(uint64_t ms)
{
	now += ms;
	model_time(&model, now, &effects);
	model_frame(&model, &effects);
	effects.count = 0;
}

static void ask(const struct switcher_question *question)
{
	model_ask(&model, question, &effects);
	pass(0);
	pass(SWITCHER_DEAD_MS);
}

static void tap(uint16_t key)
{
	model_input(&model, EV_KEY, key, 1, &effects);
	model_input(&model, EV_KEY, key, 0, &effects);
	pass(0);
	pass(SWITCHER_DEAD_MS);
}

static struct canvas draw(uint8_t *to)
{
	struct rect place = question_card_place(&model, model_inner(&model));
	struct canvas canvas = {to, place.w, place.h, (uint32_t)place.w * 4};

	question_card_draw(&model, &fonts, &canvas);
	return canvas;
}

/* Rows of the card in which a pixel of this colour is right of x; -1: none. */
static int32_t lowest_row(const struct canvas *canvas, int32_t from_x, uint32_t colour)
{
	int32_t row = -1;

	for (int32_t y = 0; y < canvas->height; y++) {
		for (int32_t x = from_x; x < canvas->width; x++) {
			uint32_t pixel;

			memcpy(&pixel, canvas->pixels + (size_t)y * canvas->stride + (size_t)x * 4,
			       sizeof(pixel));
			row = (pixel & 0xffffff) == colour ? y : row;
		}
	}
	return row;
}

/* The card lies inside, in the middle, and does not move while pages are turned; each page differs;
 * the countdown is at its lower edge on every one. */
static void question_card_fits_each_screen(void **state)
{
	const struct switcher_question question =
		question_of(LINES, "opens network browser -> zone");

	(void)state;
	for (size_t i = 0; i < SCREENS; i++) {
		show(screens[i].width, screens[i].height);
		ask(&question);
		struct rect inner = model_inner(&model);
		struct rect place = question_card_place(&model, inner);

		assert_int_equal(model.questions.page_count, screens[i].pages);
		assert_true(rect_contains(inner, place));
		assert_int_equal(2 * place.x + place.w, inner.w);
		for (uint32_t page = 0; page < screens[i].pages; page++) {
			struct rect same = question_card_place(&model, inner);
			struct canvas canvas = draw(pixels[page % 2]);

			assert_int_equal(model.questions.page, page);
			assert_memory_equal(&same, &place, sizeof(place));
			assert_true(page == 0 ||
				    memcmp(pixels[0], pixels[1],
					   (size_t)canvas.stride * (size_t)canvas.height));
			int32_t row = lowest_row(&canvas, canvas.width - 100, LOOK_TEXT);

			assert_true(row > canvas.height - 30 && row < canvas.height - 10);
			tap(KEY_PAGEDOWN);
		}
		assert_true(question_is_read(&model.questions));
	}
}

/* No piece of a line is wider than its row, so that none is cut; the widest letters too. */
static void question_card_cuts_no_line(void **state)
{
	char wide[SWITCHER_LINE_SIZE];

	(void)state;
	memset(wide, 'W', sizeof(wide));
	wide[100] = 0;
	for (size_t i = 0; i < SCREENS; i++) {
		const struct switcher_question question = question_of(LINES, wide);
		struct page page;
		uint32_t line_end = 0;

		show(screens[i].width, screens[i].height);
		ask(&question);
		for (uint32_t k = 0; k < model.questions.page_count; k++) {
			assert_true(page_make(&model.questions.metrics, &question, k, &page));
			for (uint32_t r = 0; r < page.row_count; r++) {
				char text[SWITCHER_LINE_SIZE];

				snprintf(text, sizeof(text), "%.*s", (int)page.row[r].size,
					 question.line[page.row[r].line] + page.row[r].begin);
				assert_true(font_width(&fonts.fonts[QUESTION_CARD_FONT], text) <=
					    model.questions.metrics.room);
			}
			line_end = page.line_end;
		}
		assert_int_equal(line_end, LINES);
	}
}

/* A card with few lines has the size that it always had; one line more makes it a row taller. */
static void question_card_grows_with_its_lines(void **state)
{
	static const int32_t heights[] = {330, 330, 330, 330, 355, 380};

	(void)state;
	for (uint32_t lines = 0; lines < 6; lines++) {
		const struct switcher_question question = question_of(lines, "line");

		show(1024, 768);
		ask(&question);
		assert_int_equal(question_card_place(&model, model_inner(&model)).h,
				 heights[lines]);
	}
}

/* What cannot be chosen yet looks so, and differs once it can be; pages that were read stay read.
 */
static void question_card_shows_what_is_locked(void **state)
{
	const struct switcher_question question = question_of(20, "line");
	uint32_t box[2];

	(void)state;
	show(1024, 768);
	ask(&question);
	for (unsigned int i = 0; i < 2; i++) {
		struct canvas canvas = draw(pixels[0]);

		memcpy(&box[i],
		       canvas.pixels + (size_t)(canvas.height - 80) * canvas.stride +
			       (size_t)(canvas.width - 60) * 4,
		       sizeof(box[i]));
		tap(KEY_DOWN);
		tap(KEY_UP);
	}
	assert_int_equal(box[0] & 0xffffff, LOOK_RAISED);
	assert_int_equal(box[1] & 0xffffff, LOOK_EDGE);
}

/* A title that is too long for one row takes two and loses nothing; the widest, too. */
static void question_card_breaks_a_long_title(void **state)
{
	struct switcher_question question = question_of(1, "line");
	struct canvas canvas;

	(void)state;
	memset(question.title, 'W', SWITCHER_TEXT_SIZE - 1);
	show(1024, 768);
	ask(&question);
	canvas = draw(pixels[0]);
	uint8_t advance[FONT_GLYPHS];

	font_advances(&fonts.fonts[FONT_TITLE], advance);
	uint32_t first = page_fit(advance, canvas.width - 2 * PAGE_MARGIN, question.title);

	assert_true(first < SWITCHER_TEXT_SIZE - 1);
	assert_true(font_width(&fonts.fonts[FONT_TITLE], question.title + first) <=
		    canvas.width - 2 * PAGE_MARGIN);
}

/* On a screen that has no room for the card nothing but the safe answer is left. */
static void question_card_too_small_stays_safe(void **state)
{
	const struct switcher_question question = question_of(1, "line");

	(void)state;
	show(320, 200);
	ask(&question);
	draw(pixels[0]);
	assert_false(question_is_read(&model.questions));
	tap(KEY_RIGHT);
	assert_int_equal(model.questions.choice, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question_card_fits_each_screen),
		cmocka_unit_test(question_card_cuts_no_line),
		cmocka_unit_test(question_card_grows_with_its_lines),
		cmocka_unit_test(question_card_shows_what_is_locked),
		cmocka_unit_test(question_card_breaks_a_long_title),
		cmocka_unit_test(question_card_too_small_stays_safe),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
