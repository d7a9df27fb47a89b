/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the sections about nodes: names, disks, matches, prefixes, properties and rights. */
#include "emit_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t add_disks(struct emit *emit, const struct model_part *part)
{
	for (uint32_t i = 0; i < part->disk_count; i++) {
		struct table_disk disk = {
			.file = emit_buffer_add_string(&emit->section[EMIT_STRING],
						       part->disk[i].file),
			.flags = part->disk[i].flags,
		};

		emit_buffer_add(&emit->section[EMIT_DISK], &disk, sizeof(disk));
	}
	return part->disk_count;
}

static uint32_t add_matches(struct emit *emit, const struct text_role *role)
{
	for (uint32_t i = 0; i < role->match_count; i++) {
		const struct text_match *from = &role->match[i];
		const bool ids = from->bus == TEXT_BUS_PCI || from->bus == TEXT_BUS_USB;
		struct table_match match = {
			.bus = from->bus,
			.class_code = ids ? from->class_code : 0,
			.class_mask = ids ? from->class_mask : 0,
			.vendor = ids ? from->vendor : UINT32_MAX,
			.product = ids ? from->product : UINT32_MAX,
			.what = ids ? 0 : from->what,
		};

		emit_buffer_add(&emit->section[EMIT_MATCH], &match, sizeof(match));
	}
	return role->match_count;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct table_prefix *left = a, *right = b;

	if (left->length != right->length) {
		return left->length > right->length ? -1 : 1;
	}
	return memcmp(left->address, right->address, sizeof(left->address));
}

static bool prefixes_same(const struct table_prefix *a, const struct table_prefix *b)
{
	return a->node == b->node && compare_prefixes(a, b) == 0;
}

/* In the order of the table; what a zone says twice stands there once. */
static int add_prefixes(struct emit *emit)
{
	const struct model *model = emit->model;
	struct table_prefix *prefix;
	uint32_t count = 0, at = 0;

	for (uint32_t i = model->part_count; i < model->node_count; i++) {
		count += model->node[i].zone != NULL ? model->node[i].zone->prefix_count : 0;
	}
	prefix = calloc(count + 1u, sizeof(*prefix));
	if (prefix == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = model->part_count; i < model->node_count; i++) {
		const struct text_zone *zone = model->node[i].zone;

		for (uint32_t k = 0; zone != NULL && k < zone->prefix_count; k++) {
			memcpy(prefix[at].address, zone->prefix[k].address, 16);
			prefix[at].length = zone->prefix[k].length;
			prefix[at++].node = i;
		}
	}
	qsort(prefix, count, sizeof(*prefix), compare_prefixes);
	for (uint32_t i = 0; i < count; i++) {
		if (i == 0 || !prefixes_same(&prefix[i - 1], &prefix[i])) {
			emit_buffer_add(&emit->section[EMIT_PREFIX], &prefix[i], sizeof(*prefix));
		}
	}
	free(prefix);
	return 0;
}

int emit_nodes(struct emit *emit)
{
	const struct model *model = emit->model;
	uint32_t disks = 0, matches = 0;

	for (uint32_t i = 0; i < model->node_count; i++) {
		const struct model_node *from = &model->node[i];
		struct table_node node = {.type = (uint32_t)from->type};

		node.name = emit_buffer_add_string(&emit->section[EMIT_STRING], from->name);
		if (from->type == MODEL_PART) {
			node.first = disks;
			node.count = add_disks(emit, &model->part[i]);
			disks += node.count;
		} else if (from->type == MODEL_ROLE) {
			node.first = matches;
			node.count = add_matches(emit, from->role);
			matches += node.count;
		}
		emit_buffer_add(&emit->section[EMIT_NODE], &node, sizeof(node));
	}
	return add_prefixes(emit);
}

static uint32_t add_title(struct emit *emit, const struct model_value *title)
{
	return title->given && title->string != NULL
		       ? emit_buffer_add_string(&emit->section[EMIT_STRING], title->string)
		       : 0;
}

static struct table_part make_part(struct emit *emit, uint32_t id)
{
	const struct model *model = emit->model;
	const struct model_value *key = model->part[id].key;

	return (struct table_part){
		.owns = key[TEXT_OWNS].given ? key[TEXT_OWNS].nodes : 0,
		.disk_rate = emit_number(model, id, TEXT_DISK_RATE),
		.network_rate = emit_number(model, id, TEXT_NETWORK_RATE),
		.title = add_title(emit, &key[TEXT_TITLE]),
		.colour = (uint32_t)emit_number(model, id, TEXT_COLOUR),
		.pattern = (uint8_t)emit_number(model, id, TEXT_PATTERN),
		.class = (uint8_t)emit_number(model, id, TEXT_CLASS),
		.order = (uint8_t)emit_number(model, id, TEXT_ORDER),
		.start = (uint8_t)emit_number(model, id, TEXT_START),
		.health = (uint8_t)emit_number(model, id, TEXT_HEALTH),
		.run = (uint8_t)emit_number(model, id, TEXT_RUN),
		.guarantee = (uint8_t)emit_number(model, id, TEXT_CPU_GUARANTEE),
		.cache = (uint8_t)emit_number(model, id, TEXT_CACHE),
		.after = key[TEXT_AFTER].given ? (uint16_t)key[TEXT_AFTER].nodes : 0,
		.restart_count = (uint16_t)emit_number(model, id, TEXT_RESTART),
		.restart_seconds = (uint32_t)key[TEXT_RESTART].number2,
		.health_seconds = (uint32_t)key[TEXT_HEALTH].number2,
		.devices = (uint32_t)emit_number(model, id, TEXT_DEVICE),
	};
}

int emit_parts(struct emit *emit)
{
	const struct model *model = emit->model;

	for (uint32_t i = 0; i < model->part_count; i++) {
		struct table_part part = make_part(emit, i);

		emit_buffer_add(&emit->section[EMIT_PART], &part, sizeof(part));
	}
	for (uint32_t person = 0; person < TEXT_PERSONS; person++) {
		for (uint32_t i = 0; i < model->part_count; i++) {
			struct table_right right = {model->right[person][i].actions,
						    model->right[person][i].keys};

			emit_buffer_add(&emit->section[EMIT_RIGHT], &right, sizeof(right));
		}
	}
	return 0;
}
