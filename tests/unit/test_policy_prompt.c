/* SPDX-License-Identifier: Apache-2.0 */
/** A change of policy at the trusted prompt: all of it, in its order, or no question at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "policy_diff_item.h"
#include "policy_private.h"

static struct policy_diff diff;
static struct switcher_question question;
static struct policy_held before, after;

static int setup(void **state)
{
	(void)state;
	diff = (struct policy_diff){0};
	before = after = (struct policy_held){.bytes = NULL};
	before.layer[TEXT_USER].there = after.layer[TEXT_USER].there = true;
	return 0;
}

static void add(uint32_t count, enum policy_diff_touches touches, uint32_t needs,
		enum policy_diff_when when)
{
	for (uint32_t i = 0; i < count; i++) {
		struct policy_diff_item like = {.touches = touches,
						.effect = POLICY_DIFF_OPENS,
						.when = when,
						.needs = needs};

		policy_diff_add(&diff, &like, "thing %u", i);
	}
}

/* What touches keys comes first even if it was found last; what needs nobody is told too. */
static void policy_prompt_tells_all_changes(void **state)
{
	(void)state;
	add(SWITCHER_LINES_MAX - 2, POLICY_DIFF_FLOW, 0, POLICY_DIFF_NOW);
	add(1, POLICY_DIFF_IT, POLICY_NEED_IT, POLICY_DIFF_BOOT);
	add(1, POLICY_DIFF_KEYS, POLICY_NEED_PROMPT, POLICY_DIFF_START);
	assert_null(policy_prompt_refuse(&diff, &before, &after));
	policy_prompt_make(&diff, 59000, &question);
	assert_int_equal(question.line_count, SWITCHER_LINES_MAX);
	assert_string_equal(question.line[0], "opens thing 0, from its next start");
	assert_string_equal(question.line[1], "opens thing 0, from the next boot");
	assert_string_equal(question.line[2], "opens thing 0");
	assert_string_equal(question.line[SWITCHER_LINES_MAX - 1], "opens thing 125");
	assert_int_equal(question.seconds, 60);
	assert_int_equal(question.fallback, 0);
	assert_string_equal(question.choice[0], "Take it back");
	assert_int_equal(question.part, SWITCHER_NOBODY);
}

/* More than a person can be shown is refused when the prompt would decide it, and much more in any
 * case. */
static void policy_prompt_refuses_what_cannot_be_read(void **state)
{
	(void)state;
	add(SWITCHER_LINES_MAX, POLICY_DIFF_FLOW, 0, POLICY_DIFF_NOW);
	add(1, POLICY_DIFF_IT, POLICY_NEED_IT, POLICY_DIFF_NOW);
	assert_null(policy_prompt_refuse(&diff, &before, &after));
	add(1, POLICY_DIFF_SCREEN, POLICY_NEED_PROMPT, POLICY_DIFF_NOW);
	assert_non_null(
		strstr(policy_prompt_refuse(&diff, &before, &after), "more than 128 things"));
	diff = (struct policy_diff){0};
	add(SWITCHER_LINES_MAX, POLICY_DIFF_SCREEN, POLICY_NEED_PROMPT, POLICY_DIFF_NOW);
	assert_null(policy_prompt_refuse(&diff, &before, &after));
	add(1, POLICY_DIFF_FLOW, 0, POLICY_DIFF_NOW);
	assert_non_null(policy_prompt_refuse(&diff, &before, &after));
	diff = (struct policy_diff){0};
	add(POLICY_DIFF_MAX, POLICY_DIFF_FLOW, 0, POLICY_DIFF_NOW);
	assert_null(policy_prompt_refuse(&diff, &before, &after));
	add(1, POLICY_DIFF_FLOW, 0, POLICY_DIFF_NOW);
	assert_non_null(
		strstr(policy_prompt_refuse(&diff, &before, &after), "more than 1024 things"));
}

/* Leaving the user's layer out is never refused; the prompt says how many it does not name, and
 * these are the least dangerous. */
static void policy_prompt_counts_on_the_way_back(void **state)
{
	(void)state;
	add(POLICY_DIFF_MAX + 5, POLICY_DIFF_FLOW, 0, POLICY_DIFF_NOW);
	add(1, POLICY_DIFF_KEYS, POLICY_NEED_PROMPT, POLICY_DIFF_NOW);
	assert_non_null(policy_prompt_refuse(&diff, &before, &after));
	after.layer[TEXT_USER].there = false;
	assert_null(policy_prompt_refuse(&diff, &before, &after));
	before.layer[TEXT_USER].there = false;
	assert_non_null(policy_prompt_refuse(&diff, &before, &after));
	policy_prompt_make(&diff, 1000, &question);
	assert_int_equal(question.line_count, SWITCHER_LINES_MAX);
	assert_string_equal(question.line[0], "opens thing 0");
	assert_string_equal(question.line[SWITCHER_LINES_MAX - 2], "opens thing 125");
	assert_non_null(strstr(question.line[SWITCHER_LINES_MAX - 1], "AND 903 MORE"));
	assert_true(strlen(question.line[SWITCHER_LINES_MAX - 1]) < SWITCHER_LINE_SIZE - 8);
}

/* A text that is too long for its line ends with a mark; times are bounded. */
static void policy_prompt_marks_what_it_cuts(void **state)
{
	struct policy_diff_item like = {.effect = POLICY_DIFF_TIGHTENS, .when = POLICY_DIFF_START};
	char name[POLICY_DIFF_TEXT_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	policy_diff_add(&diff, &like, "%s", name);
	policy_prompt_make(&diff, UINT64_MAX, &question);
	assert_int_equal(strlen(question.line[0]), SWITCHER_LINE_SIZE - 1);
	assert_string_equal(question.line[0] + SWITCHER_LINE_SIZE - 5, "x...");
	assert_int_equal(question.seconds, SWITCHER_SECONDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(policy_prompt_tells_all_changes, setup),
		cmocka_unit_test_setup(policy_prompt_refuses_what_cannot_be_read, setup),
		cmocka_unit_test_setup(policy_prompt_counts_on_the_way_back, setup),
		cmocka_unit_test_setup(policy_prompt_marks_what_it_cuts, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
