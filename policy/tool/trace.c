/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the reading of one decision; cells hold the result, this says how it came about. */
#include "trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "prove.h"

static bool matches(const struct model_rule *rule, const struct trace_question *question)
{
	return rule->text->kind == question->kind && rule->from & (1ull << question->from) &&
	       rule->to & (1ull << question->to) && rule->text->types & question->type &&
	       rule->text->port_lo <= question->port && question->port <= rule->text->port_hi;
}

static uint32_t first_hit(const struct model *model, unsigned int layer,
			  const struct trace_question *question)
{
	for (uint32_t i = model->rule_first[layer]; i < model->rule_first[layer + 1]; i++) {
		if (matches(&model->rule[i], question)) {
			return i;
		}
	}
	return TRACE_NO_RULE;
}

void trace_run(const struct model *model, const struct trace_question *question,
	       struct trace *ret_trace)
{
	struct trace trace = {.verdict = TEXT_DENY, .rule = TRACE_NO_RULE};
	bool open = true;

	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		struct trace_step *step = &trace.step[layer];

		*step = (struct trace_step){model->has_layer[layer], open, TRACE_NO_RULE};
		if (step->there) {
			const struct model_rule *rule;

			step->hit = first_hit(model, layer, question);
			rule = step->hit == TRACE_NO_RULE ? NULL : &model->rule[step->hit];
			if (rule && (open || rule->text->verdict < trace.verdict)) {
				trace.verdict = rule->text->verdict;
				trace.rule = step->hit;
			}
			open = open && rule && rule->open;
		}
		trace.after[layer] = trace.verdict;
	}
	*ret_trace = trace;
}

enum text_layer trace_opener(const struct trace *trace)
{
	/* A layer that only tightened what the ones before let through has to give way itself. */
	for (unsigned int layer = 1; layer < TEXT_LAYERS; layer++) {
		if (trace->step[layer].there && !trace->step[layer].free &&
		    trace->after[layer] == TEXT_DENY && trace->after[layer - 1] != TEXT_DENY) {
			return (enum text_layer)layer;
		}
	}
	if (trace->step[TEXT_IT].free) {
		return TEXT_IT;
	}
	return TEXT_VENDOR;
}

/* The layer's statements with the rule before all others; an absent layer becomes one. */
static int make_text(const struct compile *compile, enum text_layer layer,
		     const struct text_rule *rule, struct text *ret_text)
{
	const struct text *old = compile->has_text[layer] ? &compile->text[layer] : NULL;
	size_t count = old ? old->count : 1;
	struct text_statement *statement = calloc(count + 1, sizeof(*statement));

	if (!statement) {
		return -ENOMEM;
	}
	if (old && count) {
		statement[0] = old->statement[0];
		memcpy(&statement[2], &old->statement[1], (count - 1) * sizeof(*statement));
	} else {
		statement[0].type = TEXT_POLICY;
	}
	statement[1].type = TEXT_RULE;
	statement[1].rule = *rule;
	*ret_text = (struct text){.layer = layer,
				  .version = old ? old->version : 1,
				  .statement = statement,
				  .count = (count ? count : 1) + 1};
	return 0;
}

static const char *first_error(const struct diag_list *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		if (diags->item[i].level == DIAG_ERROR) {
			return diags->item[i].message;
		}
	}
	return "it cannot be proved";
}

static int prove_texts(const struct text *const texts[TEXT_LAYERS], struct diag_list *diags)
{
	unsigned int checks = PROVE_ALL & ~(unsigned int)(PROVE_UNREACHED | PROVE_ENFORCED);
	struct model *model = calloc(1, sizeof(*model));
	struct cells cells;
	int ret = -ENOMEM;

	if (!model) {
		return ret;
	}
	ret = model_build(texts, diags, model);
	if (!ret) {
		ret = cells_build(model, &cells);
		if (!ret) {
			ret = prove_model(model, &cells, checks, diags);
			cells_fini(&cells);
		}
		model_fini(model);
	}
	free(model);
	return ret;
}

int trace_try(const struct compile *compile, enum text_layer layer, const struct text_rule *rule,
	      char *why, size_t why_size)
{
	const struct text *texts[TEXT_LAYERS];
	struct diag_list diags = {0};
	struct text changed;
	int ret = make_text(compile, layer, rule, &changed);

	if (ret) {
		return ret;
	}
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		texts[i] = compile->has_text[i] ? &compile->text[i] : NULL;
	}
	texts[layer] = &changed;
	ret = prove_texts(texts, &diags);
	if (ret == -1) {
		snprintf(why, why_size, "%s", first_error(&diags));
	}
	diag_fini(&diags);
	free(changed.statement);
	return ret;
}
