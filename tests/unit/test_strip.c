/* SPDX-License-Identifier: Apache-2.0 */
/** The trusted strip: where things are, and that partitions differ in it, also without colour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "ui/trusted/colour.h"
#include "ui/trusted/look.h"
#include "ui/trusted/pattern.h"
#include "ui/trusted/strip.h"

static struct font_set fonts;
static struct model model;
static struct effects effects;

static void add(uint32_t order, const char *title, enum switcher_pattern pattern)
{
	struct switcher_msg msg = {
		.id = order, .order = order, .colour = 0x1f6feb, .pattern = pattern, .name = "x"};

	snprintf(msg.title, sizeof(msg.title), "%s", title);
	model_add(&model, &msg, &effects);
}

static int load(void **state)
{
	pattern_init();
	return font_set_load(&fonts, FONT_DIR);
}

static int unload(void **state)
{
	font_set_free(&fonts);
	return 0;
}

static void expect_sound(const struct strip_layout *l, int32_t width)
{
	struct rect all = {0, 0, width, MODEL_STRIP_HEIGHT};

	assert_true(rect_contains(all, l->title));
	assert_int_equal(l->title.x + l->title.w, l->pattern.x);
	assert_int_equal(l->pattern.x + l->pattern.w, l->tabs.x);
	assert_int_equal(l->tabs.x + l->tabs.w, width);
	for (unsigned i = 0; i < l->tab_count; i++) {
		const struct strip_tab *t = &l->tab[i];

		assert_true(rect_contains(l->tabs, t->all));
		assert_true(rect_contains(t->all, t->key));
		assert_true(rect_contains(t->all, t->mark));
		assert_true(t->name_x + t->name_width <= t->mark.x);
		if (i) {
			assert_true(l->tab[i - 1].all.x + l->tab[i - 1].all.w < t->all.x);
		}
	}
}

/* With three partitions at 1024 pixels every name is there in full and the band is wide. */
static void strip_lay_out_shows_all_names(void **state)
{
	struct strip_layout l;

	model_init(&model, 1024, 768);
	add(1, "Desktop", SWITCHER_STRIPES);
	add(2, "Browser", SWITCHER_DOTS);
	add(3, "Management", SWITCHER_CHECKS);
	strip_lay_out(&model, 0, &fonts, &l);
	expect_sound(&l, 1024);
	assert_int_equal(l.tab_count, 3);
	assert_true(l.name_width >= font_width(&fonts.fonts[FONT_TITLE], "Desktop"));
	assert_true(l.tab[2].name_width >= font_width(&fonts.fonts[FONT_TEXT], "Management"));
	assert_true(l.pattern.w > 200);
}

/* With eight partitions of the longest names nothing overlaps, on any screen, and the focused name
 * keeps room. */
static void strip_lay_out_survives_long_names_and_small_screens(void **state)
{
	for (int32_t width = 640; width <= 3840; width += 64) {
		struct strip_layout l;

		model_init(&model, width, 768);
		for (uint32_t i = 1; i <= 8; i++) {
			add(i, "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", SWITCHER_PLAIN);
		}
		strip_lay_out(&model, 3, &fonts, &l);
		expect_sound(&l, width);
		assert_true(l.name_width > 60);
	}
}

/* The strips of two partitions with the same colour differ where their patterns do, in grey too. */
static void strip_draw_tells_patterns_apart(void **state)
{
	static uint8_t pixels[2][1024 * MODEL_STRIP_HEIGHT * 4];
	struct strip_layout l;
	unsigned differ = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct canvas canvas = {pixels[i], 1024, MODEL_STRIP_HEIGHT, 4096};

		model_init(&model, 1024, 768);
		add(1, "Same", i ? SWITCHER_DOTS : SWITCHER_STRIPES);
		strip_draw(&model, 0, &fonts, &canvas);
	}
	strip_lay_out(&model, 0, &fonts, &l);
	for (int32_t y = 0; y < MODEL_STRIP_HEIGHT; y++) {
		for (int32_t x = l.pattern.x; x < l.pattern.x + l.pattern.w; x++) {
			size_t at = ((size_t)y * 1024 + (size_t)x) * 4 + 1;

			differ += abs(pixels[0][at] - pixels[1][at]) > 40;
		}
	}
	assert_true(differ > (unsigned)rect_area(l.pattern) / 5);
}

/* Text of the strip and the panels has a contrast of 4.5 to 1 and more. */
static void look_passes_contrast(void **state)
{
	static const uint32_t colours[] = {0x1f6feb, 0xc2410c, 0x15803d,
					   0xfacc15, 0x7e22ce, 0x475569};

	assert_true(colour_contrast(LOOK_TEXT, LOOK_RAISED) >= 450);
	assert_true(colour_contrast(LOOK_TEXT, LOOK_GROUND) >= 450);
	assert_true(colour_contrast(LOOK_DIM, LOOK_RAISED) >= 450);
	for (unsigned i = 0; i < sizeof(colours) / sizeof(colours[0]); i++) {
		assert_true(colour_contrast(colour_text_on(colours[i]), colours[i]) >= 450);
	}
	assert_int_equal(colour_contrast(0, 0xffffff), 2100);
}

/* No colour is so bad that neither text colour can be read on it. */
static void colour_text_on_is_readable_on_any_ground(void **state)
{
	for (uint32_t c = 0; c < 0x1000000; c += 0x070b05) {
		assert_true(colour_contrast(colour_text_on(c), c) >= 430);
	}
}

/* A mixture of nothing is the ground, of all is the ink. */
static void colour_mix_has_exact_ends(void **state)
{
	assert_int_equal(colour_mix(0x123456, 0xfedcba, 0), 0x123456);
	assert_int_equal(colour_mix(0x123456, 0xfedcba, 255), 0xfedcba);
}

/* Text never passes the width that it is given; what does not fit ends with dots. */
static void canvas_text_keeps_width(void **state)
{
	static uint8_t pixels[300 * 32 * 4];
	struct canvas canvas = {pixels, 300, 32, 1200};
	const struct font *font = &fonts.fonts[FONT_TEXT];

	for (int32_t width = 0; width < 200; width++) {
		assert_true(canvas_text(&canvas, font, 10, 20, 0xffffff, "Management", width) <=
			    width);
	}
	assert_int_equal(canvas_text(&canvas, font, 0, 20, 0xffffff, "Management", 300),
			 font_width(font, "Management"));
}

/* Drawing past every edge of a canvas touches nothing else (the sanitizer watches). */
static void canvas_clips_shapes(void **state)
{
	uint8_t *pixels = malloc(20 * 20 * 4);
	struct canvas canvas = {pixels, 20, 20, 80};
	struct canvas_point star[] = {{-500, -500}, {900, 30}, {30, 900}};

	assert_non_null(pixels);
	canvas_fill(&canvas, (struct rect){-5, -5, 100, 100}, 1);
	canvas_round(&canvas, (struct rect){-3, 15, 30, 30}, 9, 2);
	canvas_polygon(&canvas, star, 3, 3);
	canvas_pattern(&canvas, (struct rect){-9, -9, 90, 90}, SWITCHER_WAVES, 4, 5);
	canvas_text(&canvas, &fonts.fonts[FONT_HEADING], -10, 8, 6, "Wj@", 500);
	free(pixels);
}

/* A warning about the machine is on every partition's strip, inside the title, and gives no way to the
 * state. */
static void strip_shows_the_warning(void **state)
{
	struct strip_layout plain, warned;

	(void)state;
	model_init(&model, 1024, 768);
	add(1, "Desktop", SWITCHER_STRIPES);
	add(2, "Browser", SWITCHER_DOTS);
	strip_lay_out(&model, 0, &fonts, &plain);
	assert_int_equal(plain.warning.w, 0);
	model_warning(&model, "no IOMMU");
	for (uint32_t part = 0; part < 2; part++) {
		strip_lay_out(&model, part, &fonts, &warned);
		expect_sound(&warned, 1024);
		assert_true(warned.warning.w >= 60);
		assert_true(rect_contains(warned.title, warned.warning));
		assert_true(warned.warning.x >= warned.name_x + warned.name_width);
		assert_true(!warned.state_width ||
			    warned.state_x >= warned.warning.x + warned.warning.w);
	}
	strip_lay_out(&model, MODEL_PART_NONE, &fonts, &warned);
	assert_true(warned.warning.w >= 60);
	model_warning(&model, "");
	strip_lay_out(&model, 0, &fonts, &warned);
	assert_int_equal(warned.warning.w, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strip_lay_out_shows_all_names),
		cmocka_unit_test(strip_lay_out_survives_long_names_and_small_screens),
		cmocka_unit_test(strip_shows_the_warning),
		cmocka_unit_test(strip_draw_tells_patterns_apart),
		cmocka_unit_test(look_passes_contrast),
		cmocka_unit_test(colour_text_on_is_readable_on_any_ground),
		cmocka_unit_test(colour_mix_has_exact_ends),
		cmocka_unit_test(canvas_text_keeps_width),
		cmocka_unit_test(canvas_clips_shapes),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
