/* SPDX-License-Identifier: Apache-2.0 */
/** What one user may cost, and that nobody pays for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "quota.h"

#define START 1000000u /* each test has its own users, and accounts that are full */

/* So many at once, then one for each time that passed. */
static void quota_lets_a_burst_pass_and_then_a_rate(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < QUOTA_RECORDS; i++) {
		assert_true(quota_take(1, START));
	}
	assert_false(quota_take(1, START));
	assert_false(quota_take(1, START + QUOTA_RECORD_MS - 1));
	assert_true(quota_take(1, START + QUOTA_RECORD_MS));
	assert_false(quota_take(1, START + QUOTA_RECORD_MS));
}

/* Who waits long enough has all of it again, and no more. */
static void quota_is_full_again_and_never_fuller(void **state)
{
	uint64_t later = START + 10ull * QUOTA_RECORDS * QUOTA_RECORD_MS;

	(void)state;
	for (unsigned int i = 0; i < QUOTA_RECORDS; i++) {
		assert_true(quota_take(2, START));
	}
	for (unsigned int i = 0; i < QUOTA_RECORDS; i++) {
		assert_true(quota_take(2, later));
	}
	assert_false(quota_take(2, later));
}

/* One user's requests cost another nothing. */
static void quota_is_each_users_own(void **state)
{
	(void)state;
	while (quota_take(3, START)) {
	}
	assert_true(quota_take(4, START));
	quota_spend(3, START, 100 * QUOTA_POLICY_MS);
	assert_true(quota_may_apply(4, START));
}

/* Policies have CPU time of their own: some at once, then a part of all time. */
static void quota_bounds_the_time_for_policies(void **state)
{
	(void)state;
	assert_true(quota_may_apply(5, START));
	quota_spend(5, START, QUOTA_POLICY_MS - 1);
	assert_true(quota_may_apply(5, START));
	quota_spend(5, START, 1);
	assert_false(quota_may_apply(5, START));
	assert_true(quota_may_apply(5, START + 1));
	quota_spend(5, START + 1, 1000);
	assert_false(quota_may_apply(5, START + 1 + 1000 * QUOTA_POLICY_PART - 1));
	assert_true(quota_may_apply(5, START + 1 + 1000 * QUOTA_POLICY_PART));
	assert_true(quota_take(5, START));
}

/* With more users than accounts, those who used least are forgotten; who used up theirs is not. */
static void quota_remembers_who_used_it_up(void **state)
{
	(void)state;
	while (quota_take(6, START)) {
	}
	for (uid_t uid = 100; uid < 100 + 4 * QUOTA_USERS; uid++) {
		assert_true(quota_take(uid, START));
	}
	assert_false(quota_take(6, START));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quota_lets_a_burst_pass_and_then_a_rate),
		cmocka_unit_test(quota_is_full_again_and_never_fuller),
		cmocka_unit_test(quota_is_each_users_own),
		cmocka_unit_test(quota_bounds_the_time_for_policies),
		cmocka_unit_test(quota_remembers_who_used_it_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
