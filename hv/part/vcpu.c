/* SPDX-License-Identifier: Apache-2.0 */
/** State of a vcpu that is the same on every back end. */
#include "part/vcpu.h"

#include "cpu/insn.h"
#include "cpu/msr.h"
#include "lib/string.h"
#include "part/backend.h"
#include "part/ioreq.h"
#include "part/kick.h"
#include "part/part.h"
#include "part/sched.h"
#include "part/xcr0.h"

void vcpu_reset(struct vcpu *vcpu)
{
	ioreq_reset(vcpu);
	vcpu->state = VCPU_OFF;
	memset(vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs[REG_RDX] = 0x00000600; /* family 6, as after RESET */
	memset(&vcpu->event, 0, sizeof(vcpu->event));
	vcpu->nmi = false;
	memset(&vcpu->switched, 0, sizeof(vcpu->switched));
	vcpu->switched.dr6 = 0xffff0ff0;
	vcpu->switched.xcr0 = XCR0_X87;
	vcpu->extint = 0;
	vcpu->irq_check = true;
	vcpu->closed_since = 0;
	vcpu->tsc_offset = 0;
	/* XRSTOR takes the initial configuration of every component whose header bit is 0. */
	memset(vcpu->xstate, 0, PAGE_SIZE);
	*(uint16_t *)vcpu->xstate = 0x37f;		      /* FCW */
	*(uint32_t *)((uint8_t *)vcpu->xstate + 24) = 0x1f80; /* MXCSR */
	vlapic_reset(&vcpu->lapic, vcpu->id, true);
	backend->vcpu_reset(vcpu);
}

void vcpu_load(struct vcpu *vcpu)
{
	const struct vcpu_switched *sw = &vcpu->switched;

	const uint64_t *value = sw->msr;

	for (const uint32_t *msr = backend->switched_msrs; *msr; msr++) {
		insn_wrmsr(*msr, *value++);
	}
	insn_write_cr2(sw->cr2);
	insn_write_dr(0, sw->dr0);
	insn_write_dr(1, sw->dr1);
	insn_write_dr(2, sw->dr2);
	insn_write_dr(3, sw->dr3);
	insn_write_dr(6, sw->dr6);
	insn_xrstor(vcpu->xstate, xcr0_allowed);
	if (sw->xcr0 != xcr0_allowed) {
		insn_xsetbv(0, sw->xcr0);
	}
}

/* An x87 as after FNINIT is left out of the area, as a CPU that tracks it does: XRSTOR then
 * makes it so. With several CPUs QEMU 7.2 needs it: its XRSTOR of the x87 writes to a word of
 * its first CPU, which may just leave a guest and then goes on with the guest's nested paging
 * (cpu_clear_ignne: IGNNE# is wired to that one). */
static void leave_out_x87(uint64_t *area)
{
	bool used = area[0] != 0x37f || area[1] || area[2];

	for (unsigned i = 4; i < 20 && !used; i++) {
		used = area[i];
	}
	area[512 / 8] &= used ? ~0ull : ~XCR0_X87;
}

void vcpu_save(struct vcpu *vcpu)
{
	struct vcpu_switched *sw = &vcpu->switched;

	for (unsigned i = 0; i < backend->free_msrs; i++) {
		sw->msr[i] = insn_rdmsr(backend->switched_msrs[i]);
	}
	sw->cr2 = insn_read_cr2();
	sw->dr0 = insn_read_dr(0);
	sw->dr1 = insn_read_dr(1);
	sw->dr2 = insn_read_dr(2);
	sw->dr3 = insn_read_dr(3);
	sw->dr6 = insn_read_dr(6);
	sw->xcr0 = insn_xgetbv(0); /* not every CPU exits when a guest writes it */
	if (sw->xcr0 != xcr0_allowed) {
		insn_xsetbv(0, xcr0_allowed);
	}
	insn_xsave(vcpu->xstate, xcr0_allowed);
	if (cpu_count() > 1) {
		leave_out_x87(vcpu->xstate);
	}
}

static bool wants_to_wake(const struct vcpu *vcpu)
{
	return vcpu->extint || vcpu->event.valid || vcpu->nmi || vlapic_pending(&vcpu->lapic) >= 0;
}

/* What the CPU holds of it is gone as well. */
static void serve_init(struct vcpu *vcpu)
{
	ioreq_wait_over(vcpu);
	vcpu_reset(vcpu);
	insn_xsetbv(0, xcr0_allowed);
	vcpu_load(vcpu);
	backend->load(vcpu);
}

/* A start-up IPI starts only who waits for one; INIT comes first, because that is how they are sent. */
static void serve(struct vcpu *vcpu)
{
	unsigned bits = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_SEQ_CST);

	if (bits & VCPU_REQ_INIT) {
		serve_init(vcpu);
	}
	if ((bits & VCPU_REQ_SIPI) && vcpu->state == VCPU_OFF) {
		uint64_t vector = __atomic_load_n(&vcpu->sipi_vector, __ATOMIC_RELAXED);

		backend->vcpu_start(vcpu, false, vector << 12, 0, 0);
		vcpu->state = VCPU_RUNNABLE;
	}
	if (bits & VCPU_REQ_TIMER) {
		vlapic_timer_expire(vcpu, insn_rdtsc());
	}
	if ((bits & VCPU_REQ_NMI) && vcpu->state != VCPU_OFF) {
		vcpu->nmi = true;
	}
	vcpu->irq_check = true;
	if (bits & VCPU_REQ_ANSWER) {
		ioreq_finish(vcpu);
	}
	if (vcpu->state == VCPU_HALTED && ((bits & VCPU_REQ_ASKED) || wants_to_wake(vcpu))) {
		ioreq_wait_over(vcpu);
		vcpu->state = VCPU_RUNNABLE;
	}
}

uint64_t vcpu_reg_read(const struct vcpu *vcpu, unsigned reg)
{
	return reg == REG_RSP ? backend->read(vcpu, BACKEND_RSP) : vcpu->regs[reg];
}

void vcpu_reg_write(struct vcpu *vcpu, unsigned reg, uint64_t value)
{
	if (reg == REG_RSP) {
		backend->write(vcpu, BACKEND_RSP, value);
	} else {
		vcpu->regs[reg] = value;
	}
}

int vcpu_start(struct vcpu *vcpu, const struct bh_vcpu_start *start)
{
	bool flat = start->mode == BH_VCPU_FLAT32;
	uint64_t base = flat ? 0 : start->rip & 0xffff0000;

	if (start->mode > BH_VCPU_REAL || start->rip > UINT32_MAX) {
		return -BH_INVAL;
	}
	backend->vcpu_start(vcpu, flat, base, start->rip - base, start->rsp);
	vcpu->regs[REG_RAX] = start->rax;
	vcpu->regs[REG_RBX] = start->rbx;
	vcpu->regs[REG_RCX] = start->rcx;
	vcpu->regs[REG_RDX] = start->rdx;
	vcpu->regs[REG_RSI] = start->rsi;
	vcpu->regs[REG_RDI] = start->rdi;
	vcpu->regs[REG_RBP] = start->rbp;
	return 0;
}

static bool may_run(const struct vcpu *vcpu, const struct sched *sched)
{
	return !__atomic_load_n(&sched->resched, __ATOMIC_SEQ_CST) &&
	       vcpu->state == VCPU_RUNNABLE && part_runs(vcpu->part);
}

void vcpu_run(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	const struct sched *sched = cpu->sched;
	uint64_t exited = insn_rdtsc(), now, gen;

	backend->load(vcpu);
	if (__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED)) {
		serve(vcpu); /* what it came here for */
	}
	while (vcpu->state == VCPU_RUNNABLE) {
		/* From here on who asks something of us kicks; what was asked before is seen below. */
		kick_enter_guest(cpu, vcpu->part->id);
		if (__atomic_load_n(&vcpu->requests, __ATOMIC_SEQ_CST)) {
			kick_leave_guest(cpu);
			serve(vcpu);
			continue;
		}
		gen = __atomic_load_n(&vcpu->part->tlb_gen, __ATOMIC_SEQ_CST);
		if (!may_run(vcpu, sched)) {
			break;
		}
		if (vcpu->irq_check || vcpu->event.valid) {
			backend->inject(vcpu);
		}
		if (vcpu->tlb_gen != gen) {
			vcpu->tlb_gen = gen;
			backend->flush(vcpu);
		}
		now = insn_rdtsc();
		count_add(&vcpu->stats.root_tsc, now - exited);
		if (!backend->enter(vcpu, now, sched_horizon(sched))) {
			break;
		}
		kick_leave_guest(cpu);
		exited = insn_rdtsc();
		backend->exit(vcpu);
	}
	kick_leave_guest(cpu);
}

void vcpu_request(struct vcpu *vcpu, unsigned bits)
{
	unsigned old = __atomic_fetch_or(&vcpu->requests, bits, __ATOMIC_SEQ_CST);

	/* Who asked the same before and was not served yet sees to it, and the one that runs here looks by
	 * itself. */
	if ((old & bits) != bits && vcpu != cpu_this()->current) {
		sched_wake(vcpu);
	}
}

static bool is_contributory(unsigned vector)
{
	return vector == 0 || (vector >= 10 && vector <= 13);
}

void vcpu_inject_exception(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error)
{
	const struct vcpu_event *old = &vcpu->event;

	if (old->valid && old->type == 3 &&
	    ((is_contributory(old->vector) && is_contributory(vector)) ||
	     (old->vector == EXC_PF && (is_contributory(vector) || vector == EXC_PF)))) {
		vector = EXC_DF;
		has_error = true;
		error = 0;
	}
	vcpu->event = (struct vcpu_event){.valid = true,
					  .has_error = has_error,
					  .vector = (uint8_t)vector,
					  .type = 3,
					  .error = error};
}
