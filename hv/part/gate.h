/* SPDX-License-Identifier: Apache-2.0 */
/** The policy gate: the only reader of the policy table at run time. No entry means no.
 *  Each refusal is counted and leaves one audit line in the log. */
#ifndef BH_PART_GATE_H
#define BH_PART_GATE_H

#include "part/part.h"

/** May this partition call the hypercalls that manage partitions? */
int gate_check_manage(const struct part *caller) BH_MUST_CHECK;
/** May the control partition map this partition's RAM (and so give it back ends)? */
int gate_check_map(const struct part *part) BH_MUST_CHECK;
/** May this partition have so many doorbell pages? */
int gate_check_doorbells(const struct part *part, uint64_t count) BH_MUST_CHECK;
/** May interrupts be raised in this partition by the control partition's back ends? */
int gate_check_irq(const struct part *part) BH_MUST_CHECK;

#endif
