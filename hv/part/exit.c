/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what an exit does to the vcpu, whatever hardware reported it. */
#include "part/exit.h"

#include "abi/event.h"
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "dbg/log.h"
#include "part/backend.h"
#include "part/event.h"
#include "part/gate.h"
#include "part/hypercall.h"
#include "part/ioreq.h"
#include "part/msr.h"
#include "part/sched.h"
#include "part/vcpuid.h"
#include "part/xcr0.h"

enum exit_result exit_gp(struct vcpu *vcpu)
{
	vcpu_inject_exception(vcpu, EXC_GP, true, 0);
	return EXIT_RESUME;
}

enum exit_result exit_ud(struct vcpu *vcpu)
{
	vcpu_inject_exception(vcpu, EXC_UD, false, 0);
	return EXIT_RESUME;
}

enum exit_result exit_cpuid(struct vcpu *vcpu, uint64_t cr4)
{
	struct cpuid_regs regs;

	vcpuid_read(vcpu, cr4, (uint32_t)vcpu->regs[REG_RAX], (uint32_t)vcpu->regs[REG_RCX], &regs);
	vcpu->regs[REG_RAX] = regs.eax;
	vcpu->regs[REG_RBX] = regs.ebx;
	vcpu->regs[REG_RCX] = regs.ecx;
	vcpu->regs[REG_RDX] = regs.edx;
	return EXIT_SKIP;
}

enum exit_result exit_hlt(struct vcpu *vcpu)
{
	if (!vcpu->extint && vlapic_pending(&vcpu->lapic) < 0 && !vcpu->event.valid && !vcpu->nmi) {
		vcpu->state = VCPU_HALTED;
	}
	return EXIT_SKIP;
}

enum exit_result exit_hypercall(struct vcpu *vcpu, unsigned cpl)
{
	if (cpl != 0) {
		return exit_ud(vcpu);
	}
	hypercall_handle(vcpu);
	return EXIT_SKIP;
}

static uint64_t edx_eax(const struct vcpu *vcpu)
{
	return vcpu->regs[REG_RDX] << 32 | (uint32_t)vcpu->regs[REG_RAX];
}

enum exit_result exit_rdmsr(struct vcpu *vcpu)
{
	uint64_t value;

	if (msr_read(vcpu, (uint32_t)vcpu->regs[REG_RCX], &value) != 0) {
		return exit_gp(vcpu);
	}
	vcpu->regs[REG_RAX] = (uint32_t)value;
	vcpu->regs[REG_RDX] = value >> 32;
	return EXIT_SKIP;
}

enum exit_result exit_wrmsr(struct vcpu *vcpu)
{
	if (msr_write(vcpu, (uint32_t)vcpu->regs[REG_RCX], edx_eax(vcpu)) != 0) {
		return exit_gp(vcpu);
	}
	return EXIT_SKIP;
}

/* A CPU checks the privilege before it exits, an emulator after. */
enum exit_result exit_xsetbv(struct vcpu *vcpu, unsigned cpl)
{
	if (cpl != 0 || (uint32_t)vcpu->regs[REG_RCX] != 0 || !xcr0_check(edx_eax(vcpu))) {
		return exit_gp(vcpu);
	}
	insn_xsetbv(0, edx_eax(vcpu));
	return EXIT_SKIP;
}

/* Caches are coherent for what a guest owns; the control partition may mean it for a device. */
enum exit_result exit_invd(struct vcpu *vcpu)
{
	if (part_is_control(vcpu->part)) {
		insn_wbinvd();
	}
	return EXIT_SKIP;
}

enum exit_result exit_cr8(struct vcpu *vcpu, unsigned reg, bool write)
{
	if (write) {
		uint64_t value = vcpu_reg_read(vcpu, reg);

		if (value > 0xf) {
			return exit_gp(vcpu);
		}
		vcpu->lapic.tpr = (uint32_t)value << 4;
		vcpu->irq_check = true;
	} else {
		vcpu_reg_write(vcpu, reg, vcpu->lapic.tpr >> 4);
	}
	return EXIT_SKIP;
}

enum exit_result exit_triple_fault(struct vcpu *vcpu)
{
	part_stop(vcpu, BH_STOP_TRIPLE_FAULT, 0);
	return EXIT_RESUME;
}

enum exit_result exit_timer(struct vcpu *vcpu, bool interrupts_on)
{
	uint64_t now = insn_rdtsc();

	sched_expire(now);
	if (now >= cpu_this()->sched->slice_end) {
		sched_slice_over(vcpu, interrupts_on, now);
	}
	return EXIT_RESUME;
}

enum exit_result exit_memory(struct vcpu *vcpu, uint64_t gpa, bool fetch, bool delivering)
{
	static unsigned refused;

	if (fetch) {
		part_stop(vcpu, BH_STOP_FETCH, gpa);
	} else if (part_is_control(vcpu->part) && (gpa & ~(PAGE_SIZE - 1)) != VLAPIC_MMIO) {
		/* It touched what is not its own: its fault, its exception. */
		if (__atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED) < 16) {
			log_notice("exit", "control: access to 0x%lx refused, rip 0x%lx", gpa,
				   backend->read(vcpu, BACKEND_RIP));
		}
		return exit_gp(vcpu);
	} else if (vcpu->event.valid || delivering) {
		/* Its interrupt table, stack or page table is not in memory. */
		part_stop(vcpu, BH_STOP_DECODE, gpa);
	} else {
		ioreq_mmio(vcpu, gpa);
	}
	return EXIT_RESUME;
}

static unsigned doorbell_queue(uint64_t gpa)
{
	return (unsigned)(gpa & (PAGE_SIZE - 1)) / BH_DOORBELL_STRIDE;
}

bool exit_is_doorbell(const struct vcpu *vcpu, uint64_t gpa)
{
	const struct part *part = vcpu->part;

	return (gpa - part->doorbell_gpa) / PAGE_SIZE < part->doorbell_count &&
	       doorbell_queue(gpa) < BH_DOORBELL_QUEUE_MAX;
}

void exit_doorbell(struct vcpu *vcpu, uint64_t gpa)
{
	const struct part *part = vcpu->part;

	if (gate_check_ring(part, BH_PART_CONTROL)) {
		return;
	}
	event_doorbell(part->id, (uint32_t)((gpa - part->doorbell_gpa) / PAGE_SIZE),
		       doorbell_queue(gpa));
}
