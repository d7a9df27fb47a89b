/* SPDX-License-Identifier: Apache-2.0 */
/** Differences of two policies: what they are, when they take effect, which way they touch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "policy/lang/text.h"
#include "policy_diff.h"
#include "table_sample.h"

#define BOTH (POLICY_NEED_PROMPT | POLICY_NEED_IT)

static struct table_sample old, new;
static struct table before, after;
static struct policy_diff diff;

/* Desktop owns the only role; as a network card it makes desktop the way of IT. */
static int setup(void **state)
{
	const char *why;

	(void)state;
	table_sample_init(&old);
	table_sample_init(&new);
	return table_open(&old, sizeof(old), &before, &why) |
	       table_open(&new, sizeof(new), &after, &why);
}

static void own_network_card(struct table_sample *sample)
{
	sample->match[0] = (struct table_match){
		.bus = TEXT_BUS_PCI, .class_code = 0x020000, .class_mask = 0xff0000};
}

static void make(void)
{
	policy_diff_make(&before, &after, &diff);
}

static void expect_one(enum policy_diff_when when, uint32_t needs, const char *text)
{
	make();
	assert_int_equal(diff.count, 1);
	assert_string_equal(diff.item[0].text, text);
	assert_int_equal(diff.item[0].when, when);
	assert_int_equal(diff.needs, needs);
}

/* The same policy differs in nothing. */
static void policy_diff_of_the_same_is_empty(void **state)
{
	(void)state;
	make();
	assert_int_equal(diff.count + diff.more + diff.needs, 0);
}

/* Memory changes at the next start and weight at once; of the partition that IT comes by, memory
 * needs IT's word. */
static void policy_diff_knows_when_memory_counts(void **state)
{
	(void)state;
	new.root_part[SAMPLE_BROWSER].ram_size = 32u << 20;
	expect_one(POLICY_DIFF_START, 0, "browser: memory in MiB 64 -> 32");
	new.root_part[SAMPLE_BROWSER].ram_size = 64u << 20;
	new.root_part[SAMPLE_BROWSER].weight = 7;
	expect_one(POLICY_DIFF_NOW, 0, "browser: cpu weight 100 -> 7");
	new.root_part[SAMPLE_BROWSER].weight = 100;
	own_network_card(&old);
	own_network_card(&new);
	new.root_part[SAMPLE_DESKTOP].ram_size = 32u << 20;
	expect_one(POLICY_DIFF_START, POLICY_NEED_IT, "desktop: memory in MiB 64 -> 32");
}

/* A card that is named by its number may be the network's, so the way of IT is guarded. */
static void policy_diff_guards_a_card_by_number(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		(i ? &new : &old)->match[0] = (struct table_match){
			.bus = TEXT_BUS_PCI, .vendor = 0x8086, .product = 0x1533};
	}
	new.root_part[SAMPLE_DESKTOP].ram_size = 32u << 20;
	expect_one(POLICY_DIFF_START, POLICY_NEED_IT, "desktop: memory in MiB 64 -> 32");
}

/* Devices for eyes and hands need the prompt, others do not. */
static void policy_diff_guards_keyboards(void **state)
{
	(void)state;
	new.part[SAMPLE_DESKTOP].devices ^= TEXT_DEVICE_ENTROPY;
	expect_one(POLICY_DIFF_START, 0, "desktop: devices");
	new.part[SAMPLE_DESKTOP].devices ^= TEXT_DEVICE_KEYBOARD;
	expect_one(POLICY_DIFF_START, POLICY_NEED_PROMPT, "desktop: devices");
}

/* A flow is compared by its decisions, whatever rule and place they come from. */
static void policy_diff_compares_decisions(void **state)
{
	(void)state;
	new.row[0].rule = SAMPLE_RULE_WEB;
	make();
	assert_int_equal(diff.count, 0);
	new.row[0].verdict = TEXT_ALLOW;
	expect_one(POLICY_DIFF_NOW, 0, "clipboard desktop -> browser");
	new.row[0].verdict = TEXT_ASK;
	new.limit[0].size_max = 1;
	expect_one(POLICY_DIFF_NOW, 0, "clipboard desktop -> browser");
}

/* Flows of keys and pixels need the prompt; network of the partition that IT comes by needs IT. */
static void policy_diff_guards_ways_in_flows(void **state)
{
	uint32_t input = TEXT_INPUT * SAMPLE_NODES * SAMPLE_NODES;

	(void)state;
	new.cell[input + SAMPLE_WEBCAM * SAMPLE_NODES + SAMPLE_CONTROL] = 1;
	expect_one(POLICY_DIFF_NOW, POLICY_NEED_PROMPT, "input webcam -> control");
	new.cell[input + SAMPLE_WEBCAM * SAMPLE_NODES + SAMPLE_CONTROL] = 0;
	new.row[4].port_hi = 81;
	expect_one(POLICY_DIFF_NOW, 0, "network browser -> all");
	own_network_card(&old);
	own_network_card(&new);
	old.part[SAMPLE_DESKTOP].owns = new.part[SAMPLE_DESKTOP].owns = 0;
	old.part[SAMPLE_BROWSER].owns = new.part[SAMPLE_BROWSER].owns = 1u << SAMPLE_WEBCAM;
	expect_one(POLICY_DIFF_NOW, POLICY_NEED_IT, "network browser -> all");
}

/* A network card that is taken away closes the way of IT, as does one that is another device. */
static void policy_diff_guards_the_network_card(void **state)
{
	(void)state;
	own_network_card(&old);
	own_network_card(&new);
	new.part[SAMPLE_DESKTOP].owns = 0;
	expect_one(POLICY_DIFF_START, POLICY_NEED_IT, "desktop: real devices that it owns");
	new.part[SAMPLE_DESKTOP].owns = 1u << SAMPLE_WEBCAM;
	new.match[1].vendor = 0x8086;
	expect_one(POLICY_DIFF_NOW, POLICY_NEED_IT, "role webcam: which devices it means");
}

/* Start and order of the way of IT need IT, of others nobody. */
static void policy_diff_guards_the_start(void **state)
{
	(void)state;
	new.part[SAMPLE_BROWSER].start = TEXT_START_NEVER;
	expect_one(POLICY_DIFF_NOW, 0, "browser: when it starts and runs");
	new.part[SAMPLE_BROWSER].start = TEXT_START_MANUAL;
	own_network_card(&old);
	own_network_card(&new);
	new.part[SAMPLE_DESKTOP].start = TEXT_START_NEVER;
	expect_one(POLICY_DIFF_NOW, POLICY_NEED_IT, "desktop: when it starts and runs");
}

/* Rights over keys need the prompt, IT's rights need IT, a user's rights to start need nobody. */
static void policy_diff_guards_rights(void **state)
{
	struct table_right *user = &new.right[TEXT_PERSON_USER * SAMPLE_PARTS + SAMPLE_BROWSER];
	struct table_right *it = &new.right[TEXT_PERSON_IT * SAMPLE_PARTS + SAMPLE_BROWSER];

	(void)state;
	user->actions ^= TEXT_STOP;
	expect_one(POLICY_DIFF_NOW, 0, "browser: what user may do");
	user->actions ^= TEXT_STOP;
	user->keys ^= 1u << TEXT_MEMORY;
	expect_one(POLICY_DIFF_NOW, POLICY_NEED_PROMPT, "browser: what user may change");
	user->keys ^= 1u << TEXT_MEMORY;
	it->actions ^= TEXT_STOP;
	expect_one(POLICY_DIFF_NOW, POLICY_NEED_IT, "browser: what it may do");
}

/* Other partitions cannot be compared one by one: everything is at stake. */
static void policy_diff_of_other_partitions_needs_all(void **state)
{
	(void)state;
	new.node[SAMPLE_BROWSER].name = table_sample_string(&new, "lan");
	expect_one(POLICY_DIFF_BOOT, BOTH, "other partitions");
}

/* What is left out of a long list still counts for its ways. */
static void policy_diff_counts_what_it_leaves_out(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SAMPLE_CELLS; i++) {
		new.cell[i] = new.cell[i] ? new.cell[i] : 1;
	}
	make();
	assert_int_equal(diff.count, POLICY_DIFF_MAX);
	assert_true(diff.more > 400);
	assert_int_equal(diff.needs, POLICY_NEED_PROMPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(policy_diff_of_the_same_is_empty, setup),
		cmocka_unit_test_setup(policy_diff_knows_when_memory_counts, setup),
		cmocka_unit_test_setup(policy_diff_guards_a_card_by_number, setup),
		cmocka_unit_test_setup(policy_diff_guards_keyboards, setup),
		cmocka_unit_test_setup(policy_diff_compares_decisions, setup),
		cmocka_unit_test_setup(policy_diff_guards_ways_in_flows, setup),
		cmocka_unit_test_setup(policy_diff_guards_the_network_card, setup),
		cmocka_unit_test_setup(policy_diff_guards_the_start, setup),
		cmocka_unit_test_setup(policy_diff_guards_rights, setup),
		cmocka_unit_test_setup(policy_diff_of_other_partitions_needs_all, setup),
		cmocka_unit_test_setup(policy_diff_counts_what_it_leaves_out, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
