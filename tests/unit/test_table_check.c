/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule about the content of a table: one field of a good one is changed, checksums are made
 * right again, and the reason must be the one of that rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "table_check.h"
#include "table_sample.h"

static struct table_sample sample;

struct change {
	size_t offset, size;
	uint64_t value;
	const char *why;
};

#define SET(field, value, why)                                                                     \
	{                                                                                          \
		offsetof(struct table_sample, field), sizeof(sample.field), value, why             \
	}

static void refuse_sample(const char *want)
{
	struct table table;
	const char *why = "nothing";

	table_sample_seal(&sample);
	if (table_open(&sample, sizeof(sample), &table, &why) != -EBADMSG) {
		fail_msg("opened in spite of: %s", want);
	}
	assert_string_equal(why, want);
}

static void refuse(const struct change *change)
{
	table_sample_init(&sample);
	memcpy((uint8_t *)&sample + change->offset, &change->value, change->size);
	refuse_sample(change->why);
}

#define REFUSE_ALL(changes)                                                                        \
	for (size_t i = 0; i < sizeof(changes) / sizeof((changes)[0]); i++) {                      \
		refuse(&(changes)[i]);                                                             \
	}

#define WHY_COUNTS  "number of partitions, modules or devices out of range"
#define WHY_SIZE    "the table is truncated or has another size than it says"
#define WHY_NODES   "number of partitions, nodes or kinds out of range"
#define WHY_SECTION "the part of the daemons has another size than it says"

/* Sizes and counts that do not come out are found before anything is read by them. */
static void table_check_refuses_sizes(void **state)
{
	static const struct change changes[] = {
		SET(root.magic, 0, "not a policy table"),
		SET(root.version, 1, "made for another version of the hypervisor"),
		SET(root.part_count, 0, WHY_COUNTS),
		SET(root.part_count, BH_PART_MAX + 1, WHY_COUNTS),
		SET(root.module_count, 17, WHY_COUNTS),
		SET(root.device_count, BH_POLICY_DEVICE_MAX + 1, WHY_COUNTS),
		SET(root.part_count, 2, WHY_SIZE),
		SET(root.size, 0, WHY_SIZE),
		SET(root.file_size, 1, WHY_SIZE),
		SET(head.magic, 1, "the part of the daemons is missing"),
		SET(head.part_count, 2, WHY_NODES),
		SET(head.node_count, 2, WHY_NODES),
		SET(head.node_count, TABLE_NODES_MAX + 1, WHY_NODES),
		SET(head.kind_count, TABLE_KINDS - 1, WHY_NODES),
		SET(head.run_count, 0, WHY_NODES),
		SET(head.string_size, 0, WHY_NODES),
		SET(head.size, 100, WHY_SECTION),
		SET(head.string_size, SAMPLE_STRINGS + 1, WHY_SECTION),
		SET(head.row_count, UINT32_MAX, WHY_SECTION),
		SET(head.disk_count, 3, WHY_SECTION),
	};

	(void)state;
	REFUSE_ALL(changes);
}

#define WHY_RANGE "memory, vcpus, weight, cap or doorbells of a partition out of range"
#define WHY_CTRL  "partition 0, and no other, must be the control partition"
#define WHY_REACH "a partition may reach one that is not there"
#define WHY_ZERO  "a reserved field of a partition is not 0"
#define WHY_OWNER "a device belongs to no guest partition"
#define WHY_CLASS "a device is named by neither class nor vendor"

/* What root mode reads is checked as strictly as root mode does. */
static void table_check_refuses_root_part(void **state)
{
	static const struct change changes[] = {
		SET(root.flags, 2, "flags that mean nothing, or a reserved field that is not 0"),
		SET(root.reserved[4], 1,
		    "flags that mean nothing, or a reserved field that is not 0"),
		SET(root_part[1].name[0], 0, "a partition has no proper name"),
		SET(root_part[1].name[0], 'D', "a partition has no proper name"),
		SET(root_part[1].name[15], 'x', "a partition has no proper name"),
		SET(root_part[1].ram_size, 0, WHY_RANGE),
		SET(root_part[1].ram_size, 3u << 20, WHY_RANGE),
		SET(root_part[1].ram_size, (3ull << 30) + (2u << 20), WHY_RANGE),
		SET(root_part[1].vcpu_count, 0, WHY_RANGE),
		SET(root_part[1].vcpu_count, BH_VCPU_MAX + 1, WHY_RANGE),
		SET(root_part[1].weight, 0, WHY_RANGE),
		SET(root_part[1].weight, 10001, WHY_RANGE),
		SET(root_part[1].doorbell_count, BH_DOORBELL_MAX + 1, WHY_RANGE),
		SET(root_part[1].cap, 801, WHY_RANGE),
		SET(root_part[1].flags, BH_POLICY_CONTROL, WHY_CTRL),
		SET(root_part[1].flags, 2, WHY_CTRL),
		SET(root_part[0].flags, 0, WHY_CTRL),
		SET(root_part[1].map_by, 8, WHY_REACH),
		SET(root_part[1].ring_to, 8, WHY_REACH),
		SET(root_part[1].irq_from, 0x8000, WHY_REACH),
		SET(root_part[1].reserved16[2], 1, WHY_ZERO),
		SET(root_part[1].reserved[0], 1, WHY_ZERO),
		SET(root_module[0].role[0], 0, "a module has no proper role or size"),
		SET(root_module[0].size, 0, "a module has no proper role or size"),
		SET(root_module[0].reserved, 1, "a module has no proper role or size"),
		SET(root_device[0].role[0], '-', "a device has no proper role"),
		SET(root_device[0].part, 0, WHY_OWNER),
		SET(root_device[0].part, SAMPLE_PARTS, WHY_OWNER),
		SET(root_device[0].class_mask, 0x1ff0000, WHY_CLASS),
		SET(root_device[0].class_code, 0x0e0001, WHY_CLASS),
	};

	(void)state;
	REFUSE_ALL(changes);
}

#define WHY_UTF8 "a string is not UTF-8, or has control characters"

/* Strings are closed UTF-8 without control characters. */
static void table_check_refuses_strings(void **state)
{
	static const char *const bad[] = {
		"\x1b[1m",
		"\x7f",
		"\xc2\x85",
		"\xc3",
		"\x80",
		"\xc0\xaf",
		"\xe0\x80\xaf",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xff",
		"\t",
		"\xf8\x88\x80\x80\x80",
		"\xf0\x80\x80\x80",
		"\xe2\x82",
	};
	static const char *const good[] = {"\xc2\xa0",	       "\xe2\x82\xac", "\xf0\x9f\x94\x91",
					   "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "~"};
	static const struct change ends[] = {
		SET(string[0], 'x', "the strings do not begin and end with 0"),
		SET(string[SAMPLE_STRINGS - 1], 'x', "the strings do not begin and end with 0"),
	};
	struct table table;
	const char *why;

	(void)state;
	REFUSE_ALL(ends);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) + sizeof(good) / sizeof(good[0]); i++) {
		const bool is_bad = i < sizeof(bad) / sizeof(bad[0]);

		table_sample_init(&sample);
		strcpy(sample.string + SAMPLE_STRINGS - 8,
		       is_bad ? bad[i] : good[i - sizeof(bad) / sizeof(bad[0])]);
		table_sample_seal(&sample);
		assert_int_equal(table_open(&sample, sizeof(sample), &table, &why),
				 is_bad ? -EBADMSG : 0);
		if (is_bad) {
			assert_string_equal(why, WHY_UTF8);
		}
	}
}

#define WHY_TYPE   "a node is neither partition, role nor zone, or stands in the wrong place"
#define WHY_NAME   "a node has no proper name"
#define WHY_OWN	   "disks or matches of a node are not its own"
#define WHY_NOBODY "a disk or match belongs to no node"
#define WHY_MATCH  "a match has no meaning"
#define WHY_DISK   "a disk has no proper path, or flags that mean nothing"
#define WHY_PREFIX "a prefix is too long or belongs to no zone"
#define WHY_ORDER  "prefixes are not in order"

/* Nodes have one name and one type, and what hangs on them is theirs alone. */
static void table_check_refuses_nodes(void **state)
{
	static const struct change changes[] = {
		SET(node[SAMPLE_DESKTOP].type, TABLE_ROLE, WHY_TYPE),
		SET(node[SAMPLE_LAN].type, TABLE_PART, WHY_TYPE),
		SET(node[SAMPLE_LAN].type, TABLE_ZONE + 1, WHY_TYPE),
		SET(node[SAMPLE_LAN].name, 0, WHY_NAME),
		SET(node[SAMPLE_LAN].name, 2, WHY_NAME),
		SET(node[SAMPLE_LAN].name, SAMPLE_STRINGS, WHY_NAME),
		SET(node[SAMPLE_DESKTOP].name, 1, "a partition has two names"),
		SET(node[SAMPLE_LAN].name, 1, "two nodes have one name"),
		SET(node[SAMPLE_BROWSER].first, 0, WHY_OWN),
		SET(node[SAMPLE_BROWSER].count, 2, WHY_OWN),
		SET(node[SAMPLE_WEBCAM].count, UINT32_MAX, WHY_OWN),
		SET(node[SAMPLE_BROWSER].count, 5, "a partition has too many disks"),
		SET(node[SAMPLE_WEBCAM].count, 0, WHY_OWN),
		SET(node[SAMPLE_LAN].first, 1, WHY_OWN),
		SET(node[SAMPLE_LAN].count, 1, WHY_OWN),
		SET(node[SAMPLE_BROWSER].count, 0, WHY_NOBODY),
		SET(node[SAMPLE_WEBCAM].count, 1, WHY_NOBODY),
		SET(match[0].bus, 4, WHY_MATCH),
		SET(match[0].bus, 2, WHY_MATCH),
		SET(match[0].what, 1, WHY_MATCH),
		SET(match[0].class_mask, 0x1ff0000, WHY_MATCH),
		SET(match[0].class_code, 0x0e0001, WHY_MATCH),
		SET(match[0].vendor, 0x10000, WHY_MATCH),
		SET(match[0].product, 0x10000, WHY_MATCH),
		SET(match[1].vendor, UINT32_MAX, WHY_MATCH),
		SET(disk[0].file, 0, WHY_DISK),
		SET(disk[0].file, SAMPLE_STRINGS, WHY_DISK),
		SET(disk[0].flags, 8, WHY_DISK),
		SET(prefix[0].length, 129, WHY_PREFIX),
		SET(prefix[0].node, SAMPLE_NODES, WHY_PREFIX),
		SET(prefix[0].node, SAMPLE_WEBCAM, WHY_PREFIX),
		SET(prefix[0].address[14], 1, "an address has bits behind its prefix"),
		SET(prefix[0].length, 111, "an address has bits behind its prefix"),
		SET(prefix[1].length, 113, WHY_ORDER),
		SET(prefix[4].length, 10, WHY_ORDER),
	};

	(void)state;
	REFUSE_ALL(changes);
}

/* Devices of input and output are told by what they are, and by nothing else. */
static void table_check_refuses_input_and_output(void **state)
{
	static const struct {
		struct table_match match;
		bool good;
	} cases[] = {
		{{2, 0, 0, UINT32_MAX, UINT32_MAX, 8}, true},
		{{2, 0, 0, UINT32_MAX, UINT32_MAX, 24}, true},
		{{3, 0, 0, UINT32_MAX, UINT32_MAX, 1}, true},
		{{2, 0, 0, UINT32_MAX, UINT32_MAX, 0}, false},
		{{2, 0, 0, UINT32_MAX, UINT32_MAX, 1}, false},
		{{3, 0, 0, UINT32_MAX, UINT32_MAX, 8}, false},
		{{4, 0, 0, UINT32_MAX, UINT32_MAX, 1}, false},
		{{2, 1, 0, UINT32_MAX, UINT32_MAX, 8}, false},
		{{2, 0, 1, UINT32_MAX, UINT32_MAX, 8}, false},
		{{2, 0, 0, 1, UINT32_MAX, 8}, false},
		{{2, 0, 0, UINT32_MAX, 1, 8}, false},
	};
	struct table table;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		table_sample_init(&sample);
		sample.match[0] = cases[i].match;
		if (!cases[i].good) {
			refuse_sample(WHY_MATCH);
			continue;
		}
		table_sample_seal(&sample);
		assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), 0);
	}
}

/* A disk has a path in its one spelling, so that it cannot be another one's by a detour. */
static void table_check_refuses_paths(void **state)
{
	static const char *const bad[] = {"",	   "/",	      ".",	"a",   "a/b", "/a/",
					  "/a//b", "/a/../b", "/a/./b", "//a", "/.."};
	static const char *const good[] = {"/a", "/a/b", "/a.b/..c", "/.a/...", "/a/b.."};
	struct table table;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		table_sample_init(&sample);
		strcpy(sample.string + sample.disk[0].file, bad[i]);
		refuse_sample(WHY_DISK);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		table_sample_init(&sample);
		strcpy(sample.string + sample.disk[0].file, good[i]);
		table_sample_seal(&sample);
		assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), 0);
	}
}

/* What several fields say together: a device of any class and maker, one prefix twice. */
static void table_check_refuses_pairs(void **state)
{
	(void)state;
	table_sample_init(&sample);
	sample.root_device[0].class_code = sample.root_device[0].class_mask = 0;
	refuse_sample(WHY_CLASS);
	table_sample_init(&sample);
	sample.prefix[4] = sample.prefix[3];
	refuse_sample(WHY_ORDER);
	table_sample_init(&sample);
	sample.prefix[0].length = 104;
	sample.prefix[0].address[13] = 0;
	refuse_sample(WHY_ORDER);
}

#define WHY_LOOK  "title, colour, pattern or order of a partition out of range"
#define WHY_CARE  "class, start, health, devices or shares of a partition out of range"
#define WHY_THERE "a partition owns or waits for what is not there"

/* Properties of partitions are in range, and nobody waits for himself. */
static void table_check_refuses_parts(void **state)
{
	static const struct change changes[] = {
		SET(part[1].title, 3, WHY_LOOK),
		SET(part[1].colour, 0x1000000, WHY_LOOK),
		SET(part[1].pattern, 6, WHY_LOOK),
		SET(part[1].order, 10, WHY_LOOK),
		SET(part[1].class, 3, WHY_CARE),
		SET(part[1].start, 3, WHY_CARE),
		SET(part[1].health, 2, WHY_CARE),
		SET(part[1].run, 4, WHY_CARE),
		SET(part[1].devices, 32, WHY_CARE),
		SET(part[1].guarantee, 101, WHY_CARE),
		SET(part[1].cache, 101, WHY_CARE),
		SET(part[1].reserved[0], 1, WHY_CARE),
		SET(part[1].reserved[1], 1, WHY_CARE),
		SET(part[1].owns, 1u << SAMPLE_LAN, WHY_THERE),
		SET(part[1].owns, 1u << SAMPLE_BROWSER, WHY_THERE),
		SET(part[1].owns, 1ull << 63, WHY_THERE),
		SET(part[1].after, 1u << SAMPLE_PARTS, WHY_THERE),
		SET(part[1].after, 1u << SAMPLE_DESKTOP, "partitions wait for each other"),
		SET(part[1].after, 1u << SAMPLE_BROWSER, "partitions wait for each other"),
		SET(right[0].actions, 64, "a right means nothing"),
		SET(right[8].keys, 1u << 23, "a right means nothing"),
	};

	struct table table;
	const char *why;

	(void)state;
	REFUSE_ALL(changes);
	/* Of 32 letters; the strings end with 0 long before. */
	table_sample_init(&sample);
	memset(sample.string + sample.part[SAMPLE_BROWSER].title, 'T', TABLE_TITLE_MAX + 1);
	refuse_sample(WHY_LOOK);
	table_sample_init(&sample);
	memset(sample.string + sample.part[SAMPLE_BROWSER].title, 'T', TABLE_TITLE_MAX);
	table_sample_seal(&sample);
	assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), 0);
}

#define WHY_LAYER "a rule belongs to no layer, or rules are not in order"
#define WHY_ID	  "a rule has no proper id"
#define WHY_PLACE "place or verdict of a rule out of range"

/* Rules belong to layers that are there, and have ids that can stand in a log. */
static void table_check_refuses_rules(void **state)
{
	static const struct change changes[] = {
		SET(head.layers, 0, "no layer, or one that is not known"),
		SET(head.layers, 9, "no layer, or one that is not known"),
		SET(head.version[1], 5, "a layer that is not there has a version"),
		SET(rule[0].layer, 1, WHY_LAYER),
		SET(rule[2].layer, UINT32_MAX, WHY_LAYER),
		SET(rule[0].id, 0, WHY_ID),
		SET(rule[0].id, 3, WHY_ID),
		SET(rule[0].id, SAMPLE_STRINGS, WHY_ID),
		SET(rule[0].file, SAMPLE_STRINGS, WHY_PLACE),
		SET(rule[0].file, 3, WHY_PLACE),
		SET(rule[0].verdict, 3, WHY_PLACE),
		SET(limit[0].flags, 4, "a limit has flags that mean nothing"),
		SET(limit[0].reserved, 1, "a limit has flags that mean nothing"),
		SET(limit[0].size_max, 0, "a limit limits nothing"),
	};

	(void)state;
	REFUSE_ALL(changes);
	/* The title of a partition is no id, for its blank and its letters. */
	table_sample_init(&sample);
	refuse(&(struct change){offsetof(struct table_sample, rule[0].id), 4,
				sample.part[SAMPLE_BROWSER].title, WHY_ID});
}

#define WHY_RUNS	     "runs of rows do not follow each other"
#define WHY_ROWS	     "rows of a run are not in order or overlap"
#define WHY_CELLS	     "cells do not take the runs in order"
#define WHY_RULE	     "a row has no rule, or another verdict than its rule"
#define CELL(kind, from, to) cell[((kind)*SAMPLE_NODES + (from)) * SAMPLE_NODES + (to)]

/* Rows, runs and cells leave no question with two answers and no row unused. */
static void table_check_refuses_cells(void **state)
{
	static const struct change changes[] = {
		SET(run[0].count, 1, WHY_RUNS),
		SET(run[1].count, 0, WHY_RUNS),
		SET(run[2].row, 0, WHY_RUNS),
		SET(run[3].count, 3, WHY_RUNS),
		SET(run[3].count, UINT32_MAX, WHY_RUNS),
		SET(run[3].count, 1, "a row belongs to no run"),
		SET(row[4].port_lo, 81, "ports of a row are in the wrong order"),
		SET(row[4].reserved, 1, "ports of a row are in the wrong order"),
		SET(row[4].rule, 3, WHY_RULE),
		SET(row[4].verdict, 1, WHY_RULE),
		SET(row[4].limit, 1, "a row has a limit that is not there"),
		SET(row[4].port_hi, 443, WHY_ROWS),
		SET(row[5].port_lo, 80, WHY_ROWS),
		SET(row[4].type, 1, WHY_ROWS),
		SET(row[3].type, 3, "a row has a type that its kind does not have"),
		SET(row[0].type, 32, "a row has a type that its kind does not have"),
		SET(CELL(0, 0, 0), 2, WHY_CELLS),
		SET(CELL(13, 5, 5), 4, WHY_CELLS),
		SET(CELL(4, SAMPLE_BROWSER, SAMPLE_ALL), 0, "a run belongs to no cell"),
	};

	(void)state;
	REFUSE_ALL(changes);
}

/* A name is short and made of the letters that names have. */
static void table_check_name_takes_names(void **state)
{
	static const char *const good[] = {"a", "a-1", "abcdefghijklmno"};
	static const char *const bad[] = {"", "1a", "-", "A", "a_b", "abcdefghijklmnop", "a\xc3"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(table_check_name(good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(table_check_name(bad[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_check_refuses_sizes),
		cmocka_unit_test(table_check_refuses_root_part),
		cmocka_unit_test(table_check_refuses_strings),
		cmocka_unit_test(table_check_refuses_nodes),
		cmocka_unit_test(table_check_refuses_input_and_output),
		cmocka_unit_test(table_check_refuses_paths),
		cmocka_unit_test(table_check_refuses_pairs),
		cmocka_unit_test(table_check_refuses_parts),
		cmocka_unit_test(table_check_refuses_rules),
		cmocka_unit_test(table_check_refuses_cells),
		cmocka_unit_test(table_check_name_takes_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
