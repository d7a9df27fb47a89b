/* SPDX-License-Identifier: Apache-2.0 */
/** The policy gate: the only reader of the policy in force. No entry means no. Each refusal is
 * counted and leaves an audit line in the log. Context of all: any CPU; nothing is waited for, also
 * not while a table is loaded. A question costs a few dozen instructions at most
 * (tests/unit/test_gate.c). */
#ifndef BH_PART_GATE_H
#define BH_PART_GATE_H

#include "part/part.h"
#include "part/policy.h"

/** May this partition call the hypercalls that manage partitions? */
int gate_check_manage(const struct part *caller) BH_MUST_CHECK;
/** May `by` map the RAM of `part` (and so give it back ends)? Asked when it is created. */
int gate_check_map(const struct part *by, const struct part *part) BH_MUST_CHECK;
/** May this partition have so many doorbell pages? */
int gate_check_doorbells(const struct part *part, uint64_t count) BH_MUST_CHECK;
/** May a doorbell of `from` reach partition `to`? */
int gate_check_ring(const struct part *from, uint32_t to) BH_MUST_CHECK;
/** May interrupts be raised in `part` by back ends in `by`? */
int gate_check_irq(const struct part *by, const struct part *part) BH_MUST_CHECK;
/** Does this device of the policy table belong to the partition? */
bool gate_owns_device(const struct part *part, uint32_t device);

/** How much it gets, a field of struct bh_policy_part: ram_size and vcpu_count when it is created,
 * weight and cap while it runs. */
#define gate_get(part, field) POLICY_NOW((part)->id, field)

/** Answers that were no, since the start. */
uint64_t gate_get_refused(void);

#endif
