/* SPDX-License-Identifier: Apache-2.0 */
/** Differences of two policies: what they are, when they take effect, which way they touch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "policy/lang/text.h"
#include "policy_diff_item.h"
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
	assert_int_equal(diff.item[0].needs, needs);
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

static void expect_effect(enum policy_diff_touches touches, enum policy_diff_effect effect)
{
	make();
	assert_int_equal(diff.count, 1);
	assert_int_equal(diff.item[0].touches, touches);
	assert_int_equal(diff.item[0].effect, effect);
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

/* More of something opens, less of it tightens; a bound opens where there is none any more. */
static void policy_diff_knows_more_from_less(void **state)
{
	struct bh_policy_part *root = &new.root_part[SAMPLE_BROWSER];
	struct table_part *part = &new.part[SAMPLE_BROWSER];

	(void)state;
	root->ram_size = 128u << 20;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_OPENS);
	root->ram_size = 32u << 20;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_TIGHTENS);
	root->ram_size = 64u << 20;
	old.root_part[SAMPLE_BROWSER].cap = 50;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_OPENS);
	assert_string_equal(diff.item[0].text, "browser: cpu cap 50 -> none");
	root->cap = 20;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_TIGHTENS);
	old.root_part[SAMPLE_BROWSER].cap = 0;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_TIGHTENS);
	assert_string_equal(diff.item[0].text, "browser: cpu cap none -> 20");
	root->cap = 0;
	part->guarantee++;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_OPENS);
	part->guarantee--;
	part->cache++;
	expect_one(POLICY_DIFF_START, 0, "browser: cache 0 -> 1");
	part->cache--;
	part->restart_count++;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_CHANGES);
}

/* Devices and rights open when one is added, whatever else is taken away. */
static void policy_diff_knows_what_is_added(void **state)
{
	struct table_right *user = &new.right[TEXT_PERSON_USER * SAMPLE_PARTS + SAMPLE_BROWSER];

	(void)state;
	old.part[SAMPLE_BROWSER].devices = TEXT_DEVICE_ENTROPY | TEXT_DEVICE_GPU;
	new.part[SAMPLE_BROWSER].devices = TEXT_DEVICE_ENTROPY;
	expect_effect(POLICY_DIFF_SCREEN, POLICY_DIFF_TIGHTENS);
	new.part[SAMPLE_BROWSER].devices = TEXT_DEVICE_KEYBOARD;
	expect_effect(POLICY_DIFF_KEYS, POLICY_DIFF_OPENS);
	new.part[SAMPLE_BROWSER].devices = old.part[SAMPLE_BROWSER].devices;
	user->keys ^= 1u << TEXT_MEMORY;
	expect_effect(POLICY_DIFF_RIGHTS,
		      user->keys >> TEXT_MEMORY & 1u ? POLICY_DIFF_OPENS : POLICY_DIFF_TIGHTENS);
	user->keys ^= 1u << TEXT_MEMORY;
	old.part[SAMPLE_DESKTOP].owns = 0;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_OPENS);
	old.part[SAMPLE_DESKTOP].owns = new.part[SAMPLE_DESKTOP].owns;
	new.part[SAMPLE_DESKTOP].owns = 0;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_TIGHTENS);
	new.part[SAMPLE_DESKTOP].owns = old.part[SAMPLE_DESKTOP].owns;
	new.part[SAMPLE_BROWSER].class = TEXT_CLASS_IT;
	old.part[SAMPLE_BROWSER].class = TEXT_CLASS_USER;
	expect_effect(POLICY_DIFF_SCREEN, POLICY_DIFF_TIGHTENS);
	new.part[SAMPLE_BROWSER].class = TEXT_CLASS_USER;
	old.part[SAMPLE_BROWSER].class = TEXT_CLASS_LIMITED;
	expect_effect(POLICY_DIFF_OTHER, POLICY_DIFF_OPENS);
}

/* A flow opens when a type, a port, a verdict or a limit lets more through than before, even if
 * others let less; row 4 is web for the browser, row 0 a clipboard that asks, with a limit. */
static void policy_diff_knows_flows_that_open(void **state)
{
	(void)state;
	new.row[4].port_hi++;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	new.row[4].port_lo = new.row[4].port_hi;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	new.row[4].port_lo = new.row[4].port_hi = old.row[4].port_lo;
	old.row[4].port_hi = (uint16_t)(old.row[4].port_lo + 1);
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_TIGHTENS);
	old.row[4].port_hi = old.row[4].port_lo;
	new.row[4].port_hi = new.row[4].port_lo = old.row[4].port_lo;
	new.row[0].verdict = TEXT_ALLOW;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	new.row[0].verdict = TEXT_DENY;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_TIGHTENS);
	new.row[0].verdict = old.row[0].verdict;
	new.row[0].type++;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	new.row[0].type--;
	old.row[0].type++;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	old.row[0].type--;
	new.limit[0].size_max = old.limit[0].size_max + 1;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	new.limit[0].size_max = old.limit[0].size_max - 1;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_TIGHTENS);
	new.limit[0].flags |= TABLE_LIMIT_READONLY;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_TIGHTENS);
	new.limit[0] = old.limit[0];
	old.limit[0].flags |= TABLE_LIMIT_READONLY;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	old.limit[0].flags = new.limit[0].flags;
	new.row[0].limit = TABLE_NONE;
	expect_effect(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
}

/* A denial that is written down instead of understood changes nothing. */
static void policy_diff_knows_that_no_is_no(void **state)
{
	uint32_t cell = SAMPLE_KIND_CLIPBOARD + SAMPLE_BROWSER * SAMPLE_NODES + SAMPLE_DESKTOP;

	(void)state;
	old.row[0].verdict = new.row[0].verdict = TEXT_DENY;
	new.cell[cell] = old.cell[cell] ? 0 : 1;
	make();
	assert_int_equal(diff.count, 0);
}

static struct policy_diff_item item(enum policy_diff_touches touches,
				    enum policy_diff_effect effect)
{
	return (struct policy_diff_item){.touches = touches, .effect = effect};
}

/* Whatever order they are found in, the most dangerous comes first; equals keep theirs. */
static void policy_diff_begins_with_the_worst(void **state)
{
	static const struct {
		enum policy_diff_touches touches;
		enum policy_diff_effect effect;
	} order[] = {
		{POLICY_DIFF_KEYS, POLICY_DIFF_OPENS},
		{POLICY_DIFF_KEYS, POLICY_DIFF_CHANGES},
		{POLICY_DIFF_KEYS, POLICY_DIFF_TIGHTENS},
		{POLICY_DIFF_SCREEN, POLICY_DIFF_OPENS},
		{POLICY_DIFF_SCREEN, POLICY_DIFF_TIGHTENS},
		{POLICY_DIFF_IT, POLICY_DIFF_OPENS},
		{POLICY_DIFF_IT, POLICY_DIFF_TIGHTENS},
		{POLICY_DIFF_RIGHTS, POLICY_DIFF_OPENS},
		{POLICY_DIFF_RIGHTS, POLICY_DIFF_TIGHTENS},
		{POLICY_DIFF_FLOW, POLICY_DIFF_OPENS},
		{POLICY_DIFF_OTHER, POLICY_DIFF_OPENS},
		{POLICY_DIFF_OTHER, POLICY_DIFF_CHANGES},
		{POLICY_DIFF_FLOW, POLICY_DIFF_TIGHTENS},
		{POLICY_DIFF_OTHER, POLICY_DIFF_TIGHTENS},
	};
	const uint32_t count = sizeof(order) / sizeof(order[0]);

	(void)state;
	for (uint32_t begin = 0; begin < count; begin++) {
		diff = (struct policy_diff){0};
		for (uint32_t i = 0; i < 2 * count; i++) {
			/* 5 and 14 have no common factor: each twice, all mixed. */
			uint32_t which = (begin + 5 * i) % count;
			struct policy_diff_item like =
				item(order[which].touches, order[which].effect);

			policy_diff_add(&diff, &like, "%u", i);
		}
		for (uint32_t i = 0; i + 1 < 2 * count; i += 2) {
			uint32_t tightens = 2 * (count - 2);

			if (i >= tightens) { /* the last two are equal: as they were found */
				assert_int_equal(diff.item[i].effect, POLICY_DIFF_TIGHTENS);
				continue;
			}
			assert_int_equal(diff.item[i].touches, order[i / 2].touches);
			assert_int_equal(diff.item[i].effect, order[i / 2].effect);
			assert_int_equal(diff.item[i + 1].touches, order[i / 2].touches);
			assert_int_equal(diff.item[i + 1].effect, order[i / 2].effect);
			assert_true(atoi(diff.item[i].text) < atoi(diff.item[i + 1].text));
		}
	}
}

/* What is left out of a list that is too long still counts for its ways, and is never what touches
 * keys while something harmless is told. */
static void policy_diff_leaves_out_the_harmless(void **state)
{
	struct policy_diff_item weak = item(POLICY_DIFF_FLOW, POLICY_DIFF_TIGHTENS);
	struct policy_diff_item strong = item(POLICY_DIFF_KEYS, POLICY_DIFF_OPENS);

	(void)state;
	diff = (struct policy_diff){0};
	strong.needs = POLICY_NEED_PROMPT;
	for (uint32_t i = 0; i < POLICY_DIFF_MAX + 5; i++) {
		weak.needs = i < POLICY_DIFF_MAX ? 0 : POLICY_NEED_IT;
		policy_diff_add(&diff, &weak, "%u", i);
	}
	assert_int_equal(diff.count, POLICY_DIFF_MAX);
	assert_int_equal(diff.more, 5);
	policy_diff_add(&diff, &strong, "keys");
	assert_int_equal(diff.count, POLICY_DIFF_MAX);
	assert_int_equal(diff.more, 6);
	assert_string_equal(diff.item[0].text, "keys");
	assert_string_equal(diff.item[1].text, "0");
	assert_string_equal(diff.item[POLICY_DIFF_MAX - 1].text, "1022");
	assert_int_equal(diff.needs, BOTH);
}

/* A text that does not fit says so. */
static void policy_diff_marks_a_long_text(void **state)
{
	struct policy_diff_item like = item(POLICY_DIFF_FLOW, POLICY_DIFF_OPENS);
	char name[2 * POLICY_DIFF_TEXT_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	diff = (struct policy_diff){0};
	policy_diff_add(&diff, &like, "%s", name);
	assert_int_equal(strlen(diff.item[0].text), POLICY_DIFF_TEXT_SIZE - 1);
	assert_string_equal(diff.item[0].text + POLICY_DIFF_TEXT_SIZE - 5, "x...");
	name[POLICY_DIFF_TEXT_SIZE - 1] = 0;
	policy_diff_add(&diff, &like, "%s", name);
	assert_string_equal(diff.item[1].text, name);
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
		cmocka_unit_test_setup(policy_diff_knows_more_from_less, setup),
		cmocka_unit_test_setup(policy_diff_knows_what_is_added, setup),
		cmocka_unit_test_setup(policy_diff_knows_flows_that_open, setup),
		cmocka_unit_test_setup(policy_diff_knows_that_no_is_no, setup),
		cmocka_unit_test(policy_diff_begins_with_the_worst),
		cmocka_unit_test(policy_diff_leaves_out_the_harmless),
		cmocka_unit_test(policy_diff_marks_a_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
