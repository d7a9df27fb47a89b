/* SPDX-License-Identifier: Apache-2.0 */
/* Owns rules and assertions once names are known: which nodes stand at their ends. */
#include "model_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void model_kind_ends(const struct model *model, enum text_kind kind, model_set *ret_from,
		     model_set *ret_to)
{
	model_set parts = 0, roles = 0, zones = 0, control = 1ull << MODEL_CONTROL;

	for (uint32_t i = MODEL_CONTROL + 1; i < model->node_count; i++) {
		*(model->node[i].type == MODEL_PART   ? &parts
		  : model->node[i].type == MODEL_ROLE ? &roles
						      : &zones) |= 1ull << i;
	}
	switch (kind) {
	case TEXT_CLIPBOARD:
	case TEXT_FILE:
	case TEXT_LINK:
	case TEXT_CHANNEL:
	case TEXT_CAPTURE:
	case TEXT_FOLDER:
		*ret_from = *ret_to = parts;
		break;
	case TEXT_NETWORK:
		*ret_from = *ret_to = parts | zones;
		break;
	case TEXT_USB:
	case TEXT_CAMERA:
	case TEXT_MICROPHONE:
		*ret_from = roles;
		*ret_to = parts;
		break;
	case TEXT_SOUND:
		*ret_from = parts;
		*ret_to = roles;
		break;
	case TEXT_PRINT:
		*ret_from = parts;
		*ret_to = parts | roles;
		break;
	case TEXT_INPUT:
		*ret_from = roles;
		*ret_to = parts | control;
		break;
	case TEXT_DISPLAY:
		*ret_from = parts | control;
		*ret_to = roles;
		break;
	}
}

static const char *const end_words[TEXT_KINDS][2] = {
	[TEXT_CLIPBOARD] = {"a partition", "a partition"},
	[TEXT_FILE] = {"a partition", "a partition"},
	[TEXT_LINK] = {"a partition", "a partition"},
	[TEXT_CHANNEL] = {"a partition", "a partition"},
	[TEXT_NETWORK] = {"a partition or zone", "a zone or partition"},
	[TEXT_USB] = {"a role", "a partition"},
	[TEXT_CAMERA] = {"a role", "a partition"},
	[TEXT_MICROPHONE] = {"a role", "a partition"},
	[TEXT_SOUND] = {"a partition", "a role"},
	[TEXT_CAPTURE] = {"a partition", "a partition"},
	[TEXT_PRINT] = {"a partition", "a role or partition"},
	[TEXT_FOLDER] = {"a partition", "a partition"},
	[TEXT_INPUT] = {"a role", "a partition or control"},
	[TEXT_DISPLAY] = {"a partition or control", "a role"},
};

/* Partitions that rules of the user layer may bind, and everything that is no partition. */
static model_set users_own(const struct model_build *build)
{
	const struct model *model = build->model;
	model_set own = ~0ull;

	for (uint32_t part = 0; part < model->part_count; part++) {
		if (part == MODEL_CONTROL ||
		    model->part[part].key[TEXT_CLASS].number != TEXT_CLASS_USER) {
			own &= ~(1ull << part);
		}
	}
	return own;
}

/* The nodes at one end of a rule. fits: that may stand there. */
static int read_end(struct model_build *build, const struct text_rule *rule, unsigned int end,
		    model_set fits, model_set *ret_nodes)
{
	const struct text_names *names = end == 0 ? &rule->from : &rule->to;
	model_set own = build->layer == TEXT_USER && build->before >= 0 ? users_own(build) : ~0ull;
	model_set all = 0;
	int ret = 0;

	for (uint32_t i = 0; i < names->count; i++) {
		const struct text_name *name = &names->item[i];
		model_set nodes;

		if (strcmp(name->name, "any") == 0) {
			all |= fits & own;
			continue;
		}
		if (model_resolve(build, name, &nodes) != 0) {
			ret = -1;
			continue;
		}
		nodes = model_with_inner_zones(build->model, nodes, build->layer);
		if ((nodes & fits) == 0) {
			diag_add(build->diags, DIAG_ERROR, name->pos,
				 "see 'What each kind joins' in SPEC-policy",
				 "%s goes %s %s; '%s' is none", text_kind_word(rule->kind),
				 end == 0 ? "from" : "to", end_words[rule->kind][end], name->name);
			ret = -1;
		} else if ((nodes & fits & own) == 0) {
			diag_add(build->diags, DIAG_ERROR, name->pos, "ask IT for the change",
				 "a rule of the user layer cannot bind '%s'", name->name);
			ret = -1;
		}
		all |= nodes & fits & own;
	}
	*ret_nodes = all;
	return ret;
}

static void *grow(void *array, uint32_t count, size_t size)
{
	/* Doubling at powers of two keeps the number of copies small. */
	if ((count & (count - 1)) != 0) {
		return array;
	}
	return realloc(array, (count == 0 ? 1 : 2 * (size_t)count) * size);
}

int model_read_rule(struct model_build *build, const struct text_statement *statement)
{
	const struct text_rule *text = &statement->rule;
	struct model *model = build->model;
	struct model_rule rule = {.text = text,
				  .layer = build->layer,
				  .open = statement->open,
				  .pos = statement->pos};
	struct model_rule *rules;
	model_set from, to;

	model_kind_ends(model, text->kind, &from, &to);
	if (read_end(build, text, 0, from, &rule.from) | read_end(build, text, 1, to, &rule.to)) {
		return -1;
	}
	if (text->from.count == 1 && text->to.count == 1 &&
	    strcmp(text->from.item[0].name, text->to.item[0].name) == 0 &&
	    model_find(model, text->from.item[0].name) >= 0) {
		diag_add(build->diags, DIAG_ERROR, statement->pos, "name two different ends",
			 "nothing crosses from a partition to itself");
		return -1;
	}
	rules = grow(model->rule, model->rule_count, sizeof(*rules));
	if (rules == NULL) {
		return -ENOMEM;
	}
	model->rule = rules;
	rules[model->rule_count++] = rule;
	return 0;
}

int model_read_claim(struct model_build *build, const struct text_statement *statement)
{
	struct model *model = build->model;
	struct model_assert claim = {
		.text = &statement->claim, .layer = build->layer, .pos = statement->pos};
	struct model_assert *claims;

	if (model_resolve(build, &statement->claim.from, &claim.from) |
	    model_resolve(build, &statement->claim.to, &claim.to)) {
		return -1;
	}
	claim.from = model_with_inner_zones(model, claim.from, build->layer);
	claim.to = model_with_inner_zones(model, claim.to, build->layer);
	claims = grow(model->claim, model->claim_count, sizeof(*claims));
	if (claims == NULL) {
		return -ENOMEM;
	}
	model->claim = claims;
	claims[model->claim_count++] = claim;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	const struct model_rule *const *left = a, *const *right = b;
	int order = strcmp((*left)->text->id, (*right)->text->id);

	return order != 0 ? order : (*left > *right) - (*left < *right);
}

int model_check_ids(struct model_build *build)
{
	const struct model *model = build->model;
	const struct model_rule **sorted;
	int ret = 0;

	if (model->rule_count < 2) {
		return 0;
	}
	sorted = malloc(model->rule_count * sizeof(*sorted));
	if (sorted == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < model->rule_count; i++) {
		sorted[i] = &model->rule[i];
	}
	qsort(sorted, model->rule_count, sizeof(*sorted), compare_ids);
	for (uint32_t i = 1; i < model->rule_count; i++) {
		if (strcmp(sorted[i]->text->id, sorted[i - 1]->text->id) == 0) {
			diag_add(build->diags, DIAG_ERROR, sorted[i]->pos,
				 "give each rule an id of its own: refusals and the audit log name "
				 "it",
				 "rule id '%s' is taken", sorted[i]->text->id);
			diag_add(build->diags, DIAG_NOTE, sorted[i - 1]->pos, NULL, "taken here");
			ret = -1;
		}
	}
	free(sorted);
	return ret;
}
