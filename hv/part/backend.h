/* SPDX-License-Identifier: Apache-2.0 */
/** What the vendor-neutral core needs from VT-x or AMD-V. vtx/ implements it; the linker joins them.
 *
 *  All functions: partition locked or not yet shared, this CPU. Errors are negative enum bh_err.
 */
#ifndef BH_PART_BACKEND_H
#define BH_PART_BACKEND_H

#include "part/part.h"

/** The feature gate: logs each capability that is missing by its manual name. Changes nothing.
 *  -BH_NOSUPP. */
int backend_check(void) BH_MUST_CHECK;
/** Turns virtualization on for this CPU. Needs backend_check. */
int backend_init(void) BH_MUST_CHECK;

int backend_part_create(struct part *part) BH_MUST_CHECK;
void backend_part_destroy(struct part *part);

/** Second-level translation. prot: PTAB_*, memtype: 0 UC, 6 WB. Flushes what the CPU has cached. */
int backend_map(struct part *part, uint64_t gpa, hpa_t hpa, uint64_t size, unsigned prot,
		unsigned memtype) BH_MUST_CHECK;
int backend_unmap(struct part *part, uint64_t gpa, uint64_t size) BH_MUST_CHECK;
/** Marks a page whose writes are doorbells; it has no memory. */
int backend_map_doorbell(struct part *part, uint64_t gpa) BH_MUST_CHECK;
/** Walks the second-level tables: true when every leaf lies in frames the partition owns or is granted. */
bool backend_check_isolation(const struct part *part);

int backend_vcpu_create(struct vcpu *vcpu) BH_MUST_CHECK;
void backend_vcpu_destroy(struct vcpu *vcpu);
/** State after RESET or INIT (SDM 3A, "Processor State After Reset"). */
void backend_vcpu_reset(struct vcpu *vcpu);
/** Flat 32-bit protected mode or real mode at start->rip. */
int backend_vcpu_start(struct vcpu *vcpu, const struct bh_vcpu_start *start) BH_MUST_CHECK;
/** Start-up IPI: real mode at vector << 12. */
void backend_vcpu_sipi(struct vcpu *vcpu, unsigned vector);

/** Runs the vcpu until it blocks, stops, or this CPU should choose again. */
void backend_vcpu_run(struct vcpu *vcpu);

/** RSP is kept by the hardware. */
uint64_t backend_rsp_read(struct vcpu *vcpu);
void backend_rsp_write(struct vcpu *vcpu, uint64_t value);
uint64_t backend_rip(struct vcpu *vcpu);
void backend_advance(struct vcpu *vcpu, unsigned insn_length);
uint64_t backend_rflags(struct vcpu *vcpu);
void backend_rflags_write(struct vcpu *vcpu, uint64_t value);
uint64_t backend_efer(struct vcpu *vcpu);
int backend_efer_write(struct vcpu *vcpu, uint64_t value) BH_MUST_CHECK;
uint64_t backend_pat(struct vcpu *vcpu);
int backend_pat_write(struct vcpu *vcpu, uint64_t value) BH_MUST_CHECK;
void backend_tsc_offset_write(struct vcpu *vcpu);

/** What an instruction decoder and a guest page walk need. */
struct backend_mode {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t cs_base;
	unsigned bits; /* of the code segment: 16, 32, 64 */
	unsigned cpl;
};
void backend_mode(struct vcpu *vcpu, struct backend_mode *ret_mode);

#endif
