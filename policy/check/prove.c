/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the proofs that are asked for, in the order of the text's own assertions first. */
#include "prove_private.h"

const char *prove_name(const struct prove *prove, uint32_t node)
{
	return prove->model->node[node].name;
}

/* Where the text says what a step rests on. */
static struct diag_pos step_pos(const struct prove *prove, const struct closure_step *step)
{
	const struct model *model = prove->model;
	uint32_t part = step->back ? step->to : step->from;

	switch (step->why) {
	case CLOSURE_RULE:
		return model->rule[step->rule].pos;
	case CLOSURE_OWNS:
		return model->part[part].key[TEXT_OWNS].origin.pos;
	case CLOSURE_DISK:
		for (uint32_t i = 0; i < model->part[part].disk_count; i++) {
			if (model->part[part].disk[i].file == step->disk) {
				return model->part[part].disk[i].origin.pos;
			}
		}
		break;
	case CLOSURE_INSIDE:
		return model->node[part].origin.pos;
	case CLOSURE_CARRIES:
		break;
	}
	return model->node[step->from].origin.pos;
}

void prove_note_step(struct prove *prove, const struct closure_step *step)
{
	char text[256];

	closure_step_text(step, prove->model, text, sizeof(text));
	diag_add(prove->diags, DIAG_NOTE, step_pos(prove, step), NULL, "%s", text);
}

static void run(struct prove *prove)
{
	static const struct {
		unsigned int checks;
		void (*run)(struct prove *prove);
	} proofs[] = {
		{PROVE_NEVER | PROVE_ONLY | PROVE_ALWAYS, prove_claims},
		{PROVE_KEYBOARD | PROVE_SCREEN, prove_prompt},
		{PROVE_MEMORY, prove_memory},
		{PROVE_CPU, prove_cpu},
		{PROVE_OWNER, prove_owners},
		{PROVE_ORDER, prove_order},
		{PROVE_DISK, prove_disks},
		{PROVE_UNREACHED, prove_lint_rules},
		{PROVE_ENFORCED, prove_lint_enforced},
		{PROVE_VAIN, prove_lint_vain},
	};

	for (unsigned int i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		if (prove->checks & proofs[i].checks) {
			proofs[i].run(prove);
		}
	}
}

int prove_model(const struct model *model, const struct cells *cells, unsigned int checks,
		struct diag_list *diags)
{
	struct prove prove = {.model = model, .cells = cells, .diags = diags, .checks = checks};
	size_t before = diags->error_count;

	run(&prove);
	for (unsigned int kind = 0; kind <= TEXT_KINDS; kind++) {
		for (unsigned int ask = 0; ask < 2; ask++) {
			for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
				if (prove.has_closure[layer][kind][ask]) {
					closure_fini(&prove.closure[layer][kind][ask]);
				}
			}
		}
	}
	if (prove.out_of_memory) {
		diag_add(diags, DIAG_ERROR, (struct diag_pos){0}, NULL, "out of memory");
	}
	return diags->error_count > before ? -1 : 0;
}
