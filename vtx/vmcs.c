/* SPDX-License-Identifier: Apache-2.0 */
/** Contents of a VMCS: controls, host state, guest state after reset or at start, and the registers that
 *  the hardware keeps for us. */
#include "cpu/desc.h"
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "mem/hspace.h"
#include "part/vcpuid.h"
#include "vtx/vmx.h"

/* CR0 bits the guest does not own: fixed by VMX, or needed by our own book-keeping of the mode. */
#define CR0_HOST_OWNED (CR0_NE | CR0_CD | CR0_NW | CR0_PG)
#define PAT_RESET      0x0007040600070406ull

void vmcs_init_controls(const struct vcpu *vcpu)
{
	const struct vmx_controls *c = &vmx_features.controls;
	const struct vmx_part *vp = vcpu->part->backend;
	struct vmx_vcpu *vv = vcpu->backend;

	vv->proc_controls = c->proc;
	vmx_write(VMCS_PIN_CONTROLS, c->pin);
	vmx_write(VMCS_PROC_CONTROLS, c->proc);
	vmx_write(VMCS_PROC_CONTROLS2, c->proc2);
	vmx_write(VMCS_EXIT_CONTROLS, c->exit);
	vmx_write(VMCS_ENTRY_CONTROLS, c->entry);
	vmx_write(VMCS_VPID, vv->vpid);
	vmx_write(VMCS_EPT_POINTER, vp->eptp);
	vmx_write(VMCS_MSR_BITMAP, vmx_features.msr_bitmap.v);
	vmx_write(VMCS_IO_BITMAP_A, vp->io_bitmap.v);
	vmx_write(VMCS_IO_BITMAP_B, vp->io_bitmap.v + PAGE_SIZE);
	/* #DB and #AC exit because their delivery can loop for ever inside the guest (CVE-2015-8104,
	 * CVE-2015-5307); #MC because it is ours. */
	vmx_write(VMCS_EXCEPTION_BITMAP, BIT(EXC_DB) | BIT(EXC_AC) | BIT(EXC_MC));
	vmx_write(VMCS_PF_ERROR_MASK, 0);
	vmx_write(VMCS_PF_ERROR_MATCH, 0);
	vmx_write(VMCS_CR3_TARGET_COUNT, 0);
	vmx_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmx_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmx_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmx_write(VMCS_ENTRY_INTR_INFO, 0);
	vmx_write(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	vmx_write(VMCS_LINK_POINTER, UINT64_MAX);
	vmx_write(VMCS_CR0_MASK, CR0_HOST_OWNED | ~0xffffffffull);
	vmx_write(VMCS_CR4_MASK, ~vcpuid_cr4_allowed());
}

void vmcs_init_host(void)
{
	const struct cpu *cpu = cpu_this();

	vmx_write(VMCS_HOST_CR0, insn_read_cr0());
	vmx_write(VMCS_HOST_CR3, hspace_cr3());
	vmx_write(VMCS_HOST_CR4, insn_read_cr4());
	vmx_write(VMCS_HOST_CS_SEL, SEL_CODE64);
	vmx_write(VMCS_HOST_SS_SEL, SEL_DATA);
	vmx_write(VMCS_HOST_DS_SEL, SEL_DATA);
	vmx_write(VMCS_HOST_ES_SEL, SEL_DATA);
	vmx_write(VMCS_HOST_FS_SEL, 0);
	vmx_write(VMCS_HOST_GS_SEL, 0);
	vmx_write(VMCS_HOST_TR_SEL, SEL_TSS);
	vmx_write(VMCS_HOST_FS_BASE, 0);
	vmx_write(VMCS_HOST_GS_BASE, (uintptr_t)cpu);
	vmx_write(VMCS_HOST_TR_BASE, (uintptr_t)&cpu->tss);
	vmx_write(VMCS_HOST_GDTR_BASE, (uintptr_t)cpu->gdt);
	vmx_write(VMCS_HOST_IDTR_BASE, desc_idt_base());
	vmx_write(VMCS_HOST_SYSENTER_CS, 0);
	vmx_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmx_write(VMCS_HOST_SYSENTER_EIP, 0);
	vmx_write(VMCS_HOST_PAT, PAT_RESET);
	vmx_write(VMCS_HOST_EFER, insn_rdmsr(MSR_IA32_EFER));
	vmx_write(VMCS_HOST_RIP, (uintptr_t)vmx_exit_entry);
}

/* Access rights as in SDM 3C, "Guest Register State". */
enum {
	AR_CODE_REAL = 0x009b,
	AR_DATA_REAL = 0x0093,
	AR_CODE_FLAT = 0xc09b,
	AR_DATA_FLAT = 0xc093,
	AR_LDTR = 0x0082,
	AR_TR = 0x008b,
};

static void write_segment(unsigned index, uint16_t selector, uint64_t base, uint32_t limit,
			  uint32_t rights)
{
	vmx_write(VMCS_GUEST_ES_SEL + 2 * index, selector);
	vmx_write(VMCS_GUEST_ES_BASE + 2 * index, base);
	vmx_write(VMCS_GUEST_ES_LIMIT + 2 * index, limit);
	vmx_write(VMCS_GUEST_ES_AR + 2 * index, rights);
}
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR };

static void write_guest_cr0(uint64_t value)
{
	vmx_write(VMCS_CR0_SHADOW, value);
	vmx_write(VMCS_GUEST_CR0, (value | CR0_NE) & ~(CR0_CD | CR0_NW));
}

static void reset_guest_state(void)
{
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		write_segment(i, 0, 0, 0xffff, AR_DATA_REAL);
	}
	write_segment(SEG_CS, 0xf000, 0xffff0000, 0xffff, AR_CODE_REAL);
	write_segment(SEG_LDTR, 0, 0, 0xffff, AR_LDTR);
	write_segment(SEG_TR, 0, 0, 0xffff, AR_TR);
	vmx_write(VMCS_GUEST_GDTR_BASE, 0);
	vmx_write(VMCS_GUEST_GDTR_LIMIT, 0xffff);
	vmx_write(VMCS_GUEST_IDTR_BASE, 0);
	vmx_write(VMCS_GUEST_IDTR_LIMIT, 0xffff);
	write_guest_cr0(CR0_ET | CR0_CD | CR0_NW);
	vmx_write(VMCS_GUEST_CR3, 0);
	vmx_write(VMCS_GUEST_CR4, vmx_features.cr4_fixed0);
	vmx_write(VMCS_CR4_SHADOW, 0);
	vmx_write(VMCS_GUEST_EFER, 0);
	vmx_write(VMCS_GUEST_PAT, PAT_RESET);
	vmx_write(VMCS_GUEST_DEBUGCTL, 0);
	vmx_write(VMCS_GUEST_DR7, 0x400);
	vmx_write(VMCS_GUEST_RFLAGS, RFLAGS_RESERVED1);
	vmx_write(VMCS_GUEST_RIP, 0xfff0);
	vmx_write(VMCS_GUEST_RSP, 0);
	vmx_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmx_write(VMCS_GUEST_ACTIVITY, 0);
	vmx_write(VMCS_GUEST_PENDING_DEBUG, 0);
	vmx_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmx_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmx_write(VMCS_GUEST_SYSENTER_EIP, 0);
}

void vmcs_reset(struct vcpu *vcpu)
{
	hpa_t previous = vmcs_enter(vcpu);

	vmcs_init_controls(vcpu);
	reset_guest_state();
	vmcs_leave(previous);
}

void vmcs_start(struct vcpu *vcpu, bool flat, uint64_t base, uint64_t rip, uint64_t rsp)
{
	hpa_t previous = vmcs_enter(vcpu);

	reset_guest_state();
	if (flat) {
		for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
			write_segment(i, 0x18, 0, 0xffffffff, AR_DATA_FLAT);
		}
		write_segment(SEG_CS, 0x10, 0, 0xffffffff, AR_CODE_FLAT);
		write_guest_cr0(CR0_PE | CR0_ET);
	} else {
		write_segment(SEG_CS, (uint16_t)(base >> 4), base, 0xffff, AR_CODE_REAL);
	}
	vmx_write(VMCS_GUEST_RIP, rip);
	vmx_write(VMCS_GUEST_RSP, rsp);
	vmcs_leave(previous);
}

static const uint16_t fields[] = {
	[BACKEND_RSP] = VMCS_GUEST_RSP,	      [BACKEND_RIP] = VMCS_GUEST_RIP,
	[BACKEND_RFLAGS] = VMCS_GUEST_RFLAGS, [BACKEND_EFER] = VMCS_GUEST_EFER,
	[BACKEND_PAT] = VMCS_GUEST_PAT,	      [BACKEND_TSC_OFFSET] = VMCS_TSC_OFFSET,
};

uint64_t vmcs_read(const struct vcpu *vcpu, enum backend_reg reg)
{
	return vmx_read(fields[reg]);
}

void vmcs_write(struct vcpu *vcpu, enum backend_reg reg, uint64_t value)
{
	vmx_write(fields[reg], value);
}

void vmcs_advance(struct vcpu *vcpu, unsigned insn_length)
{
	uint64_t blocking = vmx_read(VMCS_GUEST_INTERRUPTIBILITY);

	vmx_write(VMCS_GUEST_RIP, vmx_read(VMCS_GUEST_RIP) + insn_length);
	if (blocking & (BLOCKING_STI | BLOCKING_MOVSS)) {
		vmx_write(VMCS_GUEST_INTERRUPTIBILITY,
			  blocking & ~(uint64_t)(BLOCKING_STI | BLOCKING_MOVSS));
	}
}

/* Guest CR0 and CR4 as the guest sees them: its own bits, and the shadow for ours. */
void vmcs_mode(struct vcpu *vcpu, struct backend_mode *ret_mode)
{
	uint32_t cs = (uint32_t)vmx_read(VMCS_GUEST_CS_AR);

	ret_mode->cr0 = vmx_read(VMCS_GUEST_CR0);
	ret_mode->cr3 = vmx_read(VMCS_GUEST_CR3);
	ret_mode->cr4 = vmx_read(VMCS_GUEST_CR4);
	ret_mode->efer = vmx_read(VMCS_GUEST_EFER);
	ret_mode->cs_base = vmx_read(VMCS_GUEST_CS_BASE);
	ret_mode->bits = (ret_mode->efer & EFER_LMA) && (cs & BIT(13)) ? 64 : cs & BIT(14) ? 32 : 16;
	ret_mode->cpl = (unsigned)vmx_read(VMCS_GUEST_SS_AR) >> 5 & 3;
}
