/* SPDX-License-Identifier: Apache-2.0 */
/** Builds answers. json-c fails only by lack of memory; an answer may then miss a field. */
#define _GNU_SOURCE
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulkhead_dev.h"
#include "iommu.h"
#include "text.h"
#include "words.h"

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static void add_string(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_bool(struct json_object *object, const char *key, bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

struct json_object *reply_ok(void)
{
	struct json_object *reply = json_object_new_object();

	add_bool(reply, "ok", true);
	return reply;
}

struct json_object *reply_error(const char *error)
{
	struct json_object *reply = json_object_new_object();

	add_bool(reply, "ok", false);
	add_string(reply, "error", error);
	return reply;
}

static struct json_object *reply_assigned(const struct part *part)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < part->config.assigned_count; i++) {
		struct json_object *object = json_object_new_object();

		add_string(object, "role", part->config.assigned[i]);
		add_bool(object, "has", part->assigned[i].has);
		add_string(object, "text", part->assigned[i].text);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *reply_part(const struct part *part)
{
	static const char *const states[] = {"empty", "created", "running", "paused", "stopped"};
	struct json_object *object = json_object_new_object();
	const struct super *super = &part->super;
	struct bh_part_info info;
	bool up = super->state == SUPER_RUNNING;

	add_string(object, "name", part->config.name);
	add_number(object, "id", part->config.id);
	add_string(object, "title", part->config.title);
	add_number(object, "order", part->config.order);
	add_string(object, "state", part_state_word(part));
	add_string(object, "reason", super->why);
	add_number(object, "restarts", super->restarts);
	add_bool(object, "ready", part->ready);
	add_number(object, "ready_tsc", part->ready ? part->ready_tsc : 0);
	add_number(object, "uptime_ms", up ? (loop_now_us() - super->started_us) / 1000 : 0);
	if (part->config.assigned_count > 0) {
		json_object_object_add(object, "assigned", reply_assigned(part));
	}
	if (dev_info(part_env.dev, part->config.id, &info) == 0) {
		add_number(object, "memory", info.ram_size);
		add_number(object, "vcpus", info.vcpu_count);
		add_string(object, "hypervisor_state",
			   info.state < sizeof(states) / sizeof(states[0]) ? states[info.state]
									   : "?");
	}
	return object;
}

struct json_object *reply_list(const struct part *parts, unsigned int count,
			       bool (*may_see)(const void *who, uint32_t id), const void *who)
{
	struct json_object *reply = reply_ok(), *array = json_object_new_array(), *iommu;

	for (unsigned int i = 0; i < count; i++) {
		if (may_see(who, parts[i].config.id)) {
			json_object_array_add(array, reply_part(&parts[i]));
		}
	}
	json_object_object_add(reply, "partitions", array);
	iommu = iommu_reply(part_env.dev);
	if (iommu) {
		json_object_object_add(reply, "iommu", iommu);
	}
	return reply;
}

static struct json_object *reply_vcpu(const struct bh_vcpu_stats *stats)
{
	struct json_object *object = json_object_new_object(), *exits = json_object_new_object();

	add_number(object, "run_tsc", stats->run_tsc);
	add_number(object, "root_tsc", stats->root_tsc);
	add_number(object, "switches", stats->switches);
	add_number(object, "injected", stats->injected);
	for (unsigned int kind = 0; kind < BH_EXIT_KINDS; kind++) {
		add_number(exits, words_exit_kind(kind), stats->exits[kind]);
	}
	json_object_object_add(object, "exits", exits);
	return object;
}

struct json_object *reply_stats(uint32_t id, const char *name)
{
	struct json_object *reply, *array;
	struct bh_part_info info;
	struct bh_vcpu_stats stats;
	char error[96];
	int ret = dev_info(part_env.dev, id, &info);

	if (ret) {
		snprintf(error, sizeof(error), "%s: %s", name, strerror(-ret));
		return reply_error(error);
	}
	reply = reply_ok();
	array = json_object_new_array();
	add_string(reply, "name", name);
	add_number(reply, "tsc_khz", info.tsc_khz);
	add_number(reply, "tsc", __builtin_ia32_rdtsc());
	for (uint32_t vcpu = 0; vcpu < info.vcpu_count && vcpu < BH_VCPU_MAX; vcpu++) {
		if (dev_stats(part_env.dev, id, vcpu, &stats) == 0) {
			json_object_array_add(array, reply_vcpu(&stats));
		}
	}
	json_object_object_add(reply, "vcpus", array);
	return reply;
}

struct json_object *reply_text(const char *bytes, size_t size, bool more)
{
	struct json_object *reply = reply_ok();
	char *utf8 = malloc(2 * size + 1);

	if (utf8) {
		size_t length = text_encode(bytes, size, utf8);

		json_object_object_add(reply, "text",
				       json_object_new_string_len(utf8, (int)length));
		free(utf8);
	}
	add_bool(reply, "more", more);
	return reply;
}
