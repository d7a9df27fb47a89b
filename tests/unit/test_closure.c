/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches what: each kind of edge, what a path may go through, and shortest paths. */
#include "closure.h"
#include "made_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct made_model made;
static struct cells cells;
static struct closure closure;
enum { a = MADE_MODEL_A, b, c };

static int setup(void **state)
{
	(void)state;
	made_model_init_abc(&made);
	return 0;
}

static void clear(void)
{
	closure_fini(&closure);
	cells_fini(&cells);
}

static int teardown(void **state)
{
	(void)state;
	clear();
	return 0;
}

static struct text_rule *allow(enum text_kind kind, uint32_t from, uint32_t to)
{
	return made_model_rule(&made, TEXT_VENDOR, false, TEXT_ALLOW, kind, BIT(from), BIT(to));
}

static void build(unsigned int kind, bool ask_open)
{
	clear();
	assert_int_equal(cells_build(&made.model, &cells), 0);
	assert_int_equal(closure_build(&made.model, &cells, kind, ask_open, &closure), 0);
}

static bool reaches(uint32_t from, uint32_t to)
{
	struct closure_step steps[MODEL_NODES_MAX];
	bool found = closure.reach[from] & BIT(to);

	if (from != to) {
		assert_int_equal(closure_path(&closure, from, to, steps) > 0, found);
	}
	return found;
}

/* A clipboard goes one way; a connection, a USB device and a shared folder carry data back too. */
static void closure_knows_which_kinds_go_back(void **state)
{
	(void)state;
	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		bool back = kind == TEXT_NETWORK || kind == TEXT_USB || kind == TEXT_FOLDER;

		(void)setup(NULL);
		(void)allow((enum text_kind)kind, a, b);
		build(TEXT_KINDS, false);
		assert_true(reaches(a, b));
		assert_int_equal(reaches(b, a), back);
	}
}

/* A rule for any network traffic says nothing about what passes between zones outside. */
static void closure_has_no_rule_between_zones(void **state)
{
	uint32_t lan, net;
	model_set all;

	(void)state;
	lan = made_model_zone(&made, "lan", false);
	net = made_model_zone(&made, "net", false);
	all = BIT(a) | BIT(lan) | BIT(net);
	(void)made_model_rule(&made, TEXT_VENDOR, false, TEXT_ALLOW, TEXT_NETWORK, all, all);
	build(TEXT_NETWORK, false);
	assert_true(closure.direct[a] & BIT(lan));
	assert_true(closure.direct[lan] & BIT(a));
	assert_false(closure.direct[lan] & BIT(net));
}

/* A folder that cannot be written through carries nothing back. */
static void closure_readonly_folder_goes_one_way(void **state)
{
	(void)state;
	allow(TEXT_FOLDER, a, b)->limits.readonly = true;
	build(TEXT_KINDS, false);
	assert_true(reaches(a, b));
	assert_false(reaches(b, a));
}

/* A question is a way when questions count as open; a denial never is. */
static void closure_counts_questions_as_told(void **state)
{
	(void)state;
	allow(TEXT_FILE, a, b)->verdict = TEXT_ASK;
	allow(TEXT_FILE, b, c)->verdict = TEXT_DENY;
	build(TEXT_KINDS, false);
	assert_false(reaches(a, b));
	build(TEXT_KINDS, true);
	assert_true(reaches(a, b));
	assert_false(reaches(b, c));
}

/* An edge is named by a rule that allows before one that asks. */
static void closure_names_the_looser_rule(void **state)
{
	(void)state;
	allow(TEXT_CLIPBOARD, a, b)->verdict = TEXT_ASK;
	(void)allow(TEXT_FILE, a, b);
	build(TEXT_KINDS, true);
	assert_int_equal(closure.step[a * closure.nodes + b].rule, 1);
}

/* Asked about one kind, other kinds, disks and devices are no way. */
static void closure_of_one_kind_knows_no_other(void **state)
{
	uint32_t role = made_model_role(&made, "stick", TEXT_BUS_USB, 0);

	(void)state;
	(void)allow(TEXT_FILE, a, b);
	(void)allow(TEXT_CLIPBOARD, b, c);
	made.model.part[a].key[TEXT_OWNS].nodes = BIT(role);
	build(TEXT_FILE, false);
	assert_true(reaches(a, b));
	assert_false(reaches(a, c));
	assert_false(reaches(a, role));
	build(TEXT_KINDS, false);
	assert_true(reaches(a, c));
	assert_true(reaches(a, role));
}

/* The control partition ends a path: what comes to it does not come out again. */
static void closure_ends_at_control(void **state)
{
	(void)state;
	(void)allow(TEXT_FILE, a, MODEL_CONTROL);
	(void)allow(TEXT_FILE, MODEL_CONTROL, b);
	build(TEXT_KINDS, false);
	assert_true(reaches(a, MODEL_CONTROL));
	assert_true(reaches(MODEL_CONTROL, b));
	assert_false(reaches(a, b));
}

/* Two partitions that talk to one zone can reach each other, unless its hosts are trusted. */
static void closure_passes_untrusted_zones_only(void **state)
{
	(void)state;
	for (unsigned int trusted = 0; trusted < 2; trusted++) {
		uint32_t zone = 0;

		(void)setup(NULL);
		zone = made_model_zone(&made, "lan", trusted);
		(void)allow(TEXT_NETWORK, a, zone);
		(void)allow(TEXT_NETWORK, b, zone);
		build(TEXT_KINDS, false);
		assert_true(reaches(a, zone));
		assert_true(reaches(zone, b));
		assert_int_equal(reaches(a, b), !trusted);
	}
}

/* A device that two partitions use passes on; a keyboard or a screen does not. */
static void closure_passes_real_devices_only(void **state)
{
	static const enum text_bus bus[] = {TEXT_BUS_PCI, TEXT_BUS_USB, TEXT_BUS_INPUT,
					    TEXT_BUS_OUTPUT};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t role = 0;

		(void)setup(NULL);
		role = made_model_role(&made, "thing", bus[i], 1);
		(void)allow(TEXT_USB, role, a);
		(void)allow(TEXT_USB, role, b);
		build(TEXT_KINDS, false);
		assert_int_equal(reaches(a, b), i < 2);
	}
}

/* A partition can put data into a device that it owns, and get it back. */
static void closure_counts_owned_devices(void **state)
{
	uint32_t role = made_model_role(&made, "stick", TEXT_BUS_USB, 0);
	struct closure_step steps[MODEL_NODES_MAX];

	(void)state;
	made.model.part[a].key[TEXT_OWNS].nodes = BIT(role);
	made.model.part[b].key[TEXT_OWNS].nodes = BIT(role);
	build(TEXT_KINDS, false);
	assert_int_equal(closure_path(&closure, a, b, steps), 2);
	assert_int_equal(steps[0].why, CLOSURE_OWNS);
	assert_false(steps[0].back);
	assert_true(steps[1].back);
}

/* A disk leads from who writes it to who has it. */
static void closure_counts_shared_disks(void **state)
{
	struct model_part *part = made.model.part;
	struct closure_step steps[MODEL_NODES_MAX];

	(void)state;
	part[a].disk[0].file = "x.vhd";
	part[a].disk_count = 1;
	part[b].disk[0] = (struct model_disk){.file = "y.vhd"};
	part[b].disk[1] = (struct model_disk){.file = "x.vhd", .flags = TEXT_DISK_READONLY};
	part[b].disk_count = 2;
	part[c].disk[0] = (struct model_disk){.file = "x.vhd", .flags = TEXT_DISK_THROWAWAY};
	part[c].disk_count = 1;
	build(TEXT_KINDS, false);
	assert_true(reaches(a, b));
	assert_true(reaches(a, c));
	assert_false(reaches(b, a));
	assert_false(reaches(c, a));
	assert_int_equal(closure_path(&closure, a, b, steps), 1);
	assert_int_equal(steps[0].why, CLOSURE_DISK);
	assert_string_equal(steps[0].disk, "x.vhd");
}

/* Data may pass from zone to zone outside of the machine, where the policy says so. */
static void closure_counts_zones_that_carry(void **state)
{
	uint32_t lan = made_model_zone(&made, "lan", false);
	uint32_t net = made_model_zone(&made, "net", false);

	(void)state;
	made.model.node[lan].carries = BIT(net);
	build(TEXT_NETWORK, false);
	assert_true(reaches(lan, net));
	assert_false(reaches(net, lan));
	build(TEXT_FILE, false);
	assert_false(reaches(lan, net));
}

/* A path is a shortest one, and its steps follow each other. */
static void closure_path_is_shortest(void **state)
{
	struct closure_step steps[MODEL_NODES_MAX];
	char text[128];

	(void)state;
	(void)allow(TEXT_FILE, a, b);
	(void)allow(TEXT_NETWORK, c, b);
	(void)allow(TEXT_FILE, c, MODEL_CONTROL);
	build(TEXT_KINDS, false);
	assert_int_equal(closure_path(&closure, a, MODEL_CONTROL, steps), 3);
	assert_int_equal(steps[0].to, b);
	assert_int_equal(steps[1].to, c);
	assert_true(steps[1].back);
	closure_step_text(&steps[1], &made.model, text, sizeof(text));
	assert_string_equal(text, "b -> c back by rule rule-1 (allow network)");
	assert_int_equal(closure_path(&closure, a, a, steps), 0);
	assert_int_equal(closure_path(&closure, MODEL_CONTROL, a, steps), 0);
}

static uint32_t distance[8][8];

/* Distances by trying each middle node, over the edges that the closure found. */
static void measure_slowly(void)
{
	for (uint32_t i = 0; i < 8; i++) {
		for (uint32_t j = 0; j < 8; j++) {
			distance[i][j] = closure.direct[i] & BIT(j) ? 1 : 1000;
		}
	}
	for (uint32_t k = 1; k < 8; k++) {
		for (uint32_t i = 0; i < 8 && k != 6; i++) {
			for (uint32_t j = 0; j < 8; j++) {
				uint32_t way = distance[i][k] + distance[k][j];

				distance[i][j] = way < distance[i][j] ? way : distance[i][j];
			}
		}
	}
}

/* Over random edges, reach and paths agree with a search over all middle nodes. */
static void closure_agrees_with_all_pairs(void **state)
{
	struct closure_step steps[MODEL_NODES_MAX];

	(void)state;
	srand(7);
	for (uint32_t round = 0; round < 100; round++) {
		(void)setup(NULL);
		(void)made_model_part(&made, "d");
		(void)made_model_zone(&made, "y", false);
		(void)made_model_zone(&made, "z", true);
		(void)made_model_role(&made, "r", TEXT_BUS_USB, 0);
		for (uint32_t i = (uint32_t)rand() % 16; i > 0; i--) {
			(void)allow((enum text_kind)(rand() % 14), (uint32_t)rand() % 8,
				    (uint32_t)rand() % 8);
		}
		build(TEXT_KINDS, false);
		measure_slowly();
		for (uint32_t pair = 0; pair < 64; pair++) {
			uint32_t from = pair / 8, to = pair % 8, far = distance[from][to];

			assert_int_equal(!!(closure.reach[from] & BIT(to)), far < 1000);
			if (from != to) {
				assert_int_equal(closure_path(&closure, from, to, steps),
						 far < 1000 ? far : 0);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(closure_knows_which_kinds_go_back, teardown),
		cmocka_unit_test_setup_teardown(closure_readonly_folder_goes_one_way, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closure_counts_questions_as_told, setup, teardown),
		cmocka_unit_test_setup_teardown(closure_names_the_looser_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(closure_of_one_kind_knows_no_other, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closure_ends_at_control, setup, teardown),
		cmocka_unit_test_teardown(closure_passes_untrusted_zones_only, teardown),
		cmocka_unit_test_teardown(closure_passes_real_devices_only, teardown),
		cmocka_unit_test_setup_teardown(closure_counts_owned_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(closure_counts_shared_disks, setup, teardown),
		cmocka_unit_test_setup_teardown(closure_counts_zones_that_carry, setup, teardown),
		cmocka_unit_test_setup_teardown(closure_path_is_shortest, setup, teardown),
		cmocka_unit_test_setup_teardown(closure_has_no_rule_between_zones, setup, teardown),
		cmocka_unit_test_teardown(closure_agrees_with_all_pairs, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
