/* SPDX-License-Identifier: Apache-2.0 */
/** Accesses of a guest that its runner answers: from the exit to the slot, and from the answer back
 *  into the registers. See abi/ioreq.h.
 *
 *  Locks: none. A request has a phase, and each step changes it first: the vcpu's CPU NONE -> ASKED and
 *  ANSWERED -> NONE, who answers ASKED -> TAKEN -> ANSWERED. So of two answers one counts. */
#ifndef BH_PART_IOREQ_H
#define BH_PART_IOREQ_H

#include "part/vcpu.h"

struct part;

enum ioreq_phase { IOREQ_NONE, IOREQ_ASKED, IOREQ_TAKEN, IOREQ_ANSWERED };

struct ioreq_pio {
	uint16_t port;
	uint8_t size; /* 1, 2, 4 */
	bool in;
	bool string, rep;
	uint8_t insn_length;
	uint64_t linear; /* string: guest-linear address of the memory operand */
};

/** Port access: puts the vcpu into VCPU_WAIT_IOREQ. Context: the running vcpu. */
void ioreq_pio(struct vcpu *vcpu, const struct ioreq_pio *pio);

/** Access to guest-physical memory that is not there. The local APIC page is answered at once;
 * anything else becomes an ioreq. An instruction that is not decoded stops the partition. Context:
 * as above. */
void ioreq_mmio(struct vcpu *vcpu, uint64_t gpa);

/** BH_HC_IOREQ_DONE: takes the answer from the slot. -BH_STATE: nothing was asked or answered;
 * -BH_INVAL: unknown flags. */
int ioreq_done(struct vcpu *caller, struct part *part, uint64_t vcpu_id,
	       uint64_t flags) BH_MUST_CHECK;

/** If there is an answer: puts it into the registers. Context: the vcpu is about to enter the guest. */
void ioreq_finish(struct vcpu *vcpu);

/** Forgets what was asked. Context: as for vcpu_reset. */
void ioreq_reset(struct vcpu *vcpu);

/** Ends the wait of a control vcpu that BH_IOREQ_WAIT has halted. Context: the waiting vcpu runs here. */
void ioreq_wait_over(struct vcpu *vcpu);
/** Nobody answers for vcpu `id` of the partition any more: who waits for it goes on. Context: any. */
void ioreq_wake_waiter(struct part *part, unsigned id);

#endif
