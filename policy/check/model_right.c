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

int model_read_may(struct model_build *build, const struct text_statement *statement)
{
	const struct text_may *may = &statement->may;
	int ret = 0;

	for (uint32_t i = 0; i < may->partitions.count; i++) {
		const struct text_name *name = &may->partitions.item[i];
		model_set nodes;

		if (model_resolve(build, name, &nodes) != 0) {
			ret = -1;
			continue;
		}
		for (uint32_t part = 0; part < MODEL_NODES_MAX; part++) {
			struct model_right *right;
			uint32_t actions, keys;

			if (!(nodes & (1ull << part))) {
				continue;
			}
			if (part >= build->model->part_count) {
				diag_add(build->diags, DIAG_ERROR, name->pos,
					 "name partitions only", "'%s' is no partition",
					 build->model->node[part].name);
				ret = -1;
				continue;
			}
			right = &build->model->right[may->person][part];
			actions = may->actions & ~right->actions;
			keys = may->keys & ~right->keys;
			if (!may->deny && build->before >= 0 &&
			    build->part_layer[part] != (uint32_t)build->layer &&
			    (actions & ~build->right_open[build->before][may->person][part] ||
			     keys & ~build->change_open[build->before][may->person][part])) {
				diag_add(build->diags, DIAG_ERROR, statement->pos,
					 "a later layer may only take rights away, or give what "
					 "the one before "
					 "named with 'default'",
					 "the %s layer cannot give %s this right over '%s'",
					 text_layer_word(build->layer),
					 text_person_word(may->person),
					 build->model->node[part].name);
				ret = -1;
				continue;
			}
			if (may->deny) {
				right->actions &= ~may->actions;
				right->keys &= ~may->keys;
			} else {
				right->actions |= may->actions;
				right->keys |= may->keys;
			}
			if (statement->open) {
				build->right_open[build->layer][may->person][part] |= may->actions;
				build->change_open[build->layer][may->person][part] |= may->keys;
			}
		}
	}
	return ret;
}
