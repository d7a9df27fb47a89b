/* SPDX-License-Identifier: Apache-2.0 */
/** Contents of a VMCB: intercepts, guest state after reset or at start, and the registers that the hardware
 *  keeps for us. */
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "lib/string.h"
#include "part/part.h"
#include "svm/svm.h"

#define PAT_RESET  0x0007040600070406ull
#define DR6_RESET  0xffff0ff0ull
#define DR6_BS	   0x4000ull
#define DR7_RESET  0x400ull
#define EFER_GUEST ((uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))

/* What a guest must not do itself, or what is for us. Source: APM 2, "Intercept Operation". */
static const uint8_t intercepts[] = {
	EXIT_INTR,   EXIT_NMI,	   EXIT_SMI,  EXIT_INIT,    EXIT_VINTR,	  EXIT_RDPMC,
	EXIT_CPUID,  EXIT_RSM,	   EXIT_INVD, EXIT_HLT,	    EXIT_INVLPGA, EXIT_IOIO,
	EXIT_MSR,    EXIT_SHUTDOWN, EXIT_VMRUN, EXIT_VMMCALL, EXIT_VMLOAD, EXIT_VMSAVE,
	EXIT_STGI,   EXIT_CLGI,	   EXIT_SKINIT, EXIT_WBINVD, EXIT_MONITOR, EXIT_MWAIT,
	EXIT_XSETBV, EXIT_RDPRU,
};

static void reset_controls(const struct vcpu *vcpu)
{
	struct vmcb *vmcb = svm_vmcb(vcpu);

	for (unsigned i = 0; i < ARRAY_SIZE(intercepts); i++) {
		vmcb_intercept(vmcb, intercepts[i], true);
	}
	vmcb_intercept(vmcb, EXIT_IRET, false);
	vmcb->cr_read = BIT(8);
	vmcb->cr_write = (uint16_t)(BIT(8) | (svm_features.cr4_exits ? BIT(4) : 0));
	/* #DB and #AC exit because their delivery can loop for ever inside the guest (CVE-2015-8104,
	 * CVE-2015-5307); #MC because it is ours. */
	vmcb->exceptions = (uint32_t)(BIT(EXC_DB) | BIT(EXC_AC) | BIT(EXC_MC));
	vmcb->io_map = part_is_control(vcpu->part) ? svm_features.io_none.v : svm_features.io_all.v;
	vmcb->msr_map = svm_features.msr_map.v;
	vmcb->tsc_offset = vcpu->tsc_offset;
	vmcb->int_ctl = V_INTR_MASKING;
	vmcb->int_state = 0;
	vmcb->event_inj = 0;
	vmcb->np_enable = NP_ENABLE;
	vmcb->n_cr3 = vcpu->part->space.root.v;
}

/* Attributes as in APM 2, "Segment State in the VMCB". */
enum {
	ATTR_CODE_REAL = 0x09b,
	ATTR_DATA_REAL = 0x093,
	ATTR_CODE_FLAT = 0xc9b,
	ATTR_DATA_FLAT = 0xc93,
	ATTR_LDTR = 0x082,
	ATTR_TR = 0x08b,
};

static struct vmcb_segment segment(uint16_t selector, uint64_t base, uint32_t limit, uint16_t attributes)
{
	return (struct vmcb_segment){selector, attributes, limit, base};
}

static void set_data_segments(struct vmcb *vmcb, struct vmcb_segment value)
{
	vmcb->es = vmcb->ss = vmcb->ds = vmcb->fs = vmcb->gs = value;
}

static void reset_guest_state(struct vmcb *vmcb)
{
	memset(&vmcb->es, 0, sizeof(*vmcb) - offsetof(struct vmcb, es));
	set_data_segments(vmcb, segment(0, 0, 0xffff, ATTR_DATA_REAL));
	vmcb->cs = segment(0xf000, 0xffff0000, 0xffff, ATTR_CODE_REAL);
	vmcb->ldtr = segment(0, 0, 0xffff, ATTR_LDTR);
	vmcb->tr = segment(0, 0, 0xffff, ATTR_TR);
	vmcb->gdtr = vmcb->idtr = segment(0, 0, 0xffff, 0);
	vmcb->efer = EFER_SVME; /* VMRUN demands it; the guest does not see it */
	vmcb->cr0 = CR0_ET | CR0_CD | CR0_NW;
	vmcb->dr6 = DR6_RESET;
	vmcb->dr7 = DR7_RESET;
	vmcb->rflags = RFLAGS_RESERVED1;
	vmcb->rip = 0xfff0;
	vmcb->g_pat = PAT_RESET;
	vmcb->int_state = 0;
}

void vmcb_reset(struct vcpu *vcpu)
{
	reset_controls(vcpu);
	reset_guest_state(svm_vmcb(vcpu));
	svm_vcpu(vcpu)->fetch = (struct svm_fetch){0};
	svm_vcpu(vcpu)->generation = 0;
	svm_vcpu(vcpu)->in_nmi = false;
}

void vmcb_start(struct vcpu *vcpu, bool flat, uint64_t base, uint64_t rip, uint64_t rsp)
{
	struct vmcb *vmcb = svm_vmcb(vcpu);

	reset_guest_state(vmcb);
	if (flat) {
		set_data_segments(vmcb, segment(0x18, 0, 0xffffffff, ATTR_DATA_FLAT));
		vmcb->cs = segment(0x10, 0, 0xffffffff, ATTR_CODE_FLAT);
		vmcb->cr0 = CR0_PE | CR0_ET;
	} else {
		vmcb->cs = segment((uint16_t)(base >> 4), base, 0xffff, ATTR_CODE_REAL);
	}
	vmcb->rip = rip;
	vmcb->rsp = rsp;
}

static uint64_t *slot(const struct vcpu *vcpu, enum backend_reg reg)
{
	static const uint16_t offsets[] = {
		[BACKEND_RSP] = offsetof(struct vmcb, rsp),
		[BACKEND_RIP] = offsetof(struct vmcb, rip),
		[BACKEND_RFLAGS] = offsetof(struct vmcb, rflags),
		[BACKEND_EFER] = offsetof(struct vmcb, efer),
		[BACKEND_PAT] = offsetof(struct vmcb, g_pat),
		[BACKEND_TSC_OFFSET] = offsetof(struct vmcb, tsc_offset),
	};

	return (uint64_t *)svm_vmcb(vcpu) + offsets[reg] / sizeof(uint64_t);
}

uint64_t vmcb_read(const struct vcpu *vcpu, enum backend_reg reg)
{
	return reg == BACKEND_EFER ? *slot(vcpu, reg) & EFER_GUEST : *slot(vcpu, reg);
}

void vmcb_write(struct vcpu *vcpu, enum backend_reg reg, uint64_t value)
{
	if (reg == BACKEND_EFER) {
		value |= EFER_SVME;
		svm_vcpu(vcpu)->generation = 0; /* NXE changes what a translation allows */
	}
	*slot(vcpu, reg) = value;
}

void vmcb_advance(struct vcpu *vcpu, unsigned insn_length)
{
	struct vmcb *vmcb = svm_vmcb(vcpu);

	vmcb->rip += insn_length;
	vmcb->int_state &= ~INTERRUPT_SHADOW;
	if (vmcb->rflags & RFLAGS_TF) {
		vmcb->dr6 |= DR6_BS;
		vcpu_inject_exception(vcpu, EXC_DB, false, 0);
	}
}

unsigned vmcb_bits(const struct vmcb *vmcb)
{
	return (vmcb->efer & EFER_LMA) && (vmcb->cs.attributes & SEGMENT_L) ? 64
	       : vmcb->cs.attributes & SEGMENT_D			    ? 32
									    : 16;
}

void vmcb_mode(struct vcpu *vcpu, struct backend_mode *ret_mode)
{
	const struct vmcb *vmcb = svm_vmcb(vcpu);

	ret_mode->cr0 = vmcb->cr0;
	ret_mode->cr3 = vmcb->cr3;
	ret_mode->cr4 = vmcb->cr4;
	ret_mode->efer = vmcb->efer & EFER_GUEST;
	ret_mode->bits = vmcb_bits(vmcb);
	ret_mode->cs_base = ret_mode->bits == 64 ? 0 : vmcb->cs.base;
	ret_mode->cpl = vmcb->cpl;
}
