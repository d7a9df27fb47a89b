/* SPDX-License-Identifier: Apache-2.0 */
/** Differences of partitions, devices and rights; those of flows are in policy_diff_flow.c. */
#include "policy_diff_item.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/lang/text.h"

#define PCI_NETWORK 0x02u /* base class */
#define GUEST_HANDS ((uint32_t)(TEXT_DEVICE_KEYBOARD | TEXT_DEVICE_POINTER))
#define GUEST_EYES  ((uint32_t)TEXT_DEVICE_GPU | GUEST_HANDS)

const char *policy_diff_effect_word(enum policy_diff_effect effect)
{
	return effect == POLICY_DIFF_OPENS     ? "opens"
	       : effect == POLICY_DIFF_CHANGES ? "changes"
					       : "tightens";
}

/* The lower, the earlier a person has to see it. */
static uint32_t rank(const struct policy_diff_item *item)
{
	uint32_t ways = POLICY_DIFF_FLOW * 3u;

	if (item->touches < POLICY_DIFF_FLOW) {
		return item->touches * 3u + item->effect;
	}
	if (item->effect == POLICY_DIFF_OPENS) {
		return ways + (item->touches == POLICY_DIFF_OTHER);
	}
	return ways + 1 + item->effect;
}

/* Where it goes; the list is moved up for it, and its last item may be lost. */
static struct policy_diff_item *make_room(struct policy_diff *diff, uint32_t item_rank)
{
	uint32_t place = diff->count;

	while (place > 0 && rank(&diff->item[place - 1]) > item_rank) {
		place--;
	}
	if (diff->count == POLICY_DIFF_MAX) {
		diff->more++;
		if (place == POLICY_DIFF_MAX) {
			return NULL;
		}
		diff->count--;
	}
	memmove(&diff->item[place + 1], &diff->item[place],
		(diff->count - place) * sizeof(diff->item[0]));
	diff->count++;
	return &diff->item[place];
}

void policy_diff_add(struct policy_diff *diff, const struct policy_diff_item *like,
		     const char *format, ...)
{
	struct policy_diff_item *item = make_room(diff, rank(like));
	va_list args;
	int size;

	diff->needs |= like->needs;
	if (!item) {
		return;
	}
	*item = *like;
	va_start(args, format);
	size = vsnprintf(item->text, sizeof(item->text), format, args);
	va_end(args);
	if (size >= (int)sizeof(item->text)) {
		strcpy(item->text + sizeof(item->text) - 4, "...");
	}
}

static const char *string(const struct table *table, uint32_t offset)
{
	return table->string + offset;
}

/* A device that is named by its number can be a network card too. */
static bool is_network_role(const struct table *table, uint32_t node)
{
	const struct table_node *role = &table->node[node];

	for (uint32_t i = 0; i < role->count; i++) {
		const struct table_match *match = &table->match[role->first + i];

		if (match->bus == TEXT_BUS_PCI &&
		    ((match->class_code >> 16 ^ PCI_NETWORK) & match->class_mask >> 16) == 0) {
			return true;
		}
	}
	return false;
}

bool policy_diff_is_way_of_it(const struct table *table, uint32_t part)
{
	for (uint32_t node = 0; node < table->head->node_count; node++) {
		if ((table->part[part].owns >> node & 1u) && is_network_role(table, node)) {
			return true;
		}
	}
	return false;
}

/* Which way to the machine a difference of partition `part` closes, if it is one that IT needs. */
static uint32_t needs_of_part(const struct policy_diff_pair *pair, uint32_t part)
{
	bool way = policy_diff_is_way_of_it(pair->before, part) ||
		   policy_diff_is_way_of_it(pair->after, part);

	return way ? POLICY_NEED_IT : 0;
}

/* What it touches when nothing but IT's way is at stake. */
static enum policy_diff_touches touches_of(uint32_t needs)
{
	return needs & POLICY_NEED_IT ? POLICY_DIFF_IT : POLICY_DIFF_OTHER;
}

static struct policy_diff_item item_of(enum policy_diff_when when, uint32_t part, uint32_t needs,
				       enum policy_diff_effect effect)
{
	return (struct policy_diff_item){.touches = touches_of(needs),
					 .effect = effect,
					 .when = when,
					 .part = part,
					 .needs = needs};
}

static void diff_number(const struct policy_diff_pair *pair, enum policy_diff_when when,
			uint32_t part, uint32_t needs, const char *key, uint64_t before,
			uint64_t after)
{
	struct policy_diff_item like = item_of(
		when, part, needs, after > before ? POLICY_DIFF_OPENS : POLICY_DIFF_TIGHTENS);

	if (before != after) {
		policy_diff_add(pair->diff, &like, "%s: %s %" PRIu64 " -> %" PRIu64,
				table_name(pair->after, part), key, before, after);
	}
}

/* The same for a bound, of which 0 says that there is none. */
static void diff_bound(const struct policy_diff_pair *pair, enum policy_diff_when when,
		       uint32_t part, uint32_t needs, const char *key, uint64_t before,
		       uint64_t after)
{
	struct policy_diff_item like =
		item_of(when, part, needs,
			after - 1 > before - 1 ? POLICY_DIFF_OPENS : POLICY_DIFF_TIGHTENS);
	char was[24] = "none", is[24] = "none";

	if (before == after) {
		return;
	}
	if (before) {
		snprintf(was, sizeof(was), "%" PRIu64, before);
	}
	if (after) {
		snprintf(is, sizeof(is), "%" PRIu64, after);
	}
	policy_diff_add(pair->diff, &like, "%s: %s %s -> %s", table_name(pair->after, part), key,
			was, is);
}

static void diff_root(const struct policy_diff_pair *pair, uint32_t part)
{
	const struct bh_policy_part *before = &pair->before->root_part[part];
	const struct bh_policy_part *after = &pair->after->root_part[part];
	uint32_t needs = needs_of_part(pair, part);
	enum policy_diff_when start = part ? POLICY_DIFF_START : POLICY_DIFF_BOOT;

	diff_number(pair, start, part, needs, "memory in MiB", before->ram_size >> 20,
		    after->ram_size >> 20);
	diff_number(pair, start, part, needs, "vcpus", before->vcpu_count, after->vcpu_count);
	diff_number(pair, start, part, 0, "doorbells", before->doorbell_count,
		    after->doorbell_count);
	diff_number(pair, POLICY_DIFF_NOW, part, 0, "cpu weight", before->weight, after->weight);
	diff_bound(pair, POLICY_DIFF_NOW, part, needs, "cpu cap", before->cap, after->cap);
	if (before->map_by != after->map_by || before->ring_to != after->ring_to ||
	    before->irq_from != after->irq_from) {
		struct policy_diff_item like =
			item_of(POLICY_DIFF_NOW, part, needs, POLICY_DIFF_CHANGES);

		policy_diff_add(pair->diff, &like, "%s: other partitions serve it",
				table_name(pair->after, part));
	}
}

static bool same_disks(const struct policy_diff_pair *pair, uint32_t part)
{
	const struct table_node *one = &pair->before->node[part], *other = &pair->after->node[part];

	if (one->count != other->count) {
		return false;
	}
	for (uint32_t i = 0; i < one->count; i++) {
		const struct table_disk *before = &pair->before->disk[one->first + i];
		const struct table_disk *after = &pair->after->disk[other->first + i];

		if (before->flags != after->flags ||
		    strcmp(string(pair->before, before->file), string(pair->after, after->file))) {
			return false;
		}
	}
	return true;
}

/* True if `part` owns in `table` what it does not own in `of`. Roles are numbered anew in each
 * table: their names count. */
static bool owns_more(const struct table *table, const struct table *of, uint32_t part)
{
	for (uint32_t node = 0; node < table->head->node_count; node++) {
		uint32_t other;

		if (!(table->part[part].owns >> node & 1u)) {
			continue;
		}
		other = table_find(of, table_name(table, node));
		if (other == TABLE_NONE || !(of->part[part].owns >> other & 1u)) {
			return true;
		}
	}
	return false;
}

static void diff_looks(const struct policy_diff_pair *pair, uint32_t part)
{
	const struct table_part *before = &pair->before->part[part];
	const struct table_part *after = &pair->after->part[part];
	struct policy_diff_item looks = item_of(POLICY_DIFF_START, part, 0, POLICY_DIFF_CHANGES);
	struct policy_diff_item class =
		item_of(POLICY_DIFF_NOW, part, 0,
			after->class < before->class ? POLICY_DIFF_OPENS : POLICY_DIFF_TIGHTENS);

	if (before->colour != after->colour || before->pattern != after->pattern ||
	    before->order != after->order ||
	    strcmp(string(pair->before, before->title), string(pair->after, after->title))) {
		policy_diff_add(pair->diff, &looks, "%s: title, colour, pattern or order",
				table_name(pair->after, part));
	}
	if (before->class != after->class) {
		if (before->class == TEXT_CLASS_IT || after->class == TEXT_CLASS_IT) {
			class.touches = POLICY_DIFF_SCREEN;
			class.needs = POLICY_NEED_PROMPT;
		}
		policy_diff_add(pair->diff, &class, "%s: class", table_name(pair->after, part));
	}
}

static void diff_devices(const struct policy_diff_pair *pair, uint32_t part)
{
	uint32_t before = pair->before->part[part].devices, after = pair->after->part[part].devices;
	uint32_t changed = before ^ after;
	struct policy_diff_item like =
		item_of(POLICY_DIFF_START, part, 0,
			after & ~before ? POLICY_DIFF_OPENS : POLICY_DIFF_TIGHTENS);

	if (changed & GUEST_EYES) {
		like.needs = POLICY_NEED_PROMPT;
		like.touches = changed & GUEST_HANDS ? POLICY_DIFF_KEYS : POLICY_DIFF_SCREEN;
	}
	if (changed) {
		policy_diff_add(pair->diff, &like, "%s: devices", table_name(pair->after, part));
	}
}

static void diff_owned(const struct policy_diff_pair *pair, uint32_t part)
{
	bool more = owns_more(pair->after, pair->before, part);
	uint32_t needs = needs_of_part(pair, part);
	struct policy_diff_item owned = item_of(POLICY_DIFF_START, part, needs,
						more ? POLICY_DIFF_OPENS : POLICY_DIFF_TIGHTENS);
	struct policy_diff_item disks =
		item_of(POLICY_DIFF_START, part, needs, POLICY_DIFF_CHANGES);
	const struct table_part *before = &pair->before->part[part];
	const struct table_part *after = &pair->after->part[part];

	if (more || owns_more(pair->before, pair->after, part)) {
		policy_diff_add(pair->diff, &owned, "%s: real devices that it owns",
				table_name(pair->after, part));
	}
	if (!same_disks(pair, part)) {
		policy_diff_add(pair->diff, &disks, "%s: disks", table_name(pair->after, part));
	}
	diff_bound(pair, POLICY_DIFF_START, part, 0, "disk rate", before->disk_rate,
		   after->disk_rate);
	diff_bound(pair, POLICY_DIFF_NOW, part, needs, "network rate", before->network_rate,
		   after->network_rate);
}

static void diff_life(const struct policy_diff_pair *pair, uint32_t part)
{
	const struct table_part *before = &pair->before->part[part];
	const struct table_part *after = &pair->after->part[part];
	uint32_t needs = needs_of_part(pair, part);
	struct policy_diff_item like = item_of(POLICY_DIFF_NOW, part, needs, POLICY_DIFF_CHANGES);

	if (before->start != after->start || before->after != after->after ||
	    before->run != after->run) {
		policy_diff_add(pair->diff, &like, "%s: when it starts and runs",
				table_name(pair->after, part));
	}
	if (before->restart_count != after->restart_count ||
	    before->restart_seconds != after->restart_seconds || before->health != after->health ||
	    before->health_seconds != after->health_seconds) {
		policy_diff_add(pair->diff, &like, "%s: restarts and health",
				table_name(pair->after, part));
	}
	diff_number(pair, POLICY_DIFF_NOW, part, needs, "cpu guarantee", before->guarantee,
		    after->guarantee);
	diff_number(pair, POLICY_DIFF_START, part, 0, "cache", before->cache, after->cache);
}

static void diff_rights(const struct policy_diff_pair *pair, uint32_t part)
{
	static const char *const names[TABLE_PERSONS] = {"user", "admin", "it"};
	uint32_t parts = pair->before->head->part_count;

	for (uint32_t person = 0; person < TABLE_PERSONS; person++) {
		const struct table_right *before = &pair->before->right[person * parts + part];
		const struct table_right *after = &pair->after->right[person * parts + part];
		uint32_t needs = person == TEXT_PERSON_IT ? POLICY_NEED_IT : 0;
		struct policy_diff_item actions =
			item_of(POLICY_DIFF_NOW, part, needs,
				after->actions & ~before->actions ? POLICY_DIFF_OPENS
								  : POLICY_DIFF_TIGHTENS);
		struct policy_diff_item keys = {.touches = POLICY_DIFF_RIGHTS,
						.effect = after->keys & ~before->keys
								  ? POLICY_DIFF_OPENS
								  : POLICY_DIFF_TIGHTENS,
						.when = POLICY_DIFF_NOW,
						.part = part,
						.needs = needs | POLICY_NEED_PROMPT};

		if (before->actions != after->actions) {
			policy_diff_add(pair->diff, &actions, "%s: what %s may do",
					table_name(pair->after, part), names[person]);
		}
		if (before->keys != after->keys) {
			policy_diff_add(pair->diff, &keys, "%s: what %s may change",
					table_name(pair->after, part), names[person]);
		}
	}
}

static void diff_parts(const struct policy_diff_pair *pair)
{
	for (uint32_t part = 0; part < pair->after->head->part_count; part++) {
		diff_root(pair, part);
		diff_looks(pair, part);
		diff_devices(pair, part);
		diff_owned(pair, part);
		diff_life(pair, part);
		diff_rights(pair, part);
	}
}

/* Numbers of partitions mean the same in both, or nothing can be compared. */
static bool same_parts(const struct table *before, const struct table *after)
{
	bool same = before->head->part_count == after->head->part_count;

	for (uint32_t part = 0; same && part < before->head->part_count; part++) {
		same = !strcmp(table_name(before, part), table_name(after, part));
	}
	return same;
}

void policy_diff_make(const struct table *before, const struct table *after,
		      struct policy_diff *ret_diff)
{
	const struct policy_diff_pair pair = {before, after, ret_diff};
	struct policy_diff_item like = {.touches = POLICY_DIFF_KEYS,
					.effect = POLICY_DIFF_CHANGES,
					.when = POLICY_DIFF_BOOT,
					.needs = POLICY_NEED_PROMPT | POLICY_NEED_IT};

	*ret_diff = (struct policy_diff){0};
	if (!same_parts(before, after)) {
		policy_diff_add(ret_diff, &like, "other partitions");
		return;
	}
	diff_parts(&pair);
	policy_diff_flows(&pair);
	if (before->root->flags != after->root->flags) {
		like = item_of(POLICY_DIFF_BOOT, 0, 0, POLICY_DIFF_CHANGES);
		policy_diff_add(ret_diff, &like, "whether an IOMMU is required");
	}
	if (before->head->confirm_seconds != after->head->confirm_seconds) {
		like = item_of(POLICY_DIFF_NOW, 0, 0, POLICY_DIFF_CHANGES);
		policy_diff_add(ret_diff, &like, "confirm within %u s -> %u s",
				before->head->confirm_seconds, after->head->confirm_seconds);
	}
}
