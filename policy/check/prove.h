/* SPDX-License-Identifier: Apache-2.0 */
/** What must hold before a policy is compiled: its own assertions, and what the product needs
 * whatever the author says. Each failure is an error with the path, rule by rule, as notes.
 *
 *  never A -> B	no path from A to B
 *  only A -> B		no node but A has a direct edge to or from B
 *  always A -> B	the direct flow is allowed for every type and port, by a rule that is not
 * open
 *
 *  Always proved besides: one keyboard role reaches control (the trusted prompt), one screen is
 * control's; memory, vcpus and CPU guarantees fit; a real device has one owner; dependencies have
 * no circle; a partition that must be encrypted has no plain disk; a disk written by two is
 * refused.
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
};
#define PROVE_ALL 0xfffu

/** Returns 0, or -1 with at least one error in `diags`; -ENOMEM. */
int prove_model(const struct model *model, const struct cells *cells, unsigned int checks,
		struct diag_list *diags);

#endif
