/* SPDX-License-Identifier: Apache-2.0 */
/* The assertions of the text. */
#include <stdio.h>

#include "prove_private.h"

#define NODE_BIT(node) (1ull << (node))

/** The assertion as its author wrote it: at most 14 + 2 names. */
struct claim_text {
	char text[96];
};

static struct claim_text claim_text(const struct text_assert *claim)
{
	static const char *const words[] = {
		[TEXT_NEVER] = "never", [TEXT_ONLY] = "only", [TEXT_ALWAYS] = "always"};
	struct claim_text ret;

	(void)snprintf(ret.text, sizeof(ret.text), "%s %s%s%s -> %s%s", words[claim->claim],
		       claim->has_kind ? text_kind_word(claim->kind) : "",
		       claim->has_kind ? " " : "", claim->from.name, claim->to.name,
		       claim->ask_closed ? " unless asked" : "");
	return ret;
}

/* Past this nothing more is shown, and a hostile text must not cost time. */
static bool told_enough(const struct prove *prove)
{
	return prove->diags->error_count > DIAG_MAX;
}

/* The closure that an assertion is about, as `layer` sees it, or NULL when there is no memory for
 * it. */
static const struct closure *closure_of(struct prove *prove, const struct text_assert *claim,
					enum text_layer layer)
{
	unsigned int kind = claim->has_kind ? (unsigned int)claim->kind : TEXT_KINDS;
	unsigned int ask = !claim->ask_closed;
	struct closure *closure = &prove->closure[layer][kind][ask];

	if (!prove->has_closure[layer][kind][ask]) {
		if (closure_build_for(prove->model, prove->cells, kind, ask, layer, closure)) {
			prove->out_of_memory = true;
			return NULL;
		}
		prove->has_closure[layer][kind][ask] = true;
	}
	return closure;
}

/* Whether the path goes no further when questions count as closed. */
static bool needs_question(const struct prove *prove, const struct closure_step *step,
			   uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (step[i].why == CLOSURE_RULE &&
		    prove->model->rule[step[i].rule].text->verdict == TEXT_ASK) {
			return true;
		}
	}
	return false;
}

static void refuse_path(struct prove *prove, const struct model_assert *claim,
			const struct closure *closure, uint32_t from, uint32_t to)
{
	struct closure_step step[MODEL_NODES_MAX];
	uint32_t count = closure_path(closure, from, to, step);

	diag_add(prove->diags, DIAG_ERROR, claim->pos,
		 needs_question(prove, step, count)
			 ? "deny one of the steps, or add 'unless asked' if the question is enough"
			 : "deny one of the steps",
		 "'%s' does not hold: %s reaches %s in %u step%s", claim_text(claim->text).text,
		 prove_name(prove, from), prove_name(prove, to), count, count == 1 ? "" : "s");
	for (uint32_t i = 0; i < count; i++) {
		prove_note_step(prove, &step[i]);
	}
}

static void prove_never(struct prove *prove, const struct model_assert *claim)
{
	const struct closure *closure = closure_of(prove, claim->text, claim->layer);

	for (model_set left = closure ? claim->from : 0; left && !told_enough(prove);
	     left &= left - 1) {
		uint32_t from = (uint32_t)__builtin_ctzll(left);

		for (model_set met = closure->reach[from] & claim->to & ~NODE_BIT(from); met;
		     met &= met - 1) {
			refuse_path(prove, claim, closure, from, (uint32_t)__builtin_ctzll(met));
		}
	}
}

static void refuse_other(struct prove *prove, const struct model_assert *claim,
			 const struct closure_step *step)
{
	uint32_t other = claim->to & NODE_BIT(step->to) ? step->from : step->to;

	diag_add(prove->diags, DIAG_ERROR, claim->pos, "deny this step, or take the assertion back",
		 "'%s' does not hold: so does %s", claim_text(claim->text).text,
		 prove_name(prove, other));
	prove_note_step(prove, step);
}

/* About flows of one step: what lies inside of what is none. */
static void prove_only(struct prove *prove, const struct model_assert *claim)
{
	const struct closure *closure = closure_of(prove, claim->text, TEXT_USER);

	for (uint32_t node = 0; closure && node < closure->nodes; node++) {
		model_set there = closure->direct[node] & claim->to;

		if ((claim->from | claim->to) & NODE_BIT(node)) {
			continue;
		}
		if (there) {
			refuse_other(prove, claim,
				     &closure->step[(size_t)node * closure->nodes +
						    (uint32_t)__builtin_ctzll(there)]);
			continue;
		}
		for (model_set left = claim->to; left; left &= left - 1) {
			uint32_t from = (uint32_t)__builtin_ctzll(left);

			if (closure->direct[from] & NODE_BIT(node)) {
				refuse_other(prove, claim,
					     &closure->step[(size_t)from * closure->nodes + node]);
				break;
			}
		}
	}
}

/** Why a flow is not always open. */
struct claim_gap {
	bool open;    /* it is, but a rule may be changed by the next layer */
	bool no_rule; /* some type or port has none */
	uint32_t rule;
};

/* Whether all of a cell is allowed by rules that are not open. */
static bool always_allowed(const struct prove *prove, enum text_kind kind, uint32_t from,
			   uint32_t to, struct claim_gap *ret_gap)
{
	const struct cells_cell *cell = cells_cell(prove->cells, kind, from, to);
	uint64_t all = (uint64_t)__builtin_popcount(text_types_all(kind)) << 16, covered = 0;

	for (uint32_t i = 0; i < cell->count; i++) {
		const struct cells_row *row = &prove->cells->row[cell->row + i];
		bool open = prove->model->rule[row->rule].open;

		if (row->verdict != TEXT_ALLOW || open) {
			*ret_gap = (struct claim_gap){.open = row->verdict == TEXT_ALLOW,
						      .rule = row->rule};
			return false;
		}
		covered += (uint64_t)__builtin_popcount(row->types) *
			   (row->port_hi - row->port_lo + 1u);
	}
	*ret_gap = (struct claim_gap){.no_rule = true};
	return covered == all;
}

static void refuse_gap(struct prove *prove, const struct model_assert *claim, uint32_t from,
		       uint32_t to, const struct claim_gap *gap)
{
	const char *kind = text_kind_word(claim->text->kind);
	const struct model_rule *rule = gap->no_rule ? NULL : &prove->model->rule[gap->rule];

	if (!rule) {
		diag_add(prove->diags, DIAG_ERROR, claim->pos,
			 "allow it for every type and port, without 'default'",
			 "'%s' does not hold: no rule allows all of %s %s -> %s",
			 claim_text(claim->text).text, kind, prove_name(prove, from),
			 prove_name(prove, to));
		return;
	}
	diag_add(prove->diags, DIAG_ERROR, claim->pos,
		 gap->open ? "take 'default' away from the rule" : "allow it in this rule",
		 "'%s' does not hold: rule %s %s %s %s -> %s%s", claim_text(claim->text).text,
		 rule->text->id, gap->open ? "allows" : "does not allow", kind,
		 prove_name(prove, from), prove_name(prove, to),
		 gap->open ? " only until the next layer says otherwise" : "");
	diag_add(prove->diags, DIAG_NOTE, rule->pos, NULL, "the rule");
}

/* Where a kind leads for good, worked out once for all assertions. */
static const model_set *always_of(struct prove *prove, enum text_kind kind)
{
	uint32_t nodes = prove->model->node_count;
	struct claim_gap gap;

	for (uint32_t pair = 0; !prove->has_always[kind] && pair < nodes * nodes; pair++) {
		uint32_t from = pair / nodes, to = pair % nodes;

		if (always_allowed(prove, kind, from, to, &gap)) {
			prove->always[kind][from] |= NODE_BIT(to);
		}
	}
	prove->has_always[kind] = true;
	return prove->always[kind];
}

static void refuse_pair(struct prove *prove, const struct model_assert *claim, uint32_t from,
			uint32_t to)
{
	struct claim_gap gap;

	if (claim->text->has_kind) {
		(void)always_allowed(prove, claim->text->kind, from, to, &gap);
		refuse_gap(prove, claim, from, to, &gap);
		return;
	}
	diag_add(prove->diags, DIAG_ERROR, claim->pos,
		 "name the kind that is meant to see which rule is in the way",
		 "'%s' does not hold: %s -> %s is open for good for no kind of flow",
		 claim_text(claim->text).text, prove_name(prove, from), prove_name(prove, to));
}

static void prove_always(struct prove *prove, const struct model_assert *claim)
{
	for (model_set left = claim->from; left && !told_enough(prove); left &= left - 1) {
		uint32_t from = (uint32_t)__builtin_ctzll(left);
		model_set open = 0;

		for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
			if (!claim->text->has_kind || kind == (unsigned int)claim->text->kind) {
				open |= always_of(prove, (enum text_kind)kind)[from];
			}
		}
		for (model_set ends = claim->to & ~open & ~NODE_BIT(from); ends; ends &= ends - 1) {
			refuse_pair(prove, claim, from, (uint32_t)__builtin_ctzll(ends));
		}
	}
}

void prove_claims(struct prove *prove)
{
	static const struct {
		enum prove_check check;
		void (*run)(struct prove *prove, const struct model_assert *claim);
	} proof[] = {
		[TEXT_NEVER] = {PROVE_NEVER, prove_never},
		[TEXT_ONLY] = {PROVE_ONLY, prove_only},
		[TEXT_ALWAYS] = {PROVE_ALWAYS, prove_always},
	};

	for (uint32_t i = 0; i < prove->model->claim_count && !told_enough(prove); i++) {
		const struct model_assert *claim = &prove->model->claim[i];

		if (prove->checks & proof[claim->text->claim].check) {
			proof[claim->text->claim].run(prove, claim);
		}
	}
}
