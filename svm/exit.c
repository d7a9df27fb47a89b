/* SPDX-License-Identifier: Apache-2.0 */
/** One table of exit codes. A code without an entry stops that partition only. */
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/trap.h"
#include "dbg/log.h"
#include "part/hypercall.h"
#include "part/msr.h"
#include "part/sched.h"
#include "part/vcpuid.h"
#include "part/xcr0.h"
#include "svm/svm.h"

#define TAG "svm"

/* The interrupt is still pending: it is taken through our own table now. */
static enum exit_result handle_intr(struct vcpu *vcpu)
{
	uint64_t now;

	insn_irq_window();
	now = insn_rdtsc();
	sched_expire(now);
	if (now >= cpu_this()->sched->slice_end) {
		sched_slice_over(vcpu, svm_vmcb(vcpu)->rflags & RFLAGS_IF, now);
	}
	return EXIT_RESUME;
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

static enum exit_result handle_shutdown(struct vcpu *vcpu)
{
	part_stop(vcpu, BH_STOP_TRIPLE_FAULT, 0);
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
	struct cpuid_regs regs;

	vcpuid_read(vcpu, svm_vmcb(vcpu)->cr4, (uint32_t)vcpu->regs[REG_RAX],
		    (uint32_t)vcpu->regs[REG_RCX], &regs);
	vcpu->regs[REG_RAX] = regs.eax;
	vcpu->regs[REG_RBX] = regs.ebx;
	vcpu->regs[REG_RCX] = regs.ecx;
	vcpu->regs[REG_RDX] = regs.edx;
	return EXIT_SKIP;
}

static enum exit_result handle_hlt(struct vcpu *vcpu)
{
	if (!vcpu->extint && vlapic_pending(&vcpu->lapic) < 0 && !vcpu->event.valid && !vcpu->nmi) {
		vcpu->state = VCPU_HALTED;
	}
	return EXIT_SKIP;
}

static enum exit_result handle_vmmcall(struct vcpu *vcpu)
{
	if (svm_vmcb(vcpu)->cpl != 0) {
		return svm_inject_ud(vcpu);
	}
	hypercall_handle(vcpu);
	return EXIT_SKIP;
}

static enum exit_result handle_rdmsr(struct vcpu *vcpu)
{
	uint64_t value;

	if (msr_read(vcpu, (uint32_t)vcpu->regs[REG_RCX], &value) != 0) {
		return svm_inject_gp(vcpu);
	}
	vcpu->regs[REG_RAX] = (uint32_t)value;
	vcpu->regs[REG_RDX] = value >> 32;
	return EXIT_SKIP;
}

static enum exit_result handle_wrmsr(struct vcpu *vcpu)
{
	uint64_t value = vcpu->regs[REG_RDX] << 32 | (uint32_t)vcpu->regs[REG_RAX];

	if (msr_write(vcpu, (uint32_t)vcpu->regs[REG_RCX], value) != 0) {
		return svm_inject_gp(vcpu);
	}
	return EXIT_SKIP;
}

static enum exit_result handle_xsetbv(struct vcpu *vcpu)
{
	uint64_t value = vcpu->regs[REG_RDX] << 32 | (uint32_t)vcpu->regs[REG_RAX];

	if (svm_vmcb(vcpu)->cpl != 0 || (uint32_t)vcpu->regs[REG_RCX] != 0 || !xcr0_check(value)) {
		return svm_inject_gp(vcpu);
	}
	insn_xsetbv(0, value);
	return EXIT_SKIP;
}

/* Caches are coherent for what a guest owns; the control partition may mean it for a device. */
static enum exit_result handle_invd(struct vcpu *vcpu)
{
	if (part_is_control(vcpu->part)) {
		insn_wbinvd();
	}
	return EXIT_SKIP;
}

/* With the instruction that must be at RIP, where its length is needed. */
struct handler {
	enum exit_result (*handle)(struct vcpu *vcpu);
	enum bh_exit_kind kind;
	struct insn_opcode insn;
};

static const struct handler table[EXIT_TABLE_SIZE] = {
	[EXIT_CR8_READ] = {exit_cr8, BH_EXIT_CR, {0}},
	[EXIT_CR8_WRITE] = {exit_cr8, BH_EXIT_CR, {0}},
	[EXIT_CR4_WRITE] = {exit_cr4, BH_EXIT_CR, {0}},
	[EXIT_EXCEPTION... EXIT_EXCEPTION + 31] = {handle_exception, BH_EXIT_EXCEPTION, {0}},
	[EXIT_INTR] = {handle_intr, BH_EXIT_IRQ, {0}},
	[EXIT_NMI] = {handle_nmi, BH_EXIT_EXCEPTION, {0}},
	[EXIT_SMI] = {handle_nothing, BH_EXIT_OTHER, {0}},
	[EXIT_VINTR] = {handle_window, BH_EXIT_WINDOW, {0}},
	[EXIT_RDPMC] = {svm_inject_gp, BH_EXIT_OTHER, {0}},
	[EXIT_CPUID] = {handle_cpuid, BH_EXIT_CPUID, {2, {0x0f, 0xa2}}},
	[EXIT_RSM] = {svm_inject_ud, BH_EXIT_OTHER, {0}},
	[EXIT_IRET] = {handle_iret, BH_EXIT_WINDOW, {0}},
	[EXIT_INVD] = {handle_invd, BH_EXIT_OTHER, {2, {0x0f, 0x08}}},
	[EXIT_HLT] = {handle_hlt, BH_EXIT_HLT, {1, {0xf4}}},
	[EXIT_INVLPGA] = {svm_inject_ud, BH_EXIT_OTHER, {0}},
	[EXIT_IOIO] = {exit_ioio, BH_EXIT_PIO, {0}},
	[EXIT_SHUTDOWN] = {handle_shutdown, BH_EXIT_OTHER, {0}},
	[EXIT_VMRUN] = {svm_inject_ud, BH_EXIT_OTHER, {0}},
	[EXIT_VMMCALL] = {handle_vmmcall, BH_EXIT_HYPERCALL, {3, {0x0f, 0x01, 0xd9}}},
	[EXIT_VMLOAD... EXIT_SKINIT] = {svm_inject_ud, BH_EXIT_OTHER, {0}},
	[EXIT_WBINVD] = {handle_invd, BH_EXIT_OTHER, {2, {0x0f, 0x09}}},
	[EXIT_MONITOR... EXIT_MWAIT_ARMED] = {svm_inject_ud, BH_EXIT_OTHER, {0}},
	[EXIT_XSETBV] = {handle_xsetbv, BH_EXIT_XSETBV, {3, {0x0f, 0x01, 0xd1}}},
	[EXIT_RDPRU] = {svm_inject_ud, BH_EXIT_OTHER, {0}},
};
static const struct handler rdmsr = {handle_rdmsr, BH_EXIT_RDMSR, {2, {0x0f, 0x32}}},
			    wrmsr = {handle_wrmsr, BH_EXIT_WRMSR, {2, {0x0f, 0x30}}},
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
	vcpu->stats.exits[handler->kind]++;
	if (handler->insn.size) {
		length = fetch_length(vcpu, &handler->insn);
		if (length == 0) {
			/* Another vcpu wrote over it meanwhile. */
			svm_inject_ud(vcpu);
			return;
		}
	}
	if (handler->handle(vcpu) == EXIT_SKIP) {
		vmcb_advance(vcpu, length);
	}
}
