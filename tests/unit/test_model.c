/* SPDX-License-Identifier: Apache-2.0 */
/** Who is seen and who hears: the model of the switcher. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include <linux/input-event-codes.h>

#include "ui/core/model.h"

static struct model model;
static struct effects effects;

static void add(uint32_t id, uint32_t order)
{
	struct switcher_msg msg = {.type = SWITCHER_ADD, .id = id, .order = order};

	snprintf(msg.name, sizeof(msg.name), "part%u", id);
	snprintf(msg.title, sizeof(msg.title), "Part %u", id);
	assert_int_not_equal(model_add(&model, &msg, &effects), MODEL_PART_NONE);
}

static void set_state(uint32_t id, enum switcher_state value)
{
	struct switcher_msg msg = {.type = SWITCHER_STATE, .id = id, .state = value};

	model_state(&model, &msg, &effects);
}

static void show(uint32_t id, uint32_t width, uint32_t height)
{
	struct surface_msg msg = {
		.type = SURFACE_SCANOUT, .width = width, .height = height, .stride = width * 4};

	model_surface(&model, model_find(&model, id), &msg);
}

static void damage(uint32_t id, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
	struct surface_msg msg = {.type = SURFACE_DAMAGE, .x = x, .y = y, .width = w, .height = h};

	model_surface(&model, model_find(&model, id), &msg);
}

/* A laptop of three partitions that run and show a picture; partition 10 has the focus; all is
 * drawn. */
static int setup(void **state)
{
	model_init(&model, 1024, 768);
	effects.count = 0;
	for (uint32_t i = 1; i <= 3; i++) {
		add(i * 10, i);
		set_state(i * 10, SWITCHER_RUNNING);
		show(i * 10, 1024, 736);
	}
	model_frame(&model, &effects);
	effects.count = 0;
	return 0;
}

static void key(uint32_t code, int32_t value)
{
	model_input(&model, EV_KEY, code, value, &effects);
}

static void chord(uint32_t code)
{
	key(KEY_LEFTMETA, 1);
	key(code, 1);
	key(code, 0);
	key(KEY_LEFTMETA, 0);
}

static uint32_t focus_id(void)
{
	return model.focus == MODEL_PART_NONE ? 0 : model.parts[model.focus].id;
}

static unsigned count(enum effect_type type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < effects.count; i++) {
		n += effects.list[i].type == type;
	}
	return n;
}

static const struct effect *first(enum effect_type type)
{
	for (unsigned i = 0; i < effects.count; i++) {
		if (effects.list[i].type == type) {
			return &effects.list[i];
		}
	}
	fail_msg("no effect of type %d", (int)type);
	return NULL;
}

/* The first partition that appears has the focus; a lower order takes it over until the user
 * chooses. */
static void model_add_focuses_lowest_order(void **state)
{
	model_init(&model, 1024, 768);
	add(5, 3);
	assert_int_equal(focus_id(), 5);
	add(6, 1);
	assert_int_equal(focus_id(), 6);
	model_focus(&model, model_find(&model, 5), &effects);
	add(7, 2);
	assert_int_equal(focus_id(), 5);
}

/* Two partitions cannot have one key. */
static void model_add_refuses_order_in_use(void **state)
{
	struct switcher_msg msg = {
		.type = SWITCHER_ADD, .id = 99, .order = 2, .name = "x", .title = "X"};

	assert_int_equal(model_add(&model, &msg, &effects), MODEL_PART_NONE);
	assert_int_equal(model_find(&model, 99), MODEL_PART_NONE);
}

/* There are as many places as the protocol says, no more. */
static void model_add_refuses_when_full(void **state)
{
	for (uint32_t i = 4; i <= SWITCHER_PARTS_MAX; i++) {
		add(i * 10, i);
	}
	struct switcher_msg msg = {
		.type = SWITCHER_ADD, .id = 99, .order = 9, .name = "x", .title = "X"};

	assert_int_equal(model_add(&model, &msg, &effects), MODEL_PART_NONE);
}

/* The guest is told which size it has to draw. */
static void model_add_asks_for_size_of_inner_rectangle(void **state)
{
	add(40, 4);
	assert_int_equal(first(EFFECT_RESIZE)->rect.w, 1024);
	assert_int_equal(first(EFFECT_RESIZE)->rect.h, 736);
}

/* Super+2 moves the focus, and no partition hears anything of it. */
static void model_input_switches_on_chord(void **state)
{
	chord(KEY_2);
	assert_int_equal(focus_id(), 20);
	assert_int_equal(count(EFFECT_INPUT), 0);
	assert_int_equal(count(EFFECT_FOCUSED), 1);
}

/* Super+Tab goes round, backwards with Shift, and skips orders that nobody has. */
static void model_input_cycles(void **state)
{
	model_remove(&model, model_find(&model, 20), &effects);
	chord(KEY_TAB);
	assert_int_equal(focus_id(), 30);
	chord(KEY_TAB);
	assert_int_equal(focus_id(), 10);
	key(KEY_LEFTSHIFT, 1);
	chord(KEY_TAB);
	assert_int_equal(focus_id(), 30);
}

/* A chord for a key that no partition has does nothing, and stays unheard. */
static void model_input_ignores_chord_without_partition(void **state)
{
	chord(KEY_9);
	assert_int_equal(focus_id(), 10);
	assert_int_equal(count(EFFECT_INPUT), 0);
}

/* Keys reach the focused partition and no other. */
static void model_input_reaches_focused_only(void **state)
{
	chord(KEY_3);
	effects.count = 0;
	key(KEY_A, 1);
	assert_int_equal(effects.count, 2);
	for (unsigned i = 0; i < effects.count; i++) {
		assert_int_equal(effects.list[i].part, model_find(&model, 30));
	}
}

/* What is down at a switch is released in the old partition, before the new one has the focus; its
 * later release is not heard by the new one. */
static void model_input_releases_held_keys_at_switch(void **state)
{
	uint32_t old = model.focus;

	key(KEY_LEFTCTRL, 1);
	key(BTN_LEFT, 1);
	effects.count = 0;
	chord(KEY_2);
	assert_int_equal(count(EFFECT_INPUT), 2);
	assert_int_equal(count(EFFECT_POINTER), 2);
	const struct effect *release = first(EFFECT_INPUT);

	assert_int_equal(release->part, old);
	assert_int_equal(release->input.code, KEY_LEFTCTRL);
	assert_int_equal(release->input.value, 0);
	assert_int_equal(effects.list[effects.count - 1].type, EFFECT_FOCUSED);
	effects.count = 0;
	key(KEY_LEFTCTRL, 0);
	key(BTN_LEFT, 0);
	assert_int_equal(effects.count, 0);
}

/* Even with every key down, the list of effects is long enough for all releases. */
static void model_release_all_fits_effects(void **state)
{
	for (uint32_t code = 1; code < KEYS_COUNT; code++) {
		if (code != KEY_LEFTMETA && code != KEY_RIGHTMETA) {
			key(code, 1);
			effects.count = 0;
		}
	}
	model_release_all(&model, &effects);
	assert_int_equal(effects.count, 2 * (KEYS_COUNT - 3));
	assert_true(effects.count < EFFECTS_MAX);
}

/* A partition that is stopped hears nothing, also not the release of a key pressed meanwhile. */
static void model_input_drops_keys_of_stopped_partition(void **state)
{
	set_state(10, SWITCHER_STOPPED);
	effects.count = 0;
	key(KEY_A, 1);
	set_state(10, SWITCHER_RUNNING);
	key(KEY_A, 0);
	assert_int_equal(count(EFFECT_INPUT), 0);
}

/* The pointer is the switcher's: relative motion becomes a place on the surface and stays on it. */
static void model_input_makes_pointer_absolute(void **state)
{
	model_input(&model, EV_REL, REL_X, -5000, &effects);
	model_input(&model, EV_REL, REL_Y, 5000, &effects);
	model_input(&model, EV_SYN, SYN_REPORT, 0, &effects);
	assert_int_equal(effects.count, 3);
	assert_int_equal(effects.list[0].input.code, ABS_X);
	assert_int_equal(effects.list[0].input.value, 0);
	assert_int_equal(effects.list[1].input.code, ABS_Y);
	assert_int_equal(effects.list[1].input.value, MODEL_ABS_MAX);
	assert_int_equal(effects.list[2].input.type, EV_SYN);
}

/* A device that gives places on the screen is taken relative to the surface; the strip is off its
 * edge. */
static void model_input_takes_screen_places(void **state)
{
	model_input(&model, EV_ABS, ABS_X, 1023, &effects);
	model_input(&model, EV_ABS, ABS_Y, 3, &effects);
	model_input(&model, EV_SYN, SYN_REPORT, 0, &effects);
	assert_int_equal(effects.list[0].input.value, MODEL_ABS_MAX);
	assert_int_equal(effects.list[1].input.value, 0);
}

/* The place of a button press is told before the press. */
static void model_input_moves_before_button(void **state)
{
	model_input(&model, EV_REL, REL_X, 10, &effects);
	key(BTN_LEFT, 1);
	assert_int_equal(effects.list[0].input.type, EV_ABS);
	assert_int_equal(effects.list[3].input.code, BTN_LEFT);
	assert_int_equal(effects.list[3].type, EFFECT_POINTER);
}

/* Nothing changed, nothing is drawn. */
static void model_frame_is_empty_without_change(void **state)
{
	assert_false(model_frame_due(&model));
	model_frame(&model, &effects);
	assert_int_equal(effects.count, 0);
}

/* Damage is drawn where it is, moved below the strip. */
static void model_frame_blits_damage(void **state)
{
	damage(10, 8, 16, 100, 20);
	model_frame(&model, &effects);
	assert_int_equal(effects.count, 1);
	assert_memory_equal(&first(EFFECT_BLIT)->rect, &((struct rect){8, 48, 100, 20}),
			    sizeof(struct rect));
}

/* Damage past every edge is cut to the inner rectangle. */
static void model_frame_clips_damage(void **state)
{
	damage(10, 1000, 700, 8192, 8192);
	model_frame(&model, &effects);
	assert_memory_equal(&first(EFFECT_BLIT)->rect, &((struct rect){1000, 732, 24, 36}),
			    sizeof(struct rect));
}

/* A surface larger than the screen stays inside the inner rectangle. */
static void model_frame_keeps_huge_surface_inside(void **state)
{
	show(10, 8192, 8192);
	model_frame(&model, &effects);
	assert_memory_equal(&first(EFFECT_BLIT)->rect, &((struct rect){0, 32, 1024, 736}),
			    sizeof(struct rect));
	effects.count = 0;
	damage(10, 4000, 4000, 100, 100);
	model_frame(&model, &effects);
	assert_int_equal(effects.count, 0);
}

/* A small surface lies in the middle, and what is around it is filled, none of it in the strip. */
static void model_frame_centres_small_surface(void **state)
{
	show(10, 640, 480);
	model_frame(&model, &effects);
	assert_memory_equal(&first(EFFECT_BLIT)->rect, &((struct rect){192, 160, 640, 480}),
			    sizeof(struct rect));
	int64_t filled = 0;

	for (unsigned i = 0; i < effects.count; i++) {
		if (effects.list[i].type == EFFECT_FILL) {
			assert_true(effects.list[i].rect.y >= MODEL_STRIP_HEIGHT);
			filled += rect_area(effects.list[i].rect);
		}
	}
	assert_int_equal(filled, 1024 * 736 - 640 * 480);
}

/* Damage of a partition that is not shown is dropped; the switch to it draws everything once. */
static void model_frame_draws_hidden_partition_whole_at_switch(void **state)
{
	damage(20, 0, 0, 10, 10);
	assert_false(model_frame_due(&model));
	chord(KEY_2);
	effects.count = 0;
	model_frame(&model, &effects);
	assert_int_equal(count(EFFECT_STRIP), 1);
	assert_int_equal(count(EFFECT_BLIT), 1);
	assert_int_equal(first(EFFECT_BLIT)->rect.h, 736);
	assert_int_equal(effects.list[0].type, EFFECT_STRIP);
}

/* A partition without a picture shows the panel; a change of its words draws the card alone. */
static void model_frame_shows_panel(void **state)
{
	set_state(10, SWITCHER_FAILED);
	model_frame(&model, &effects);
	assert_int_equal(count(EFFECT_PANEL), 1);
	assert_int_equal(count(EFFECT_BLIT), 0);
	effects.count = 0;
	set_state(10, SWITCHER_STOPPED);
	model_frame(&model, &effects);
	assert_int_equal(count(EFFECT_PANEL), 0);
	assert_int_equal(count(EFFECT_CARD), 1);
}

/* A reset of the guest's device, or the loss of its back end, shows the panel. */
static void model_surface_reset_shows_panel(void **state)
{
	struct surface_msg msg = {.type = SURFACE_RESET};

	model_surface(&model, model.focus, &msg);
	model_frame(&model, &effects);
	assert_int_equal(count(EFFECT_PANEL), 1);
}

/* The cursor draws the place that it left and the place where it is, cut to the surface. */
static void model_surface_cursor_damages_both_places(void **state)
{
	struct surface_msg image = {.type = SURFACE_CURSOR, .width = 64, .height = 64};
	struct surface_msg move = {.type = SURFACE_CURSOR_MOVE, .x = 500, .y = 400};

	model_surface(&model, model.focus, &image);
	model_frame(&model, &effects);
	effects.count = 0;
	model_surface(&model, model.focus, &move);
	model_frame(&model, &effects);
	assert_int_equal(count(EFFECT_BLIT), 2);
	for (unsigned i = 0; i < effects.count; i++) {
		assert_true(effects.list[i].rect.y >= MODEL_STRIP_HEIGHT);
	}
}

/* When the focused partition is removed, the lowest order takes over; when the last one goes, the
 * greeting shows. */
static void model_remove_moves_focus(void **state)
{
	model_remove(&model, model.focus, &effects);
	assert_int_equal(focus_id(), 20);
	model_remove(&model, model.focus, &effects);
	model_remove(&model, model.focus, &effects);
	assert_int_equal(focus_id(), 0);
	effects.count = 0;
	model_frame(&model, &effects);
	assert_int_equal(first(EFFECT_PANEL)->part, EFFECT_PART_NONE);
	key(KEY_A, 1);
	chord(KEY_1);
	model_input(&model, EV_REL, REL_X, 1, &effects);
	model_input(&model, EV_SYN, SYN_REPORT, 0, &effects);
	assert_int_equal(count(EFFECT_INPUT), 0);
}

/* A second ADD keeps state and focus, forgets the old picture, and counts as a change of labels. */
static void model_add_again_keeps_focus_and_state(void **state)
{
	uint32_t version = model.label_version;

	chord(KEY_2);
	add(20, 2);
	assert_int_equal(focus_id(), 20);
	assert_int_equal(model.parts[model.focus].state, SWITCHER_RUNNING);
	assert_false(model.parts[model.focus].surface_on);
	assert_int_not_equal(model.label_version, version);
}

/* A switch by itself changes no label: strips drawn ahead stay good. */
static void model_focus_keeps_labels(void **state)
{
	uint32_t version = model.label_version;

	chord(KEY_2);
	assert_int_equal(model.label_version, version);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(model_add_focuses_lowest_order),
		TEST(model_add_refuses_order_in_use),
		TEST(model_add_refuses_when_full),
		TEST(model_add_asks_for_size_of_inner_rectangle),
		TEST(model_input_switches_on_chord),
		TEST(model_input_cycles),
		TEST(model_input_ignores_chord_without_partition),
		TEST(model_input_reaches_focused_only),
		TEST(model_input_releases_held_keys_at_switch),
		TEST(model_release_all_fits_effects),
		TEST(model_input_drops_keys_of_stopped_partition),
		TEST(model_input_makes_pointer_absolute),
		TEST(model_input_takes_screen_places),
		TEST(model_input_moves_before_button),
		TEST(model_frame_is_empty_without_change),
		TEST(model_frame_blits_damage),
		TEST(model_frame_clips_damage),
		TEST(model_frame_keeps_huge_surface_inside),
		TEST(model_frame_centres_small_surface),
		TEST(model_frame_draws_hidden_partition_whole_at_switch),
		TEST(model_frame_shows_panel),
		TEST(model_surface_reset_shows_panel),
		TEST(model_surface_cursor_damages_both_places),
		TEST(model_remove_moves_focus),
		TEST(model_add_again_keeps_focus_and_state),
		TEST(model_focus_keeps_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
