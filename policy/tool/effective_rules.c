/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the way back from decisions to rules: rows that say the same between several nodes become
 * one line. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "effective.h"
#include "flow.h"
#include "say.h"

struct item {
	enum text_kind kind;
	struct flow_part part; /* old is the row */
	model_set from, to;
};

struct items {
	struct item *item;
	size_t count, room;
};

static int add_item(struct items *items, const struct item *item)
{
	if (items->count == items->room) {
		size_t room = items->room ? 2 * items->room : 256;
		struct item *more = realloc(items->item, room * sizeof(*more));

		if (!more) {
			return -ENOMEM;
		}
		items->item = more;
		items->room = room;
	}
	items->item[items->count++] = *item;
	return 0;
}

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_limits(const struct text_limits *a, const struct text_limits *b)
{
	int ret = compare_number(a->size_max, b->size_max);

	ret = ret ? ret : compare_number(a->rate_max, b->rate_max);
	ret = ret ? ret : compare_number(a->count_max, b->count_max);
	ret = ret ? ret : compare_number(a->seconds_max, b->seconds_max);
	ret = ret ? ret : compare_number(a->quarantine, b->quarantine);
	return ret ? ret : compare_number(a->readonly, b->readonly);
}

/* Everything but the ends. */
static int compare_sense(const struct item *a, const struct item *b)
{
	const struct cells_row *left = a->part.old, *right = b->part.old;
	int ret = compare_number(left->rule, right->rule);

	ret = ret ? ret : compare_number(a->kind, b->kind);
	ret = ret ? ret : compare_number(a->part.lo, b->part.lo);
	ret = ret ? ret : compare_number(a->part.hi, b->part.hi);
	ret = ret ? ret : compare_number(a->part.types, b->part.types);
	ret = ret ? ret : compare_number(left->verdict, right->verdict);
	return ret ? ret : compare_limits(&left->limits, &right->limits);
}

static int compare_by_from(const void *a, const void *b)
{
	const struct item *left = a, *right = b;
	int ret = compare_sense(left, right);

	ret = ret ? ret : compare_number(left->from, right->from);
	return ret ? ret : compare_number(left->to, right->to);
}

static int compare_by_to(const void *a, const void *b)
{
	const struct item *left = a, *right = b;
	int ret = compare_sense(left, right);

	ret = ret ? ret : compare_number(left->to, right->to);
	return ret ? ret : compare_number(left->from, right->from);
}

/* Joins neighbours that agree in all but one end. */
static void join(struct items *items, bool by_from)
{
	size_t kept = 0;

	if (items->count > 1) {
		qsort(items->item, items->count, sizeof(*items->item),
		      by_from ? compare_by_from : compare_by_to);
	}
	for (size_t i = 0; i < items->count; i++) {
		struct item *item = &items->item[i];
		struct item *last = kept ? &items->item[kept - 1] : NULL;

		if (last && !compare_sense(last, item) &&
		    (by_from ? last->from == item->from : last->to == item->to)) {
			last->from |= item->from;
			last->to |= item->to;
		} else {
			items->item[kept++] = *item;
		}
	}
	items->count = kept;
}

static int collect_cell(const struct compile *compile, enum text_kind kind, uint32_t from,
			uint32_t to, bool denied, struct items *items)
{
	struct flow_cell here = {&compile->cells, from, to}, none = {0};
	struct flow_part *parts;
	uint32_t count;
	int ret = flow_parts(kind, &here, &none, &parts, &count);

	if (ret) {
		return ret;
	}
	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		struct item item = {kind, parts[i], 1ull << from, 1ull << to};

		if (parts[i].old && (denied || parts[i].old->verdict != TEXT_DENY)) {
			ret = add_item(items, &item);
		}
	}
	free(parts);
	return ret;
}

static int collect(const struct compile *compile, bool denied, struct items *items)
{
	uint32_t nodes = compile->model.node_count;
	int ret = 0;

	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		for (uint32_t from = 0; from < nodes; from++) {
			for (uint32_t to = 0; ret == 0 && to < nodes; to++) {
				if (cells_cell(&compile->cells, (enum text_kind)kind, from, to)
					    ->count) {
					ret = collect_cell(compile, (enum text_kind)kind, from, to,
							   denied, items);
				}
			}
		}
	}
	return ret;
}

/* The id of the rule that decided; when it is taken, with a number behind it. */
static void make_id(const struct model *model, const struct items *items, size_t index,
		    char id[TEXT_ID_SIZE])
{
	uint32_t rule = items->item[index].part.old->rule;
	const char *name = rule == CELLS_NO_RULE ? "no-rule" : model->rule[rule].text->id;
	size_t before = index;
	char tail[16] = "";

	while (before > 0 && items->item[before - 1].part.old->rule == rule) {
		before--;
	}
	if (index > before) {
		snprintf(tail, sizeof(tail), "--%zu", index - before + 1);
	}
	snprintf(id, TEXT_ID_SIZE, "%.*s%s", (int)(TEXT_ID_SIZE - 1 - strlen(tail)), name, tail);
}

static int add_rule(const struct compile *compile, const struct items *items, size_t index,
		    struct effective *rules)
{
	const struct model *model = &compile->model;
	const struct item *item = &items->item[index];
	const struct cells_row *row = item->part.old;
	struct text_name from[MODEL_NODES_MAX], to[MODEL_NODES_MAX];
	struct text_statement statement = {.type = TEXT_RULE};
	struct text_rule *rule = &statement.rule;
	struct model_origin origin = {0};

	make_id(model, items, index, rule->id);
	rule->verdict = row->verdict;
	rule->kind = item->kind;
	rule->from = effective_names(model, item->from, from);
	rule->to = effective_names(model, item->to, to);
	rule->types = item->part.types;
	rule->port_lo = item->part.lo;
	rule->port_hi = item->part.hi;
	if (row->verdict != TEXT_DENY) {
		rule->limits = row->limits;
	}
	if (row->rule != CELLS_NO_RULE) {
		origin = (struct model_origin){model->rule[row->rule].layer,
					       model->rule[row->rule].pos,
					       model->rule[row->rule].open};
	}
	return effective_add(rules, compile, &statement, NULL, &origin);
}

int effective_rules(const struct compile *compile, bool denied, struct effective *ret_rules)
{
	struct effective rules = {0};
	struct items items = {0};
	int ret = collect(compile, denied, &items);

	if (ret == 0) {
		join(&items, true);
		join(&items, false);
	}
	for (size_t i = 0; ret == 0 && i < items.count; i++) {
		/* `any -> any` names a node and itself, which no rule may do alone. */
		if (items.item[i].from == items.item[i].to &&
		    !(items.item[i].from & (items.item[i].from - 1))) {
			continue;
		}
		ret = add_rule(compile, &items, i, &rules);
	}
	free(items.item);
	if (ret) {
		effective_fini(&rules);
		return ret;
	}
	*ret_rules = rules;
	return 0;
}
