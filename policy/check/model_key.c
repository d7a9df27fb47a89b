/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what properties of partitions mean across layers: who may replace, what counts as tighter.
 */
#include "model_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TITLE_SHOWN 15u /* letters of a title that a question shows */

/* How two values of a key compare. */
enum order {
	ORDER_SAME,   /* no value is tighter than another */
	ORDER_LESS,   /* less is tighter */
	ORDER_MORE,   /* more is tighter */
	ORDER_LIMIT,  /* less is tighter, 0 is no limit */
	ORDER_SUBSET, /* fewer bits are tighter */
	ORDER_SUPERSET,
};

static const struct key {
	enum order order;
	bool needed;	  /* somebody must say it, for partitions other than control */
	bool has_default; /* fixed by the layer that declares the partition */
	uint64_t number, number2;
} keys[TEXT_KEYS] = {
	[TEXT_TITLE] = {ORDER_SAME, false, false, 0, 0},
	[TEXT_COLOUR] = {ORDER_SAME, false, false, 0, 0},
	[TEXT_PATTERN] = {ORDER_SAME, false, false, 0, 0},
	[TEXT_CLASS] = {ORDER_MORE, false, true, TEXT_CLASS_USER, 0},
	[TEXT_ORDER] = {ORDER_SAME, false, false, 0, 0},
	[TEXT_MEMORY] = {ORDER_LESS, true, false, 0, 0},
	[TEXT_VCPUS] = {ORDER_LESS, false, true, 1, 0},
	[TEXT_CPU_WEIGHT] = {ORDER_LESS, false, true, 100, 0},
	[TEXT_CPU_CAP] = {ORDER_LIMIT, false, true, 0, 0},
	[TEXT_CPU_GUARANTEE] = {ORDER_LESS, false, true, 0, 0},
	[TEXT_CACHE] = {ORDER_LIMIT, false, true, 0, 0},
	[TEXT_DOORBELLS] = {ORDER_LESS, false, true, 8, 0},
	[TEXT_BACKENDS] = {ORDER_LESS, false, true, 1, 0},
	[TEXT_DISK_RATE] = {ORDER_LIMIT, false, true, 0, 0},
	[TEXT_NETWORK_RATE] = {ORDER_LIMIT, false, true, 0, 0},
	[TEXT_DISK] = {ORDER_SAME, false, false, 0, 0},
	[TEXT_DEVICE] = {ORDER_SUBSET, false, true, 0, 0},
	[TEXT_OWNS] = {ORDER_SUBSET, false, true, 0, 0},
	[TEXT_START] = {ORDER_LESS, false, true, TEXT_START_MANUAL, 0},
	[TEXT_AFTER] = {ORDER_SUPERSET, false, true, 0, 0},
	[TEXT_RESTART] = {ORDER_LESS, false, true, 2, 60},
	[TEXT_HEALTH] = {ORDER_SAME, false, true, TEXT_HEALTH_NONE, 0},
	[TEXT_RUN] = {ORDER_SUPERSET, false, true, 0, 0},
};

bool model_key_tightens(enum text_key key, uint64_t from, uint64_t to)
{
	switch (keys[key].order) {
	case ORDER_LESS:
		return to <= from;
	case ORDER_MORE:
		return to >= from;
	case ORDER_LIMIT:
		return to != 0 ? from == 0 || to <= from : from == 0;
	case ORDER_SUBSET:
		return (to & ~from) == 0;
	case ORDER_SUPERSET:
		return (from & ~to) == 0;
	case ORDER_SAME:
		break;
	}
	return to == from;
}

static const char *how_tighter(enum text_key key)
{
	switch (keys[key].order) {
	case ORDER_LESS:
	case ORDER_LIMIT:
		return "a later layer may only give less";
	case ORDER_MORE:
		return "a later layer may only give a tighter class: user, limited, it-only";
	case ORDER_SUBSET:
		return "a later layer may only take some away";
	case ORDER_SUPERSET:
		return "a later layer may only add to it";
	case ORDER_SAME:
		break;
	}
	return "a later layer may only change it where the one before says 'default'";
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool model_replaces(const struct model_build *build, const struct model_origin *origin)
{
	return origin->open && build->before >= 0 &&
	       origin->layer == (enum text_layer)build->before;
}

struct model_origin model_origin_here(struct model_build *build,
				      const struct text_statement *statement, bool free)
{
	if (statement->open && !free) {
		diag_add(build->diags, DIAG_WARNING, statement->pos, "leave 'default' out",
			 "'default' opens nothing here: an earlier layer fixed this");
	}
	return (struct model_origin){build->layer, statement->pos, statement->open && free};
}

static void refuse_loosening(struct model_build *build, const struct text_statement *statement,
			     const struct model_origin *origin, const char *hint)
{
	diag_add(build->diags, DIAG_ERROR, statement->pos, hint,
		 "the %s layer fixed this; the %s layer cannot loosen it",
		 text_layer_word(origin->layer), text_layer_word(build->layer));
	if (origin->pos.line != 0) {
		diag_add(build->diags, DIAG_NOTE, origin->pos, NULL, "fixed here");
	}
}

static int refuse_twice(struct model_build *build, const struct text_statement *statement,
			const struct model_origin *origin)
{
	diag_add(build->diags, DIAG_ERROR, statement->pos, "keep one of the two lines",
		 "this is said twice in one layer");
	diag_add(build->diags, DIAG_NOTE, origin->pos, NULL, "said here first");
	return -1;
}

/* Nodes that `owns` and `after` name. */
static int read_nodes(struct model_build *build, uint32_t part, const struct text_value *value,
		      model_set *ret_nodes)
{
	enum model_node_type type = value->key == TEXT_OWNS ? MODEL_ROLE : MODEL_PART;
	model_set nodes = 0;

	for (uint32_t i = 0; i < value->names.count; i++) {
		const struct text_name *name = &value->names.item[i];
		int node = model_find(build->model, name->name);

		if (node < 0 || build->model->node[node].type != type || node == MODEL_CONTROL) {
			model_unknown(build, name, type == MODEL_ROLE ? "role" : "partition");
			return -1;
		}
		if ((uint32_t)node == part) {
			diag_add(build->diags, DIAG_ERROR, name->pos, "name another partition",
				 "a partition cannot start after itself");
			return -1;
		}
		nodes |= 1ull << node;
	}
	*ret_nodes = nodes;
	return 0;
}

static int read_disk(struct model_build *build, uint32_t number,
		     const struct text_statement *statement)
{
	const struct text_value *value = &statement->value;
	struct model_part *part = &build->model->part[number];
	bool *open = &build->disks_open[build->layer][number];
	bool replace = false;
	struct model_disk *disk = NULL;

	/* Kept, because a disk that this layer gives anew no longer says who gave it before. */
	*open = *open || build->part_layer[number] == (uint32_t)build->layer;
	for (uint32_t i = 0; i < part->disk_count; i++) {
		*open = *open || model_replaces(build, &part->disk[i].origin);
		if (same_string(part->disk[i].file, value->string)) {
			disk = &part->disk[i];
		}
	}
	if (disk != NULL && disk->origin.layer == build->layer) {
		return refuse_twice(build, statement, &disk->origin);
	}
	replace = disk == NULL || model_replaces(build, &disk->origin);
	if (!replace && disk->flags & ~value->flags) {
		refuse_loosening(build, statement, &disk->origin,
				 "repeat what the disk had: encrypted, read-only, throw-away");
		return -1;
	}
	if (disk == NULL && !*open) {
		diag_add(build->diags, DIAG_ERROR, statement->pos,
			 "the layer before must give some disk of this partition with 'default'",
			 "a later layer cannot add a disk here");
		return -1;
	}
	if (disk == NULL && part->disk_count == MODEL_DISKS_MAX) {
		diag_add(build->diags, DIAG_ERROR, statement->pos, "put more into one disk",
			 "a partition has at most %u disks", MODEL_DISKS_MAX);
		return -1;
	}
	if (disk == NULL) {
		disk = &part->disk[part->disk_count++];
	}
	*disk = (struct model_disk){value->string, value->flags,
				    model_origin_here(build, statement, replace)};
	return 0;
}

/* The user layer is a person's, and the policy says what persons may change. */
static int check_person(struct model_build *build, uint32_t part,
			const struct text_statement *statement)
{
	const char *key = text_key_word(statement->value.key);
	const char *name = build->model->node[part].name;
	char hint[128];

	if (build->layer != TEXT_USER || build->before < 0 ||
	    build->part_layer[part] == TEXT_USER ||
	    build->model->right[TEXT_PERSON_USER][part].keys & (1u << statement->value.key)) {
		return 0;
	}
	snprintf(hint, sizeof(hint), "ask IT for the line 'user may change %s of %s'", key, name);
	diag_add(build->diags, DIAG_ERROR, statement->pos, hint, "user may not change %s of '%s'",
		 key, name);
	return -1;
}

int model_read_value(struct model_build *build, uint32_t part,
		     const struct text_statement *statement)
{
	const struct text_value *value = &statement->value;
	struct model_value *slot = &build->model->part[part].key[value->key];
	uint64_t number = value->number;
	model_set nodes = 0;
	int class_before = -1;
	bool replace;

	if (check_person(build, part, statement) != 0) {
		return -1;
	}
	if (value->key == TEXT_DISK) {
		return read_disk(build, part, statement);
	}
	if ((value->key == TEXT_OWNS || value->key == TEXT_AFTER) &&
	    read_nodes(build, part, value, &nodes) != 0) {
		return -1;
	}
	if (value->key == TEXT_OWNS || value->key == TEXT_AFTER) {
		number = nodes;
	}
	if (slot->given && slot->origin.layer == build->layer) {
		return refuse_twice(build, statement, &slot->origin);
	}
	replace = !slot->given || model_replaces(build, &slot->origin);
	if (!replace &&
	    (!model_key_tightens(value->key, slot->number, number) ||
	     !same_string(slot->string, value->string) ||
	     (value->key == TEXT_RESTART && number != 0 && value->number2 < slot->number2) ||
	     (value->key == TEXT_HEALTH && value->number2 > slot->number2))) {
		refuse_loosening(build, statement, &slot->origin, how_tighter(value->key));
		return -1;
	}
	if (slot->given) {
		class_before = (int)slot->number;
	}
	slot->given = true;
	slot->number = number;
	slot->number2 = value->number2;
	slot->string = value->string;
	slot->nodes = nodes;
	slot->origin = model_origin_here(build, statement, replace);
	if (value->key == TEXT_CLASS && class_before >= 0) {
		model_class_rights(build, part, class_before, replace);
	}
	return 0;
}

void model_fill_defaults(struct model_build *build)
{
	struct model *model = build->model;

	for (uint32_t part = 0; part < model->part_count; part++) {
		for (unsigned int key = 0; key < TEXT_KEYS; key++) {
			struct model_value *slot = &model->part[part].key[key];

			if (slot->given || !keys[key].has_default ||
			    build->part_layer[part] != (uint32_t)build->layer) {
				continue;
			}
			slot->given = true;
			slot->number = keys[key].number;
			slot->number2 = keys[key].number2;
			slot->origin = (struct model_origin){.layer = build->layer};
			if (part == MODEL_CONTROL && key == TEXT_DOORBELLS) {
				slot->number = 0;
			}
		}
	}
}

static const char *title_of(const struct model *model, uint32_t part)
{
	const char *title = model->part[part].key[TEXT_TITLE].string;

	return title != NULL ? title : model->node[part].name;
}

/* A person who answers a question knows partitions by their titles, which user may change. */
static int check_titles(struct model_build *build)
{
	const struct model *model = build->model;
	int ret = 0;

	for (uint32_t part = 1; part < model->part_count; part++) {
		for (uint32_t other = 0; other < part; other++) {
			bool own = model->part[part].key[TEXT_TITLE].given;
			uint32_t said = own ? part : other;

			if (strncasecmp(title_of(model, part), title_of(model, other),
					TITLE_SHOWN) != 0) {
				continue;
			}
			diag_add(build->diags, DIAG_ERROR,
				 model->part[said].key[TEXT_TITLE].origin.pos,
				 "questions show so many letters: give it another title",
				 "the titles of '%s' and '%s' do not differ in their first %u "
				 "letters",
				 model->node[other].name, model->node[part].name, TITLE_SHOWN);
			ret = -1;
		}
	}
	return ret;
}

int model_check_keys(struct model_build *build)
{
	struct model *model = build->model;
	int ret = check_titles(build);

	for (uint32_t part = 0; part < model->part_count; part++) {
		for (unsigned int key = 0; key < TEXT_KEYS; key++) {
			if (keys[key].needed && !model->part[part].key[key].given) {
				diag_add(build->diags, DIAG_ERROR, model->node[part].origin.pos,
					 "add a line such as 'memory 2 GiB'",
					 "partition '%s' does not say its %s",
					 model->node[part].name, text_key_word((enum text_key)key));
				ret = -1;
			}
		}
	}
	return ret;
}
