/* SPDX-License-Identifier: Apache-2.0 */
/** AMD-V state of a CPU and a vcpu, and what the files of this folder share. */
#ifndef SVM_SVM_H
#define SVM_SVM_H

#include "mem/ptab.h"
#include "part/backend.h"
#include "part/exit.h"
#include "svm/insn.h"
#include "svm/insn_length.h"
#include "svm/vmcb.h"

/** Where the guest's instructions are, so that most exits need no page walk. It is a hint: what is read
 *  there counts only if it is the instruction that must be there. */
struct svm_fetch {
	uint64_t page; /* guest-linear | 1, or 0 */
	uint64_t cr3;
	const uint8_t *host;
	/* The last doorbell's instruction: the same bytes have the same length. */
	uint64_t doorbell_bytes;
	uint8_t doorbell_bits, doorbell_length;
};

struct svm_cpu {
	struct vmcb *host; /* FS, GS, TR and system-call registers of root mode */
	uint64_t generation;
	uint32_t next_asid;
};

struct svm_vcpu {
	struct vmcb *vmcb;
	const struct svm_cpu *cpu; /* gave it its ASID ... */
	uint64_t generation;	   /* ... in this generation; 0: none */
	bool in_nmi;		   /* until IRET, which exits */
	struct svm_fetch fetch;
};

/** What the feature gate found; read only after the gate. */
struct svm_features {
	uint32_t asid_count;
	bool next_rip;	/* the CPU saves it */
	bool cr4_exits; /* the CPU has CR4 bits that guests must not set */
	bool pages_1g;
	hpa_t msr_map;
	hpa_t io_all, io_none; /* every port exits, no port exits */
};
extern struct svm_features svm_features;

static inline struct svm_vcpu *svm_vcpu(const struct vcpu *vcpu)
{
	return vcpu->backend;
}

static inline struct vmcb *svm_vmcb(const struct vcpu *vcpu)
{
	return svm_vcpu(vcpu)->vmcb;
}

/** Reads CPUID and VM_CR, logs each missing capability; fills svm_features. -BH_NOSUPP. */
int svm_features_check(struct svm_features *ret) BH_MUST_CHECK;

/** Nested page-table format for mem/ptab. */
extern struct ptab_format npt_format;

/** The table's functions on a vcpu's registers (part/backend.h). */
void vmcb_reset(struct vcpu *vcpu);
void vmcb_start(struct vcpu *vcpu, bool flat, uint64_t base, uint64_t rip, uint64_t rsp);
uint64_t vmcb_read(const struct vcpu *vcpu, enum backend_reg reg);
void vmcb_write(struct vcpu *vcpu, enum backend_reg reg, uint64_t value);
void vmcb_advance(struct vcpu *vcpu, unsigned insn_length);
void vmcb_mode(struct vcpu *vcpu, struct backend_mode *ret_mode);
unsigned vmcb_bits(const struct vmcb *vmcb);

/** Decides what to inject before the entry, or asks for an exit when the guest can take it. */
void svm_inject_prepare(struct vcpu *vcpu);
/** The guest is about to leave its NMI handler. */
void svm_inject_nmi_over(struct vcpu *vcpu);
/** Takes back an event whose delivery the exit interrupted. */
void svm_inject_requeue(struct vcpu *vcpu, uint64_t info);

/** The bytes at the guest's RIP, at most 16; returns how many. */
size_t fetch_bytes(struct vcpu *vcpu, uint8_t ret_bytes[16]);
/** Length of the guest's instruction if it is this one, else 0. */
unsigned fetch_length(struct vcpu *vcpu, const struct insn_opcode *opcode);
/** Length of the memory access at RIP (part/decode.h), 0 if it is none that is decoded. */
unsigned fetch_access_length(struct vcpu *vcpu);

/** Handles the exit that the vcpu's VMCB describes. */
void svm_exit_handle(struct vcpu *vcpu);

enum exit_result exit_npf(struct vcpu *vcpu);
enum exit_result exit_mov_cr8(struct vcpu *vcpu);
enum exit_result exit_mov_cr4(struct vcpu *vcpu);
enum exit_result exit_ioio(struct vcpu *vcpu);

/** Writes the VMCB, decoded, to the log. */
void dump_vmcb(const struct vcpu *vcpu);

#endif
