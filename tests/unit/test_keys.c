/* SPDX-License-Identifier: Apache-2.0 */
/** The chord and the record of keys that a guest believes to be down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <linux/input-event-codes.h>

#include "ui/core/keys.h"

static void expect_one(struct keys_result r, uint16_t code, bool down)
{
	assert_int_equal(r.action, KEYS_NONE);
	assert_int_equal(r.count, 1);
	assert_int_equal(r.events[0].code, code);
	assert_int_equal(r.events[0].down, down);
}

static void expect_nothing(struct keys_result r)
{
	assert_int_equal(r.action, KEYS_NONE);
	assert_int_equal(r.count, 0);
}

/* Ordinary keys pass as they are. */
static void keys_feed_passes_plain_key(void **state)
{
	struct keys keys = {0};

	expect_one(keys_feed(&keys, KEY_A, 1), KEY_A, true);
	expect_one(keys_feed(&keys, KEY_A, 0), KEY_A, false);
}

/* A guest repeats keys by itself; repeats of ours would double them. */
static void keys_feed_drops_repeat(void **state)
{
	struct keys keys = {0};

	keys_feed(&keys, KEY_A, 1);
	expect_nothing(keys_feed(&keys, KEY_A, 2));
}

/* Super and a digit ask for that partition, and neither of them reaches a guest, down or up. */
static void keys_feed_swallows_chord(void **state)
{
	struct keys keys = {0};

	expect_nothing(keys_feed(&keys, KEY_LEFTMETA, 1));
	struct keys_result r = keys_feed(&keys, KEY_2, 1);

	assert_int_equal(r.action, KEYS_FOCUS);
	assert_int_equal(r.order, 2);
	assert_int_equal(r.count, 0);
	expect_nothing(keys_feed(&keys, KEY_2, 2));
	expect_nothing(keys_feed(&keys, KEY_2, 0));
	expect_nothing(keys_feed(&keys, KEY_LEFTMETA, 0));
}

/* The right Super does the same, and so does Super released before the digit. */
static void keys_feed_swallows_chord_of_right_super_released_first(void **state)
{
	struct keys keys = {0};

	keys_feed(&keys, KEY_RIGHTMETA, 1);
	assert_int_equal(keys_feed(&keys, KEY_9, 1).order, 9);
	expect_nothing(keys_feed(&keys, KEY_RIGHTMETA, 0));
	expect_nothing(keys_feed(&keys, KEY_9, 0));
}

/* Super+Tab goes on, with Shift back, whichever of Super and Shift went down first. */
static void keys_feed_cycles_with_tab(void **state)
{
	struct keys keys = {0};

	keys_feed(&keys, KEY_LEFTMETA, 1);
	assert_int_equal(keys_feed(&keys, KEY_TAB, 1).action, KEYS_NEXT);
	keys_feed(&keys, KEY_TAB, 0);
	expect_one(keys_feed(&keys, KEY_LEFTSHIFT, 1), KEY_LEFTSHIFT, true);
	assert_int_equal(keys_feed(&keys, KEY_TAB, 1).action, KEYS_PREVIOUS);
	keys_feed(&keys, KEY_TAB, 0);
	keys_feed(&keys, KEY_LEFTMETA, 0);
	keys_feed(&keys, KEY_LEFTMETA, 1);
	assert_int_equal(keys_feed(&keys, KEY_TAB, 1).action, KEYS_PREVIOUS);
}

/* A Super that was pressed and released alone is the guest's: it comes as a tap on release. */
static void keys_feed_passes_lone_super_on_release(void **state)
{
	struct keys keys = {0};

	expect_nothing(keys_feed(&keys, KEY_LEFTMETA, 1));
	struct keys_result r = keys_feed(&keys, KEY_LEFTMETA, 0);

	assert_int_equal(r.count, 2);
	assert_int_equal(r.events[0].code, KEY_LEFTMETA);
	assert_true(r.events[0].down);
	assert_false(r.events[1].down);
}

/* With any other key Super reaches the guest just before that key, and its release after it. */
static void keys_feed_passes_super_with_other_key(void **state)
{
	struct keys keys = {0};

	keys_feed(&keys, KEY_LEFTMETA, 1);
	struct keys_result r = keys_feed(&keys, KEY_L, 1);

	assert_int_equal(r.count, 2);
	assert_int_equal(r.events[0].code, KEY_LEFTMETA);
	assert_int_equal(r.events[1].code, KEY_L);
	expect_one(keys_feed(&keys, KEY_L, 0), KEY_L, false);
	expect_one(keys_feed(&keys, KEY_LEFTMETA, 0), KEY_LEFTMETA, false);
}

/* The chord still works when the guest knows of the Super already. */
static void keys_feed_takes_chord_after_super_was_passed(void **state)
{
	struct keys keys = {0};

	keys_feed(&keys, KEY_LEFTMETA, 1);
	keys_feed(&keys, KEY_L, 1);
	assert_int_equal(keys_feed(&keys, KEY_3, 1).action, KEYS_FOCUS);
	expect_nothing(keys_feed(&keys, KEY_3, 0));
}

/* After a chord the Super that is still down is no modifier for the next guest. */
static void keys_feed_hides_used_super_from_next_partition(void **state)
{
	struct keys keys = {0};

	keys_feed(&keys, KEY_LEFTMETA, 1);
	keys_feed(&keys, KEY_2, 1);
	expect_one(keys_feed(&keys, KEY_L, 1), KEY_L, true);
	expect_one(keys_feed(&keys, KEY_L, 0), KEY_L, false);
	expect_nothing(keys_feed(&keys, KEY_LEFTMETA, 0));
}

/* Super and a modifier, both released, is no tap: nothing pops up in the guest. */
static void keys_feed_gives_no_tap_after_modifier(void **state)
{
	struct keys keys = {0};

	keys_feed(&keys, KEY_LEFTMETA, 1);
	keys_feed(&keys, KEY_LEFTSHIFT, 1);
	keys_feed(&keys, KEY_LEFTSHIFT, 0);
	expect_nothing(keys_feed(&keys, KEY_LEFTMETA, 0));
}

/* A second keyboard that releases a key which was never sent is not heard. */
static void keys_feed_drops_release_without_press(void **state)
{
	struct keys keys = {0};

	expect_nothing(keys_feed(&keys, KEY_A, 0));
}

/* Codes and values out of range change nothing. */
static void keys_feed_ignores_nonsense(void **state)
{
	struct keys keys = {0}, before = {0};

	expect_nothing(keys_feed(&keys, KEYS_COUNT, 1));
	expect_nothing(keys_feed(&keys, UINT32_MAX, 1));
	expect_nothing(keys_feed(&keys, KEY_A, -1));
	expect_nothing(keys_feed(&keys, KEY_A, 3));
	assert_memory_equal(&keys, &before, sizeof(keys));
}

/* Each key that the guest believes to be down is taken once; its later release is not sent again.
 */
static void keys_take_sent_returns_each_once(void **state)
{
	struct keys keys = {0};
	uint16_t code;

	keys_feed(&keys, KEY_A, 1);
	keys_feed(&keys, BTN_LEFT, 1);
	keys_feed(&keys, KEY_MAX, 1);
	assert_true(keys_take_sent(&keys, &code));
	assert_int_equal(code, KEY_A);
	assert_true(keys_take_sent(&keys, &code));
	assert_int_equal(code, BTN_LEFT);
	assert_true(keys_take_sent(&keys, &code));
	assert_int_equal(code, KEY_MAX);
	assert_false(keys_take_sent(&keys, &code));
	expect_nothing(keys_feed(&keys, KEY_A, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_feed_passes_plain_key),
		cmocka_unit_test(keys_feed_drops_repeat),
		cmocka_unit_test(keys_feed_swallows_chord),
		cmocka_unit_test(keys_feed_swallows_chord_of_right_super_released_first),
		cmocka_unit_test(keys_feed_cycles_with_tab),
		cmocka_unit_test(keys_feed_passes_lone_super_on_release),
		cmocka_unit_test(keys_feed_passes_super_with_other_key),
		cmocka_unit_test(keys_feed_takes_chord_after_super_was_passed),
		cmocka_unit_test(keys_feed_hides_used_super_from_next_partition),
		cmocka_unit_test(keys_feed_gives_no_tap_after_modifier),
		cmocka_unit_test(keys_feed_drops_release_without_press),
		cmocka_unit_test(keys_feed_ignores_nonsense),
		cmocka_unit_test(keys_take_sent_returns_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
