/* SPDX-License-Identifier: Apache-2.0 */
/** What may cross between two nodes, cut into parts that are decided alike. */
#include "flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy_layers.h"

#define TOP                                                                                        \
	"policy vendor \"V\" version 1\nzone net = 0.0.0.0/0\n"                                    \
	"partition control\nmemory 256 MiB\npartition one\nmemory 256 MiB\n"                       \
	"partition two\nmemory 256 MiB\n"

static struct flow_part *parts;
static uint32_t count;

static int teardown(void **state)
{
	free(parts);
	parts = NULL;
	return 0;
}

static void cut(const struct compile *old, const struct compile *new, enum text_kind kind,
		const char *to)
{
	struct flow_cell before = {&old->cells, policy_layers_node(old, "one"),
				   policy_layers_node(old, to)};
	struct flow_cell after = {0};

	if (new) {
		after = (struct flow_cell){&new->cells, policy_layers_node(new, "one"),
					   policy_layers_node(new, to)};
	}
	assert_int_equal(flow_parts(kind, &before, &after, &parts, &count), 0);
}

/* Types that are decided by the same rule are one part. */
static void flow_joins_types_of_a_rule(void **state)
{
	struct compile *policy =
		policy_layers(TOP "a: allow clipboard one -> two types text, image\n", NULL);

	cut(policy, NULL, TEXT_CLIPBOARD, "two");
	assert_int_equal(count, 2);
	assert_true(parts[0].old || parts[1].old);
	assert_int_equal(parts[0].types | parts[1].types, text_types_all(TEXT_CLIPBOARD));
	policy_layers_free(policy);
}

/* Ports are cut where an answer changes, and nowhere else. */
static void flow_cuts_ports_at_rules(void **state)
{
	struct compile *policy = policy_layers(
		TOP "a: deny channel one -> two ports 100-200\nb: allow channel one -> two\n",
		NULL);

	cut(policy, NULL, TEXT_CHANNEL, "two");
	assert_int_equal(count, 3);
	assert_int_equal(parts[0].hi, 99);
	assert_int_equal(flow_verdict(parts[0].old), TEXT_ALLOW);
	assert_int_equal(parts[1].lo, 100);
	assert_int_equal(parts[1].hi, 200);
	assert_int_equal(flow_verdict(parts[1].old), TEXT_DENY);
	assert_int_equal(parts[2].lo, 201);
	assert_int_equal(parts[2].hi, 65535);
	policy_layers_free(policy);
}

/* ICMP has no ports, so rules about ports do not cut it. */
static void flow_does_not_cut_icmp(void **state)
{
	struct compile *policy = policy_layers(
		TOP "a: deny network one -> net ports 100-200\nb: allow network one -> net\n",
		NULL);
	unsigned int icmp = 0;

	cut(policy, NULL, TEXT_NETWORK, "net");
	for (uint32_t i = 0; i < count; i++) {
		icmp += parts[i].types & 4u ? parts[i].hi - parts[i].lo + 1u : 0;
		assert_true(!(parts[i].types & 4u) || parts[i].hi == UINT16_MAX);
	}
	assert_int_equal(icmp, 65536);
	policy_layers_free(policy);
}

/* Where no rule says anything there is a part without a row. */
static void flow_shows_silence(void **state)
{
	struct compile *policy = policy_layers(TOP, NULL);

	cut(policy, NULL, TEXT_FILE, "two");
	assert_int_equal(count, 1);
	assert_null(parts[0].old);
	assert_int_equal(flow_verdict(parts[0].old), TEXT_DENY);
	policy_layers_free(policy);
}

/* Two policies are cut at the edges of both. */
static void flow_cuts_at_both_policies(void **state)
{
	struct compile *old = policy_layers(TOP "a: allow channel one -> two ports 10-20\n", NULL);
	struct compile *new = policy_layers(TOP "a: allow channel one -> two ports 15-30\n", NULL);
	unsigned int gained = 0, lost = 0;

	cut(old, new, TEXT_CHANNEL, "two");
	for (uint32_t i = 0; i < count; i++) {
		gained += !parts[i].old && parts[i].new ? parts[i].hi - parts[i].lo + 1u : 0;
		lost += parts[i].old && !parts[i].new ? parts[i].hi - parts[i].lo + 1u : 0;
	}
	assert_int_equal(gained, 10);
	assert_int_equal(lost, 5);
	policy_layers_free(old);
	policy_layers_free(new);
}

/* The same answer by another rule is the same, unless the rule counts; other limits are not. */
static void flow_compares_answers(void **state)
{
	struct cells_row a = {.verdict = TEXT_ASK, .rule = 1}, b = {.verdict = TEXT_ASK, .rule = 2};
	struct cells_row no = {.verdict = TEXT_DENY, .rule = 3};

	assert_true(flow_same(&a, &b, false));
	assert_false(flow_same(&a, &b, true));
	assert_true(flow_same(&no, NULL, false));
	assert_false(flow_same(&no, NULL, true));
	b.limits.size_max = 1;
	assert_false(flow_same(&a, &b, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(flow_joins_types_of_a_rule, teardown),
		cmocka_unit_test_teardown(flow_cuts_ports_at_rules, teardown),
		cmocka_unit_test_teardown(flow_does_not_cut_icmp, teardown),
		cmocka_unit_test_teardown(flow_shows_silence, teardown),
		cmocka_unit_test_teardown(flow_cuts_at_both_policies, teardown),
		cmocka_unit_test(flow_compares_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
