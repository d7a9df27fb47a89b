/* SPDX-License-Identifier: Apache-2.0 */
/** The run queue of a CPU, its deadlines and its idle loop. */
#include "part/sched.h"

#include "cpu/insn.h"
#include "cpu/tsc.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "irq/lapic.h"
#include "lib/string.h"
#include "part/backend.h"
#include "part/part.h"

static struct sched scheds[CPU_MAX];

/* Virtual time counts TSC ticks of a vcpu with this weight. */
#define WEIGHT_UNIT 1024u

static uint64_t us_to_tsc(uint64_t us)
{
	return us * tsc_khz() / 1000;
}

void sched_init(struct cpu *cpu)
{
	cpu->sched = &scheds[cpu->id];
	memset(cpu->sched, 0, sizeof(*cpu->sched));
	cpu->sched->next_deadline = UINT64_MAX;
}

void sched_attach(struct vcpu *vcpu)
{
	struct sched *sched = cpu_this()->sched;

	BH_CHECK(sched->timer_count < ARRAY_SIZE(sched->timers));
	sched->timers[sched->timer_count++] = vcpu;
	vcpu->vtime = sched->vtime_floor;
}

void sched_detach(struct vcpu *vcpu)
{
	struct sched *sched = cpu_this()->sched;

	sched_dequeue(vcpu);
	if (sched->loaded == vcpu) {
		sched->loaded = NULL;
	}
	for (uint32_t i = 0; i < sched->timer_count; i++) {
		if (sched->timers[i] == vcpu) {
			sched->timers[i] = sched->timers[--sched->timer_count];
			return;
		}
	}
}

static void queue_insert(struct sched *sched, struct vcpu *vcpu)
{
	struct vcpu **at = &sched->queue;

	while (*at && (*at)->vtime <= vcpu->vtime) {
		at = &(*at)->next;
	}
	vcpu->next = *at;
	*at = vcpu;
	vcpu->queued = true;
}

void sched_enqueue(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	struct sched *sched = cpu->sched;
	uint64_t warp = us_to_tsc(SCHED_WARP_US);

	if (vcpu->queued || vcpu == cpu->current || vcpu->paused || vcpu->state != VCPU_RUNNABLE) {
		return;
	}
	if (vcpu->vtime + warp < sched->vtime_floor) {
		vcpu->vtime = sched->vtime_floor - warp;
	}
	queue_insert(sched, vcpu);
	if (cpu->current && vcpu->vtime < cpu->current->vtime) {
		sched->resched = true;
	}
}

void sched_dequeue(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	if (vcpu == cpu->current) {
		cpu->sched->resched = true;
	}
	if (!vcpu->queued) {
		return;
	}
	for (struct vcpu **at = &cpu->sched->queue; *at; at = &(*at)->next) {
		if (*at == vcpu) {
			*at = vcpu->next;
			break;
		}
	}
	vcpu->queued = false;
}

void sched_deadline(struct vcpu *vcpu, uint64_t tsc)
{
	struct sched *sched = cpu_this()->sched;

	if (tsc < sched->next_deadline) {
		sched->next_deadline = tsc;
	}
}

void sched_expire(uint64_t now)
{
	struct sched *sched = cpu_this()->sched;
	uint64_t next = UINT64_MAX;

	if (now < sched->next_deadline) {
		return;
	}
	for (uint32_t i = 0; i < sched->timer_count; i++) {
		struct vcpu *vcpu = sched->timers[i];
		uint64_t deadline = vcpu->lapic.deadline;

		if (vcpu->paused || deadline == 0) {
			continue;
		}
		if (deadline <= now) {
			vlapic_timer_expire(vcpu, now);
			deadline = vcpu->lapic.deadline;
		}
		if (deadline && deadline < next) {
			next = deadline;
		}
	}
	sched->next_deadline = next;
}

void sched_slice_over(struct vcpu *vcpu, bool interrupts_on, uint64_t now)
{
	cpu_this()->sched->resched = true;
	if (interrupts_on) {
		vcpu->closed_since = 0;
	} else if (vcpu->closed_since == 0) {
		vcpu->closed_since = now;
	} else if (vcpu->closed_since <= now && now - vcpu->closed_since >= us_to_tsc(1000000)) {
		log_notice("sched",
			   "%s: vcpu %u keeps its interrupts off, slowed to its share, rip 0x%llx",
			   vcpu->part->policy->name, vcpu->id,
			   (unsigned long long)backend->rip(vcpu));
		vcpu->closed_since = UINT64_MAX;
	}
}

/* Charges the time since `start` to the vcpu, and moves the floor that late-comers start from. */
static void charge(struct sched *sched, struct vcpu *vcpu, uint64_t start, uint64_t now)
{
	uint64_t ran = now - start;

	vcpu->stats.run_tsc += ran;
	vcpu->vtime += ran * WEIGHT_UNIT / vcpu->part->policy->weight;
	if (vcpu->vtime > sched->vtime_floor) {
		uint64_t least = vcpu->vtime;

		if (sched->queue && sched->queue->vtime < least) {
			least = sched->queue->vtime;
		}
		if (least > sched->vtime_floor) {
			sched->vtime_floor = least;
		}
	}
}

static void idle(struct sched *sched)
{
	uint64_t start = insn_rdtsc();

	if (sched->next_deadline != UINT64_MAX) {
		lapic_timer_arm(sched->next_deadline);
	}
	insn_wait();
	lapic_timer_stop();
	sched->idle_tsc += insn_rdtsc() - start;
}

BH_NORETURN void sched_run(void)
{
	struct cpu *cpu = cpu_this();
	struct sched *sched = cpu->sched;

	for (;;) {
		uint64_t now = insn_rdtsc();
		struct vcpu *vcpu;

		sched_expire(now);
		vcpu = sched->queue;
		if (!vcpu) {
			idle(sched);
			continue;
		}
		sched->queue = vcpu->next;
		vcpu->queued = false;
		if (vcpu != sched->loaded) {
			if (sched->loaded) {
				vcpu_save(sched->loaded);
			}
			vcpu_load(vcpu);
			vcpu->stats.switches++;
			sched->loaded = vcpu;
		}
		cpu->current = vcpu;
		sched->resched = false;
		sched->slice_end = now + us_to_tsc(SCHED_SLICE_US);
		vcpu->waits_for = NULL;
		vcpu_run(vcpu);
		cpu->current = NULL;
		charge(sched, vcpu, now, insn_rdtsc());
		sched_enqueue(vcpu);
	}
}
