/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the proof share. */
#ifndef POLICY_PROVE_PRIVATE_H
#define POLICY_PROVE_PRIVATE_H

#include "closure.h"
#include "diag.h"
#include "prove.h"

struct prove {
	const struct model *model;
	const struct cells *cells;
	struct diag_list *diags;
	unsigned int checks;
	bool out_of_memory;
	/* [layer that asserts][kind, TEXT_KINDS for all][questions are open], built when asked for
	 */
	struct closure closure[TEXT_LAYERS][TEXT_KINDS + 1][2];
	bool has_closure[TEXT_LAYERS][TEXT_KINDS + 1][2];
	/* [kind][from]: where all of a kind is allowed for good, likewise */
	model_set always[TEXT_KINDS][MODEL_NODES_MAX];
	bool has_always[TEXT_KINDS];
};

/** Name of a node. */
const char *prove_name(const struct prove *prove, uint32_t node);
/** A note that shows a step, where the text says it. */
void prove_note_step(struct prove *prove, const struct closure_step *step);

/* prove_claim.c: NEVER, ONLY, ALWAYS */
void prove_claims(struct prove *prove);
/* prove_device.c: KEYBOARD, SCREEN, OWNER */
void prove_prompt(struct prove *prove);
void prove_owners(struct prove *prove);
/* prove_part.c: MEMORY, CPU, ORDER, DISK */
void prove_memory(struct prove *prove);
void prove_cpu(struct prove *prove);
void prove_order(struct prove *prove);
void prove_disks(struct prove *prove);
/* prove_lint.c: UNREACHED, ENFORCED */
void prove_lint_rules(struct prove *prove);
void prove_lint_enforced(struct prove *prove);

/* prove_vain.c: VAIN */
void prove_lint_vain(struct prove *prove);

#endif
