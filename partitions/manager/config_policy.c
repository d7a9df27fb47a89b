/* SPDX-License-Identifier: Apache-2.0 */
/** What a policy table says of the partitions. The table is a checked one, so nothing here can be
 * out of range but what the daemon has less room for. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/lang/text.h"
#include "ui/proto/switcher.h"

static bool is_seen(const struct table *table, uint32_t id)
{
	return table->part[id].class != TEXT_CLASS_IT &&
	       table_may(table, TEXT_PERSON_USER, id, TEXT_SEE);
}

static void take_disks(const struct table *table, struct config *config)
{
	const struct table_node *node = &table->node[config->id];

	for (uint32_t i = 0; i < node->count && i < CONFIG_DISKS_MAX; i++) {
		const struct table_disk *disk = &table->disk[node->first + i];

		snprintf(config->disk[i].path, CONFIG_PATH_SIZE, "%s", table->string + disk->file);
		config->disk[i].flags = disk->flags;
		config->disk_count = i + 1;
	}
}

/* As root mode has them: one role may stand for several kinds of device. */
static void take_devices(const struct table *table, struct config *config)
{
	for (uint32_t i = 0; i < table->root->device_count; i++) {
		const struct bh_policy_device *device = &table->root_device[i];
		bool known = false;

		for (uint32_t j = 0; j < config->assigned_count; j++) {
			known |= !strncmp(config->assigned[j], device->role, CONFIG_NAME_SIZE);
		}
		if (device->part == config->id && !known &&
		    config->assigned_count < CONFIG_ASSIGNED_MAX) {
			snprintf(config->assigned[config->assigned_count++], CONFIG_NAME_SIZE,
				 "%.15s", device->role);
		}
	}
}

/* The switcher draws ASCII; any other letter is one '?'. */
static void take_title(const char *from, struct config *config)
{
	size_t size = 0;

	for (; *from && size < CONFIG_TITLE_SIZE - 1; from++) {
		unsigned char byte = (unsigned char)*from;

		if (byte >= 0x80 && byte < 0xc0) {
			continue; /* goes on with the letter before */
		}
		config->title[size++] = byte < 0x20 || byte > 0x7e ? '?' : *from;
	}
	config->title[size] = 0;
}

/* Whether keys, pointer or pixels may go between a partition and the first role that such a device
 * fits. There is no question in the middle of a key, so that asking is no. */
static bool is_joined(const struct table *table, uint32_t id, uint32_t kind, uint32_t what)
{
	const struct table_match device = {
		.bus = kind == TEXT_INPUT ? TEXT_BUS_INPUT : TEXT_BUS_OUTPUT, .what = what};
	const uint32_t role = table_role(table, &device);
	const struct table_query query = {.kind = kind,
					  .from = kind == TEXT_INPUT ? role : id,
					  .to = kind == TEXT_INPUT ? id : role,
					  .type = 1};
	struct table_answer answer;

	table_decide(table, &query, &answer);
	return answer.verdict == TEXT_ALLOW;
}

/* What rules of input and display leave of the devices of a partition. */
static uint32_t joined_devices(const struct table *table, uint32_t id)
{
	uint32_t devices = table->part[id].devices;

	if (!is_joined(table, id, TEXT_INPUT, TEXT_DEVICE_KEYBOARD)) {
		devices &= ~(uint32_t)TEXT_DEVICE_KEYBOARD;
	}
	if (!is_joined(table, id, TEXT_INPUT, TEXT_DEVICE_POINTER)) {
		devices &= ~(uint32_t)TEXT_DEVICE_POINTER;
	}
	if (!is_joined(table, id, TEXT_DISPLAY, 1)) {
		devices &= ~(uint32_t)TEXT_DEVICE_GPU;
	}
	return devices;
}

static void take_part(const struct table *table, uint32_t id, struct config *config)
{
	const struct table_part *part = &table->part[id];
	const char *title = table->string + part->title;

	*config = (struct config){
		.id = id,
		.colour = part->colour,
		.pattern = part->pattern < SWITCHER_PATTERN_COUNT ? part->pattern : SWITCHER_PLAIN,
		.order = is_seen(table, id) ? part->order : 0,
		.memory = table->root_part[id].ram_size,
		.vcpus = table->root_part[id].vcpu_count,
		.start = part->start,
		.after = part->after,
		.run = part->run,
		.restarts = part->restart_count,
		.steady_seconds = part->restart_seconds,
		.ready_seconds = part->health == TEXT_HEALTH_READY ? part->health_seconds : 0,
		.disk_rate = part->disk_rate,
		.devices = joined_devices(table, id),
	};
	snprintf(config->name, sizeof(config->name), "%s", table_name(table, id));
	take_title(title[0] ? title : config->name, config);
	take_disks(table, config);
	take_devices(table, config);
}

/* Digits of those who have none that is theirs alone: the smallest free ones, while they last. */
static void give_orders(const struct table *table, struct config *configs, uint32_t count)
{
	uint32_t taken = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t order = configs[i].order;

		if (order > SWITCHER_ORDER_MAX || (taken & (1u << order))) {
			configs[i].order = 0;
		} else if (order) {
			taken |= 1u << order;
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t order = 1;

		while (order <= SWITCHER_ORDER_MAX && (taken & (1u << order))) {
			order++;
		}
		if (!configs[i].order && is_seen(table, configs[i].id) &&
		    order <= SWITCHER_ORDER_MAX) {
			configs[i].order = order;
			taken |= 1u << order;
		}
	}
}

static int by_order(const void *a, const void *b)
{
	const struct config *one = a, *other = b;
	uint32_t first = one->order ? one->order : 100 + one->id;
	uint32_t second = other->order ? other->order : 100 + other->id;

	return (int)first - (int)second;
}

uint32_t config_from_policy(const struct table *table, struct config ret_configs[CONFIG_PARTS_MAX])
{
	uint32_t count = 0;

	for (uint32_t id = 1; id < table->head->part_count && count < CONFIG_PARTS_MAX; id++) {
		take_part(table, id, &ret_configs[count++]);
	}
	give_orders(table, ret_configs, count);
	qsort(ret_configs, count, sizeof(ret_configs[0]), by_order);
	return count;
}
