/* SPDX-License-Identifier: Apache-2.0 */
/** The supervision of a partition's processes, told what happened and asked what to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "super.h"

#define START  1000000ull
#define TIMES  2u
#define STEADY 60000000ull

/* A partition with three processes that run. */
static struct super running(bool restart)
{
	struct super super;

	super_init(&super, restart ? TIMES : 0, STEADY);
	assert_true(super_start(&super));
	assert_int_equal(super_next(&super), SUPER_LAUNCH);
	super_launched(&super, true, "", START);
	return super;
}

/* A start launches, once. */
static void super_start_launches_once(void **state)
{
	struct super super = running(true);

	(void)state;
	assert_int_equal(super.state, SUPER_RUNNING);
	assert_int_equal(super_next(&super), SUPER_NONE);
	assert_false(super_start(&super));
}

/* One process that ends takes the others with it, and only when all are gone it starts again. */
static void super_failure_ends_all_then_starts_again(void **state)
{
	struct super super = running(true);

	(void)state;
	super_ended(&super, SUPER_END_FAILURE, "blk0 killed by signal 9", 2, START + 1);
	assert_int_equal(super_next(&super), SUPER_END);
	super_ended(&super, SUPER_END_FAILURE, "runner lost a back end", 1, START + 2);
	assert_int_equal(super_next(&super), SUPER_NONE);
	super_ended(&super, SUPER_END_CLEAN, "", 0, START + 3);
	assert_int_equal(super_next(&super), SUPER_LAUNCH);
	assert_string_equal(super.why, "blk0 killed by signal 9");
}

static void fail_and_restart(struct super *super, uint64_t now)
{
	super_ended(super, SUPER_END_FAILURE, "triple fault", 0, now);
	assert_int_equal(super_next(super), SUPER_LAUNCH);
	super_launched(super, true, "", now);
}

/* It starts again twice in a row; the third failure stays. */
static void super_gives_up_after_two_restarts(void **state)
{
	struct super super = running(true);

	(void)state;
	fail_and_restart(&super, START + 1);
	fail_and_restart(&super, START + 2);
	super_ended(&super, SUPER_END_FAILURE, "triple fault", 0, START + 3);
	assert_int_equal(super_next(&super), SUPER_RELEASE);
	assert_int_equal(super.state, SUPER_FAILED);
	assert_true(super_start(&super));
	assert_int_equal(super_next(&super), SUPER_LAUNCH);
	assert_int_equal(super.restarts, 0);
}

/* After a minute without a failure the count begins anew. */
static void super_forgets_failures_after_a_steady_run(void **state)
{
	struct super super = running(true);

	(void)state;
	fail_and_restart(&super, START + 1);
	fail_and_restart(&super, START + 2);
	fail_and_restart(&super, START + 2 + STEADY);
	assert_int_equal(super.restarts, 1);
}

/* "restart": "never" means never. */
static void super_never_restarts_if_policy_says_so(void **state)
{
	struct super super = running(false);

	(void)state;
	super_ended(&super, SUPER_END_FAILURE, "triple fault", 0, START + 1);
	assert_int_equal(super_next(&super), SUPER_RELEASE);
	assert_int_equal(super.state, SUPER_FAILED);
	assert_string_equal(super.why, "triple fault");
}

/* A guest that powers off stays off; one that resets itself comes back, whatever the policy. */
static void super_follows_the_guest(void **state)
{
	struct super super = running(true);

	(void)state;
	super_ended(&super, SUPER_END_CLEAN, "powered off", 0, START + 1);
	assert_int_equal(super_next(&super), SUPER_RELEASE);
	assert_int_equal(super.state, SUPER_STOPPED);
	super = running(false);
	super_ended(&super, SUPER_END_REBOOT, "asked for a reset", 0, START + 1);
	assert_int_equal(super_next(&super), SUPER_LAUNCH);
}

/* A stop while it is on its way down or up again wins. */
static void super_stop_wins_over_restart(void **state)
{
	struct super super = running(true);

	(void)state;
	super_ended(&super, SUPER_END_FAILURE, "triple fault", 2, START + 1);
	assert_true(super_stop(&super));
	assert_int_equal(super_next(&super), SUPER_END);
	super_ended(&super, SUPER_END_CLEAN, "", 0, START + 2);
	assert_int_equal(super_next(&super), SUPER_RELEASE);
	assert_int_equal(super.state, SUPER_STOPPED);
	assert_false(super_stop(&super));
}

/* A launch that failed is not tried again, and what had been started by then is ended. */
static void super_failed_launch_stays_failed(void **state)
{
	struct super super;

	(void)state;
	super_init(&super, TIMES, STEADY);
	super_start(&super);
	super_next(&super);
	super_launched(&super, false, "/x: No such file or directory", START);
	assert_int_equal(super_next(&super), SUPER_END);
	super_ended(&super, SUPER_END_CLEAN, "", 0, START);
	assert_int_equal(super_next(&super), SUPER_RELEASE);
	assert_int_equal(super.state, SUPER_FAILED);
	assert_string_equal(super.why, "/x: No such file or directory");
}

/* A reset ends all and starts again; a partition that is stopped refuses it. */
static void super_reset_restarts_what_runs(void **state)
{
	struct super super = running(false);

	(void)state;
	assert_true(super_reset(&super));
	assert_int_equal(super_next(&super), SUPER_END);
	assert_false(super_reset(&super));
	super_ended(&super, SUPER_END_CLEAN, "", 0, START);
	assert_int_equal(super_next(&super), SUPER_LAUNCH);
	super_init(&super, TIMES, STEADY);
	assert_false(super_reset(&super));
}

/* Another policy counts at once: fewer restarts end a row that is under way. */
static void super_follows_another_policy(void **state)
{
	struct super super = running(true);

	(void)state;
	fail_and_restart(&super, START + 1);
	super_set_policy(&super, 1, STEADY);
	super_ended(&super, SUPER_END_FAILURE, "triple fault", 0, START + 2);
	assert_int_equal(super_next(&super), SUPER_RELEASE);
	assert_int_equal(super.state, SUPER_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(super_start_launches_once),
		cmocka_unit_test(super_failure_ends_all_then_starts_again),
		cmocka_unit_test(super_gives_up_after_two_restarts),
		cmocka_unit_test(super_forgets_failures_after_a_steady_run),
		cmocka_unit_test(super_never_restarts_if_policy_says_so),
		cmocka_unit_test(super_follows_the_guest),
		cmocka_unit_test(super_stop_wins_over_restart),
		cmocka_unit_test(super_failed_launch_stays_failed),
		cmocka_unit_test(super_reset_restarts_what_runs),
		cmocka_unit_test(super_follows_another_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
