/* SPDX-License-Identifier: Apache-2.0 */
/** Differences of flows: cells whose decisions are not the same, whatever rules they come from. */
#include <string.h>

#include "policy/lang/text.h"
#include "policy_diff_item.h"

static const char *const kinds[TABLE_KINDS] = {
	[TEXT_CLIPBOARD] = "clipboard", [TEXT_FILE] = "file",
	[TEXT_LINK] = "link",		[TEXT_CHANNEL] = "channel",
	[TEXT_NETWORK] = "network",	[TEXT_USB] = "usb",
	[TEXT_CAMERA] = "camera",	[TEXT_MICROPHONE] = "microphone",
	[TEXT_SOUND] = "sound",		[TEXT_CAPTURE] = "capture",
	[TEXT_PRINT] = "print",		[TEXT_FOLDER] = "folder",
	[TEXT_INPUT] = "input",		[TEXT_DISPLAY] = "display",
};

static const struct table_run *run_of(const struct table *table, uint32_t kind, uint32_t from,
				      uint32_t to)
{
	static const struct table_run none = {0, 0};
	uint32_t nodes = table->head->node_count;

	if (from == TABLE_NONE || to == TABLE_NONE) {
		return &none;
	}
	return &table->run[table->cell[(kind * nodes + from) * nodes + to]];
}

static bool same_limit(const struct policy_diff_pair *pair, uint32_t before, uint32_t after)
{
	if (before == TABLE_NONE || after == TABLE_NONE) {
		return before == after;
	}
	return !memcmp(&pair->before->limit[before], &pair->after->limit[after],
		       sizeof(struct table_limit));
}

static bool same_run(const struct policy_diff_pair *pair, const struct table_run *before,
		     const struct table_run *after)
{
	if (before->count != after->count) {
		return false;
	}
	for (uint32_t i = 0; i < before->count; i++) {
		const struct table_row *one = &pair->before->row[before->row + i];
		const struct table_row *other = &pair->after->row[after->row + i];

		if (one->type != other->type || one->verdict != other->verdict ||
		    one->port_lo != other->port_lo || one->port_hi != other->port_hi ||
		    !same_limit(pair, one->limit, other->limit)) {
			return false;
		}
	}
	return true;
}

static uint32_t needs_of_flow(const struct policy_diff_pair *pair, uint32_t kind, uint32_t from,
			      uint32_t to)
{
	uint32_t parts = pair->after->head->part_count;

	if (kind == TEXT_INPUT || kind == TEXT_DISPLAY) {
		return POLICY_NEED_PROMPT;
	}
	if (kind == TEXT_NETWORK &&
	    ((from < parts && (policy_diff_is_way_of_it(pair->before, from) ||
			       policy_diff_is_way_of_it(pair->after, from))) ||
	     (to < parts && (policy_diff_is_way_of_it(pair->before, to) ||
			     policy_diff_is_way_of_it(pair->after, to))))) {
		return POLICY_NEED_IT;
	}
	return 0;
}

/* `base` has the nodes that are looked at, `skip` another table whose nodes were looked at before.
 */
static void diff_nodes(const struct policy_diff_pair *pair, const struct table *base,
		       const struct table *skip)
{
	uint32_t nodes = base->head->node_count;
	uint32_t before[TABLE_NODES_MAX], after[TABLE_NODES_MAX];
	bool known[TABLE_NODES_MAX];

	for (uint32_t node = 0; node < nodes; node++) {
		const char *name = table_name(base, node);

		before[node] = table_find(pair->before, name);
		after[node] = table_find(pair->after, name);
		known[node] = skip && table_find(skip, name) != TABLE_NONE;
	}
	for (uint32_t i = 0; i < TABLE_KINDS * nodes * nodes; i++) {
		uint32_t kind = i / (nodes * nodes), from = i / nodes % nodes, to = i % nodes;

		if (!(known[from] && known[to]) &&
		    !same_run(pair, run_of(pair->before, kind, before[from], before[to]),
			      run_of(pair->after, kind, after[from], after[to]))) {
			policy_diff_add(pair->diff, POLICY_DIFF_NOW, 0,
					needs_of_flow(pair, kind, from, to), "%s %s -> %s",
					kinds[kind], table_name(base, from), table_name(base, to));
		}
	}
}

static bool same_matches(const struct policy_diff_pair *pair, uint32_t before, uint32_t after)
{
	const struct table_node *one = &pair->before->node[before];
	const struct table_node *other = &pair->after->node[after];

	return one->count == other->count &&
	       (one->count == 0 ||
		!memcmp(&pair->before->match[one->first], &pair->after->match[other->first],
			one->count * sizeof(struct table_match)));
}

static uint32_t needs_of_role(const struct table *table, uint32_t node)
{
	const struct table_node *role = &table->node[node];
	uint32_t needs = 0;

	for (uint32_t i = 0; i < role->count; i++) {
		uint32_t bus = table->match[role->first + i].bus;

		needs |= bus == TEXT_BUS_INPUT || bus == TEXT_BUS_OUTPUT ? POLICY_NEED_PROMPT : 0;
	}
	for (uint32_t part = 0; part < table->head->part_count; part++) {
		needs |= (table->part[part].owns >> node & 1u) &&
					 policy_diff_is_way_of_it(table, part)
				 ? POLICY_NEED_IT
				 : 0;
	}
	return needs;
}

static void diff_roles(const struct policy_diff_pair *pair)
{
	for (uint32_t node = 0; node < pair->after->head->node_count; node++) {
		const char *name = table_name(pair->after, node);
		uint32_t before = table_find(pair->before, name);

		if (pair->after->node[node].type == TABLE_ROLE && before != TABLE_NONE &&
		    pair->before->node[before].type == TABLE_ROLE &&
		    !same_matches(pair, before, node)) {
			policy_diff_add(pair->diff, POLICY_DIFF_NOW, 0,
					needs_of_role(pair->before, before) |
						needs_of_role(pair->after, node),
					"role %s: which devices it means", name);
		}
	}
}

/* Zones are a matter of one sorted list, in which each prefix may cut another one. */
static void diff_zones(const struct policy_diff_pair *pair)
{
	const struct table *before = pair->before, *after = pair->after;
	bool same = before->head->prefix_count == after->head->prefix_count;

	for (uint32_t i = 0; same && i < before->head->prefix_count; i++) {
		const struct table_prefix *one = &before->prefix[i], *other = &after->prefix[i];

		same = one->length == other->length &&
		       !memcmp(one->address, other->address, sizeof(one->address)) &&
		       !strcmp(table_name(before, one->node), table_name(after, other->node));
	}
	if (!same) {
		policy_diff_add(pair->diff, POLICY_DIFF_NOW, 0, POLICY_NEED_IT,
				"which addresses the zones mean");
	}
}

void policy_diff_flows(const struct policy_diff_pair *pair)
{
	diff_nodes(pair, pair->after, NULL);
	diff_nodes(pair, pair->before, pair->after);
	diff_roles(pair);
	diff_zones(pair);
}
