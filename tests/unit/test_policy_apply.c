/* SPDX-License-Identifier: Apache-2.0 */
/** Who may apply what, who is told, and who pays: all that a policy needs but the compiler, the
 * disk and root mode, which always succeed here. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "policy/lang/text.h"
#include "policy_private.h"
#include "quota.h"
#include "record.h"
#include "reply.h"
#include "say.h"
#include "table_sample.h"

#define FIRST_NEW 2u /* set of the first layer that is handed in */
#define USER	  1000u

struct policy policy;
static struct table_sample sample;
static struct policy_load_sets sets;
static policy_load_done *compiled;
static uint64_t now_us, spent_ms;
static uid_t spent_by;
static bool spent, copied, stays, tried;
static enum audit_what recorded;
static char recorded_who[64], answer[256];
static uint32_t needs, more;

static const struct rights_peer person = {true, USER, TEXT_PERSON_USER, "user 1000"};
static const struct rights_peer it = {true, 7, TEXT_PERSON_IT, "it 7"};

void quota_spend(uid_t uid, uint64_t now_ms, uint64_t cpu_ms)
{
	assert_int_equal(now_ms, now_us / 1000);
	spent = true;
	spent_by = uid;
	spent_ms = cpu_ms;
}

uint64_t loop_now_us(void)
{
	return now_us;
}

int policy_load_start(const struct policy_load_paths *paths, uint32_t generation,
		      const struct policy_load_sets *given, policy_load_done *done, void *data)
{
	assert_int_equal(generation, policy.state.current + 1);
	sets = *given;
	compiled = done;
	return 0;
}

int record_write(enum audit_what what, const char *who, const char *subject, const char *object,
		 const char *rule, const char *text)
{
	assert_string_equal(subject, "policy");
	recorded = what;
	snprintf(recorded_who, sizeof(recorded_who), "%s", who);
	return 0;
}

void policy_diff_make(const struct table *before, const struct table *after,
		      struct policy_diff *ret_diff)
{
	ret_diff->count = 0;
	ret_diff->more = more;
	ret_diff->needs = needs;
}

const char *policy_diff_effect_word(enum policy_diff_effect effect)
{
	return "opens";
}

void policy_adopt(struct policy_held *held, struct policy_held *ret_old)
{
	*ret_old = policy.now;
	policy.now = *held;
}

int policy_set_state(const struct policy_state *next)
{
	policy.state = *next;
	return 0;
}

int store_copy(struct folder *folder, uint32_t from, uint32_t to)
{
	copied = true;
	return 0;
}

int store_next_set(struct folder *folder, uint32_t generation, uint32_t *ret_set)
{
	*ret_set = FIRST_NEW;
	return 0;
}

int store_drop_set(struct folder *folder, uint32_t generation, uint32_t set)
{
	return 0;
}

int store_put_before(struct folder *folder, uint32_t generation, const void *bytes, size_t size)
{
	return 0;
}

int store_put(struct folder *folder, const struct store_file *file, const void *bytes, size_t size)
{
	return 0;
}

int store_sweep(struct folder *folder, const struct policy_state *state)
{
	(void)state;
	return 0;
}

int policy_root_load(const struct policy_held *held)
{
	return 0;
}

int policy_settle(void)
{
	return 0;
}

void policy_stays(void)
{
	stays = true;
}

void policy_try(void)
{
	tried = true;
}

uint64_t policy_now_ms(void)
{
	return 0;
}

void policy_hash_text(const struct table *table, char text[65])
{
	text[0] = 0;
}

void policy_forget_ask(void *data)
{
}

bool policy_load_busy(void)
{
	return false;
}

void policy_held_fini(struct policy_held *held)
{
	held->bytes = NULL;
}

void say(const char *format, ...)
{
}

struct json_object *policy_describe(void)
{
	return json_object_new_string("applied");
}

struct json_object *reply_error(const char *text)
{
	return json_object_new_string(text);
}

static void take(void *data, struct json_object *json)
{
	snprintf(answer, sizeof(answer), "%s", json_object_get_string(json));
	json_object_put(json);
}

static int setup(void **state)
{
	const char *why;

	(void)state;
	table_sample_init(&sample);
	policy = (struct policy){.folder = (struct folder *)&sample, .now = {.bytes = &sample}};
	snprintf(policy.boot, sizeof(policy.boot), "0-0");
	now_us = 1000000;
	spent = copied = stays = tried = false;
	compiled = NULL;
	answer[0] = recorded_who[0] = 0;
	needs = more = 0;
	return table_open(&sample, sizeof(sample), &policy.now.table, &why);
}

static void apply(const struct rights_peer *peer, bool without_user)
{
	FILE *layer = tmpfile();
	const int fds[1] = {layer ? fileno(layer) : -1};
	struct request request = {.verb = REQUEST_POLICY_APPLY,
				  .file = {"a.pol"},
				  .layer_count = 1,
				  .file_count = 1,
				  .without_user = without_user};

	assert_non_null(layer);
	policy_apply(&request, fds, peer, take, NULL);
	fclose(layer);
}

/* What the compiler made of it, or what it said instead. */
static void end(const char *refusal)
{
	struct policy_held held = {.bytes = &sample, .table = policy.now.table};
	policy_load_done *done = compiled;

	assert_non_null(done);
	compiled = NULL;
	done(NULL, refusal ? NULL : &held, refusal ? refusal : "");
}

/* Of a person each new set must be the user layer; of IT any. */
static void policy_apply_keeps_a_person_to_the_user_layer(void **state)
{
	(void)state;
	apply(&person, false);
	assert_int_equal(sets.user_from, FIRST_NEW);
	assert_int_equal(sets.no_user_before, 0);
	end(NULL);
	assert_string_equal(answer, "applied");
	assert_int_equal(recorded, AUDIT_APPLIED);
	assert_string_equal(recorded_who, "user 1000");
	assert_true(stays);
	apply(&it, false);
	assert_int_equal(sets.user_from, POLICY_NO_SET);
	end("no");
	assert_int_equal(recorded, AUDIT_REFUSED);
	assert_string_equal(recorded_who, "it 7");
}

/* A trial is its person's; one of IT is nobody's. */
static void policy_apply_remembers_whose_trial_it_is(void **state)
{
	(void)state;
	needs = POLICY_NEED_PROMPT;
	apply(&person, false);
	end(NULL);
	assert_true(tried);
	assert_false(stays);
	assert_int_equal(policy.state.by, USER);
	apply(&it, false);
	assert_non_null(strstr(answer, "confirm or revert it first"));
	policy_state_revert(&policy.state);
	apply(&it, false);
	end(NULL);
	assert_int_equal(policy.state.by, 0);
	assert_int_not_equal(policy.state.trial, 0);
}

/* What IT applied last and cannot be compiled now is not lost because a person applies. */
static void policy_apply_of_a_person_waits_for_it_when_its_layer_is_lost(void **state)
{
	(void)state;
	policy.state.current = 3;
	policy.lost = true;
	apply(&person, false);
	assert_null(compiled);
	assert_non_null(strstr(answer, "ask IT"));
	apply(&it, false);
	assert_non_null(compiled);
	assert_false(copied);
	end("no");
}

/* The user layer that is applied is left out for IT, or when it does not hold any more. */
static void policy_apply_leaves_the_user_layer_out(void **state)
{
	(void)state;
	apply(&person, true);
	assert_null(compiled);
	assert_non_null(strstr(answer, "only IT"));
	apply(&it, true);
	assert_int_equal(sets.no_user_before, FIRST_NEW);
	end("no");
	policy.user_left_out = true;
	apply(&person, false);
	assert_int_equal(sets.no_user_before, FIRST_NEW);
	end("no");
}

/* A change that nobody can review is refused, but for the way back to what IT says. */
static void policy_apply_refuses_what_nobody_can_read(void **state)
{
	(void)state;
	more = 1;
	apply(&it, false);
	end(NULL);
	assert_non_null(strstr(answer, "nobody can review"));
	apply(&it, true);
	end(NULL);
	assert_non_null(strstr(answer, "nobody can review")); /* there was no user layer */
	policy.now.layer[TEXT_USER].there = true;
	apply(&it, true);
	end(NULL);
	assert_string_equal(answer, "applied");
}

/* IT learns how to get a user layer out of the way, where there is one; a person does not. */
static void policy_apply_tells_it_what_is_in_the_way(void **state)
{
	(void)state;
	apply(&it, false);
	end("no\n");
	assert_string_equal(answer, "no");
	policy.now.layer[TEXT_USER].there = true;
	policy.now.layer[TEXT_USER].set = POLICY_NO_SET;
	apply(&it, false);
	end("no");
	assert_null(strstr(answer, "--without-user"));
	policy.now.layer[TEXT_USER].set = 1;
	apply(&person, false);
	end("no");
	assert_null(strstr(answer, "--without-user"));
	apply(&it, false);
	end("no");
	assert_non_null(strstr(answer, "--without-user"));
}

static void use_ms(uint64_t ms)
{
	struct rusage began, now;

	getrusage(RUSAGE_SELF, &began);
	do {
		getrusage(RUSAGE_SELF, &now);
	} while ((uint64_t)(now.ru_utime.tv_sec - began.ru_utime.tv_sec) * 1000 +
			 (uint64_t)now.ru_utime.tv_usec / 1000 <
		 ms + (uint64_t)began.ru_utime.tv_usec / 1000);
}

/* A person pays the CPU time, also for what is refused, and never more than the time that passed;
 * IT does not pay. */
static void policy_apply_charges_a_person(void **state)
{
	(void)state;
	apply(&person, false);
	use_ms(50);
	now_us += 3600000000u;
	end("no");
	assert_true(spent);
	assert_int_equal(spent_by, USER);
	assert_in_range(spent_ms, 49, 3600000 - 1);
	apply(&person, false);
	use_ms(50);
	now_us += 7000;
	end(NULL);
	assert_int_equal(spent_ms, 7);
	spent = false;
	apply(&it, false);
	end(NULL);
	assert_false(spent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(policy_apply_keeps_a_person_to_the_user_layer, setup),
		cmocka_unit_test_setup(policy_apply_remembers_whose_trial_it_is, setup),
		cmocka_unit_test_setup(policy_apply_of_a_person_waits_for_it_when_its_layer_is_lost,
				       setup),
		cmocka_unit_test_setup(policy_apply_leaves_the_user_layer_out, setup),
		cmocka_unit_test_setup(policy_apply_refuses_what_nobody_can_read, setup),
		cmocka_unit_test_setup(policy_apply_tells_it_what_is_in_the_way, setup),
		cmocka_unit_test_setup(policy_apply_charges_a_person, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
