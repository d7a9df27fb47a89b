/* SPDX-License-Identifier: Apache-2.0 */
/** A policy that is tried: what confirms it, what ends it, and its record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "policy_state.h"

#define BOOT  "0f9d2c1a-5b5e-4f6a-8c3d-2e1f00aa77bb"
#define OTHER "00000000-5b5e-4f6a-8c3d-2e1f00aa77bb"
#define BOTH  (POLICY_NEED_PROMPT | POLICY_NEED_IT)

/* A change that touches nothing of the kind stays at once. */
static void policy_state_keeps_a_harmless_change(void **state)
{
	struct policy_state policy = {.current = 3};

	(void)state;
	assert_true(policy_state_begin(&policy, 4, 0, 1000, 60, BOOT));
	assert_int_equal(policy.current, 4);
	assert_int_equal(policy.trial, 0);
	assert_false(policy_state_is_due(&policy, UINT64_MAX));
}

/* Without confirmation the one before counts again when the time is over, and not before. */
static void policy_state_reverts_in_time(void **state)
{
	struct policy_state policy = {.current = 3};

	(void)state;
	assert_true(policy_state_begin(&policy, 4, POLICY_NEED_PROMPT, 1000, 60, BOOT));
	assert_int_equal(policy.current, 3);
	assert_int_equal(policy_state_left_ms(&policy, 2000), 59000);
	assert_false(policy_state_is_due(&policy, 60999));
	assert_true(policy_state_is_due(&policy, 61000));
	assert_int_equal(policy_state_left_ms(&policy, 61000), 0);
	assert_true(policy_state_revert(&policy));
	assert_int_equal(policy.current, 3);
	assert_int_equal(policy.trial, 0);
	assert_false(policy_state_revert(&policy));
}

/* The confirmation comes through the very way that was touched; another one counts nothing. */
static void policy_state_is_confirmed_through_its_way(void **state)
{
	struct policy_state policy = {.current = 3};

	(void)state;
	assert_true(policy_state_begin(&policy, 4, POLICY_NEED_PROMPT, 1000, 60, BOOT));
	assert_false(policy_state_confirm(&policy, POLICY_NEED_IT));
	assert_int_equal(policy.trial, 4);
	assert_true(policy_state_confirm(&policy, POLICY_NEED_PROMPT));
	assert_int_equal(policy.current, 4);
	assert_int_equal(policy.trial, 0);
	assert_false(policy_state_confirm(&policy, POLICY_NEED_PROMPT));
}

/* Who touches both ways needs both, in any order, and each once. */
static void policy_state_needs_every_way(void **state)
{
	struct policy_state policy = {0};

	(void)state;
	assert_true(policy_state_begin(&policy, 1, BOTH, 0, 60, BOOT));
	assert_true(policy_state_confirm(&policy, POLICY_NEED_IT));
	assert_int_equal(policy.trial, 1);
	assert_int_equal(policy.needs, POLICY_NEED_PROMPT);
	assert_false(policy_state_confirm(&policy, POLICY_NEED_IT));
	assert_true(policy_state_is_due(&policy, 60000));
	assert_true(policy_state_confirm(&policy, POLICY_NEED_PROMPT));
	assert_int_equal(policy.current, 1);
}

/* One at a time, and only forward: nothing changes otherwise. */
static void policy_state_tries_one_at_a_time(void **state)
{
	struct policy_state policy = {.current = 3}, before;

	(void)state;
	assert_false(policy_state_begin(&policy, 3, 0, 0, 60, BOOT));
	assert_false(policy_state_begin(&policy, 4, BOTH, 0, 60, ""));
	assert_true(policy_state_begin(&policy, 4, BOTH, 0, 60, BOOT));
	before = policy;
	assert_false(policy_state_begin(&policy, 5, 0, 0, 60, BOOT));
	assert_memory_equal(&policy, &before, sizeof(policy));
}

/* A daemon that starts again goes on with the trial; another boot, or one too late, does not. */
static void policy_state_survives_a_restart_not_a_boot(void **state)
{
	struct policy_state policy = {0};

	(void)state;
	assert_true(policy_state_begin(&policy, 1, BOTH, 5000, 60, BOOT));
	assert_true(policy_state_goes_on(&policy, BOOT, 64999));
	assert_false(policy_state_goes_on(&policy, BOOT, 65000));
	assert_false(policy_state_goes_on(&policy, OTHER, 6000));
	policy.deadline_ms = UINT64_MAX;
	assert_false(policy_state_goes_on(&policy, BOOT, 6000));
}

/* The longest time is a day, whatever was said. */
static void policy_state_bounds_the_time(void **state)
{
	struct policy_state policy = {0};

	(void)state;
	assert_true(policy_state_begin(&policy, 1, BOTH, 0, UINT64_MAX / 4, BOOT));
	assert_int_equal(policy.deadline_ms, POLICY_TRIAL_MS_MAX);
}

/* A record is read as it was written. */
static void policy_state_comes_back_from_its_record(void **state)
{
	struct policy_state policy = {.current = 7}, again = {0};
	char text[POLICY_STATE_TEXT];
	size_t size = policy_state_encode(&policy, text);

	(void)state;
	assert_int_equal(policy_state_decode(text, size, &again), 0);
	assert_int_equal(again.current, 7);
	assert_int_equal(again.trial, 0);
	assert_true(policy_state_begin(&policy, UINT32_MAX, BOTH, UINT64_MAX / 2, 60, BOOT));
	size = policy_state_encode(&policy, text);
	assert_int_equal(policy_state_decode(text, size, &again), 0);
	assert_memory_equal(&again, &policy, sizeof(policy));
}

/* Who began a trial is in its record, and gone with the trial; IT's trials name nobody. */
static void policy_state_knows_who_tries(void **state)
{
	struct policy_state policy = {.current = 7}, again = {0};
	char text[POLICY_STATE_TEXT];
	size_t size;

	(void)state;
	assert_true(policy_state_begin(&policy, 8, BOTH, 0, 60, BOOT));
	assert_int_equal(policy.by, 0);
	policy.by = UINT32_MAX - 1;
	size = policy_state_encode(&policy, text);
	assert_int_equal(policy_state_decode(text, size, &again), 0);
	assert_memory_equal(&again, &policy, sizeof(policy));
	assert_true(policy_state_revert(&policy));
	assert_int_equal(policy.by, 0);
}

static void refuses(const char *text)
{
	struct policy_state policy = {.current = 99};

	assert_int_equal(policy_state_decode(text, strlen(text), &policy), -EBADMSG);
	assert_int_equal(policy.current, 99);
}

/* What no writer of ours left is refused: cut off, repeated, out of range, spelt otherwise. */
static void policy_state_refuses_other_records(void **state)
{
	(void)state;
	refuses("");
	refuses("bulkhead-policy-state 1\ncurrent 1\n");
	refuses("bulkhead-policy-state 2\ncurrent 1\ntrial 0 0 0 -\n");
	refuses("bulkhead-policy-state 1\ncurrent 01\ntrial 0 0 0 -\n");
	refuses("bulkhead-policy-state 1\ncurrent 4294967296\ntrial 0 0 0 -\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 0 0 0 -\n\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 0 1 0 -\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 1 1 9 " BOOT "\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 2 0 9 " BOOT "\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 2 4 9 " BOOT "\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 2 1 9 ../../etc\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 2 1 9 -\n" BOOT);
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 0 0 0 -\nby 1000\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 2 1 9 " BOOT "\nby 0\n");
	refuses("bulkhead-policy-state 1\ncurrent 1\ntrial 2 1 9 " BOOT "\nby\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_state_keeps_a_harmless_change),
		cmocka_unit_test(policy_state_reverts_in_time),
		cmocka_unit_test(policy_state_is_confirmed_through_its_way),
		cmocka_unit_test(policy_state_needs_every_way),
		cmocka_unit_test(policy_state_tries_one_at_a_time),
		cmocka_unit_test(policy_state_survives_a_restart_not_a_boot),
		cmocka_unit_test(policy_state_bounds_the_time),
		cmocka_unit_test(policy_state_comes_back_from_its_record),
		cmocka_unit_test(policy_state_knows_who_tries),
		cmocka_unit_test(policy_state_refuses_other_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
