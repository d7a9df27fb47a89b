/* SPDX-License-Identifier: Apache-2.0 */
/* What is compiled and probably not meant: rules that never decide, and words that nothing in this
 * version acts on. */
#include <stdio.h>

#include "prove_private.h"

static bool overlaps(const struct model_rule *a, const struct model_rule *b)
{
	return a->layer == b->layer && a->text->kind == b->text->kind && (a->from & b->from) &&
	       (a->to & b->to) && (a->text->types & b->text->types) &&
	       a->text->port_lo <= b->text->port_hi && b->text->port_lo <= a->text->port_hi;
}

/* The first rule of the same layer that takes something away from this one, or NULL: its ends are
 * empty. */
static const struct model_rule *find_before(const struct prove *prove, uint32_t rule)
{
	const struct model *model = prove->model;

	for (uint32_t i = model->rule_first[model->rule[rule].layer]; i < rule; i++) {
		if (overlaps(&model->rule[i], &model->rule[rule])) {
			return &model->rule[i];
		}
	}
	return NULL;
}

/* Whatever this rule names, an earlier one of its layer has named. */
static void warn_hidden(struct prove *prove, uint32_t number)
{
	const struct model_rule *rule = &prove->model->rule[number];
	const struct model_rule *before = find_before(prove, number);

	diag_add(prove->diags, DIAG_WARNING, rule->pos,
		 "move it before the rules that take its place, or take it away",
		 "rule %s never decides anything", rule->text->id);
	if (before) {
		diag_add(prove->diags, DIAG_NOTE, before->pos, NULL, "rule %s comes before it",
			 before->text->id);
	}
}

void prove_lint_rules(struct prove *prove)
{
	const struct model *model = prove->model;
	uint32_t told = 0;

	for (uint32_t i = 0; i < model->rule_count && told < DIAG_MAX; i++) {
		const struct model_rule *rule = &model->rule[i];

		told += !prove->cells->reached[i];
		if (!prove->cells->matched[i]) {
			warn_hidden(prove, i);
		} else if (!prove->cells->reached[i]) {
			diag_add(prove->diags, DIAG_WARNING, rule->pos,
				 "take it away, or ask for 'default' in the layer before",
				 "rule %s changes nothing: the layers before have said as much or "
				 "more",
				 rule->text->id);
		}
	}
}

/* Kinds that some part of this version carries; nothing crosses in the others. */
static const bool carried[TEXT_KINDS] = {
	[TEXT_INPUT] = true,   /* the switcher gives keys to who has the focus */
	[TEXT_DISPLAY] = true, /* and shows its picture */
};

static void warn_kinds(struct prove *prove)
{
	const struct model *model = prove->model;
	bool named[TEXT_KINDS] = {false};
	char list[TEXT_KINDS * 16] = "";
	struct diag_pos first = {0};
	size_t size = 0;

	for (uint32_t i = 0; i < model->rule_count; i++) {
		const struct model_rule *rule = &model->rule[i];
		enum text_kind kind = rule->text->kind;

		if (!prove->cells->reached[i] || rule->text->verdict == TEXT_DENY ||
		    carried[kind] || named[kind]) {
			continue;
		}
		named[kind] = true;
		first = size == 0 ? rule->pos : first;
		size += (size_t)snprintf(list + size, sizeof(list) - size, "%s%s",
					 size == 0 ? "" : ", ", text_kind_word(kind));
	}
	if (size > 0) {
		diag_add(
			prove->diags, DIAG_WARNING, first, NULL,
			"nothing in this version carries %s: it stays closed, whatever rules allow",
			list);
	}
}

static void warn_key(struct prove *prove, enum text_key key)
{
	for (uint32_t part = 0; part < prove->model->part_count; part++) {
		const struct model_value *value = &prove->model->part[part].key[key];

		if (value->number != 0) {
			diag_add(prove->diags, DIAG_WARNING, value->origin.pos, NULL,
				 "nothing in this version acts on %s", text_key_word(key));
			return;
		}
	}
}

void prove_lint_enforced(struct prove *prove)
{
	warn_kinds(prove);
	warn_key(prove, TEXT_CACHE);
	warn_key(prove, TEXT_NETWORK_RATE);
}
