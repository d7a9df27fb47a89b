/* SPDX-License-Identifier: Apache-2.0 */
/** One table of exit codes. A code without an entry stops that partition only. */
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "cpu/trap.h"
#include "dbg/log.h"
#include "svm/svm.h"

#define TAG "svm"

/* The interrupt is still pending: it is taken through our own table now. */
static enum exit_result handle_intr(struct vcpu *vcpu)
{
	insn_irq_window();
	return exit_timer(vcpu, svm_vmcb(vcpu)->rflags & RFLAGS_IF);
}

static enum exit_result handle_nmi(struct vcpu *vcpu)
{
	(void)vcpu;
	irq_nmi();
	return EXIT_RESUME;
}

/* DR6 is as the handler must see it: APM 2, "Exception Intercepts". */
static enum exit_result handle_exception(struct vcpu *vcpu)
{
	unsigned vector = (unsigned)svm_vmcb(vcpu)->exit_code - EXIT_EXCEPTION;

	if (vector == EXC_MC) {
		part_stop(vcpu, BH_STOP_NMI, vector);
	} else {
		vcpu_inject_exception(vcpu, vector, vector == EXC_AC, 0);
	}
	return EXIT_RESUME;
}

/* An SMI is taken as soon as the exit is over. */
static enum exit_result handle_nothing(struct vcpu *vcpu)
{
	return EXIT_RESUME;
}

static enum exit_result handle_window(struct vcpu *vcpu)
{
	vcpu->irq_check = true;
	return EXIT_RESUME;
}

static enum exit_result handle_iret(struct vcpu *vcpu)
{
	svm_inject_nmi_over(vcpu);
	return EXIT_RESUME;
}

static enum exit_result handle_cpuid(struct vcpu *vcpu)
{
	return exit_cpuid(vcpu, svm_vmcb(vcpu)->cr4);
}

static enum exit_result handle_vmmcall(struct vcpu *vcpu)
{
	return exit_hypercall(vcpu, svm_vmcb(vcpu)->cpl);
}

static enum exit_result handle_xsetbv(struct vcpu *vcpu)
{
	return exit_xsetbv(vcpu, svm_vmcb(vcpu)->cpl);
}

/* With the instruction that must be at RIP, where its length is needed. */
struct handler {
	enum exit_result (*handle)(struct vcpu *vcpu);
	enum bh_exit_kind kind;
	struct insn_opcode insn;
};

static const struct handler table[EXIT_TABLE_SIZE] = {
	[EXIT_CR8_READ] = {exit_mov_cr8, BH_EXIT_CR, {0}},
	[EXIT_CR8_WRITE] = {exit_mov_cr8, BH_EXIT_CR, {0}},
	[EXIT_CR4_WRITE] = {exit_mov_cr4, BH_EXIT_CR, {0}},
	[EXIT_EXCEPTION... EXIT_EXCEPTION + 31] = {handle_exception, BH_EXIT_EXCEPTION, {0}},
	[EXIT_INTR] = {handle_intr, BH_EXIT_IRQ, {0}},
	[EXIT_NMI] = {handle_nmi, BH_EXIT_EXCEPTION, {0}},
	[EXIT_SMI] = {handle_nothing, BH_EXIT_OTHER, {0}},
	[EXIT_VINTR] = {handle_window, BH_EXIT_WINDOW, {0}},
	[EXIT_RDPMC] = {exit_gp, BH_EXIT_OTHER, {0}},
	[EXIT_CPUID] = {handle_cpuid, BH_EXIT_CPUID, {2, 0xa20f}},
	[EXIT_RSM] = {exit_ud, BH_EXIT_OTHER, {0}},
	[EXIT_IRET] = {handle_iret, BH_EXIT_WINDOW, {0}},
	[EXIT_INVD] = {exit_invd, BH_EXIT_OTHER, {2, 0x80f}},
	[EXIT_HLT] = {exit_hlt, BH_EXIT_HLT, {1, 0xf4}},
	[EXIT_INVLPGA] = {exit_ud, BH_EXIT_OTHER, {0}},
	[EXIT_IOIO] = {exit_ioio, BH_EXIT_PIO, {0}},
	[EXIT_SHUTDOWN] = {exit_triple_fault, BH_EXIT_OTHER, {0}},
	[EXIT_VMRUN] = {exit_ud, BH_EXIT_OTHER, {0}},
	[EXIT_VMMCALL] = {handle_vmmcall, BH_EXIT_HYPERCALL, {3, 0xd9010f}},
	[EXIT_VMLOAD... EXIT_SKINIT] = {exit_ud, BH_EXIT_OTHER, {0}},
	[EXIT_WBINVD] = {exit_invd, BH_EXIT_OTHER, {2, 0x90f}},
	[EXIT_MONITOR... EXIT_MWAIT_ARMED] = {exit_ud, BH_EXIT_OTHER, {0}},
	[EXIT_XSETBV] = {handle_xsetbv, BH_EXIT_XSETBV, {3, 0xd1010f}},
	[EXIT_RDPRU] = {exit_ud, BH_EXIT_OTHER, {0}},
};
static const struct handler rdmsr = {exit_rdmsr, BH_EXIT_RDMSR, {2, 0x320f}},
			    wrmsr = {exit_wrmsr, BH_EXIT_WRMSR, {2, 0x300f}},
			    npf = {exit_npf, BH_EXIT_MMIO, {0}};

static const struct handler *find(const struct vmcb *vmcb)
{
	if (vmcb->exit_code == EXIT_NPF) {
		return &npf;
	}
	if (vmcb->exit_code == EXIT_MSR) {
		return vmcb->exit_info1 ? &wrmsr : &rdmsr;
	}
	return vmcb->exit_code < EXIT_TABLE_SIZE ? &table[vmcb->exit_code] : &table[0];
}

void svm_exit_handle(struct vcpu *vcpu)
{
	struct vmcb *vmcb = svm_vmcb(vcpu);
	const struct handler *handler = find(vmcb);
	unsigned length = 0;

	if (!handler->handle) {
		dump_vmcb(vcpu);
		part_stop(vcpu, BH_STOP_EXIT_UNKNOWN, vmcb->exit_code);
		return;
	}
	if (vmcb->exit_int_info & EVENT_VALID) {
		svm_inject_requeue(vcpu, vmcb->exit_int_info);
	}
	count_add(&vcpu->stats.exits[handler->kind], 1);
	if (handler->insn.size) {
		length = fetch_length(vcpu, &handler->insn);
		if (length == 0) {
			/* Another vcpu wrote over it meanwhile. */
			exit_ud(vcpu);
			return;
		}
	}
	if (handler->handle(vcpu) == EXIT_SKIP) {
		vmcb_advance(vcpu, length);
	}
}
