/* SPDX-License-Identifier: Apache-2.0 */
/* Trusted questions: which keys answer, from when on, and what guests get meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/input-event-codes.h>

#include "ui/core/model.h"

static struct model model;
static struct effects effects;
static uint64_t now;

static struct switcher_question question_of(uint32_t id, uint32_t seconds)
{
	struct switcher_question question = {.type = SWITCHER_ASK,
					     .id = id,
					     .part = 10,
					     .choice_count = 3,
					     .fallback = 1,
					     .seconds = seconds,
					     .title = "Copy?",
					     .choice = {"Once", "Deny", "Always"}};

	return question;
}

/* Two partitions that run and show pictures; partition 10 has the focus; all is drawn. */
static int setup(void **state)
{
	(void)state;
	model_init(&model, 1024, 768);
	effects.count = 0;
	now = 1000;
	for (uint32_t i = 1; i <= 2; i++) {
		struct switcher_msg msg = {.type = SWITCHER_ADD,
					   .id = i * 10,
					   .order = i,
					   .name = "p",
					   .title = "P",
					   .state = SWITCHER_RUNNING};
		struct surface_msg show = {
			.type = SURFACE_SCANOUT, .width = 1024, .height = 736, .stride = 4096};

		model_add(&model, &msg, &effects);
		model_state(&model, &msg, &effects);
		model_surface(&model, model_find(&model, i * 10), &show);
	}
	model_frame(&model, &effects);
	effects.count = 0;
	return 0;
}

static void frame(void)
{
	model_clock(&model, now);
	model_frame(&model, &effects);
}

static void pass(uint64_t ms)
{
	now += ms;
	model_time(&model, now, &effects);
}

static void key(uint32_t code, int32_t value)
{
	model_clock(&model, now);
	model_input(&model, EV_KEY, code, value, &effects);
}

static void tap(uint32_t code)
{
	key(code, 1);
	key(code, 0);
}

static void ask_about(uint32_t part, uint32_t id, uint32_t seconds)
{
	struct switcher_question question = question_of(id, seconds);

	question.part = part;
	model_clock(&model, now);
	model_ask(&model, &question, &effects);
}

/* About the machine. */
static void ask(uint32_t id, uint32_t seconds)
{
	ask_about(SWITCHER_NOBODY, id, seconds);
}

/* Asked, seen, and quiet for long enough. */
static void ask_and_wait(uint32_t id, uint32_t seconds)
{
	ask(id, seconds);
	frame();
	pass(SWITCHER_DEAD_MS);
	effects.count = 0;
}

static unsigned count_of(enum effect_type type)
{
	unsigned count = 0;

	for (unsigned i = 0; i < effects.count; i++) {
		count += effects.list[i].type == type;
	}
	return count;
}

static void expect_answer(uint32_t id, uint32_t choice, enum switcher_by by)
{
	for (unsigned i = 0; i < effects.count; i++) {
		const struct switcher_answer *answer = &effects.list[i].answer;

		if (effects.list[i].type == EFFECT_ANSWER) {
			assert_int_equal(answer->type, SWITCHER_ANSWER);
			assert_int_equal(answer->id, id);
			assert_int_equal(answer->choice, choice);
			assert_int_equal(answer->by, by);
			assert_int_equal(count_of(EFFECT_ANSWER), 1);
			return;
		}
	}
	fail_msg("no answer");
}

/* Enter takes what is marked, and at first that is the safe choice. */
static void question_marks_the_fallback_first(void **state)
{
	(void)state;
	ask_and_wait(7, 0);
	tap(KEY_ENTER);
	expect_answer(7, 1, SWITCHER_BY_KEY);
	assert_false(model_asking(&model));
}

/* Arrows and Tab move the mark around, Enter takes it, Escape never does. */
static void question_keys_choose(void **state)
{
	(void)state;
	ask_and_wait(1, 0);
	tap(KEY_LEFT);
	tap(KEY_ENTER);
	expect_answer(1, 0, SWITCHER_BY_KEY);
	ask_and_wait(2, 0);
	tap(KEY_RIGHT);
	tap(KEY_KPENTER);
	expect_answer(2, 2, SWITCHER_BY_KEY);
	ask_and_wait(3, 0);
	tap(KEY_TAB);
	tap(KEY_TAB);
	tap(KEY_ENTER);
	expect_answer(3, 0, SWITCHER_BY_KEY);
	ask_and_wait(4, 0);
	tap(KEY_RIGHT);
	tap(KEY_ESC);
	expect_answer(4, 1, SWITCHER_BY_KEY);
}

/* Letters, digits, blanks, mouse buttons, releases and repeats answer nothing. */
static void question_takes_no_other_keys(void **state)
{
	(void)state;
	ask_and_wait(1, 0);
	tap(KEY_Y);
	tap(KEY_1);
	tap(KEY_SPACE);
	tap(BTN_LEFT);
	key(KEY_ENTER, 0);
	key(KEY_ENTER, 2);
	assert_int_equal(effects.count, 0);
	assert_true(model_asking(&model));
}

/* Somebody who types on when the question appears answers nothing until they pause. */
static void question_ignores_who_is_typing(void **state)
{
	(void)state;
	ask(1, 0);
	tap(KEY_ENTER); /* not even drawn */
	frame();
	for (unsigned i = 0; i < 20; i++) {
		pass(SWITCHER_DEAD_MS - 1);
		tap(i % 2 ? KEY_RIGHT : KEY_ENTER);
	}
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	pass(SWITCHER_DEAD_MS - 1);
	assert_false(model.questions.armed);
	pass(1);
	assert_true(model.questions.armed);
	tap(KEY_ENTER);
	expect_answer(1, 1, SWITCHER_BY_KEY);
}

/* Keys that waited while this process could not run do not answer, however late it is. */
static void question_ignores_keys_of_before_a_stall(void **state)
{
	(void)state;
	ask(1, 0);
	frame();
	now += 60000;
	tap(KEY_RIGHT);
	tap(KEY_ENTER);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	pass(SWITCHER_DEAD_MS);
	tap(KEY_ENTER);
	expect_answer(1, 1, SWITCHER_BY_KEY);
}

/* Without an answer in its time the fallback is taken; the time runs from when it is seen. */
static void question_ends_by_itself(void **state)
{
	(void)state;
	ask(5, 30);
	pass(100000);
	assert_true(model_asking(&model));
	frame();
	pass(SWITCHER_DEAD_MS);
	tap(KEY_RIGHT);
	pass(29000);
	assert_true(model_asking(&model));
	assert_int_equal(model.questions.seconds_left, 1);
	pass(499);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	pass(1);
	expect_answer(5, 1, SWITCHER_BY_TIME);
	assert_int_equal(model_wake_ms(&model), UINT64_MAX);
}

/* The loop is woken for the dead time, for each second, and for the end. */
static void question_wakes_when_something_changes(void **state)
{
	uint64_t wakes[] = {500, 1000, 2000, 3000};

	(void)state;
	ask(1, 3);
	assert_int_equal(model_wake_ms(&model), UINT64_MAX);
	frame();
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(model_wake_ms(&model), 1000 + wakes[i]);
		model.card_dirty = false;
		pass(1000 + wakes[i] - now);
		assert_true(model.card_dirty || !model_asking(&model));
	}
	expect_answer(1, 1, SWITCHER_BY_TIME);
}

/* While a question is shown no guest gets a key, a button or a movement, and what was down is
 * released first. */
static void question_keeps_input_from_guests(void **state)
{
	(void)state;
	key(KEY_A, 1);
	effects.count = 0;
	ask(1, 0);
	assert_int_equal(count_of(EFFECT_INPUT), 2); /* release and SYN */
	assert_int_equal(effects.list[0].input.code, KEY_A);
	assert_int_equal(effects.list[0].input.value, 0);
	effects.count = 0;
	frame();
	tap(KEY_B);
	key(KEY_A, 0);
	key(KEY_LEFTMETA, 1);
	key(KEY_LEFTMETA, 0);
	tap(BTN_LEFT);
	model_input(&model, EV_REL, REL_X, 5, &effects);
	model_input(&model, EV_REL, REL_WHEEL, 1, &effects);
	model_input(&model, EV_SYN, SYN_REPORT, 0, &effects);
	pass(SWITCHER_DEAD_MS);
	tap(KEY_ESC);
	assert_int_equal(count_of(EFFECT_INPUT) + count_of(EFFECT_POINTER), 0);
	expect_answer(1, 1, SWITCHER_BY_KEY);
	effects.count = 0;
	tap(KEY_B);
	assert_int_equal(count_of(EFFECT_INPUT), 4);
}

/* The key that answered is not seen by the guest when it goes up. */
static void question_keeps_the_release_of_its_key(void **state)
{
	(void)state;
	ask_and_wait(1, 0);
	key(KEY_ENTER, 1);
	effects.count = 0;
	key(KEY_ENTER, 0);
	assert_int_equal(effects.count, 0);
}

/* Nothing of a guest is drawn while a question is shown, whatever it sends; then all of it. */
static void question_hides_guests(void **state)
{
	const struct surface_msg damage = {.type = SURFACE_DAMAGE, .width = 100, .height = 100};

	(void)state;
	ask(1, 0);
	frame();
	assert_int_equal(count_of(EFFECT_QUESTION), 1);
	assert_int_equal(count_of(EFFECT_STRIP), 1);
	assert_int_equal(count_of(EFFECT_BLIT), 0);
	for (unsigned i = 0; i < effects.count; i++) {
		assert_int_equal(effects.list[i].part, EFFECT_PART_NONE);
	}
	effects.count = 0;
	model_surface(&model, model_find(&model, 10), &damage);
	assert_false(model_frame_due(&model));
	key(KEY_LEFTMETA, 1);
	key(KEY_2, 1); /* the chord works; the question stays */
	key(KEY_2, 0);
	key(KEY_LEFTMETA, 0);
	assert_int_equal(model.focus, model_find(&model, 20));
	frame();
	assert_int_equal(count_of(EFFECT_QUESTION), 1);
	assert_int_equal(count_of(EFFECT_BLIT), 0);
	pass(SWITCHER_DEAD_MS);
	tap(KEY_ESC);
	effects.count = 0;
	frame();
	assert_int_equal(count_of(EFFECT_BLIT), 1);
	assert_int_equal(count_of(EFFECT_STRIP), 1);
}

/* Each waits for its turn, and its dead time begins when it is seen. */
static void questions_are_asked_one_by_one(void **state)
{
	(void)state;
	ask_and_wait(1, 0);
	ask(2, 0);
	tap(KEY_ENTER);
	expect_answer(1, 1, SWITCHER_BY_KEY);
	effects.count = 0;
	tap(KEY_ENTER);
	frame();
	tap(KEY_ENTER);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	pass(SWITCHER_DEAD_MS);
	tap(KEY_ENTER);
	expect_answer(2, 1, SWITCHER_BY_KEY);
}

/* One too many, or a second one with the same number, is answered at once with its fallback. */
static void questions_are_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SWITCHER_QUESTIONS_MAX; i++) {
		ask(i, 0);
	}
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	ask(99, 0);
	expect_answer(99, 1, SWITCHER_BY_BUSY);
	effects.count = 0;
	model_withdraw(&model, 3);
	ask(2, 0);
	expect_answer(2, 1, SWITCHER_BY_BUSY);
}

/* One partition gets two places, all of them together leave one for the machine. */
static void questions_leave_room_for_others(void **state)
{
	(void)state;
	ask_about(10, 1, 0);
	ask_about(10, 2, 0);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	ask_about(10, 3, 0);
	expect_answer(3, 1, SWITCHER_BY_BUSY);
	effects.count = 0;
	ask_about(20, 4, 0);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	ask_about(30, 5, 0);
	expect_answer(5, 1, SWITCHER_BY_BUSY);
	effects.count = 0;
	ask(6, 0);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	assert_int_equal(model.questions.list[0].id, 1); /* what is shown stays */
	assert_int_equal(model.questions.list[1].id, 6);
	assert_int_equal(model.questions.list[2].id, 2);
	assert_int_equal(model.questions.list[3].id, 4);
}

/* A partition that was refused cannot keep the screen by asking again and again; others can ask,
 * and it can after a while, or when it was allowed. */
static void question_refused_pauses_the_partition(void **state)
{
	(void)state;
	frame();
	ask_about(10, 1, 0);
	frame();
	pass(SWITCHER_DEAD_MS);
	tap(KEY_ESC);
	effects.count = 0;
	pass(SWITCHER_PAUSE_MS - 1);
	ask_about(10, 2, 0);
	expect_answer(2, 1, SWITCHER_BY_BUSY);
	effects.count = 0;
	ask_about(20, 3, 0);
	assert_true(model_asking(&model));
	frame();
	pass(SWITCHER_DEAD_MS);
	tap(KEY_RIGHT);
	tap(KEY_ENTER);
	expect_answer(3, 2, SWITCHER_BY_KEY);
	effects.count = 0;
	ask_about(20, 4, 1);
	ask_about(10, 5, 0);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	frame();
	pass(1000);
	expect_answer(4, 1, SWITCHER_BY_TIME);
	effects.count = 0;
	ask_about(20, 6, 0);
	expect_answer(6, 1, SWITCHER_BY_BUSY);
}

/* A question that is withdrawn goes without an answer; the next one takes its place. */
static void question_withdraw_gives_no_answer(void **state)
{
	(void)state;
	ask_and_wait(1, 0);
	ask(2, 0);
	tap(KEY_RIGHT);
	model_withdraw(&model, 1);
	model_withdraw(&model, 77);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	assert_int_equal(model.questions.list[0].id, 2);
	assert_int_equal(model.questions.choice, 1);
	assert_false(model.questions.armed);
	model_withdraw_all(&model);
	assert_false(model_asking(&model));
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	frame();
	assert_int_equal(count_of(EFFECT_BLIT), 1);
}

/* Forty short lines: sixteen to a page of this screen. */
static void ask_long(uint32_t id, uint32_t seconds)
{
	struct switcher_question question = question_of(id, seconds);

	question.part = SWITCHER_NOBODY;
	question.line_count = 40;
	for (uint32_t i = 0; i < 40; i++) {
		snprintf(question.line[i], SWITCHER_LINE_SIZE, "line %u", i);
	}
	model_clock(&model, now);
	model_ask(&model, &question, &effects);
	frame();
	pass(SWITCHER_DEAD_MS);
	effects.count = 0;
}

/* Turns a page, sees it and is quiet for long enough. */
static void turn(uint32_t code)
{
	tap(code);
	frame();
	pass(SWITCHER_DEAD_MS);
	effects.count = 0;
}

static uint32_t lines_of_answer(void)
{
	for (unsigned i = 0; i < effects.count; i++) {
		if (effects.list[i].type == EFFECT_ANSWER) {
			return effects.list[i].answer.lines;
		}
	}
	return UINT32_MAX;
}

/* Before the last page was on the screen nothing but the safe choice can be marked or taken; after
 * it the others can, also from an earlier page. */
static void question_must_be_read_to_the_end(void **state)
{
	(void)state;
	ask_long(1, 0);
	assert_int_equal(model.questions.page_count, 3);
	for (unsigned i = 0; i < 2; i++) {
		assert_false(question_is_read(&model.questions));
		tap(KEY_LEFT);
		tap(KEY_RIGHT);
		tap(KEY_TAB);
		assert_int_equal(model.questions.choice, 1);
		assert_int_equal(effects.count, 0);
		turn(KEY_DOWN);
	}
	assert_true(question_is_read(&model.questions));
	turn(KEY_UP);
	tap(KEY_RIGHT);
	tap(KEY_ENTER);
	expect_answer(1, 2, SWITCHER_BY_KEY);
	assert_int_equal(lines_of_answer(), 40);
}

/* A page that was asked for and is not on the screen yet was not read. */
static void question_counts_pages_that_were_drawn(void **state)
{
	(void)state;
	ask_long(1, 0);
	turn(KEY_DOWN);
	tap(KEY_DOWN);
	assert_int_equal(model.questions.page, 2);
	assert_false(question_is_read(&model.questions));
	pass(10 * SWITCHER_DEAD_MS);
	assert_false(model.questions.armed);
	tap(KEY_RIGHT);
	tap(KEY_ENTER);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	frame();
	assert_true(question_is_read(&model.questions));
}

/* The safe answer is taken on every page, and says how much was seen. */
static void question_can_be_refused_on_any_page(void **state)
{
	static const uint32_t keys[] = {KEY_ESC, KEY_ENTER, KEY_KPENTER};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		ask_long(i, 0);
		for (uint32_t k = 0; k < i; k++) {
			turn(KEY_PAGEDOWN);
		}
		tap(keys[i]);
		expect_answer(i, 1, SWITCHER_BY_KEY);
		assert_int_equal(lines_of_answer(), i == 2 ? 40 : 16 * (i + 1));
		effects.count = 0;
	}
}

/* After each turn no key counts until it was quiet for as long as at the start. */
static void question_is_quiet_after_each_turn(void **state)
{
	(void)state;
	ask_long(1, 0);
	turn(KEY_DOWN);
	tap(KEY_DOWN);
	frame();
	effects.count = 0;
	assert_int_equal(model_wake_ms(&model), now + SWITCHER_DEAD_MS);
	for (unsigned i = 0; i < 5; i++) {
		pass(SWITCHER_DEAD_MS - 1);
		tap(i % 2 ? KEY_ENTER : KEY_UP);
	}
	assert_int_equal(model.questions.page, 2);
	assert_int_equal(count_of(EFFECT_ANSWER), 0);
	pass(SWITCHER_DEAD_MS - 1);
	assert_false(model.questions.armed);
	pass(1);
	assert_true(model.questions.armed);
	tap(KEY_UP);
	assert_int_equal(model.questions.page, 1);
	assert_false(model.questions.armed);
}

/* Both pairs of keys turn, one page at a time, and none beyond the first and the last. */
static void question_turns_one_page_at_a_time(void **state)
{
	static const uint32_t keys[] = {KEY_UP,	  KEY_DOWN, KEY_PAGEDOWN, KEY_PAGEDOWN,
					KEY_DOWN, KEY_UP,   KEY_PAGEUP,	  KEY_PAGEUP};
	static const uint32_t pages[] = {0, 1, 2, 2, 2, 1, 0, 0};

	(void)state;
	ask_long(1, 0);
	for (unsigned i = 0; i < 8; i++) {
		turn(keys[i]);
		assert_int_equal(model.questions.page, pages[i]);
	}
	tap(KEY_END);
	tap(KEY_SPACE);
	key(KEY_DOWN, 2);
	assert_int_equal(model.questions.page, 0);
	assert_int_equal(effects.count, 0);
}

/* Turning pages wins no time: the fallback is taken when it would have been, in the dead time of a
 * page too. */
static void question_pages_win_no_time(void **state)
{
	(void)state;
	ask_long(1, 3);
	pass(1000);
	turn(KEY_DOWN);
	assert_int_equal(model.questions.seconds_left, 1);
	pass(999);
	tap(KEY_DOWN);
	frame();
	effects.count = 0;
	pass(1);
	expect_answer(1, 1, SWITCHER_BY_TIME);
}

/* What was read of one question does not count for the next. */
static void question_begins_unread(void **state)
{
	(void)state;
	ask_long(1, 0);
	ask_long(2, 0);
	turn(KEY_DOWN);
	turn(KEY_DOWN);
	assert_true(question_is_read(&model.questions));
	tap(KEY_ESC);
	expect_answer(1, 1, SWITCHER_BY_KEY);
	frame();
	pass(SWITCHER_DEAD_MS);
	assert_int_equal(model.questions.page, 0);
	assert_false(question_is_read(&model.questions));
	tap(KEY_RIGHT);
	assert_int_equal(model.questions.choice, 1);
}

/* On a screen without room for one card nothing but the safe answer is left, lines or not. */
static void question_without_room_is_refused(void **state)
{
	(void)state;
	model_init(&model, 320, 200);
	ask_long(1, 0);
	tap(KEY_DOWN);
	tap(KEY_RIGHT);
	tap(KEY_ENTER);
	expect_answer(1, 1, SWITCHER_BY_KEY);
	assert_int_equal(lines_of_answer(), 0);
	effects.count = 0;
	ask_and_wait(2, 0);
	tap(KEY_RIGHT);
	tap(KEY_ENTER);
	expect_answer(2, 1, SWITCHER_BY_KEY);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(question_marks_the_fallback_first, setup),
		cmocka_unit_test_setup(question_keys_choose, setup),
		cmocka_unit_test_setup(question_takes_no_other_keys, setup),
		cmocka_unit_test_setup(question_ignores_who_is_typing, setup),
		cmocka_unit_test_setup(question_ignores_keys_of_before_a_stall, setup),
		cmocka_unit_test_setup(question_ends_by_itself, setup),
		cmocka_unit_test_setup(question_wakes_when_something_changes, setup),
		cmocka_unit_test_setup(question_keeps_input_from_guests, setup),
		cmocka_unit_test_setup(question_keeps_the_release_of_its_key, setup),
		cmocka_unit_test_setup(question_hides_guests, setup),
		cmocka_unit_test_setup(questions_are_asked_one_by_one, setup),
		cmocka_unit_test_setup(questions_are_bounded, setup),
		cmocka_unit_test_setup(questions_leave_room_for_others, setup),
		cmocka_unit_test_setup(question_refused_pauses_the_partition, setup),
		cmocka_unit_test_setup(question_withdraw_gives_no_answer, setup),
		cmocka_unit_test_setup(question_must_be_read_to_the_end, setup),
		cmocka_unit_test_setup(question_counts_pages_that_were_drawn, setup),
		cmocka_unit_test_setup(question_can_be_refused_on_any_page, setup),
		cmocka_unit_test_setup(question_is_quiet_after_each_turn, setup),
		cmocka_unit_test_setup(question_turns_one_page_at_a_time, setup),
		cmocka_unit_test_setup(question_pages_win_no_time, setup),
		cmocka_unit_test_setup(question_begins_unread, setup),
		cmocka_unit_test_setup(question_without_room_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
