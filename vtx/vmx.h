/* SPDX-License-Identifier: Apache-2.0 */
/** VT-x state of a CPU, a partition and a vcpu, and what the files of this folder share. */
#ifndef VTX_VMX_H
#define VTX_VMX_H

#include "mem/ptab.h"
#include "part/backend.h"
#include "part/exit.h"
#include "vtx/insn.h"
#include "vtx/vmcs_fields.h"

struct vmx_part {
	uint64_t eptp;
	hpa_t io_bitmap; /* two neighbouring frames, shared by all partitions with the same rules */
};

struct vmx_vcpu {
	hpa_t vmcs;
	bool launched;
	uint16_t vpid;
	uint32_t proc_controls; /* as in the VMCS */
	const struct cpu *host; /* whose state is in the VMCS, NULL: nobody's */
};

/** Control words with the bits the CPU forces. */
struct vmx_controls {
	uint32_t pin, proc, proc2, exit, entry;
};

/** What the feature gate found; read only after the gate. */
struct vmx_features {
	struct vmx_controls controls;
	uint32_t revision;
	unsigned timer_shift; /* preemption timer counts TSC >> shift */
	unsigned ept_leaf_max; /* 2: 2 MiB, 3: 1 GiB */
	uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0;
	hpa_t msr_bitmap;
	hpa_t io_all, io_none; /* bitmaps: every port exits, no port exits */
};
extern struct vmx_features vmx_features;

static inline struct vmx_vcpu *vmx_vcpu(const struct vcpu *vcpu)
{
	return vcpu->backend;
}

/** Reads the capability MSRs, logs each missing capability; fills vmx_features. -BH_NOSUPP. */
int vmx_features_check(struct vmx_features *ret) BH_MUST_CHECK;

/** Makes a vcpu's VMCS current; returns the one that was, for vmcs_leave. */
hpa_t vmcs_enter(const struct vcpu *vcpu);
void vmcs_leave(hpa_t previous);

/** Fills controls and host state of the current VMCS. */
void vmcs_init_controls(const struct vcpu *vcpu);
void vmcs_init_host(void);

/** The table's functions on a vcpu's registers (part/backend.h). */
void vmcs_reset(struct vcpu *vcpu);
void vmcs_start(struct vcpu *vcpu, bool flat, uint64_t base, uint64_t rip, uint64_t rsp);
uint64_t vmcs_read(const struct vcpu *vcpu, enum backend_reg reg);
void vmcs_write(struct vcpu *vcpu, enum backend_reg reg, uint64_t value);
void vmcs_advance(struct vcpu *vcpu, unsigned insn_length);
void vmcs_mode(struct vcpu *vcpu, struct backend_mode *ret_mode);

/** EPT format for mem/ptab. */
extern struct ptab_format ept_format;
uint64_t ept_pointer(const struct ptab *ept);
/** An entry that makes any access an EPT misconfiguration (SDM 3C, "EPT Misconfigurations"). */
#define EPT_ENTRY_DOORBELL 0x2ull

/** entry.S: runs the guest until the next exit. False: VMLAUNCH or VMRESUME failed. */
bool vmx_enter(uint64_t *regs, bool launched);
/** entry.S: where the CPU goes at a VM exit. */
extern const char vmx_exit_entry[];

/** Decides what to inject before the entry, or asks for an interrupt window. */
void inject_prepare(struct vcpu *vcpu);
/** Takes back an event whose delivery the exit interrupted. */
void inject_requeue(struct vcpu *vcpu, uint32_t vectoring_info);

/** Handles the exit that the current VMCS describes. */
void exit_handle(struct vcpu *vcpu);

enum exit_result exit_cr_access(struct vcpu *vcpu);
enum exit_result exit_ept_violation(struct vcpu *vcpu);
enum exit_result exit_ept_misconfig(struct vcpu *vcpu);

/** Writes the current VMCS, decoded, to the log. */
void dump_vmcs(const struct vcpu *vcpu);
const char *dump_exit_reason(uint32_t reason);

#endif
