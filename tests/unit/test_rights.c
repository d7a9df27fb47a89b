/* SPDX-License-Identifier: Apache-2.0 */
/** Who somebody is, and what the policy lets them do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>
#include "policy/lang/text.h"
#include "rights.h"
#include "table_sample.h"

#define SOMEBODY 12345u

static const struct rights_groups groups = {.socket = 100, .admin = 101, .it = 102};
static struct table_sample sample;
static struct table table;
static char why[RIGHTS_WHY_SIZE];

static int setup(void **state)
{
	const char *reason;

	(void)state;
	table_sample_init(&sample);
	return table_open(&sample, sizeof(sample), &table, &reason);
}

static struct rights_peer who(uid_t uid, gid_t gid)
{
	return rights_of(&groups, uid, &gid, 1);
}

static void set(uint32_t person, uint32_t part, uint32_t actions)
{
	sample.right[person * SAMPLE_PARTS + part].actions = actions;
}

/* Root and one group are IT, another group administers, a third may ask at all; others may not. */
static void rights_know_people_by_their_groups(void **state)
{
	const gid_t both[] = {100, 102};

	(void)state;
	assert_int_equal(who(0, 7).person, TEXT_PERSON_IT);
	assert_int_equal(who(SOMEBODY, 102).person, TEXT_PERSON_IT);
	assert_int_equal(who(SOMEBODY, 101).person, TEXT_PERSON_ADMIN);
	assert_true(who(SOMEBODY, 101).known);
	assert_int_equal(who(SOMEBODY, 100).person, TEXT_PERSON_USER);
	assert_true(who(SOMEBODY, 100).known);
	assert_false(who(SOMEBODY, 7).known);
	assert_int_equal(rights_of(&groups, SOMEBODY, both, 2).person, TEXT_PERSON_IT);
	assert_string_equal(who(SOMEBODY, 101).who, "admin 12345");
}

/* Where there are no such groups, nobody but root is anything. */
static void rights_take_no_group_for_missing_ones(void **state)
{
	const struct rights_groups none = {(gid_t)-1, (gid_t)-1, (gid_t)-1};
	const gid_t gid = (gid_t)-1;

	(void)state;
	assert_false(rights_of(&none, SOMEBODY, &gid, 1).known);
}

/* Each verb needs its action over the very partition, and a refusal names whom to ask. */
static void rights_are_those_of_the_table(void **state)
{
	(void)state;
	set(TEXT_PERSON_USER, SAMPLE_BROWSER, TEXT_SEE | TEXT_ACT_START);
	set(TEXT_PERSON_ADMIN, SAMPLE_BROWSER, TEXT_SEE | TEXT_STOP);
	assert_true(rights_allow(&table, TEXT_PERSON_USER, REQUEST_START, SAMPLE_BROWSER, why));
	assert_true(rights_allow(&table, TEXT_PERSON_USER, REQUEST_FOCUS, SAMPLE_BROWSER, why));
	assert_false(rights_allow(&table, TEXT_PERSON_USER, REQUEST_STOP, SAMPLE_BROWSER, why));
	assert_string_equal(why,
			    "the policy does not let a user stop browser; ask an administrator "
			    "of this machine (group bulkhead-admin) or IT");
	assert_true(rights_allow(&table, TEXT_PERSON_ADMIN, REQUEST_STOP, SAMPLE_BROWSER, why));
	assert_false(rights_allow(&table, TEXT_PERSON_ADMIN, REQUEST_CONSOLE, SAMPLE_BROWSER, why));
	assert_string_equal(why, "the policy does not let an administrator attach to browser; ask "
				 "IT (group bulkhead-it)");
	assert_false(rights_allow(&table, TEXT_PERSON_USER, REQUEST_PAUSE, SAMPLE_BROWSER, why));
	assert_false(rights_allow(&table, TEXT_PERSON_USER, REQUEST_RESET, SAMPLE_BROWSER, why));
}

/* To confirm a policy, to take back another's and to ask it is IT's, whatever the table says about
 * partitions. */
static void rights_keep_the_policy_for_it(void **state)
{
	(void)state;
	set(TEXT_PERSON_ADMIN, 0, UINT32_MAX);
	assert_false(rights_allow(&table, TEXT_PERSON_ADMIN, REQUEST_POLICY_CONFIRM, 0, why));
	assert_false(rights_allow(&table, TEXT_PERSON_ADMIN, REQUEST_POLICY_ASK, 0, why));
	assert_false(rights_allow(&table, TEXT_PERSON_USER, REQUEST_POLICY_REVERT, 0, why));
	assert_string_equal(why,
			    "the policy does not let a user take back what somebody else "
			    "changed in the policy of this machine; ask IT (group bulkhead-it)");
	assert_true(rights_allow(&table, TEXT_PERSON_IT, REQUEST_POLICY_REVERT, 0, why));
}

/* Whoever is known may hand in a layer: its signature says whether it is theirs to apply. */
static void rights_let_everybody_hand_in_a_layer(void **state)
{
	(void)state;
	set(TEXT_PERSON_USER, 0, 0);
	assert_true(rights_allow(&table, TEXT_PERSON_USER, REQUEST_POLICY_APPLY, 0, why));
	assert_true(rights_allow(&table, TEXT_PERSON_ADMIN, REQUEST_POLICY_APPLY, 0, why));
	assert_true(rights_allow(&table, TEXT_PERSON_IT, REQUEST_POLICY_APPLY, 0, why));
	assert_false(rights_allow(&table, TEXT_PERSONS, REQUEST_POLICY_APPLY, 0, why));
	assert_false(rights_allow(NULL, TEXT_PERSON_USER, REQUEST_POLICY_APPLY, 0, why));
}

/* Groups may be given by number: three, and nothing else. */
static void rights_read_groups_by_number(void **state)
{
	struct rights_groups read = {1, 2, 3};

	(void)state;
	assert_false(rights_read_groups("", &read));
	assert_false(rights_read_groups("7,8", &read));
	assert_false(rights_read_groups("7,8,9,10", &read));
	assert_false(rights_read_groups("7,8,9 ", &read));
	assert_int_equal(read.socket, 1);
	assert_true(rights_read_groups("7,8,9", &read));
	assert_int_equal(read.socket, 7);
	assert_int_equal(read.admin, 8);
	assert_int_equal(read.it, 9);
}

/* Without a policy only IT may do anything. */
static void rights_without_a_policy_are_its(void **state)
{
	(void)state;
	assert_false(rights_allow(NULL, TEXT_PERSON_USER, REQUEST_LIST, 1, why));
	assert_false(rights_allow(NULL, TEXT_PERSON_ADMIN, REQUEST_START, 1, why));
	assert_true(rights_allow(NULL, TEXT_PERSON_IT, REQUEST_START, 1, why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_know_people_by_their_groups),
		cmocka_unit_test(rights_take_no_group_for_missing_ones),
		cmocka_unit_test_setup(rights_are_those_of_the_table, setup),
		cmocka_unit_test_setup(rights_keep_the_policy_for_it, setup),
		cmocka_unit_test_setup(rights_let_everybody_hand_in_a_layer, setup),
		cmocka_unit_test(rights_read_groups_by_number),
		cmocka_unit_test(rights_without_a_policy_are_its),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
