/* SPDX-License-Identifier: Apache-2.0 */
/* Tables made from models made by hand, opened by their reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emit.h"
#include "made_model.h"
#include "table.h"
#include "table_check.h"

static struct made_model made;
static struct cells cells;
static struct diag_list diags;
static struct source_set sources;
static struct table table;
static void *bytes;
static size_t size;

static int setup(void **state)
{
	(void)state;
	made_model_init(&made);
	made.model.has_layer[TEXT_VENDOR] = true;
	made.model.version[TEXT_VENDOR] = 3;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	diag_fini(&diags);
	diags = (struct diag_list){0};
	free(bytes);
	bytes = NULL;
	return 0;
}

static int emit_with(const struct emit_module *modules, uint32_t count)
{
	int err;

	assert_int_equal(cells_build(&made.model, &cells), 0);
	err = emit_table(&made.model, &cells, &sources, 42, modules, count, &diags, &bytes, &size);
	cells_fini(&cells);
	return err;
}

static void emit_and_open(void)
{
	const char *why = "none";

	assert_int_equal(emit_with(NULL, 0), 0);
	if (table_open(bytes, size, &table, &why) != 0) {
		fail_msg("%s", why);
	}
}

/* Expects a refusal whose message holds these words, at this line. */
static void expect_refusal(int err, const char *words, uint32_t line)
{
	assert_int_equal(err, -1);
	assert_int_equal(diags.error_count, 1);
	assert_non_null(strstr(diags.item[0].message, words));
	assert_non_null(diags.item[0].hint);
	assert_int_equal(diags.item[0].pos.line, line);
}

static struct model_value *give(uint32_t part, enum text_key key, uint64_t number)
{
	struct model_value *value = &made.model.part[part].key[key];

	value->given = true;
	value->number = number;
	value->origin.pos.line = 9;
	return value;
}

/* What root mode reads of a partition comes from its properties. */
static void emit_fills_root_part(void **state)
{
	uint32_t part = made_model_part(&made, "browser");

	(void)state;
	give(part, TEXT_MEMORY, 128u << 20);
	give(part, TEXT_VCPUS, 2);
	give(part, TEXT_CPU_WEIGHT, 300);
	give(part, TEXT_CPU_CAP, 150);
	give(part, TEXT_DOORBELLS, 6);
	give(part, TEXT_BACKENDS, 1);
	made.model.iommu_required = true;
	emit_and_open();
	assert_int_equal(table.root->serial, 42);
	assert_int_equal(table.root->flags, BH_POLICY_IOMMU_REQUIRED);
	assert_int_equal(table.root->part_count, 2);
	assert_string_equal(table.root_part[part].name, "browser");
	assert_int_equal(table.root_part[part].ram_size, 128u << 20);
	assert_int_equal(table.root_part[part].vcpu_count, 2);
	assert_int_equal(table.root_part[part].weight, 300);
	assert_int_equal(table.root_part[part].cap, 150);
	assert_int_equal(table.root_part[part].doorbell_count, 6);
	assert_int_equal(table.root_part[part].map_by, 1);
	assert_int_equal(table.root_part[part].ring_to, 1);
	assert_int_equal(table.root_part[part].irq_from, 1);
	assert_int_equal(table.root_part[0].flags, BH_POLICY_CONTROL);
	assert_int_equal(table.root_part[0].map_by, 0);
}

/* Without back ends nobody maps, rings or interrupts. */
static void emit_closes_partition_without_backends(void **state)
{
	uint32_t part = made_model_part(&made, "vault");

	(void)state;
	give(part, TEXT_BACKENDS, 0);
	emit_and_open();
	assert_int_equal(table.root_part[part].map_by, 0);
	assert_int_equal(table.root_part[part].ring_to, 0);
	assert_int_equal(table.root_part[part].irq_from, 0);
}

/* What root mode would refuse is refused with its place in the text. */
static void emit_refuses_what_root_mode_would(void **state)
{
	static const struct {
		enum text_key key;
		uint64_t number;
		const char *words;
	} bad[] = {
		{TEXT_MEMORY, 0, "memory"},
		{TEXT_MEMORY, 3u << 20, "memory"},
		{TEXT_MEMORY, 4ull << 30, "memory"},
		{TEXT_VCPUS, 9, "vcpus"},
		{TEXT_VCPUS, 0, "vcpus"},
		{TEXT_CPU_WEIGHT, 10001, "cpu-weight"},
		{TEXT_CPU_CAP, 801, "cpu-cap"},
		{TEXT_DOORBELLS, 17, "doorbells"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setup(state);
		give(made_model_part(&made, "browser"), bad[i].key, bad[i].number);
		expect_refusal(emit_with(NULL, 0), bad[i].words, 9);
		teardown(state);
	}
}

/* Modules stand in the table as they are given; one that no boot could have is refused. */
static void emit_takes_modules(void **state)
{
	const struct emit_module good[] = {{"kernel", 1000, 1}, {"initrd", 2000, 2}};
	const struct emit_module bad[][2] = {{{"kernel", 1000, 1}, {"kernel", 1000, 1}},
					     {{"kernel", 0, 1}, {"initrd", 1, 1}},
					     {{"policy", 1, 1}, {"initrd", 1, 1}}};
	const char *why;

	assert_int_equal(emit_with(good, 2), 0);
	assert_int_equal(table_open(bytes, size, &table, &why), 0);
	assert_int_equal(table.root->module_count, 2);
	assert_string_equal(table.root_module[1].role, "initrd");
	assert_int_equal(table.root_module[1].size, 2000);
	assert_int_equal(table.root_module[1].crc32c, 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		teardown(state);
		expect_refusal(emit_with(bad[i], 2), "boot module", 0);
	}
}

static uint32_t add_pci_role(const char *name, uint32_t code, uint32_t mask)
{
	uint32_t role = made_model_role(&made, name, TEXT_BUS_PCI, 0);

	made.match[role].class_code = code;
	made.match[role].class_mask = mask;
	return role;
}

/* A PCI device of an owned role is one for root mode, others are not. */
static void emit_assigns_owned_devices(void **state)
{
	uint32_t part = made_model_part(&made, "management");
	uint32_t nic = add_pci_role("nic", 0x020000, 0xffff00);
	uint32_t camera = made_model_role(&made, "camera", TEXT_BUS_USB, 0);

	(void)state;
	made.match[camera].class_code = 0x0e0000;
	made.match[camera].class_mask = 0xff0000;
	(void)add_pci_role("disk", 0x010000, 0xff0000);
	give(part, TEXT_OWNS, 0)->nodes = 1ull << nic | 1ull << camera;
	emit_and_open();
	assert_int_equal(table.root->device_count, 1);
	assert_string_equal(table.root_device[0].role, "nic");
	assert_int_equal(table.root_device[0].class_code, 0x020000);
	assert_int_equal(table.root_device[0].class_mask, 0xffff00);
	assert_int_equal(table.root_device[0].vendor, BH_POLICY_DEVICE_ANY);
	assert_int_equal(table.root_device[0].part, part);
	assert_int_equal(table.part[part].owns, 1ull << nic | 1ull << camera);
	assert_int_equal(
		table_role(&table, &(struct table_match){.bus = 1, .class_code = 0x0e0102}),
		camera);
}

/* Root mode cannot leave out what belongs to a role before that nobody owns. */
static void emit_refuses_device_of_two_roles(void **state)
{
	uint32_t part = made_model_part(&made, "management");
	uint32_t nic;

	(void)state;
	(void)add_pci_role("wifi", 0x028000, 0xffff00);
	nic = add_pci_role("nic", 0x020000, 0xff0000);
	made.model.node[nic].origin.pos.line = 4;
	give(part, TEXT_OWNS, 0)->nodes = 1ull << nic;
	expect_refusal(emit_with(NULL, 0), "role 'wifi'", 4);
}

/* A runner has slots for four real devices; a fifth role is not left out without a word. */
static void emit_refuses_a_fifth_device_of_a_partition(void **state)
{
	static const char *const names[] = {"one", "two", "three", "four", "five"};
	uint32_t part = made_model_part(&made, "management");
	model_set owned = 0;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		owned |= 1ull << add_pci_role(names[i], (i + 1) << 16, 0xff0000);
		give(part, TEXT_OWNS, 0)->nodes = owned;
		give(part, TEXT_OWNS, 0)->origin.pos.line = 7;
		if (i == 3) {
			emit_and_open();
		}
	}
	expect_refusal(emit_with(NULL, 0), "room for 4", 7);
}

/* Properties that daemons read are all there. */
static void emit_fills_part_of_daemons(void **state)
{
	uint32_t part = made_model_part(&made, "browser"), other = made_model_part(&made, "desk");
	const struct table_part *got = NULL;

	(void)state;
	give(part, TEXT_TITLE, 0)->string = "Browser \xc3\xa9";
	give(part, TEXT_COLOUR, 0x123456);
	give(part, TEXT_PATTERN, 3);
	give(part, TEXT_CLASS, TEXT_CLASS_LIMITED);
	give(part, TEXT_ORDER, 2);
	give(part, TEXT_CPU_GUARANTEE, 20);
	give(part, TEXT_CACHE, 30);
	give(part, TEXT_DISK_RATE, 5ull << 32);
	give(part, TEXT_NETWORK_RATE, 6ull << 32);
	give(part, TEXT_DEVICE, 31);
	give(part, TEXT_START, TEXT_START_BOOT);
	give(part, TEXT_AFTER, 0)->nodes = 1ull << other;
	give(part, TEXT_RESTART, 2)->number2 = 60;
	give(part, TEXT_HEALTH, TEXT_HEALTH_READY)->number2 = 90;
	give(part, TEXT_RUN, TEXT_RUN_IDLE);
	made.model.part[part].disk[0] = (struct model_disk){.file = "/a.vhd", .flags = 5};
	made.model.part[part].disk[1] = (struct model_disk){.file = "/b.vhd", .flags = 0};
	made.model.part[part].disk_count = 2;
	made.model.part[other].disk[0] = (struct model_disk){.file = "/c.vhd", .flags = 1};
	made.model.part[other].disk_count = 1;
	made.model.right[TEXT_PERSON_ADMIN][part].actions = TEXT_STOP;
	made.model.right[TEXT_PERSON_ADMIN][part].keys = 1u << TEXT_CPU_CAP;
	made.model.confirm_seconds = 90;
	emit_and_open();
	got = &table.part[part];
	assert_string_equal(table.string + got->title, "Browser \xc3\xa9");
	assert_int_equal(got->colour, 0x123456);
	assert_int_equal(got->pattern, 3);
	assert_int_equal(got->class, TEXT_CLASS_LIMITED);
	assert_int_equal(got->order, 2);
	assert_int_equal(got->guarantee, 20);
	assert_int_equal(got->cache, 30);
	assert_true(got->disk_rate == 5ull << 32);
	assert_true(got->network_rate == 6ull << 32);
	assert_int_equal(got->devices, 31);
	assert_int_equal(got->start, TEXT_START_BOOT);
	assert_int_equal(got->after, 1u << other);
	assert_int_equal(got->restart_count, 2);
	assert_int_equal(got->restart_seconds, 60);
	assert_int_equal(got->health, TEXT_HEALTH_READY);
	assert_int_equal(got->health_seconds, 90);
	assert_int_equal(got->run, TEXT_RUN_IDLE);
	assert_int_equal(table.node[part].count, 2);
	assert_string_equal(table.string + table.disk[table.node[part].first + 1].file, "/b.vhd");
	assert_string_equal(table.string + table.disk[table.node[other].first].file, "/c.vhd");
	assert_int_equal(table.disk[table.node[part].first].flags, 5);
	assert_true(table_may(&table, TEXT_PERSON_ADMIN, part, TEXT_STOP));
	assert_false(table_may(&table, TEXT_PERSON_ADMIN, other, TEXT_STOP));
	assert_true(table_may_change(&table, TEXT_PERSON_ADMIN, part, 1u << TEXT_CPU_CAP));
	assert_int_equal(table.head->confirm_seconds, 90);
	assert_int_equal(table.head->layers, 1);
	assert_int_equal(table.head->version[TEXT_VENDOR], 3);
}

/* Prefixes of all zones come in the order of the table, a repeated one once. */
static void emit_sorts_prefixes(void **state)
{
	static struct text_prefix lan[2] = {
		{{[10] = 0xff, [11] = 0xff, [12] = 10}, 104, true, {0}},
		{{[10] = 0xff, [11] = 0xff, [12] = 10}, 104, true, {0}}};
	static struct text_prefix all[1] = {{{[10] = 0xff, [11] = 0xff}, 96, true, {0}}};
	uint32_t whole = made_model_zone(&made, "all", false);
	uint32_t part = made_model_zone(&made, "lan", false);
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};

	(void)state;
	made.zone[whole].prefix = all;
	made.zone[whole].prefix_count = 1;
	made.zone[part].prefix = lan;
	made.zone[part].prefix_count = 2;
	emit_and_open();
	assert_int_equal(table.head->prefix_count, 2);
	assert_int_equal(table_zone(&table, address), part);
	address[12] = 11;
	assert_int_equal(table_zone(&table, address), whole);
}

/* Rules carry id, place and layer; files are named without their folders. */
static void emit_names_rules(void **state)
{
	uint32_t a = made_model_part(&made, "one"), b = made_model_part(&made, "two");

	(void)state;
	sources.count = 1;
	sources.file[0].name = (char[]){"some/folder/vendor.pol"};
	(void)made_model_rule(&made, TEXT_VENDOR, false, TEXT_ASK, TEXT_CLIPBOARD, 1ull << a,
			      1ull << b);
	(void)made_model_rule(&made, TEXT_USER, false, TEXT_DENY, TEXT_CLIPBOARD, 1ull << a,
			      1ull << b);
	emit_and_open();
	sources.count = 0;
	assert_int_equal(table.head->rule_count, 2);
	assert_string_equal(table_rule_id(&table, 1), "rule-1");
	assert_string_equal(table.string + table.rule[1].file, "vendor.pol");
	assert_int_equal(table.rule[1].line, 2);
	assert_int_equal(table.rule[1].layer, TEXT_USER);
	assert_int_equal(table.head->layers, 1 | 4);
}

/* The same model gives the same bytes. */
static void emit_gives_the_same_bytes_again(void **state)
{
	uint32_t a = made_model_part(&made, "one"), b = made_model_part(&made, "two");
	size_t first_size;
	void *first;

	(void)state;
	(void)made_model_rule(&made, TEXT_VENDOR, false, TEXT_ASK, TEXT_FILE, 1ull << a, 1ull << b);
	emit_and_open();
	first = bytes;
	first_size = size;
	emit_and_open();
	assert_int_equal(first_size, size);
	assert_memory_equal(first, bytes, size);
	free(first);
}

/* The reader's numbers of types are those of the language. */
static void emit_and_table_know_the_same_types(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < TEXT_KINDS; kind++) {
		assert_int_equal(text_types_all((enum text_kind)kind),
				 (1u << table_check_types(kind)) - 1);
	}
	assert_int_equal(table_check_types(TEXT_KINDS), 0);
}

static uint64_t random_bits(void)
{
	static uint64_t seed = 0x2545f4914f6cdd1dull;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x9e3779b97f4a7c15ull >> 16;
}

static void add_random_rule(uint32_t layer, uint32_t rule)
{
	const model_set nodes = (1ull << made.model.node_count) - 1;
	enum text_kind kind =
		random_bits() % 3 ? TEXT_NETWORK : (enum text_kind)(random_bits() % 5);
	struct text_rule *text;

	text = made_model_rule(&made, (enum text_layer)layer, random_bits() % 2,
			       (enum text_verdict)(random_bits() % 3), kind, random_bits() & nodes,
			       random_bits() & nodes);
	text->types &= (uint32_t)random_bits();
	text->types = text->types ? text->types : 1;
	if (text_kind_has_ports(kind) && random_bits() % 4) {
		uint16_t a = random_bits() % 12, b = random_bits() % 12;

		text->port_lo = a < b ? a : b;
		text->port_hi = random_bits() % 8 ? (a < b ? b : a) : UINT16_MAX;
	}
	text->limits.size_max = random_bits() % 3;
	text->limits.readonly = random_bits() % 4 == 0;
	text->limits.count_max = rule % 5;
}

static void make_random_model(void)
{
	uint32_t rules = (uint32_t)(random_bits() % 12);
	char name[TEXT_NAME_SIZE];

	made_model_init(&made);
	for (uint32_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "part-%u", i);
		(void)made_model_part(&made, name);
	}
	(void)made_model_zone(&made, "zone-1", false);
	made.model.has_layer[TEXT_VENDOR] = true;
	for (uint32_t layer = 0; layer < TEXT_LAYERS; layer++) {
		for (uint32_t i = 0; i < rules / (layer + 1); i++) {
			add_random_rule(layer, i);
		}
	}
}

static void compare(const struct table_query *query)
{
	const struct cells_row *row = cells_find(&cells, (enum text_kind)query->kind, query->from,
						 query->to, query->type, query->port);
	struct table_answer answer;
	const struct table_limit *limit;

	table_decide(&table, query, &answer);
	limit = answer.limit;
	assert_int_equal(answer.verdict, row ? row->verdict : TEXT_DENY);
	assert_int_equal(answer.rule, row ? row->rule : TABLE_NONE);
	if (row && row->verdict != TEXT_DENY) {
		assert_int_equal(limit ? limit->size_max : 0, row->limits.size_max);
		assert_int_equal(limit ? limit->count_max : 0, row->limits.count_max);
		assert_int_equal(limit ? limit->flags : 0, row->limits.readonly ? 2 : 0);
	} else {
		assert_null(limit);
	}
}

/* Table and model give one answer to every question about random policies. */
static void emit_keeps_every_decision(void **state)
{
	static const uint16_t ports[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1000, 65535};
	const char *why;

	for (uint32_t turn = 0; turn < 60; turn++) {
		make_random_model();
		assert_int_equal(cells_build(&made.model, &cells), 0);
		assert_int_equal(
			emit_table(&made.model, &cells, NULL, turn, NULL, 0, &diags, &bytes, &size),
			0);
		assert_int_equal(table_open(bytes, size, &table, &why), 0);
		for (uint32_t i = 0; i < 6 * 5 * 5 * 6; i++) {
			struct table_query query = {.kind = i % 6,
						    .from = i / 6 % 5,
						    .to = i / 30 % 5,
						    .type = 1u << (i / 150)};

			for (size_t k = 0; k < sizeof(ports) / sizeof(ports[0]); k++) {
				query.port = ports[k];
				compare(&query);
			}
		}
		cells_fini(&cells);
		teardown(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(emit_fills_root_part),
		TEST(emit_closes_partition_without_backends),
		TEST(emit_refuses_what_root_mode_would),
		TEST(emit_takes_modules),
		TEST(emit_assigns_owned_devices),
		TEST(emit_refuses_device_of_two_roles),
		TEST(emit_refuses_a_fifth_device_of_a_partition),
		TEST(emit_fills_part_of_daemons),
		TEST(emit_sorts_prefixes),
		TEST(emit_names_rules),
		TEST(emit_gives_the_same_bytes_again),
		TEST(emit_and_table_know_the_same_types),
		TEST(emit_keeps_every_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
