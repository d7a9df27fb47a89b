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

/* 0: no such limit. */
static bool is_looser(uint64_t limit, uint64_t than)
{
	return than && (!limit || limit > than);
}

static bool has_looser_limit(const struct table *table, uint32_t limit, const struct table *of,
			     uint32_t than)
{
	static const struct table_limit none = {0};
	const struct table_limit *one = limit == TABLE_NONE ? &none : &table->limit[limit];
	const struct table_limit *other = than == TABLE_NONE ? &none : &of->limit[than];

	return is_looser(one->size_max, other->size_max) ||
	       is_looser(one->rate_max, other->rate_max) ||
	       is_looser(one->count_max, other->count_max) ||
	       is_looser(one->seconds_max, other->seconds_max) || (other->flags & ~one->flags);
}

/* True if `run` of `table` lets something through that `than` of the table `of` does not, or asks
 * less about it, or limits it less. Rows of both are in order of type and port and do not overlap.
 */
static bool lets_more(const struct table *table, const struct table_run *run,
		      const struct table *of, const struct table_run *than)
{
	const struct table_row *other = &of->row[than->row], *end = other + than->count;

	for (uint32_t i = 0; i < run->count; i++) {
		const struct table_row *row = &table->row[run->row + i];

		for (uint32_t port = row->port_lo; row->verdict && port <= row->port_hi;) {
			while (other < end &&
			       (other->type < row->type ||
				(other->type == row->type && other->port_hi < port))) {
				other++;
			}
			if (other == end || other->type != row->type || other->port_lo > port ||
			    other->verdict < row->verdict ||
			    has_looser_limit(table, row->limit, of, other->limit)) {
				return true;
			}
			port = other->port_hi + 1u;
		}
	}
	return false;
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

static void diff_cell(const struct policy_diff_pair *pair, uint32_t kind,
		      const struct table_run *before, const struct table_run *after,
		      const struct policy_diff_item *like, const char *from, const char *to)
{
	struct policy_diff_item item = *like;
	bool opens = lets_more(pair->after, after, pair->before, before);

	if (opens || lets_more(pair->before, before, pair->after, after)) {
		item.effect = opens ? POLICY_DIFF_OPENS : POLICY_DIFF_TIGHTENS;
		policy_diff_add(pair->diff, &item, "%s %s -> %s", kinds[kind], from, to);
	}
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
		struct policy_diff_item like = {.needs = needs_of_flow(pair, kind, from, to)};

		like.touches = kind == TEXT_INPUT	     ? POLICY_DIFF_KEYS
			       : kind == TEXT_DISPLAY	     ? POLICY_DIFF_SCREEN
			       : like.needs & POLICY_NEED_IT ? POLICY_DIFF_IT
							     : POLICY_DIFF_FLOW;
		if (!(known[from] && known[to])) {
			diff_cell(pair, kind, run_of(pair->before, kind, before[from], before[to]),
				  run_of(pair->after, kind, after[from], after[to]), &like,
				  table_name(base, from), table_name(base, to));
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

/* Adds what the role stands for in this table. */
static void touch_role(const struct table *table, uint32_t node, struct policy_diff_item *item)
{
	const struct table_node *role = &table->node[node];
	enum policy_diff_touches touches = POLICY_DIFF_OTHER;

	for (uint32_t part = 0; part < table->head->part_count; part++) {
		if ((table->part[part].owns >> node & 1u) &&
		    policy_diff_is_way_of_it(table, part)) {
			item->needs |= POLICY_NEED_IT;
			touches = POLICY_DIFF_IT;
		}
	}
	for (uint32_t i = 0; i < role->count; i++) {
		uint32_t bus = table->match[role->first + i].bus;

		if (bus == TEXT_BUS_INPUT || bus == TEXT_BUS_OUTPUT) {
			item->needs |= POLICY_NEED_PROMPT;
			touches = bus == TEXT_BUS_INPUT		 ? POLICY_DIFF_KEYS
				  : touches > POLICY_DIFF_SCREEN ? POLICY_DIFF_SCREEN
								 : touches;
		}
	}
	item->touches = touches < item->touches ? touches : item->touches;
}

static void diff_roles(const struct policy_diff_pair *pair)
{
	for (uint32_t node = 0; node < pair->after->head->node_count; node++) {
		const char *name = table_name(pair->after, node);
		uint32_t before = table_find(pair->before, name);
		struct policy_diff_item like = {.touches = POLICY_DIFF_OTHER,
						.effect = POLICY_DIFF_CHANGES};

		if (pair->after->node[node].type == TABLE_ROLE && before != TABLE_NONE &&
		    pair->before->node[before].type == TABLE_ROLE &&
		    !same_matches(pair, before, node)) {
			touch_role(pair->before, before, &like);
			touch_role(pair->after, node, &like);
			policy_diff_add(pair->diff, &like, "role %s: which devices it means", name);
		}
	}
}

/* Zones are a matter of one sorted list, in which each prefix may cut another one. */
static void diff_zones(const struct policy_diff_pair *pair)
{
	const struct policy_diff_item like = {
		.touches = POLICY_DIFF_IT, .effect = POLICY_DIFF_CHANGES, .needs = POLICY_NEED_IT};
	const struct table *before = pair->before, *after = pair->after;
	bool same = before->head->prefix_count == after->head->prefix_count;

	for (uint32_t i = 0; same && i < before->head->prefix_count; i++) {
		const struct table_prefix *one = &before->prefix[i], *other = &after->prefix[i];

		same = one->length == other->length &&
		       !memcmp(one->address, other->address, sizeof(one->address)) &&
		       !strcmp(table_name(before, one->node), table_name(after, other->node));
	}
	if (!same) {
		policy_diff_add(pair->diff, &like, "which addresses the zones mean");
	}
}

void policy_diff_flows(const struct policy_diff_pair *pair)
{
	diff_nodes(pair, pair->after, NULL);
	diff_nodes(pair, pair->before, pair->after);
	diff_roles(pair);
	diff_zones(pair);
}
