/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions that nothing could ever break, and roles that no device is ever of: they look like
 * protection and are none. */
#include "prove_private.h"

#define NODE_BIT(node) (1ull << (node))

static bool goes_back(enum text_kind kind)
{
	return kind == TEXT_NETWORK || kind == TEXT_USB || kind == TEXT_FOLDER;
}

/* Whether some policy of these names could let such data leave one and arrive at the other. */
static bool could_break(const struct model *model, const struct model_assert *claim)
{
	const struct text_assert *text = claim->text;
	model_set leave = ~0ull, arrive = ~0ull, both;

	if (text->has_kind) {
		model_kind_ends(model, text->kind, &leave, &arrive);
	}
	both = leave | arrive;
	if (text->claim == TEXT_ONLY) {
		return (claim->to & both) != 0;
	}
	leave = claim->from & (goes_back(text->kind) ? both : leave);
	arrive = claim->to & (goes_back(text->kind) ? both : arrive);
	/* One node that is all of both is no pair. */
	return leave && arrive && (leave != arrive || (leave & (leave - 1)) != 0);
}

static void warn_claim(struct prove *prove, const struct model_assert *claim)
{
	const struct text_assert *text = claim->text;

	if (text->has_kind) {
		diag_add(prove->diags, DIAG_WARNING, claim->pos,
			 "see 'What each kind joins' in SPEC-policy, or leave the kind out",
			 "the assertion says nothing: no policy lets %s go %s %s%s%s",
			 text_kind_word(text->kind),
			 text->claim == TEXT_ONLY ? "from or to" : "from",
			 text->claim == TEXT_ONLY ? text->to.name : text->from.name,
			 text->claim == TEXT_ONLY ? "" : " to ",
			 text->claim == TEXT_ONLY ? "" : text->to.name);
		return;
	}
	diag_add(prove->diags, DIAG_WARNING, claim->pos, "name two different ends",
		 "the assertion says nothing: nothing crosses from %s to itself", text->from.name);
}

/* Whether each device that fits `inner` fits `outer`. */
static bool covers(const struct text_match *outer, const struct text_match *inner)
{
	if (outer->bus != inner->bus) {
		return false;
	}
	if (outer->bus == TEXT_BUS_INPUT || outer->bus == TEXT_BUS_OUTPUT) {
		return (inner->what & ~outer->what) == 0;
	}
	if (outer->vendor != inner->vendor || outer->product != inner->product) {
		return false;
	}
	return (outer->class_mask & ~inner->class_mask) == 0 &&
	       ((outer->class_code ^ inner->class_code) & outer->class_mask) == 0;
}

/* The first role before `role` that takes all devices of a match, or `role`. */
static uint32_t find_taker(const struct model *model, uint32_t role, const struct text_match *match)
{
	for (uint32_t i = model->part_count; i < role; i++) {
		const struct text_role *other = model->node[i].role;

		for (uint32_t k = 0; other && k < other->match_count; k++) {
			if (covers(&other->match[k], match)) {
				return i;
			}
		}
	}
	return role;
}

static void check_role(struct prove *prove, uint32_t role)
{
	const struct model *model = prove->model;
	const struct text_role *text = model->node[role].role;
	uint32_t taker = role;

	for (uint32_t i = 0; i < text->match_count; i++) {
		taker = find_taker(model, role, &text->match[i]);
		if (taker == role) {
			return;
		}
	}
	diag_add(prove->diags, DIAG_WARNING, model->node[role].origin.pos,
		 "a device belongs to the first role that it fits: declare the narrow one first",
		 "no device is ever of role '%s'", prove_name(prove, role));
	diag_add(prove->diags, DIAG_NOTE, model->node[taker].origin.pos, NULL,
		 "it is of role '%s' before", prove_name(prove, taker));
}

void prove_lint_vain(struct prove *prove)
{
	const struct model *model = prove->model;
	uint32_t told = 0;

	for (uint32_t i = 0; i < model->claim_count && told < DIAG_MAX; i++) {
		const struct model_assert *claim = &model->claim[i];

		/* What is always so must be allowed: it fails by itself. */
		if (claim->text->claim != TEXT_ALWAYS && !could_break(model, claim)) {
			warn_claim(prove, claim);
			told++;
		}
	}
	for (uint32_t node = model->part_count; node < model->node_count; node++) {
		if (model->node[node].type == MODEL_ROLE) {
			check_role(prove, node);
		}
	}
}
