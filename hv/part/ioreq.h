/* SPDX-License-Identifier: Apache-2.0 */
/** Accesses of a guest that its runner answers: from the exit to the slot, and from the answer back
 *  into the registers. See abi/ioreq.h. */
#ifndef BH_PART_IOREQ_H
#define BH_PART_IOREQ_H

#include "part/vcpu.h"

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

/** Puts an answer into the registers. Context: the vcpu is about to enter the guest. */
void ioreq_finish(struct vcpu *vcpu);

#endif
