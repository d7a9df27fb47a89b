/* SPDX-License-Identifier: Apache-2.0 */
/** What must hold before a policy is compiled: its own assertions, and what the product needs
 *  whatever the author says. Each failure is an error; a way that should not be there is shown rule
 *  by rule, as notes.
 *
 *  never A -> B	no path from A to B (closure.h)
 *  only A -> B		no node but A has a direct edge to or from B; nodes of B among each other do
 *			not count
 *  always A -> B	the direct flow is allowed for every type and port, by rules that are not
 *			open; without a kind, one kind for which that holds is enough
 *
 *  A question counts as open, with `unless asked` as closed; for `always` it is never allowed. What
 *  names a group holds for each pair of nodes; a node and itself are no pair.
 *
 *  Always proved besides:
 *  - the first role that is a keyboard is no partition's own and allowed as input of control (the
 *    trusted prompt; no keyboard would ever be of a second one); the same for a screen and the
 *    display of control; nobody owns display cards by their class, and who owns USB controllers so
 *    is warned
 *  - memory is a multiple of 2 MiB, at most 3 GiB a partition
 *  - guarantees: weight * vcpus, as a share of the sum over all partitions, is no less; a cap
 *    leaves room for it on one CPU
 *  - a real device has one owner: no role, nor two that mean the same devices, is owned twice, and
 *    nobody but the owner is allowed or asked about it
 *  - `after` has no circle, and what starts does not wait for what never does
 *  - who has an encrypted disk has no other one that it writes in plain; no file is written by two
 */
#ifndef POLICY_PROVE_H
#define POLICY_PROVE_H

#include "cells.h"

/** Rules of the checker, so that a test can switch off one at a time and see something fail. */
enum prove_check {
	PROVE_NEVER = 1u << 0,
	PROVE_ONLY = 1u << 1,
	PROVE_ALWAYS = 1u << 2,
	PROVE_KEYBOARD = 1u << 3,
	PROVE_SCREEN = 1u << 4,
	PROVE_MEMORY = 1u << 5,
	PROVE_CPU = 1u << 6,
	PROVE_OWNER = 1u << 7,
	PROVE_ORDER = 1u << 8,
	PROVE_DISK = 1u << 9,
	PROVE_UNREACHED = 1u << 10, /* warning: a rule that never decides */
	PROVE_ENFORCED = 1u << 11,  /* warning: nothing in this version enforces it */
	PROVE_VAIN = 1u << 12, /* warning: an assertion nothing could break, a role of no device */
};
#define PROVE_ALL 0x1fffu

/** Returns 0, or -1 with at least one error in `diags`. Time: a few closures, and at most a step
 * per assertion and pair of nodes. */
int prove_model(const struct model *model, const struct cells *cells, unsigned int checks,
		struct diag_list *diags);

#endif
