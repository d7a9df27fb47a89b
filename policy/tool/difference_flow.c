/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the comparison of decisions, and of what data reaches over several of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "closure.h"
#include "difference.h"
#include "flow.h"
#include "say.h"
#include "tool.h"

/* A node of either policy, by its name; NODE_NONE where it is not. */
#define NODE_NONE UINT32_MAX

struct pair {
	const char *name;
	enum model_node_type type;
	uint32_t old, new;
};

struct pairs {
	struct pair pair[2 * MODEL_NODES_MAX];
	uint32_t count;
};

static uint32_t find_like(const struct model *model, const struct model_node *node)
{
	int found = model_find(model, node->name);

	return found >= 0 && model->node[found].type == node->type ? (uint32_t)found : NODE_NONE;
}

static void pair_nodes(const struct model *old, const struct model *new, struct pairs *pairs)
{
	pairs->count = 0;
	for (uint32_t i = 0; i < old->node_count; i++) {
		pairs->pair[pairs->count++] = (struct pair){old->node[i].name, old->node[i].type, i,
							    find_like(new, &old->node[i])};
	}
	for (uint32_t i = 0; i < new->node_count; i++) {
		if (find_like(old, &new->node[i]) == NODE_NONE) {
			pairs->pair[pairs->count++] =
				(struct pair){new->node[i].name, new->node[i].type, NODE_NONE, i};
		}
	}
}

static bool section_of(const struct flow_part *part, enum difference_section *ret_section)
{
	enum text_verdict old = flow_verdict(part->old), new = flow_verdict(part->new);

	if (flow_same(part->old, part->new, false)) {
		return false;
	}
	if (old == new) {
		*ret_section = DIFFERENCE_LIMIT;
	} else if (new == TEXT_DENY) {
		*ret_section = DIFFERENCE_IMPOSSIBLE;
	} else if (old == TEXT_DENY) {
		*ret_section = DIFFERENCE_POSSIBLE;
	} else {
		*ret_section = new == TEXT_ALLOW ? DIFFERENCE_UNASKED : DIFFERENCE_ASKED;
	}
	return true;
}

static void print_by(FILE *out, const struct compile *compile, const struct cells_row *row)
{
	const struct model_rule *rule;

	if (!row || row->rule == CELLS_NO_RULE) {
		fputs("; no rule", out);
		return;
	}
	rule = &compile->model.rule[row->rule];
	fprintf(out, "; rule %s, %s", rule->text->id, tool_place(&compile->sources, rule->pos));
}

static char *describe(const struct compile *new, enum text_kind kind, const char *from,
		      const char *to, const struct flow_part *part, enum difference_section section)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		return NULL;
	}
	fprintf(out, "%s -> %s: %s ", from, to, text_kind_word(kind));
	if (!say_what(out, kind, part->types, part->lo, part->hi)) {
		fseek(out, -1, SEEK_CUR);
	}
	if (section == DIFFERENCE_LIMIT) {
		fputs(",", out);
		say_limits(out, &part->new->limits);
		fputs(say_has_limits(&part->new->limits) ? ", was" : " no limits, was", out);
		say_limits(out, &part->old->limits);
		fputs(say_has_limits(&part->old->limits) ? "" : " without", out);
	} else if (part->new && part->new->verdict != TEXT_DENY) {
		say_limits(out, &part->new->limits);
		fputs(section == DIFFERENCE_POSSIBLE && part->new->verdict == TEXT_ASK
			      ? ", after a question"
			      : "",
		      out);
	}
	print_by(out, new, part->new);
	fclose(out);
	return text;
}

static int compare_cell(const struct compile *old, const struct compile *new, enum text_kind kind,
			const struct pair *from, const struct pair *to,
			struct difference *difference)
{
	struct flow_cell before = {from->old == NODE_NONE || to->old == NODE_NONE ? NULL
										  : &old->cells,
				   from->old, to->old};
	struct flow_cell after = {from->new == NODE_NONE || to->new == NODE_NONE ? NULL
										 : &new->cells,
				  from->new, to->new};
	struct flow_part *parts;
	uint32_t count;
	int ret = flow_parts(kind, &before, &after, &parts, &count);

	if (ret) {
		return ret;
	}
	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		enum difference_section section;

		if (section_of(&parts[i], &section)) {
			char *text = describe(new, kind, from->name, to->name, &parts[i], section);

			ret = text ? difference_add(difference, section, "%s", text) : -ENOMEM;
			free(text);
		}
	}
	free(parts);
	return ret;
}

static bool says(const struct compile *compile, enum text_kind kind, uint32_t from, uint32_t to)
{
	return from != NODE_NONE && to != NODE_NONE &&
	       cells_cell(&compile->cells, kind, from, to)->count;
}

int difference_add_flows(const struct compile *old, const struct compile *new,
			 struct difference *difference)
{
	struct pairs *pairs = calloc(1, sizeof(*pairs));
	int ret = pairs ? 0 : -ENOMEM;

	if (pairs) {
		pair_nodes(&old->model, &new->model, pairs);
	}
	for (uint32_t i = 0; ret == 0 && i < pairs->count; i++) {
		for (uint32_t j = 0; ret == 0 && j < pairs->count; j++) {
			const struct pair *from = &pairs->pair[i], *to = &pairs->pair[j];

			for (unsigned int kind = 0; ret == 0 && i != j && kind < TEXT_KINDS;
			     kind++) {
				if (says(old, (enum text_kind)kind, from->old, to->old) ||
				    says(new, (enum text_kind)kind, from->new, to->new)) {
					ret = compare_cell(old, new, (enum text_kind)kind, from, to,
							   difference);
				}
			}
		}
	}
	free(pairs);
	return ret;
}

struct ways {
	const struct compile *compile;
	struct closure closure;
};

static bool reaches(const struct ways *ways, uint32_t from, uint32_t to, bool far)
{
	if (from == NODE_NONE || to == NODE_NONE || from == to) {
		return false;
	}
	return ways->closure.reach[from] & (1ull << to) &&
	       (!far || !(ways->closure.direct[from] & (1ull << to)));
}

/* "browser -> lan: browser -> desktop by rule x (ask file), desktop -> lan by rule y (...)" */
static int add_path(const struct ways *ways, uint32_t from, uint32_t to,
		    enum difference_section section, struct difference *difference)
{
	const struct model *model = &ways->compile->model;
	struct closure_step steps[MODEL_NODES_MAX];
	uint32_t count = closure_path(&ways->closure, from, to, steps);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int ret;

	if (!out) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++) {
		char step[256];

		closure_step_text(&steps[i], model, step, sizeof(step));
		fprintf(out, "%s%s", i ? ", " : "", step);
	}
	fclose(out);
	ret = difference_add(difference, section, "%s -> %s: %s", model->node[from].name,
			     model->node[to].name, text);
	free(text);
	return ret;
}

/* Devices are told by the flows that name them; what counts over several steps is where people's
 * data is and where strangers are. */
static int compare_reach(const struct ways *old, const struct ways *new, const struct pairs *pairs,
			 struct difference *difference)
{
	int ret = 0;

	for (uint32_t i = 0; i < pairs->count; i++) {
		for (uint32_t j = 0; ret == 0 && j < pairs->count; j++) {
			const struct pair *from = &pairs->pair[i], *to = &pairs->pair[j];

			if (from->type == MODEL_ROLE || to->type == MODEL_ROLE) {
				continue;
			}
			if (reaches(new, from->new, to->new, true) &&
			    !reaches(old, from->old, to->old, false)) {
				ret = add_path(new, from->new, to->new, DIFFERENCE_REACH,
					       difference);
			} else if (reaches(old, from->old, to->old, true) &&
				   !reaches(new, from->new, to->new, false)) {
				ret = add_path(old, from->old, to->old, DIFFERENCE_UNREACH,
					       difference);
			}
		}
	}
	return ret;
}

int difference_add_reach(const struct compile *old, const struct compile *new,
			 struct difference *difference)
{
	struct pairs *pairs = calloc(1, sizeof(*pairs));
	struct ways *before = calloc(1, sizeof(*before)), *after = calloc(1, sizeof(*after));
	int ret = -ENOMEM;

	if (pairs && before && after) {
		pair_nodes(&old->model, &new->model, pairs);
		before->compile = old;
		after->compile = new;
		ret = closure_build(&old->model, &old->cells, TEXT_KINDS, true, &before->closure);
		if (ret == 0) {
			ret = closure_build(&new->model, &new->cells, TEXT_KINDS, true,
					    &after->closure);
			if (ret == 0) {
				ret = compare_reach(before, after, pairs, difference);
				closure_fini(&after->closure);
			}
			closure_fini(&before->closure);
		}
	}
	free(pairs);
	free(before);
	free(after);
	return ret;
}
