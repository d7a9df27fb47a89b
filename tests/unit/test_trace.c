/* SPDX-License-Identifier: Apache-2.0 */
/** How one question was decided, and whom to ask for another answer. */
#include "trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "policy_layers.h"

#define TOP                                                                                        \
	"policy vendor \"V\" version 1\nzone net = 0.0.0.0/0\n"                                    \
	"partition control\nmemory 256 MiB\npartition one\nmemory 256 MiB\n"                       \
	"partition two\nmemory 256 MiB\n"
#define IT   "policy it \"I\" version 1\n"
#define USER "policy user \"U\" version 1\n"

static struct trace trace;

static void ask(const struct compile *policy, uint32_t type)
{
	struct trace_question question = {TEXT_CLIPBOARD, policy_layers_node(policy, "one"),
					  policy_layers_node(policy, "two"), type, 0};

	trace_run(&policy->model, &question, &trace);
}

/* Tracing and the cells give the same verdict by the same rule, for every type, over three layers.
 */
static void trace_agrees_with_cells(void **state)
{
	struct compile *policy =
		policy_layers(TOP "a: allow clipboard one -> two types text\n"
				  "default b: ask clipboard one -> two types image, files\n",
			      IT "c: deny clipboard one -> two types files\n"
				 "default d: allow clipboard one -> two types image\n"
				 "e: allow clipboard one -> two\n",
			      USER "f: ask clipboard one -> two\n", NULL);
	uint32_t from = policy_layers_node(policy, "one"), to = policy_layers_node(policy, "two");

	for (uint32_t type = 1; type <= text_types_all(TEXT_CLIPBOARD); type <<= 1) {
		const struct cells_row *row =
			cells_find(&policy->cells, TEXT_CLIPBOARD, from, to, type, 0);

		ask(policy, type);
		assert_int_equal(trace.verdict, row ? row->verdict : TEXT_DENY);
		assert_int_equal(trace.rule, row ? row->rule : TRACE_NO_RULE);
	}
	policy_layers_free(policy);
}

static void assert_opener(const char *vendor, const char *it, const char *user,
			  enum text_layer layer)
{
	struct compile *policy =
		it ? policy_layers(vendor, it, user, NULL) : policy_layers(vendor, NULL);

	ask(policy, 1);
	assert_int_equal(trace.verdict, TEXT_DENY);
	assert_int_equal(trace_opener(&trace), layer);
	policy_layers_free(policy);
}

/* What the vendor fixed, or did not speak of, is the vendor's to open. */
static void trace_names_the_vendor_for_what_is_fixed(void **state)
{
	assert_opener(TOP "a: deny clipboard one -> two\n", NULL, NULL, TEXT_VENDOR);
	assert_opener(TOP, NULL, NULL, TEXT_VENDOR);
}

/* What the vendor denied as a default is IT's to open, also where IT has no layer yet. */
static void trace_names_it_for_defaults(void **state)
{
	assert_opener(TOP "default a: deny clipboard one -> two\n", NULL, NULL, TEXT_IT);
	assert_opener(TOP "default a: deny clipboard one -> two\n", IT, NULL, TEXT_IT);
}

/* What a layer alone took away is that layer's to give back. */
static void trace_names_who_tightened(void **state)
{
	assert_opener(TOP "a: allow clipboard one -> two\n", IT "b: deny clipboard one -> two\n",
		      NULL, TEXT_IT);
	assert_opener(TOP "a: allow clipboard one -> two\n", IT,
		      USER "b: deny clipboard one -> two\n", TEXT_USER);
}

static int try_rule(const struct compile *policy, enum text_layer layer, char why[128])
{
	struct text_name from = {.name = "one"}, to = {.name = "two"};
	struct text_rule rule = {.id = "new-rule",
				 .verdict = TEXT_ALLOW,
				 .kind = TEXT_CLIPBOARD,
				 .from = {&from, 1},
				 .to = {&to, 1},
				 .types = 1,
				 .port_hi = UINT16_MAX};

	return trace_try(policy, layer, &rule, why, 128);
}

#define PROMPT                                                                                     \
	"role keys = keyboard\nrole screen = screen\nk: allow input keys -> control\n"             \
	"s: allow display control -> screen\n"

/* A line that breaks an assertion is told before IT is bothered with it. */
static void trace_tries_a_rule_before_it_is_named(void **state)
{
	struct compile *policy = policy_layers(TOP PROMPT "default a: deny clipboard one -> two\n"
							  "never one -> two\n",
					       NULL);
	char why[128] = "";

	assert_int_equal(try_rule(policy, TEXT_IT, why), -1);
	assert_non_null(strstr(why, "never one -> two"));
	policy_layers_free(policy);
}

/* A line that breaks nothing is one to ask for, in a layer that is not there yet too. */
static void trace_finds_a_rule_that_holds(void **state)
{
	struct compile *policy =
		policy_layers(TOP PROMPT "default a: deny clipboard one -> two\n", NULL);
	char why[128] = "";

	assert_int_equal(try_rule(policy, TEXT_IT, why), 0);
	assert_string_equal(why, "");
	policy_layers_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trace_agrees_with_cells),
		cmocka_unit_test(trace_names_the_vendor_for_what_is_fixed),
		cmocka_unit_test(trace_names_it_for_defaults),
		cmocka_unit_test(trace_names_who_tightened),
		cmocka_unit_test(trace_tries_a_rule_before_it_is_named),
		cmocka_unit_test(trace_finds_a_rule_that_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
