/* SPDX-License-Identifier: Apache-2.0 */
/** One table of exit reasons. A reason without an entry stops that partition only. */
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "cpu/trap.h"
#include "dbg/log.h"
#include "part/ioreq.h"
#include "vtx/vmx.h"

#define TAG "vtx"

static enum exit_result handle_extint(struct vcpu *vcpu)
{
	uint32_t info = (uint32_t)vmx_read(VMCS_EXIT_INTR_INFO);

	if (info & INTR_INFO_VALID) {
		irq_handle(info & 0xff);
	}
	return EXIT_RESUME;
}

static enum exit_result handle_exception(struct vcpu *vcpu)
{
	uint32_t info = (uint32_t)vmx_read(VMCS_EXIT_INTR_INFO);
	unsigned vector = info & 0xff, type = info >> 8 & 7;

	if (type == INTR_TYPE_NMI) {
		irq_nmi();
		return EXIT_RESUME;
	}
	if (vector == EXC_MC) {
		part_stop(vcpu, BH_STOP_NMI, vector);
		return EXIT_RESUME;
	}
	if (vector == EXC_DB) {
		/* The CPU left DR6 alone and reports its bits here: SDM 3C, "Exit Qualification for
		 * Debug Exceptions". */
		insn_write_dr(6, insn_read_dr(6) | (vmx_read(VMCS_EXIT_QUALIFICATION) & 0xe00f));
	}
	vcpu_inject_exception(vcpu, vector, info & INTR_INFO_ERROR_CODE,
			      (uint32_t)vmx_read(VMCS_EXIT_INTR_ERROR));
	return EXIT_RESUME;
}

static enum exit_result handle_window(struct vcpu *vcpu)
{
	vcpu->irq_check = true;
	return EXIT_RESUME;
}

static enum exit_result handle_timer(struct vcpu *vcpu)
{
	return exit_timer(vcpu, vmx_read(VMCS_GUEST_RFLAGS) & RFLAGS_IF);
}

static enum exit_result handle_cpuid(struct vcpu *vcpu)
{
	return exit_cpuid(vcpu, vmx_read(VMCS_GUEST_CR4));
}

static unsigned cpl(void)
{
	return (unsigned)vmx_read(VMCS_GUEST_SS_AR) >> 5 & 3;
}

static enum exit_result handle_vmcall(struct vcpu *vcpu)
{
	return exit_hypercall(vcpu, cpl());
}

static enum exit_result handle_xsetbv(struct vcpu *vcpu)
{
	return exit_xsetbv(vcpu, cpl());
}

static enum exit_result handle_io(struct vcpu *vcpu)
{
	uint64_t q = vmx_read(VMCS_EXIT_QUALIFICATION);
	struct ioreq_pio pio = {
		.port = (uint16_t)(q >> 16),
		.size = (uint8_t)((q & 7) + 1),
		.in = q & BIT(3),
		.string = q & BIT(4),
		.rep = q & BIT(5),
		.insn_length = (uint8_t)vmx_read(VMCS_EXIT_INSN_LENGTH),
	};

	if (pio.string) {
		pio.linear = vmx_read(VMCS_GUEST_LINEAR_ADDR);
	}
	ioreq_pio(vcpu, &pio);
	return EXIT_RESUME;
}

static const struct {
	enum exit_result (*handle)(struct vcpu *vcpu);
	enum bh_exit_kind kind;
} table[EXIT_REASON_COUNT] = {
	[EXIT_REASON_EXCEPTION_NMI] = {handle_exception, BH_EXIT_EXCEPTION},
	[EXIT_REASON_EXTINT] = {handle_extint, BH_EXIT_IRQ},
	[EXIT_REASON_TRIPLE_FAULT] = {exit_triple_fault, BH_EXIT_OTHER},
	[EXIT_REASON_INTR_WINDOW] = {handle_window, BH_EXIT_WINDOW},
	[EXIT_REASON_NMI_WINDOW] = {handle_window, BH_EXIT_WINDOW},
	[EXIT_REASON_CPUID] = {handle_cpuid, BH_EXIT_CPUID},
	[EXIT_REASON_GETSEC] = {exit_ud, BH_EXIT_OTHER},
	[EXIT_REASON_HLT] = {exit_hlt, BH_EXIT_HLT},
	[EXIT_REASON_INVD] = {exit_invd, BH_EXIT_OTHER},
	[EXIT_REASON_WBINVD] = {exit_invd, BH_EXIT_OTHER},
	[EXIT_REASON_RDPMC] = {exit_gp, BH_EXIT_OTHER},
	[EXIT_REASON_VMCALL] = {handle_vmcall, BH_EXIT_HYPERCALL},
	[EXIT_REASON_VMCLEAR... EXIT_REASON_VMXON] = {exit_ud, BH_EXIT_OTHER},
	[EXIT_REASON_INVEPT] = {exit_ud, BH_EXIT_OTHER},
	[EXIT_REASON_INVVPID] = {exit_ud, BH_EXIT_OTHER},
	[EXIT_REASON_VMFUNC] = {exit_ud, BH_EXIT_OTHER},
	[EXIT_REASON_MWAIT] = {exit_ud, BH_EXIT_OTHER},
	[EXIT_REASON_MONITOR] = {exit_ud, BH_EXIT_OTHER},
	[EXIT_REASON_CR_ACCESS] = {exit_cr_access, BH_EXIT_CR},
	[EXIT_REASON_IO] = {handle_io, BH_EXIT_PIO},
	[EXIT_REASON_RDMSR] = {exit_rdmsr, BH_EXIT_RDMSR},
	[EXIT_REASON_WRMSR] = {exit_wrmsr, BH_EXIT_WRMSR},
	[EXIT_REASON_EPT_VIOLATION] = {exit_ept_violation, BH_EXIT_MMIO},
	[EXIT_REASON_EPT_MISCONFIG] = {exit_ept_misconfig, BH_EXIT_DOORBELL},
	[EXIT_REASON_PREEMPTION_TIMER] = {handle_timer, BH_EXIT_TIMER},
	[EXIT_REASON_XSETBV] = {handle_xsetbv, BH_EXIT_XSETBV},
};

void exit_handle(struct vcpu *vcpu)
{
	uint32_t reason = (uint32_t)vmx_read(VMCS_EXIT_REASON);
	uint32_t vectoring = (uint32_t)vmx_read(VMCS_IDT_VECTORING_INFO);

	if (reason >= EXIT_REASON_COUNT || !table[reason].handle) {
		dump_vmcs(vcpu);
		part_stop(vcpu,
			  reason & EXIT_REASON_ENTRY_FAILED ? BH_STOP_ENTRY_FAILED
							    : BH_STOP_EXIT_UNKNOWN,
			  reason & ~EXIT_REASON_ENTRY_FAILED);
		return;
	}
	if (vectoring & INTR_INFO_VALID) {
		inject_requeue(vcpu, vectoring);
	}
	count_add(&vcpu->stats.exits[table[reason].kind], 1);
	if (table[reason].handle(vcpu) == EXIT_SKIP) {
		vmcs_advance(vcpu, (unsigned)vmx_read(VMCS_EXIT_INSN_LENGTH));
	}
}
