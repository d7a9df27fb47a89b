/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what persons may do with partitions, by class and by `may`. */
#include "model_private.h"

#define ALL (TEXT_SEE | TEXT_ACT_START | TEXT_STOP | TEXT_PAUSE | TEXT_RESET | TEXT_ATTACH)

static const uint32_t class_actions[3][TEXT_PERSONS] = {
	[TEXT_CLASS_USER] = {ALL, ALL, ALL},
	[TEXT_CLASS_LIMITED] = {TEXT_SEE, ALL & ~(uint32_t)TEXT_PAUSE, ALL},
	[TEXT_CLASS_IT] = {0, 0, ALL},
};

void model_class_rights(struct model_build *build, uint32_t part, int was, bool replaced)
{
	struct model *model = build->model;
	uint32_t class = (uint32_t)model->part[part].key[TEXT_CLASS].number;

	for (unsigned int person = 0; person < TEXT_PERSONS; person++) {
		struct model_right *right = &model->right[person][part];

		if (was < 0 || replaced) {
			right->actions = class_actions[class][person];
		} else {
			right->actions &= class_actions[class][person];
		}
		if (was < 0) {
			right->keys = person == TEXT_PERSON_IT ? (1u << TEXT_KEYS) - 1 : 0;
		}
	}
}

/* Rights of one person over one partition. */
struct bits {
	uint32_t actions, keys;
};

/* What the layer may say anything about: all of its own partition, else what the layer just before
 * named with `default`. */
static struct bits free_bits(const struct model_build *build, enum text_person person,
			     uint32_t part)
{
	if (build->before < 0 || build->part_layer[part] == (uint32_t)build->layer) {
		return (struct bits){~0u, ~0u};
	}
	return (struct bits){build->right_open[build->before][person][part],
			     build->change_open[build->before][person][part]};
}

static int give_or_take(struct model_build *build, const struct text_statement *statement,
			uint32_t part)
{
	const struct text_may *may = &statement->may;
	struct model_right *right = &build->model->right[may->person][part];
	struct bits free = free_bits(build, may->person, part);

	if (!may->deny && (may->actions & ~right->actions & ~free.actions ||
			   may->keys & ~right->keys & ~free.keys)) {
		diag_add(build->diags, DIAG_ERROR, statement->pos,
			 "a later layer may only take rights away, or give what the one before "
			 "named with 'default'",
			 "the %s layer cannot give %s this right over '%s'",
			 text_layer_word(build->layer), text_person_word(may->person),
			 build->model->node[part].name);
		return -1;
	}
	if (may->deny) {
		right->actions &= ~may->actions;
		right->keys &= ~may->keys;
	} else {
		right->actions |= may->actions;
		right->keys |= may->keys;
	}
	if (statement->open) {
		build->right_open[build->layer][may->person][part] |= may->actions & free.actions;
		build->change_open[build->layer][may->person][part] |= may->keys & free.keys;
	}
	return 0;
}

/* A person's layer must not lock out those who look after the machine. */
static int check_rank(struct model_build *build, const struct text_statement *statement)
{
	if (build->layer != TEXT_USER || build->before < 0 ||
	    statement->may.person == TEXT_PERSON_USER) {
		return 0;
	}
	diag_add(build->diags, DIAG_ERROR, statement->pos, "leave this line to IT",
		 "the user layer says what the user may do, not what %s may",
		 text_person_word(statement->may.person));
	return -1;
}

int model_read_may(struct model_build *build, const struct text_statement *statement)
{
	const struct text_names *names = &statement->may.partitions;
	int ret = check_rank(build, statement);

	for (uint32_t i = 0; ret == 0 && i < names->count; i++) {
		model_set nodes;

		if (model_resolve(build, &names->item[i], &nodes) != 0) {
			return -1;
		}
		for (; ret == 0 && nodes != 0; nodes &= nodes - 1) {
			uint32_t node = (uint32_t)__builtin_ctzll(nodes);

			if (node < build->model->part_count) {
				ret |= give_or_take(build, statement, node);
				continue;
			}
			diag_add(build->diags, DIAG_ERROR, names->item[i].pos,
				 "name partitions only", "'%s' is no partition",
				 build->model->node[node].name);
			ret = -1;
		}
	}
	return ret;
}
