/* SPDX-License-Identifier: Apache-2.0 */
/** What may come over the sockets of the switcher, and what may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/core/message.h"

static struct surface_msg scanout(void)
{
	return (struct surface_msg){
		.type = SURFACE_SCANOUT, .width = 1024, .height = 736, .stride = 4096};
}

static bool surface_ok(struct surface_msg msg, unsigned fds)
{
	struct surface_msg out;

	return message_decode_surface(&msg, sizeof(msg), fds, &out);
}

/* A scan-out with one fd is good; without, or with two, it is not. */
static void decode_surface_wants_one_fd_for_scanout(void **state)
{
	assert_true(surface_ok(scanout(), 1));
	assert_false(surface_ok(scanout(), 0));
	assert_false(surface_ok(scanout(), 2));
}

/* Switching the scan-out off needs no fd and must bring none. */
static void decode_surface_takes_scanout_off(void **state)
{
	struct surface_msg msg = {.type = SURFACE_SCANOUT};

	assert_true(surface_ok(msg, 0));
	assert_false(surface_ok(msg, 1));
}

/* Sizes are capped, rows hold their pixels, pixels are aligned. */
static void decode_surface_checks_scanout_geometry(void **state)
{
	struct surface_msg msg = scanout();

	msg.width = SURFACE_SIZE_MAX + 1;
	msg.stride = msg.width * 4;
	assert_false(surface_ok(msg, 1));
	msg = scanout();
	msg.height = SURFACE_SIZE_MAX + 1;
	assert_false(surface_ok(msg, 1));
	msg = scanout();
	msg.height = 0;
	assert_false(surface_ok(msg, 1));
	msg = scanout();
	msg.stride = 4092;
	assert_false(surface_ok(msg, 1));
	msg.stride = 4098;
	assert_false(surface_ok(msg, 1));
	msg = scanout();
	msg.offset = 2;
	assert_false(surface_ok(msg, 1));
	msg = scanout();
	msg.width = 0x40000000;
	msg.stride = 0;
	assert_false(surface_ok(msg, 1));
}

/* The end of the largest picture is computed without wrapping. */
static void message_surface_end_has_64_bits(void **state)
{
	struct surface_msg msg = scanout();

	msg.offset = 0xfffffffc;
	assert_true(surface_ok(msg, 1));
	assert_int_equal(message_surface_end(&msg), 0xfffffffcull + 4096ull * 736);
}

/* Packets of another size, for another scan-out, of an unknown type end the connection. */
static void decode_surface_refuses_unknown(void **state)
{
	struct surface_msg msg = scanout(), out;

	assert_false(message_decode_surface(&msg, sizeof(msg) - 1, 1, &out));
	assert_false(message_decode_surface(&msg, 0, 1, &out));
	msg.scanout = 1;
	assert_false(surface_ok(msg, 1));
	for (uint32_t type = 0; type < 100; type++) {
		struct surface_msg other = {.type = type};
		bool known = type == SURFACE_SCANOUT || type == SURFACE_DAMAGE ||
			     type == SURFACE_CURSOR || type == SURFACE_CURSOR_MOVE ||
			     type == SURFACE_RESET;

		assert_int_equal(surface_ok(other, 0), known);
	}
}

/* A hot spot lies in the cursor's picture, which has one size. */
static void decode_surface_checks_cursor(void **state)
{
	struct surface_msg msg = {.type = SURFACE_CURSOR, .width = 64, .height = 64, .x = 63};

	assert_true(surface_ok(msg, 1));
	msg.x = 64;
	assert_false(surface_ok(msg, 1));
	msg = (struct surface_msg){.type = SURFACE_CURSOR, .width = 32, .height = 32};
	assert_false(surface_ok(msg, 1));
}

/* A cursor may lie past any edge, but not further than a surface is wide. */
static void decode_surface_takes_signed_cursor_place(void **state)
{
	static const int32_t good[] = {0, -1, -8192, 8192},
			     bad[] = {8193, -8193, INT32_MAX, INT32_MIN};

	for (unsigned i = 0; i < 4; i++) {
		struct surface_msg msg = {.type = SURFACE_CURSOR_MOVE, .x = (uint32_t)good[i]};

		assert_true(surface_ok(msg, 0));
		msg.y = (uint32_t)bad[i];
		assert_false(surface_ok(msg, 0));
	}
}

/* Nothing is written to the result of a refused packet. */
static void decode_surface_leaves_result_alone_on_failure(void **state)
{
	struct surface_msg msg = {.type = 99}, out = scanout(), before = out;

	assert_false(message_decode_surface(&msg, sizeof(msg), 0, &out));
	assert_memory_equal(&out, &before, sizeof(out));
}

static struct switcher_msg add(void)
{
	return (struct switcher_msg){
		.type = SWITCHER_ADD, .id = 7, .order = 1, .name = "a", .title = "A", .fds = 7};
}

/* The fds that came are those that the bits name. */
static void decode_switcher_counts_fds(void **state)
{
	struct switcher_msg msg = add(), out;

	assert_true(message_decode_switcher(&msg, sizeof(msg), 3, &out));
	assert_false(message_decode_switcher(&msg, sizeof(msg), 2, &out));
	msg.fds = 5;
	assert_true(message_decode_switcher(&msg, sizeof(msg), 2, &out));
	msg.fds = 8;
	assert_false(message_decode_switcher(&msg, sizeof(msg), 1, &out));
}

/* Values out of range are refused, each alone. */
static void decode_switcher_checks_ranges(void **state)
{
	struct switcher_msg out;
	struct switcher_msg bad[7] = {add(), add(), add(), add(), add(), add(), add()};

	bad[0].order = 0;
	bad[1].order = SWITCHER_ORDER_MAX + 1;
	bad[2].pattern = SWITCHER_PATTERN_COUNT;
	bad[3].colour = 0x1000000;
	bad[4].name[0] = '\0';
	bad[5].title[0] = '\0';
	bad[6].type = SWITCHER_READY;
	for (unsigned i = 0; i < 7; i++) {
		assert_false(message_decode_switcher(&bad[i], sizeof(bad[i]), 3, &out));
	}
	struct switcher_msg st = {.type = SWITCHER_STATE, .progress = 101};

	assert_false(message_decode_switcher(&st, sizeof(st), 0, &out));
	st.progress = 100;
	assert_true(message_decode_switcher(&st, sizeof(st), 0, &out));
	st.state = SWITCHER_STATE_COUNT;
	assert_false(message_decode_switcher(&st, sizeof(st), 0, &out));
	st = (struct switcher_msg){.type = SWITCHER_WARNING, .text = "no IOMMU"};
	assert_true(message_decode_switcher(&st, sizeof(st), 0, &out));
	assert_false(message_decode_switcher(&st, sizeof(st), 1, &out));
}

/* Strings come out terminated, and what is not printable ASCII becomes '?'. */
static void decode_switcher_cleans_strings(void **state)
{
	struct switcher_msg msg = add(), out;

	memset(msg.title, 'x', sizeof(msg.title));
	memcpy(msg.name, "a\x1b[31m\xc3\xa4", 9);
	assert_true(message_decode_switcher(&msg, sizeof(msg), 3, &out));
	assert_int_equal(strlen(out.title), SWITCHER_NAME_SIZE - 1);
	assert_string_equal(out.name, "a?[31m??");
}

static struct switcher_question question_of(uint32_t seconds)
{
	struct switcher_question question = {.type = SWITCHER_ASK,
					     .id = 1,
					     .choice_count = 3,
					     .fallback = 1,
					     .seconds = seconds,
					     .title = "Copy?",
					     .choice = {"Once", "Deny", "Always"}};

	return question;
}

/* A question that makes no sense is dropped; strings come out closed and printable. */
static void message_decode_question_checks_everything(void **state)
{
	const struct switcher_question good = question_of(SWITCHER_SECONDS_MAX);
	static struct switcher_question bad[8], out;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		bad[i] = good;
	}
	bad[0].type = SWITCHER_ADD;
	bad[1].choice_count = 1;
	bad[2].choice_count = SWITCHER_CHOICES_MAX + 1;
	bad[3].fallback = 3;
	bad[4].seconds = SWITCHER_SECONDS_MAX + 1;
	bad[5].title[0] = '\0';
	bad[6].choice[2][0] = '\0';
	bad[7].choice_count = UINT32_MAX;
	for (unsigned i = 0; i < 8; i++) {
		assert_false(message_decode_question(&bad[i], SWITCHER_QUESTION_SIZE(0), 0, &out));
	}
	assert_false(message_decode_question(&good, SWITCHER_QUESTION_SIZE(0) - 1, 0, &out));
	assert_false(message_decode_question(&good, SWITCHER_QUESTION_SIZE(0), 1, &out));
	assert_int_equal(out.id, 0);
	bad[0] = good;
	bad[0].choice_count = 2;
	memset(bad[0].title, 0x1b, sizeof(bad[0].title));
	assert_true(message_decode_question(&bad[0], SWITCHER_QUESTION_SIZE(0), 0, &out));
	assert_int_equal(strlen(out.title), SWITCHER_TEXT_SIZE - 1);
	assert_int_equal(out.title[0], '?');
	assert_string_equal(out.choice[2], "");
}

/* The packet ends behind the last line that it names; lines come out closed and printable, and none
 * past the last one. */
static void message_decode_question_counts_lines(void **state)
{
	static struct switcher_question in, out;
	static uint8_t longer[sizeof(in) + 1];

	(void)state;
	in = question_of(0);
	memset(in.line, 0x07, sizeof(in.line));
	in.line_count = 2;
	assert_true(message_decode_question(&in, SWITCHER_QUESTION_SIZE(2), 0, &out));
	assert_int_equal(out.line_count, 2);
	assert_int_equal(strlen(out.line[1]), SWITCHER_LINE_SIZE - 1);
	assert_int_equal(out.line[1][0], '?');
	assert_int_equal(out.line[2][0], 0);
	assert_false(message_decode_question(&in, SWITCHER_QUESTION_SIZE(1), 0, &out));
	assert_false(message_decode_question(&in, SWITCHER_QUESTION_SIZE(3), 0, &out));
	assert_false(message_decode_question(&in, SWITCHER_QUESTION_SIZE(2) - 1, 0, &out));
	assert_false(message_decode_question(&in, SWITCHER_QUESTION_SIZE(2) + 1, 0, &out));
	in.line_count = SWITCHER_LINES_MAX;
	assert_true(message_decode_question(&in, sizeof(in), 0, &out));
	memcpy(longer, &in, sizeof(in));
	assert_false(message_decode_question(longer, sizeof(longer), 0, &out));
	in.line_count = SWITCHER_LINES_MAX + 1;
	assert_false(message_decode_question(&in, sizeof(in), 0, &out));
	in.line_count = UINT32_MAX;
	assert_false(message_decode_question(&in, SWITCHER_QUESTION_SIZE(0) - SWITCHER_LINE_SIZE, 0,
					     &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_surface_wants_one_fd_for_scanout),
		cmocka_unit_test(decode_surface_takes_scanout_off),
		cmocka_unit_test(decode_surface_checks_scanout_geometry),
		cmocka_unit_test(message_surface_end_has_64_bits),
		cmocka_unit_test(decode_surface_refuses_unknown),
		cmocka_unit_test(decode_surface_checks_cursor),
		cmocka_unit_test(decode_surface_takes_signed_cursor_place),
		cmocka_unit_test(decode_surface_leaves_result_alone_on_failure),
		cmocka_unit_test(decode_switcher_counts_fds),
		cmocka_unit_test(decode_switcher_checks_ranges),
		cmocka_unit_test(decode_switcher_cleans_strings),
		cmocka_unit_test(message_decode_question_checks_everything),
		cmocka_unit_test(message_decode_question_counts_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
