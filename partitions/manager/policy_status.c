/* SPDX-License-Identifier: Apache-2.0 */
/** What `bulkhead policy status` and the answer to a change say. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "bulkhead_dev.h"
#include "policy_private.h"
#include "record.h"
#include "reply.h"

static void add(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

static struct json_object *layers(void)
{
	static const char *const words[TEXT_LAYERS] = {"vendor", "it", "user"};
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		struct json_object *layer;

		if (!policy.now.layer[i].there) {
			continue;
		}
		layer = json_object_new_object();
		add(layer, "layer", words[i]);
		add_number(layer, "version", policy.now.layer[i].version);
		json_object_object_add(
			layer, "applied",
			json_object_new_boolean(policy.now.layer[i].set != POLICY_NO_SET));
		json_object_array_add(array, layer);
	}
	return array;
}

static struct json_object *changes(void)
{
	static const char *const whens[] = {[POLICY_DIFF_NOW] = "now",
					    [POLICY_DIFF_START] = "start",
					    [POLICY_DIFF_BOOT] = "boot"};
	static const char *const touches[] = {
		[POLICY_DIFF_KEYS] = "keys", [POLICY_DIFF_SCREEN] = "screen",
		[POLICY_DIFF_IT] = "it",     [POLICY_DIFF_RIGHTS] = "rights",
		[POLICY_DIFF_FLOW] = "flow", [POLICY_DIFF_OTHER] = "other"};
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < policy.changes.count; i++) {
		const struct policy_diff_item *item = &policy.changes.item[i];
		struct json_object *object = json_object_new_object();

		add(object, "text", item->text);
		add(object, "touches", touches[item->touches]);
		add(object, "effect", policy_diff_effect_word(item->effect));
		add(object, "when", whens[item->when]);
		if (item->when == POLICY_DIFF_START) {
			add(object, "partition", table_name(&policy.now.table, item->part));
		}
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *trial(void)
{
	struct json_object *object = json_object_new_object();

	add_number(object, "left_ms", policy_state_left_ms(&policy.state, policy_now_ms()));
	json_object_object_add(object, "prompt",
			       json_object_new_boolean(policy.state.needs & POLICY_NEED_PROMPT));
	json_object_object_add(object, "it",
			       json_object_new_boolean(policy.state.needs & POLICY_NEED_IT));
	return object;
}

static struct json_object *audit_log(void)
{
	struct json_object *object = json_object_new_object();
	struct record_room room;

	record_look(&room);
	add_number(object, "free", room.free);
	json_object_object_add(object, "low", json_object_new_boolean(room.low));
	if (room.error) {
		add(object, "error", strerror(-room.error));
	}
	return object;
}

struct json_object *policy_describe(void)
{
	struct json_object *reply = reply_ok();
	struct bh_policy_info info;
	char hash[65];

	policy_hash_text(&policy.now.table, hash);
	add(reply, "hash", hash);
	add_number(reply, "serial", policy.now.table.root->serial);
	json_object_object_add(reply, "layers", layers());
	if (dev_policy_info(policy.options.dev, &info) == 0) {
		bool same = !memcmp(info.hash, policy.now.table.root->hash, sizeof(info.hash));
		bool boot = !memcmp(info.hash, info.boot_hash, sizeof(info.hash));

		json_object_object_add(reply, "root_mode", json_object_new_boolean(same));
		json_object_object_add(reply, "boot_policy", json_object_new_boolean(boot));
		add_number(reply, "refused", info.refused);
	}
	if (policy.state.trial) {
		json_object_object_add(reply, "provisional", trial());
	}
	json_object_object_add(reply, "audit", audit_log());
	json_object_object_add(reply, "changes", changes());
	add_number(reply, "more_changes", policy.changes.more);
	return reply;
}

struct json_object *policy_status(void)
{
	return policy.now.bytes ? policy_describe()
				: reply_error("no policy is in force: the daemon's log says why");
}
