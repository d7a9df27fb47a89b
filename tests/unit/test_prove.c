/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy must hold: each proof refuses what it is for and says where, holds otherwise, and
 * is silent when it is switched off. */
#include "closure.h"
#include "diag.h"
#include "made_model.h"
#include "prove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct made_model made;
static struct cells cells;
static struct diag_list diags;
static uint32_t a, b, keyboard, screen, stick;

static struct text_rule *add(enum text_verdict verdict, enum text_kind kind, uint32_t from,
			     uint32_t to)
{
	return made_model_rule(&made, TEXT_VENDOR, false, verdict, kind, BIT(from), BIT(to));
}

/* Two partitions, and a keyboard and a screen that reach the trusted prompt by rules 0 and 1. */
static int setup(void **state)
{
	(void)state;
	made_model_init(&made);
	a = made_model_part(&made, "a");
	b = made_model_part(&made, "b");
	keyboard = made_model_role(&made, "keyboard", TEXT_BUS_INPUT, TEXT_DEVICE_KEYBOARD);
	screen = made_model_role(&made, "screen", TEXT_BUS_OUTPUT, 1);
	stick = made_model_role(&made, "stick", TEXT_BUS_USB, 0);
	made.match[stick].class_code = 0x080000;
	made.match[stick].class_mask = 0xff0000;
	(void)add(TEXT_ALLOW, TEXT_INPUT, keyboard, MODEL_CONTROL);
	(void)add(TEXT_ALLOW, TEXT_DISPLAY, MODEL_CONTROL, screen);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	diag_fini(&diags);
	diags = (struct diag_list){0};
	cells_fini(&cells);
	return 0;
}

static void run(unsigned int checks)
{
	int ret = 0;

	(void)teardown(NULL);
	assert_int_equal(cells_build(&made.model, &cells), 0);
	ret = prove_model(&made.model, &cells, checks, &diags);
	assert_int_equal(ret, diags.error_count > 0 ? -1 : 0);
}

static void assert_says(size_t number, const char *message)
{
	assert_true(number < diags.count);
	assert_string_equal(diags.item[number].message, message);
}

/* One error that begins with `message`, and none without this check. */
static void assert_refused(unsigned int check, const char *message)
{
	run(PROVE_ALL & ~check);
	assert_int_equal(diags.error_count, 0);
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 1);
	for (size_t i = 0; i < diags.count; i++) {
		if (diags.item[i].level == DIAG_ERROR) {
			assert_string_equal(diags.item[i].message, message);
		}
	}
}

static void assert_fine(void)
{
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 0);
}

static struct model_value *value(uint32_t part, enum text_key key)
{
	return &made.model.part[part].key[key];
}

static void own(uint32_t part, uint32_t role)
{
	value(part, TEXT_OWNS)->nodes |= BIT(role);
	value(part, TEXT_OWNS)->number = value(part, TEXT_OWNS)->nodes;
}

static void wait_for(uint32_t part, uint32_t first)
{
	value(part, TEXT_AFTER)->nodes |= BIT(first);
	value(part, TEXT_AFTER)->number = value(part, TEXT_AFTER)->nodes;
	value(part, TEXT_AFTER)->origin.pos.line = 50 + part;
}

static void give_disk(uint32_t part, const char *file, uint32_t flags)
{
	struct model_part *to = &made.model.part[part];

	to->disk[to->disk_count++] = (struct model_disk){.file = file, .flags = flags};
}

/* A policy that asks for nothing special passes without a word. */
static void prove_holds_for_a_plain_policy(void **state)
{
	(void)state;
	assert_fine();
	assert_int_equal(diags.count, 0);
}

/* `never` is broken by a path over several steps, which is shown rule by rule. */
static void prove_never_shows_the_path(void **state)
{
	(void)state;
	(void)add(TEXT_ALLOW, TEXT_USB, stick, a);
	add(TEXT_ALLOW, TEXT_USB, stick, b)->verdict = TEXT_ASK;
	(void)strcpy(made_model_claim(&made, TEXT_NEVER, BIT(a), BIT(b))->from.name, "a");
	(void)strcpy(made.claim_text[0].to.name, "b");
	assert_refused(PROVE_NEVER, "'never a -> b' does not hold: a reaches b in 2 steps");
	assert_int_equal(diags.item[0].pos.line, 100);
	assert_string_equal(diags.item[0].hint, "deny one of the steps, or add 'unless asked' if "
						"the question is enough");
	assert_says(1, "a -> stick back by rule rule-2 (allow usb)");
	assert_int_equal(diags.item[1].level, DIAG_NOTE);
	assert_int_equal(diags.item[1].pos.line, 3);
	assert_says(2, "stick -> b by rule rule-3 (ask usb)");
}

/* With `unless asked`, a way that needs a question is no way. */
static void prove_never_may_count_questions_as_closed(void **state)
{
	(void)state;
	(void)add(TEXT_ASK, TEXT_FILE, a, b);
	made_model_claim(&made, TEXT_NEVER, BIT(a), BIT(b))->ask_closed = true;
	assert_fine();
	made.text[2].verdict = TEXT_ALLOW;
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 1);
	assert_string_equal(diags.item[0].hint, "deny one of the steps");
}

/* `never` about one kind is not broken by another one. */
static void prove_never_of_a_kind_is_about_that_kind(void **state)
{
	struct text_assert *claim = made_model_claim(&made, TEXT_NEVER, BIT(a), BIT(b));

	(void)state;
	(void)add(TEXT_ALLOW, TEXT_FILE, a, b);
	claim->has_kind = true;
	claim->kind = TEXT_CLIPBOARD;
	assert_fine();
	claim->kind = TEXT_FILE;
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 1);
}

/* A group stands for each of its members, and a node and itself are no pair. */
static void prove_never_holds_for_each_pair(void **state)
{
	(void)state;
	(void)add(TEXT_ALLOW, TEXT_FILE, a, b);
	(void)add(TEXT_ALLOW, TEXT_FILE, b, a);
	(void)made_model_claim(&made, TEXT_NEVER, BIT(a) | BIT(b), BIT(a) | BIT(b));
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 2);
}

/* `only` is broken by anybody else's direct edge, to or from. */
static void prove_only_refuses_others(void **state)
{
	struct text_assert *claim = made_model_claim(&made, TEXT_ONLY, BIT(a), BIT(stick));

	(void)state;
	(void)strcpy(claim->from.name, "a");
	(void)strcpy(claim->to.name, "stick");
	own(a, stick);
	assert_fine();
	(void)add(TEXT_ALLOW, TEXT_PRINT, b, stick);
	value(a, TEXT_OWNS)->nodes = 0;
	assert_refused(PROVE_ONLY, "'only a -> stick' does not hold: so does b");
	assert_says(1, "b -> stick by rule rule-2 (allow print)");
	made.rule[2].from = BIT(stick);
	made.rule[2].to = BIT(b);
	assert_refused(PROVE_ONLY, "'only a -> stick' does not hold: so does b");
	assert_says(1, "stick -> b by rule rule-2 (allow print)");
}

/* `always` wants every type and port, allowed by rules that the next layer cannot change. */
static void prove_always_wants_all_of_it(void **state)
{
	struct text_assert *claim = made_model_claim(&made, TEXT_ALWAYS, BIT(a), BIT(b));
	struct text_rule *rule = add(TEXT_ALLOW, TEXT_NETWORK, a, b);

	(void)state;
	claim->has_kind = true;
	claim->kind = TEXT_NETWORK;
	(void)strcpy(claim->from.name, "a");
	(void)strcpy(claim->to.name, "b");
	assert_fine();
	rule->port_hi = 65534;
	assert_refused(PROVE_ALWAYS, "'always network a -> b' does not hold: no rule allows all of "
				     "network a -> b");
	rule->port_hi = UINT16_MAX;
	rule->types = 3;
	assert_refused(PROVE_ALWAYS, "'always network a -> b' does not hold: no rule allows all of "
				     "network a -> b");
	rule->types = 7;
	made.rule[2].open = true;
	assert_refused(PROVE_ALWAYS,
		       "'always network a -> b' does not hold: rule rule-2 allows network a -> b "
		       "only until the next layer says otherwise");
	made.rule[2].open = false;
	rule->verdict = TEXT_ASK;
	assert_refused(PROVE_ALWAYS, "'always network a -> b' does not hold: rule rule-2 does not "
				     "allow network a -> b");
}

/* Without a kind, one kind that is allowed wholly is enough. */
static void prove_always_without_kind_wants_one(void **state)
{
	(void)state;
	(void)add(TEXT_ALLOW, TEXT_CAPTURE, a, b);
	add(TEXT_ALLOW, TEXT_FILE, a, b)->types = 1;
	(void)made_model_claim(&made, TEXT_ALWAYS, BIT(a), BIT(b));
	assert_fine();
	made.text[2].verdict = TEXT_ASK;
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 1);
}

/* A keyboard must reach control: allowed, a keyboard, and no partition's own. */
static void prove_keyboard_reaches_the_prompt(void **state)
{
	static const char message[] = "no keyboard reaches the trusted prompt";

	(void)state;
	made.text[0].verdict = TEXT_ASK;
	assert_refused(PROVE_KEYBOARD, message);
	assert_says(1, "rule rule-0 does not allow keyboard");
	made.text[0].verdict = TEXT_ALLOW;
	made.match[keyboard].what = TEXT_DEVICE_POINTER;
	assert_refused(PROVE_KEYBOARD, message);
	made.match[keyboard].what = TEXT_DEVICE_KEYBOARD;
	made.rule[0].to = BIT(a);
	assert_refused(PROVE_KEYBOARD, message);
	made.rule[0].to = BIT(MODEL_CONTROL);
	own(a, keyboard);
	run(PROVE_ALL & ~PROVE_OWNER);
	assert_int_equal(diags.error_count, 1);
	assert_says(1, "keyboard is a's own");
}

/* All keyboards are of the first role that is one; a way for a second role is no way. */
static void prove_keyboard_is_of_the_first_role(void **state)
{
	uint32_t second;

	(void)state;
	second = made_model_role(&made, "second", TEXT_BUS_INPUT, TEXT_DEVICE_KEYBOARD);
	made.rule[0].to = BIT(a);
	(void)add(TEXT_ALLOW, TEXT_INPUT, second, MODEL_CONTROL);
	assert_refused(PROVE_KEYBOARD, "no keyboard reaches the trusted prompt");
	assert_says(1, "no rule allows keyboard, the first role that they fit");
}

/* Control must have a screen. */
static void prove_screen_is_controls(void **state)
{
	static const char message[] = "no screen shows the trusted prompt";

	(void)state;
	made.text[1].verdict = TEXT_DENY;
	assert_refused(PROVE_SCREEN, message);
	made.text[1].verdict = TEXT_ALLOW;
	made.match[screen].what = 2;
	assert_refused(PROVE_SCREEN, message);
}

/* Who owns a display card by its class could own the one that the prompt is drawn on; by vendor and
 * product its author knows which one is meant. */
static void prove_screen_keeps_its_card(void **state)
{
	(void)state;
	made.match[stick] = (struct text_match){.bus = TEXT_BUS_PCI,
						.class_code = 0x030200,
						.class_mask = 0xffff00,
						.vendor = UINT32_MAX};
	own(a, stick);
	assert_refused(PROVE_SCREEN,
		       "a owns stick, which may be the card that shows the trusted prompt");
	made.match[stick].vendor = 0x10de;
	assert_fine();
	made.match[stick].vendor = UINT32_MAX;
	made.match[stick].class_code = 0x040000;
	assert_fine();
}

/* Who owns the USB controllers takes keyboards on USB away, which is warned about. */
static void prove_keyboard_may_hang_on_usb(void **state)
{
	(void)state;
	made.match[stick] = (struct text_match){.bus = TEXT_BUS_PCI,
						.class_code = 0x0c0330,
						.class_mask = 0xffffff,
						.vendor = UINT32_MAX};
	own(a, stick);
	run(PROVE_ALL & ~PROVE_KEYBOARD);
	assert_int_equal(diags.count, 0);
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 0);
	assert_says(0, "a owns stick: a keyboard on USB would not reach the trusted prompt");
}

/* Memory is what root mode can map. */
static void prove_memory_fits(void **state)
{
	(void)state;
	value(a, TEXT_MEMORY)->number = 3ull << 30;
	assert_fine();
	value(a, TEXT_MEMORY)->number += 2u << 20;
	assert_refused(PROVE_MEMORY, "a has more than 3 GiB, the most that a partition can have");
	value(a, TEXT_MEMORY)->number = 3u << 20;
	assert_refused(PROVE_MEMORY, "memory of a is no multiple of 2 MiB");
	value(a, TEXT_MEMORY)->number = 0;
	assert_refused(PROVE_MEMORY, "memory of a is no multiple of 2 MiB");
}

/* A guarantee is what weights give when all are busy: here a third, by one vcpu of three. */
static void prove_guarantees_fit(void **state)
{
	(void)state;
	value(a, TEXT_CPU_GUARANTEE)->number = 33;
	assert_fine();
	value(a, TEXT_CPU_GUARANTEE)->number = 34;
	assert_refused(PROVE_CPU,
		       "a is guaranteed 34% of the machine, and its weight gives it 33%");
	value(a, TEXT_VCPUS)->number = 2;
	assert_fine();
	value(a, TEXT_CPU_CAP)->number = 33;
	assert_refused(PROVE_CPU, "a cannot get 34% of one CPU with a cap of 33%");
}

/* A device has one owner, even if two roles mean it. */
static void prove_devices_have_one_owner(void **state)
{
	uint32_t other = made_model_role(&made, "any-usb", TEXT_BUS_USB, 0);

	(void)state;
	own(a, stick);
	own(b, other);
	made.match[other].class_code = 0x020000;
	made.match[other].class_mask = 0xff0000;
	assert_fine();
	made.match[other].class_code = 0x080650;
	made.match[other].class_mask = 0xffffff;
	assert_refused(PROVE_OWNER, "b owns any-usb, and a owns the same as stick: a device has "
				    "one owner");
	made.match[other].bus = TEXT_BUS_PCI;
	assert_fine();
	value(b, TEXT_OWNS)->nodes = BIT(stick);
	assert_refused(PROVE_OWNER, "b owns stick, and a owns it too: a device has one owner");
}

/* By vendor and product, one device is one model. */
static void prove_owner_knows_vendor_and_product(void **state)
{
	uint32_t other = made_model_role(&made, "other", TEXT_BUS_USB, 0);

	(void)state;
	own(a, stick);
	own(b, other);
	made.match[stick].vendor = made.match[other].vendor = 0x1234;
	made.match[stick].product = 1;
	made.match[other].product = 2;
	assert_fine();
	made.match[other].product = 1;
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 1);
}

/* Nobody but the owner gets the device. */
static void prove_owned_devices_are_not_shared(void **state)
{
	(void)state;
	own(a, stick);
	(void)add(TEXT_ASK, TEXT_USB, stick, a);
	(void)add(TEXT_DENY, TEXT_PRINT, b, stick);
	assert_fine();
	made.text[3].verdict = TEXT_ASK;
	assert_refused(PROVE_OWNER, "rule rule-3 gives stick to b, but a owns it");
}

/* Nobody waits for itself, over any number of steps; one circle is told once. */
static void prove_order_has_no_circle(void **state)
{
	const uint32_t c = MADE_MODEL_C;

	(void)state;
	made_model_init_abc(&made);
	for (uint32_t part = 1; part < 4; part++) {
		value(part, TEXT_START)->number = TEXT_START_BOOT;
	}
	wait_for(c, a);
	wait_for(b, a);
	run(PROVE_ORDER);
	assert_int_equal(diags.error_count, 0);
	wait_for(a, b);
	run(PROVE_ALL & ~(PROVE_ORDER | PROVE_KEYBOARD | PROVE_SCREEN));
	assert_int_equal(diags.error_count, 0);
	run(PROVE_ORDER);
	assert_int_equal(diags.error_count, 1);
	assert_says(0, "a would wait for itself to start");
	assert_says(1, "a starts after b");
	assert_says(2, "b starts after a");
	assert_int_equal(diags.count, 3);
}

/* What starts does not wait for what never does. */
static void prove_order_waits_for_nobody_who_never_starts(void **state)
{
	(void)state;
	value(a, TEXT_START)->number = TEXT_START_MANUAL;
	wait_for(a, b);
	assert_refused(PROVE_ORDER, "a cannot start: it waits for b, which never starts");
	value(a, TEXT_START)->number = TEXT_START_NEVER;
	assert_fine();
}

/* Who has an encrypted disk writes no plain one. */
static void prove_secrets_stay_encrypted(void **state)
{
	(void)state;
	give_disk(a, "home.vhd", TEXT_DISK_ENCRYPTED);
	give_disk(a, "base.vhd", TEXT_DISK_READONLY);
	give_disk(a, "tmp.vhd", TEXT_DISK_THROWAWAY);
	give_disk(b, "plain.vhd", 0);
	assert_fine();
	give_disk(a, "data.vhd", 0);
	assert_refused(PROVE_DISK,
		       "a has an encrypted disk and could write its secrets to this plain one");
}

/* A disk has one writer; others may read it. */
static void prove_disks_have_one_writer(void **state)
{
	(void)state;
	give_disk(a, "x.vhd", 0);
	give_disk(b, "x.vhd", TEXT_DISK_READONLY);
	assert_fine();
	made.model.part[b].disk[0].flags = TEXT_DISK_ENCRYPTED;
	assert_refused(PROVE_DISK, "a and b would both write this disk");
}

/* A rule behind one that says it all is warned about, with the other one's place. */
static void prove_lint_names_rules_that_never_decide(void **state)
{
	(void)state;
	(void)add(TEXT_DENY, TEXT_FILE, a, b);
	(void)add(TEXT_DENY, TEXT_FILE, a, b);
	run(PROVE_ALL & ~PROVE_UNREACHED);
	assert_int_equal(diags.count, 0);
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 0);
	assert_int_equal(diags.item[0].level, DIAG_WARNING);
	assert_says(0, "rule rule-3 never decides anything");
	assert_says(1, "rule rule-2 comes before it");
	assert_int_equal(diags.count, 2);
}

/* A later layer that says no more than is fixed already is told so. */
static void prove_lint_names_rules_that_change_nothing(void **state)
{
	(void)state;
	(void)add(TEXT_DENY, TEXT_FILE, a, b);
	(void)made_model_rule(&made, TEXT_IT, false, TEXT_DENY, TEXT_FILE, BIT(a), BIT(b));
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 0);
	assert_says(0, "rule rule-3 changes nothing: the layers before have said as much or more");
	assert_int_equal(diags.count, 1);
}

/* What nothing carries or acts on is said once. */
static void prove_lint_says_what_nothing_enforces(void **state)
{
	(void)state;
	(void)add(TEXT_ALLOW, TEXT_CAMERA, stick, a);
	(void)add(TEXT_ASK, TEXT_CAMERA, stick, b);
	(void)add(TEXT_ASK, TEXT_CAPTURE, a, b);
	(void)add(TEXT_DENY, TEXT_PRINT, a, stick);
	value(a, TEXT_CACHE)->number = 10;
	run(PROVE_ALL & ~PROVE_ENFORCED);
	assert_int_equal(diags.count, 0);
	run(PROVE_ALL);
	assert_int_equal(diags.error_count, 0);
	assert_says(0, "nothing in this version carries camera, capture: it stays closed, whatever "
		       "rules allow");
	assert_says(1, "nothing in this version acts on cache");
	assert_int_equal(diags.count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(prove_holds_for_a_plain_policy),
		TEST(prove_never_shows_the_path),
		TEST(prove_never_may_count_questions_as_closed),
		TEST(prove_never_of_a_kind_is_about_that_kind),
		TEST(prove_never_holds_for_each_pair),
		TEST(prove_only_refuses_others),
		TEST(prove_always_wants_all_of_it),
		TEST(prove_always_without_kind_wants_one),
		TEST(prove_keyboard_reaches_the_prompt),
		TEST(prove_keyboard_is_of_the_first_role),
		TEST(prove_screen_is_controls),
		TEST(prove_screen_keeps_its_card),
		TEST(prove_keyboard_may_hang_on_usb),
		TEST(prove_memory_fits),
		TEST(prove_guarantees_fit),
		TEST(prove_devices_have_one_owner),
		TEST(prove_owner_knows_vendor_and_product),
		TEST(prove_owned_devices_are_not_shared),
		TEST(prove_order_has_no_circle),
		TEST(prove_order_waits_for_nobody_who_never_starts),
		TEST(prove_secrets_stay_encrypted),
		TEST(prove_disks_have_one_writer),
		TEST(prove_lint_names_rules_that_never_decide),
		TEST(prove_lint_names_rules_that_change_nothing),
		TEST(prove_lint_says_what_nothing_enforces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
