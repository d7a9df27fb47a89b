/* SPDX-License-Identifier: Apache-2.0 */
/* Owns names: which node or group a word means, and which zone lies inside which. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guess.h"
#include "model_private.h"

int model_find(const struct model *model, const char *name)
{
	for (uint32_t i = 0; i < model->node_count; i++) {
		if (strcmp(model->node[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

static const struct model_group *find_group(const struct model_build *build, const char *name)
{
	for (uint32_t i = 0; i < build->group_count; i++) {
		if (strcmp(build->group[i].name->name, name) == 0) {
			return &build->group[i];
		}
	}
	return NULL;
}

void model_unknown(struct model_build *build, const struct text_name *name, const char *what)
{
	struct guess guess;
	char hint[96];

	/* What is not shown is not guessed either: it costs time for every known name. */
	guess_init(&guess, name->name,
		   build->diags->error_count < DIAG_MAX ? strlen(name->name) : 0);
	for (uint32_t i = 0; i < build->model->node_count; i++) {
		guess_offer(&guess, build->model->node[i].name);
	}
	for (uint32_t i = 0; i < build->group_count; i++) {
		guess_offer(&guess, build->group[i].name->name);
	}
	if (guess_best(&guess) != NULL) {
		snprintf(hint, sizeof(hint), "did you mean '%s'?", guess_best(&guess));
	} else {
		snprintf(hint, sizeof(hint), "declare it: %s", what);
	}
	diag_add(build->diags, DIAG_ERROR, name->pos, hint, "there is no %s '%s'", what,
		 name->name);
}

static const char *const type_words[] = {"partition", "role", "zone"};

/* Names are used once, whatever they name. */
static int check_free(struct model_build *build, const struct text_name *name)
{
	const struct model_group *group = find_group(build, name->name);
	int node = model_find(build->model, name->name);
	struct diag_pos at;

	if (strcmp(name->name, "any") == 0 || (node == MODEL_CONTROL)) {
		diag_add(build->diags, DIAG_ERROR, name->pos, "choose another name",
			 "'%s' has a meaning of its own", name->name);
		return -1;
	}
	if (node < 0 && group == NULL) {
		return 0;
	}
	at = group != NULL ? group->name->pos : build->model->node[node].origin.pos;
	diag_add(build->diags, DIAG_ERROR, name->pos,
		 at.file == name->pos.file && at.line == name->pos.line
			 ? "an earlier layer includes this file: its names are there, include it "
			   "once"
			 : "each name is declared once; choose another one",
		 "'%s' is a %s already", name->name,
		 group != NULL ? "group" : type_words[build->model->node[node].type]);
	diag_add(build->diags, DIAG_NOTE, at, NULL, "declared here");
	return -1;
}

static int add_node(struct model_build *build, const struct text_statement *statement,
		    enum model_node_type type)
{
	struct model *model = build->model;
	struct model_node *node;

	if (check_free(build, &statement->name) != 0) {
		return -1;
	}
	if (model->node_count == MODEL_NODES_MAX ||
	    (type == MODEL_PART && model->part_count == MODEL_PARTS_MAX)) {
		diag_add(build->diags, DIAG_ERROR, statement->pos,
			 "partitions, roles and zones are 64 together, partitions 16 with control",
			 "too many %ss", type_words[type]);
		return -1;
	}
	node = &model->node[model->node_count++];
	memcpy(node->name, statement->name.name, sizeof(node->name));
	node->type = type;
	node->origin = (struct model_origin){.layer = build->layer, .pos = statement->name.pos};
	node->role = type == MODEL_ROLE ? &statement->role : NULL;
	node->zone = type == MODEL_ZONE ? &statement->zone : NULL;
	return 0;
}

int model_read_partitions(struct model_build *build, const struct text *text)
{
	struct model *model = build->model;
	int ret = 0;

	for (size_t i = 0; i < text->count; i++) {
		const struct text_statement *statement = &text->statement[i];

		if (statement->type != TEXT_PARTITION ||
		    model_find(model, statement->name.name) >= 0) {
			continue;
		}
		if (build->before >= 0 && !build->parts_open[build->before]) {
			diag_add(build->diags, DIAG_ERROR, statement->name.pos,
				 "the layer before must say 'default partitions'",
				 "partition '%s' is not one that the %s layer knows",
				 statement->name.name,
				 text_layer_word((enum text_layer)build->before));
			ret = -1;
		} else if (add_node(build, statement, MODEL_PART) != 0) {
			ret = -1;
		} else {
			build->part_layer[model->part_count++] = build->layer;
		}
	}
	return ret;
}

static bool inside(const struct text_prefix *inner, const struct text_prefix *outer)
{
	unsigned int whole = outer->length / 8u, rest = outer->length % 8u;
	/* An IPv4 prefix lies in ::ffff:0:0/96; only IPv4 zones hold IPv4 addresses. */
	if (inner->length < outer->length || inner->v4 != outer->v4 ||
	    memcmp(inner->address, outer->address, whole) != 0) {
		return false;
	}
	return rest == 0 || ((inner->address[whole] ^ outer->address[whole]) >> (8u - rest)) == 0;
}

/* Every address is in one zone at most. */
static int check_prefixes(struct model_build *build, const struct text_zone *zone)
{
	const struct model *model = build->model;
	int ret = 0;

	for (uint32_t i = 0; i < zone->prefix_count; i++) {
		for (uint32_t n = 0; n < model->node_count; n++) {
			const struct text_zone *other = model->node[n].zone;

			for (uint32_t j = 0;
			     other != NULL && other != zone && j < other->prefix_count; j++) {
				if (zone->prefix[i].length == other->prefix[j].length &&
				    inside(&zone->prefix[i], &other->prefix[j])) {
					diag_add(build->diags, DIAG_ERROR, zone->prefix[i].pos,
						 "an address is in one zone; take it out of the "
						 "other",
						 "this prefix belongs to zone '%s' already",
						 other->name);
					ret = -1;
				}
			}
		}
	}
	return ret;
}

int model_read_places(struct model_build *build, const struct text *text)
{
	int ret = 0;

	for (size_t i = 0; i < text->count; i++) {
		const struct text_statement *statement = &text->statement[i];

		if (statement->type == TEXT_ROLE) {
			ret |= add_node(build, statement, MODEL_ROLE);
		} else if (statement->type == TEXT_ZONE) {
			int added = add_node(build, statement, MODEL_ZONE);

			/* What is declared twice would have each prefix twice. */
			ret |= added != 0 ? added : check_prefixes(build, &statement->zone);
		}
	}
	return ret;
}

int model_read_groups(struct model_build *build, const struct text *text)
{
	int ret = 0;

	for (size_t i = 0; i < text->count; i++) {
		const struct text_statement *statement = &text->statement[i];
		struct model_group *grown;
		model_set nodes = 0;

		if (statement->type != TEXT_GROUP) {
			continue;
		}
		if (check_free(build, &statement->name) != 0) {
			ret = -1;
			continue;
		}
		for (uint32_t j = 0; j < statement->names.count; j++) {
			int node = model_find(build->model, statement->names.item[j].name);

			if (node < 0) {
				model_unknown(build, &statement->names.item[j],
					      "partition, role or zone");
				ret = -1;
			} else {
				nodes |= 1ull << node;
			}
		}
		if (build->group_count == MODEL_GROUPS_MAX) {
			diag_add(build->diags, DIAG_ERROR, statement->pos,
				 "leave out groups that no rule needs", "more than %u groups",
				 MODEL_GROUPS_MAX);
			return -1;
		}
		grown = realloc(build->group, (build->group_count + 1) * sizeof(*grown));
		if (grown == NULL) {
			return -ENOMEM;
		}
		build->group = grown;
		build->group[build->group_count++] =
			(struct model_group){&statement->name, nodes, build->layer};
	}
	return ret;
}

/* What a later layer takes out of a zone goes on being carried. */
static void add_carries(struct model_build *build, uint32_t from, uint32_t to)
{
	struct model *model = build->model;
	model_set targets = model_with_inner_zones(model, 1ull << to, build->layer);

	for (model_set left = model_with_inner_zones(model, 1ull << from, build->layer); left != 0;
	     left &= left - 1) {
		uint32_t node = (uint32_t)__builtin_ctzll(left);

		model->node[node].carries |= targets & ~(1ull << node);
	}
}

int model_read_carries(struct model_build *build, const struct text *text)
{
	int ret = 0;

	for (size_t i = 0; i < text->count; i++) {
		const struct text_statement *statement = &text->statement[i];
		const struct text_name *names[2] = {&statement->name, NULL};
		int node[2];

		if (statement->type != TEXT_CARRIES) {
			continue;
		}
		names[1] = &statement->names.item[0];
		for (unsigned int end = 0; end < 2; end++) {
			node[end] = model_find(build->model, names[end]->name);
			if (node[end] < 0 || build->model->node[node[end]].type != MODEL_ZONE) {
				model_unknown(build, names[end], "zone");
				ret = -1;
				node[end] = -1;
			}
		}
		if (node[0] >= 0 && node[1] >= 0) {
			add_carries(build, (uint32_t)node[0], (uint32_t)node[1]);
		}
	}
	return ret;
}

int model_resolve(struct model_build *build, const struct text_name *name, model_set *ret_nodes)
{
	const struct model_group *group = find_group(build, name->name);
	int node = model_find(build->model, name->name);

	if (group != NULL) {
		*ret_nodes = group->nodes;
	} else if (node >= 0) {
		*ret_nodes = 1ull << node;
	} else {
		model_unknown(build, name, "partition, role, zone or group");
		return -1;
	}
	return 0;
}

/* The zone of layers up to `layer` that a prefix of a later one is taken out of, or NULL. */
static const struct model_node *around(const struct model *model, const struct text_prefix *prefix,
				       enum text_layer layer)
{
	const struct model_node *best = NULL;
	unsigned int length = 0;

	for (uint32_t n = 0; n < model->node_count; n++) {
		const struct model_node *node = &model->node[n];

		for (uint32_t i = 0; node->zone != NULL && node->origin.layer <= layer &&
				     i < node->zone->prefix_count;
		     i++) {
			if (inside(prefix, &node->zone->prefix[i]) &&
			    (best == NULL || node->zone->prefix[i].length >= length)) {
				best = node;
				length = node->zone->prefix[i].length;
			}
		}
	}
	return best;
}

/* Once for all rules: each prefix is held against each one, and a rule may name many zones. */
void model_find_inner_zones(struct model *model)
{
	for (uint32_t n = 0; n < model->node_count; n++) {
		const struct model_node *node = &model->node[n];

		for (uint32_t i = 0; node->zone != NULL && i < node->zone->prefix_count; i++) {
			for (unsigned int layer = 0; layer < node->origin.layer; layer++) {
				const struct model_node *outer = around(
					model, &node->zone->prefix[i], (enum text_layer)layer);

				if (outer != NULL) {
					model->inner[layer][outer - model->node] |= 1ull << n;
				}
			}
		}
	}
}

model_set model_with_inner_zones(const struct model *model, model_set nodes, enum text_layer layer)
{
	model_set added = nodes;

	for (model_set left = nodes; left != 0; left &= left - 1) {
		added |= model->inner[layer][__builtin_ctzll(left)];
	}
	return added;
}
