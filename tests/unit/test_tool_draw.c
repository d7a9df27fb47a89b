/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures of info, in plain ASCII. */
#include "tool_draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* Each parent stands one step further in, and never so far that nothing is seen of it. */
static void draw_branch_goes_in_by_depth(void **state)
{
	char text[TOOL_DRAW_BRANCH];

	(void)state;
	assert_string_equal(tool_draw_branch(text, 0, true), "  ");
	assert_string_equal(tool_draw_branch(text, 1, true), "  `- ");
	assert_string_equal(tool_draw_branch(text, 2, true), "     `- ");
	assert_string_equal(tool_draw_branch(text, 1, false), "        ");
	assert_true(strlen(tool_draw_branch(text, 32, true)) < 50);
}

/* A cell is empty, less than half full, fuller, or full. */
static void draw_strip_has_four_grades(void **state)
{
	uint64_t held[TOOL_DRAW_CELLS] = {0}, total = TOOL_DRAW_CELLS * 1000;
	char text[TOOL_DRAW_STRIP];

	(void)state;
	tool_draw_add(held, total, 0, 1000);
	tool_draw_add(held, total, 1000, 600);
	tool_draw_add(held, total, 2999, 2);
	tool_draw_strip(text, held, total);
	assert_memory_equal(text, "#+--....", 8);
	assert_string_equal(text + TOOL_DRAW_CELLS, "  3 % in use");
}

/* The cells of a disk share every byte of it among them, also when it does not divide. */
static void draw_strip_counts_each_byte_once(void **state)
{
	uint64_t held[TOOL_DRAW_CELLS] = {0}, total = 1000003, sum = 0;
	char text[TOOL_DRAW_STRIP];

	(void)state;
	tool_draw_add(held, total, 0, 500000);
	tool_draw_add(held, total, 500000, 500003);
	for (unsigned i = 0; i < TOOL_DRAW_CELLS; i++) {
		sum += held[i];
	}
	assert_int_equal(sum, total);
	tool_draw_strip(text, held, total);
	assert_string_equal(text + TOOL_DRAW_CELLS, "  100 % in use");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draw_branch_goes_in_by_depth),
		cmocka_unit_test(draw_strip_has_four_grades),
		cmocka_unit_test(draw_strip_counts_each_byte_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
