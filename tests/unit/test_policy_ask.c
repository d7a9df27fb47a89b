/* SPDX-License-Identifier: Apache-2.0 */
/** Questions about flows: the policy that holds when the person answers is the one that counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "policy/lang/text.h"
#include "policy_private.h"
#include "record.h"
#include "reply.h"
#include "table_sample.h"

static struct table_sample sample;
static struct table table;
static struct switch_question *asked;
static struct json_object *reply;
static char recorded[AUDIT_TEXT_MAX];

const struct table *policy_table(void)
{
	return &table;
}

void switch_ask(struct switch_question *question)
{
	asked = question;
}

int record_write(enum audit_what what, const char *who, const char *subject, const char *object,
		 const char *rule, const char *text)
{
	(void)what;
	(void)who;
	(void)subject;
	(void)object;
	(void)rule;
	snprintf(recorded, sizeof(recorded), "%s", text ? text : "");
	return 0;
}

struct json_object *reply_ok(void)
{
	return json_object_new_object();
}

struct json_object *reply_error(const char *text)
{
	fail_msg("%s", text);
	return NULL;
}

static void take(void *data, struct json_object *json)
{
	(void)data;
	reply = json;
}

static int setup(void **state)
{
	const char *why;

	(void)state;
	asked = NULL;
	reply = NULL;
	table_sample_init(&sample);
	return table_open(&sample, sizeof(sample), &table, &why);
}

static int teardown(void **state)
{
	(void)state;
	json_object_put(reply);
	return 0;
}

/* The sample asks about the clipboard from desktop to browser. */
static void ask(void)
{
	static const struct request_flow flow = {
		.kind = "clipboard", .from = "desktop", .to = "browser", .type = "text"};

	policy_ask(&flow, "user 1000", take, NULL);
	assert_non_null(asked);
	assert_null(reply);
}

static bool allowed(void)
{
	return json_object_get_boolean(json_object_object_get(reply, "allow"));
}

/* A yes by a real keyboard lets the flow through; anything else does not. */
static void policy_ask_takes_the_answer(void **state)
{
	(void)state;
	ask();
	asked->answered(asked->data, 1, true);
	assert_true(allowed());
	json_object_put(reply);
	reply = NULL;
	ask();
	asked->answered(asked->data, 0, false);
	assert_false(allowed());
}

/* A yes to a question of an older policy opens nothing that the policy of now denies. */
static void policy_ask_decides_again_when_answered(void **state)
{
	(void)state;
	ask();
	for (unsigned int i = 0; i < sizeof(sample.row) / sizeof(sample.row[0]); i++) {
		sample.row[i].verdict = TEXT_DENY;
	}
	asked->answered(asked->data, 1, true);
	assert_false(allowed());
	assert_string_equal(recorded, "the policy changed before the answer: denied");
}

/* And it gets the limits of now. */
static void policy_ask_gives_the_limits_of_now(void **state)
{
	struct json_object *limits;

	(void)state;
	ask();
	sample.limit[0].size_max = 7;
	asked->answered(asked->data, 1, true);
	assert_true(allowed());
	limits = json_object_object_get(reply, "limits");
	assert_int_equal(json_object_get_int64(json_object_object_get(limits, "size")), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(policy_ask_takes_the_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(policy_ask_decides_again_when_answered, setup,
						teardown),
		cmocka_unit_test_setup_teardown(policy_ask_gives_the_limits_of_now, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
