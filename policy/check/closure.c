/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches what. The first reason that is found for an edge stays: a rule that allows, one that
 * asks, then what is not said by a rule. */
#include "closure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_BIT(node) (1ull << (node))

static void add_edge(struct closure *closure, const struct closure_step *step)
{
	if (step->from == step->to || (closure->direct[step->from] & NODE_BIT(step->to))) {
		return;
	}
	closure->direct[step->from] |= NODE_BIT(step->to);
	closure->step[(size_t)step->from * closure->nodes + step->to] = *step;
}

static bool goes_back(enum text_kind kind, const struct cells_row *row)
{
	return kind == TEXT_NETWORK || kind == TEXT_USB ||
	       (kind == TEXT_FOLDER && !row->limits.readonly);
}

/* A folder has neither types nor ports, so that the one row of its cell tells its way back too. */
static void add_rows(struct closure *closure, const struct cells *cells, enum text_kind kind,
		     enum text_verdict verdict)
{
	for (uint32_t from = 0; from < closure->nodes; from++) {
		for (uint32_t to = 0; to < closure->nodes; to++) {
			const struct cells_cell *cell = cells_cell(cells, kind, from, to);
			const struct cells_row *row = NULL;
			struct closure_step step = {.from = from, .to = to, .kind = kind};

			if (cell->count == 0 || cells->row[cell->loosest].verdict != verdict) {
				continue;
			}
			row = &cells->row[cell->loosest];
			step.rule = row->rule;
			add_edge(closure, &step);
			if (goes_back(kind, row)) {
				step.from = to;
				step.to = from;
				step.back = true;
				add_edge(closure, &step);
			}
		}
	}
}

static void add_owned(struct closure *closure, const struct model *model)
{
	for (uint32_t part = 0; part < model->part_count; part++) {
		for (model_set left = model->part[part].key[TEXT_OWNS].nodes; left;
		     left &= left - 1) {
			uint32_t role = (uint32_t)__builtin_ctzll(left);
			struct closure_step step = {.from = part, .to = role, .why = CLOSURE_OWNS};

			add_edge(closure, &step);
			step.from = role;
			step.to = part;
			step.back = true;
			add_edge(closure, &step);
		}
	}
}

/* The file of a disk that `from` writes and `to` has, or NULL. */
static const char *shared_disk(const struct model_part *from, const struct model_part *to)
{
	for (uint32_t i = 0; i < from->disk_count; i++) {
		if (from->disk[i].flags & (TEXT_DISK_READONLY | TEXT_DISK_THROWAWAY)) {
			continue;
		}
		for (uint32_t j = 0; j < to->disk_count; j++) {
			if (strcmp(from->disk[i].file, to->disk[j].file) == 0) {
				return from->disk[i].file;
			}
		}
	}
	return NULL;
}

static void add_disks(struct closure *closure, const struct model *model)
{
	for (uint32_t from = 0; from < model->part_count; from++) {
		for (uint32_t to = 0; to < model->part_count; to++) {
			struct closure_step step = {.from = from, .to = to, .why = CLOSURE_DISK};

			step.disk = shared_disk(&model->part[from], &model->part[to]);
			if (step.disk) {
				add_edge(closure, &step);
			}
		}
	}
}

static void add_carried(struct closure *closure, const struct model *model)
{
	for (uint32_t from = 0; from < closure->nodes; from++) {
		for (model_set left = model->node[from].carries; left; left &= left - 1) {
			struct closure_step step = {.from = from,
						    .to = (uint32_t)__builtin_ctzll(left),
						    .why = CLOSURE_CARRIES};

			add_edge(closure, &step);
		}
	}
}

/* What was one zone to this layer is still one: data goes between its parts. */
static void add_inside(struct closure *closure, const struct model *model, enum text_layer layer)
{
	for (uint32_t outer = 0; outer < closure->nodes; outer++) {
		for (model_set left = model->inner[layer][outer]; left; left &= left - 1) {
			struct closure_step step = {.from = (uint32_t)__builtin_ctzll(left),
						    .to = outer,
						    .why = CLOSURE_INSIDE};

			add_edge(closure, &step);
			step.to = step.from;
			step.from = outer;
			step.back = true;
			add_edge(closure, &step);
		}
	}
}

/* IT knows its hosts. A user vouches for nobody in the assertions of others: only the zones around
 * count. */
static bool is_trusted(const struct model *model, uint32_t zone, enum text_layer layer)
{
	const struct model_node *node = &model->node[zone];
	bool around = false;

	if (!node->zone->trusted || node->origin.layer <= layer ||
	    node->origin.layer != TEXT_USER) {
		return node->zone->trusted;
	}
	for (uint32_t outer = 0; outer < model->node_count; outer++) {
		if (model->inner[layer][outer] & NODE_BIT(zone)) {
			around = true;
			if (!model->node[outer].zone->trusted) {
				return false;
			}
		}
	}
	return around;
}

static bool passes_on(const struct model *model, uint32_t number, enum text_layer layer)
{
	const struct model_node *node = &model->node[number];

	if (node->type == MODEL_ZONE) {
		return !is_trusted(model, number, layer);
	}
	if (node->type == MODEL_PART) {
		return true;
	}
	for (uint32_t i = 0; i < node->role->match_count; i++) {
		if (node->role->match[i].bus == TEXT_BUS_PCI ||
		    node->role->match[i].bus == TEXT_BUS_USB) {
			return true;
		}
	}
	return false;
}

/* After round `via`, reach holds the paths whose inner nodes are among the first ones up to it. */
static void find_reach(struct closure *closure)
{
	memcpy(closure->reach, closure->direct, sizeof(closure->reach));
	for (uint32_t via = 0; via < closure->nodes; via++) {
		if (!(closure->pass & NODE_BIT(via))) {
			continue;
		}
		for (uint32_t from = 0; from < closure->nodes; from++) {
			if (closure->reach[from] & NODE_BIT(via)) {
				closure->reach[from] |= closure->reach[via];
			}
		}
	}
}

int closure_build(const struct model *model, const struct cells *cells, unsigned int kind,
		  bool ask_open, struct closure *ret_closure)
{
	return closure_build_for(model, cells, kind, ask_open, TEXT_USER, ret_closure);
}

int closure_build_for(const struct model *model, const struct cells *cells, unsigned int kind,
		      bool ask_open, enum text_layer layer, struct closure *ret_closure)
{
	struct closure closure = {.nodes = model->node_count};
	unsigned int first = kind == TEXT_KINDS ? 0 : kind;
	unsigned int end = kind == TEXT_KINDS ? TEXT_KINDS : kind + 1;

	closure.step = calloc((size_t)closure.nodes * closure.nodes + 1, sizeof(*closure.step));
	if (!closure.step) {
		return -ENOMEM;
	}
	for (enum text_verdict verdict = TEXT_ALLOW; verdict >= (ask_open ? TEXT_ASK : TEXT_ALLOW);
	     verdict--) {
		for (unsigned int i = first; i < end; i++) {
			add_rows(&closure, cells, (enum text_kind)i, verdict);
		}
	}
	if (kind == TEXT_KINDS) {
		add_owned(&closure, model);
		add_disks(&closure, model);
	}
	if (kind == TEXT_KINDS || kind == TEXT_NETWORK) {
		add_carried(&closure, model);
		add_inside(&closure, model, layer);
	}
	for (uint32_t node = MODEL_CONTROL + 1; node < closure.nodes; node++) {
		closure.pass |= passes_on(model, node, layer) ? NODE_BIT(node) : 0;
	}
	find_reach(&closure);
	*ret_closure = closure;
	return 0;
}

void closure_fini(struct closure *closure)
{
	free(closure->step);
	*closure = (struct closure){0};
}

/* Goes out in rings around `from`. Fills back[node] with the node before it on a shortest path. */
static bool search(const struct closure *closure, uint32_t from, uint32_t to,
		   uint32_t back[MODEL_NODES_MAX])
{
	model_set seen = NODE_BIT(from), ring = seen;

	while (ring && !(seen & NODE_BIT(to))) {
		model_set next = 0;

		for (; ring; ring &= ring - 1) {
			uint32_t node = (uint32_t)__builtin_ctzll(ring);
			model_set found = closure->direct[node] & ~seen;

			seen |= found;
			next |= found;
			for (; found; found &= found - 1) {
				back[__builtin_ctzll(found)] = node;
			}
		}
		ring = next & closure->pass;
	}
	return seen & NODE_BIT(to);
}

uint32_t closure_path(const struct closure *closure, uint32_t from, uint32_t to,
		      struct closure_step steps[MODEL_NODES_MAX])
{
	uint32_t back[MODEL_NODES_MAX] = {0}, count = 0;

	if (from == to || !search(closure, from, to, back)) {
		return 0;
	}
	for (uint32_t node = to; node != from; node = back[node]) {
		count++;
	}
	for (uint32_t node = to, i = count; node != from; node = back[node]) {
		steps[--i] = closure->step[(size_t)back[node] * closure->nodes + node];
	}
	return count;
}

static const char *name_of(const struct model *model, uint32_t node)
{
	return model->node[node].name;
}

void closure_step_text(const struct closure_step *step, const struct model *model, char *buffer,
		       size_t size)
{
	const char *from = name_of(model, step->from), *to = name_of(model, step->to);
	const struct text_rule *rule = NULL;

	switch (step->why) {
	case CLOSURE_RULE:
		rule = model->rule[step->rule].text;
		(void)snprintf(buffer, size, "%s -> %s %s rule %s (%s %s)", from, to,
			       step->back ? "back by" : "by", rule->id,
			       text_verdict_word(rule->verdict), text_kind_word(rule->kind));
		break;
	case CLOSURE_OWNS:
		(void)snprintf(buffer, size, "%s -> %s because %s owns %s", from, to,
			       step->back ? to : from, step->back ? from : to);
		break;
	case CLOSURE_DISK:
		(void)snprintf(buffer, size, "%s -> %s over the disk \"%s\", which %s writes", from,
			       to, step->disk, from);
		break;
	case CLOSURE_INSIDE:
		(void)snprintf(buffer, size, "%s -> %s because %s was taken out of %s", from, to,
			       step->back ? to : from, step->back ? from : to);
		break;
	case CLOSURE_CARRIES:
		(void)snprintf(buffer, size, "%s -> %s outside of this machine, as 'carries' says",
			       from, to);
		break;
	}
}
