/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the sample's content: what the browser may do, in three rules. */
#include "table_sample.h"

#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "table_check.h"

/* Each but the first is closed by the 0 that the array ends with, or by its own. */
static const char strings[] =
	"\0control\0desktop\0browser\0webcam\0lan\0all\0/disk.vhd\0/base.vhd\0"
	"no-lan\0browser-web\0paste\0vendor.pol\0Browser \xc3\xbc\0";

uint32_t table_sample_string(const struct table_sample *sample, const char *text)
{
	uint32_t at = 0;

	while (strcmp(sample->string + at, text) != 0) {
		at += (uint32_t)strlen(sample->string + at) + 1;
		if (at >= SAMPLE_STRINGS) {
			abort();
		}
	}
	return at;
}

static void fill_root(struct table_sample *sample)
{
	static const char *const name[SAMPLE_PARTS] = {"control", "desktop", "browser"};

	sample->root = (struct bh_policy){
		.magic = BH_POLICY_MAGIC,
		.version = BH_POLICY_VERSION,
		.size = offsetof(struct table_sample, head),
		.part_count = SAMPLE_PARTS,
		.module_count = 1,
		.device_count = 1,
		.serial = 7,
		.file_size = sizeof(*sample),
	};
	for (uint32_t i = 0; i < SAMPLE_PARTS; i++) {
		sample->root_part[i] = (struct bh_policy_part){
			.ram_size = 64u << 20,
			.vcpu_count = 1,
			.weight = 100,
			.flags = i == 0 ? BH_POLICY_CONTROL : 0,
			.doorbell_count = i == 0 ? 0 : 8,
			.map_by = i == 0 ? 0 : 1,
			.ring_to = i == 0 ? 0 : 1,
			.irq_from = i == 0 ? 0 : 1,
		};
		strcpy(sample->root_part[i].name, name[i]);
	}
	sample->root_module[0] =
		(struct bh_policy_module){.role = "kernel", .size = 1000, .crc32c = 1};
	sample->root_device[0] = (struct bh_policy_device){.role = "webcam",
							   .class_code = 0x0e0000,
							   .class_mask = 0xff0000,
							   .vendor = BH_POLICY_DEVICE_ANY,
							   .device = BH_POLICY_DEVICE_ANY,
							   .part = SAMPLE_DESKTOP};
}

static void fill_nodes(struct table_sample *sample)
{
	static const char *const name[SAMPLE_NODES] = {"control", "desktop", "browser",
						       "webcam",  "lan",     "all"};
	static const struct table_node node[SAMPLE_NODES] = {
		{.type = TABLE_PART},
		{.type = TABLE_PART, .first = 0, .count = 1},
		{.type = TABLE_PART, .first = 1, .count = 1},
		{.type = TABLE_ROLE, .first = 0, .count = 2},
		{.type = TABLE_ZONE},
		{.type = TABLE_ZONE},
	};

	for (uint32_t i = 0; i < SAMPLE_NODES; i++) {
		sample->node[i] = node[i];
		sample->node[i].name = table_sample_string(sample, name[i]);
	}
	sample->disk[0].file = table_sample_string(sample, "/disk.vhd");
	sample->disk[1].file = table_sample_string(sample, "/base.vhd");
	sample->disk[1].flags = 3;
	sample->match[0] = (struct table_match){1, 0x0e0000, 0xff0000, UINT32_MAX, UINT32_MAX, 0};
	sample->match[1] = (struct table_match){1, 0, 0, 0x1234, UINT32_MAX, 0};
	/* 10.1.0.0/16 of all lies within 10.0.0.0/8 of lan; fe80::/10 is lan, else all. */
	sample->prefix[0] = (struct table_prefix){
		{[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 1}, 112, SAMPLE_ALL};
	sample->prefix[1] =
		(struct table_prefix){{[10] = 0xff, [11] = 0xff, [12] = 10}, 104, SAMPLE_LAN};
	sample->prefix[2] = (struct table_prefix){{[10] = 0xff, [11] = 0xff}, 96, SAMPLE_ALL};
	sample->prefix[3] = (struct table_prefix){{0xfe, 0x80}, 10, SAMPLE_LAN};
	sample->prefix[4] = (struct table_prefix){{0}, 0, SAMPLE_ALL};
}

static void fill_parts(struct table_sample *sample)
{
	sample->part[SAMPLE_DESKTOP].title = table_sample_string(sample, "");
	sample->part[SAMPLE_DESKTOP].owns = 1u << SAMPLE_WEBCAM;
	sample->part[SAMPLE_DESKTOP].start = 2;
	sample->part[SAMPLE_DESKTOP].devices = 31;
	sample->part[SAMPLE_DESKTOP].order = 1;
	sample->part[SAMPLE_BROWSER].title = table_sample_string(sample, "Browser \xc3\xbc");
	sample->part[SAMPLE_BROWSER].colour = 0x3366cc;
	sample->part[SAMPLE_BROWSER].start = 1;
	sample->part[SAMPLE_BROWSER].order = 2;
	sample->part[SAMPLE_BROWSER].after = 1u << SAMPLE_DESKTOP;
	for (uint32_t person = 0; person < TABLE_PERSONS; person++) {
		for (uint32_t part = 0; part < SAMPLE_PARTS; part++) {
			sample->right[person * SAMPLE_PARTS + part] = (struct table_right){
				.actions = part == 0 ? 0 : 63, .keys = person == 2 ? 0x7fffff : 0};
		}
	}
}

/* network browser -> all: tcp 80 and 443 allowed; browser -> lan denied; clipboard desktop ->
 * browser, type 0, asked. */
static void fill_cells(struct table_sample *sample)
{
	static const char *const id[3] = {"no-lan", "browser-web", "paste"};
	static const uint32_t verdict[3] = {0, 2, 1};

	for (uint32_t i = 0; i < 3; i++) {
		sample->rule[i] =
			(struct table_rule){.id = table_sample_string(sample, id[i]),
					    .file = table_sample_string(sample, "vendor.pol"),
					    .line = 10 + i,
					    .verdict = verdict[i]};
	}
	sample->limit[0] = (struct table_limit){.size_max = 4096};
	sample->run[1] = (struct table_run){0, 1};
	sample->run[2] = (struct table_run){1, 3};
	sample->run[3] = (struct table_run){4, 2};
	sample->row[0] = (struct table_row){0, 1, 0, 65535, 0, SAMPLE_RULE_PASTE, 0};
	for (uint8_t i = 0; i < 3; i++) {
		sample->row[1 + i] =
			(struct table_row){i, 0, 0, 65535, 0, SAMPLE_RULE_LAN, TABLE_NONE};
	}
	sample->row[4] = (struct table_row){0, 2, 80, 80, 0, SAMPLE_RULE_WEB, TABLE_NONE};
	sample->row[5] = (struct table_row){0, 2, 443, 443, 0, SAMPLE_RULE_WEB, TABLE_NONE};
	sample->cell[(SAMPLE_KIND_CLIPBOARD * SAMPLE_NODES + SAMPLE_DESKTOP) * SAMPLE_NODES +
		     SAMPLE_BROWSER] = 1;
	sample->cell[(SAMPLE_KIND_NETWORK * SAMPLE_NODES + SAMPLE_BROWSER) * SAMPLE_NODES +
		     SAMPLE_LAN] = 2;
	sample->cell[(SAMPLE_KIND_NETWORK * SAMPLE_NODES + SAMPLE_BROWSER) * SAMPLE_NODES +
		     SAMPLE_ALL] = 3;
}

void table_sample_init(struct table_sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	memcpy(sample->string, strings, sizeof(strings));
	sample->head = (struct table_head){
		.magic = TABLE_MAGIC,
		.version = {1, 0, 0},
		.size = sizeof(*sample) - offsetof(struct table_sample, head),
		.node_count = SAMPLE_NODES,
		.part_count = SAMPLE_PARTS,
		.kind_count = TABLE_KINDS,
		.disk_count = 2,
		.match_count = 2,
		.prefix_count = 5,
		.limit_count = 1,
		.row_count = 6,
		.rule_count = 3,
		.run_count = 4,
		.string_size = SAMPLE_STRINGS,
		.confirm_seconds = 60,
		.layers = 1,
	};
	fill_root(sample);
	fill_nodes(sample);
	fill_parts(sample);
	fill_cells(sample);
	table_sample_seal(sample);
}

void table_sample_seal(struct table_sample *sample)
{
	const size_t size = offsetof(struct table_sample, head);

	sample->root.crc32c = 0;
	sample->root.rest_crc32c = checksum_crc32c(0, &sample->head, sizeof(*sample) - size);
	if (table_check_hash(sample, sizeof(*sample), sample->root.hash) != 0) {
		abort();
	}
	sample->root.crc32c = checksum_crc32c(0, sample, size);
}
