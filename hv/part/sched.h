/* SPDX-License-Identifier: Apache-2.0 */
/** Who runs next on this CPU: weighted fair shares with a head start for who wakes up.
 *
 *  Each vcpu has a virtual time that advances by run time over weight; the runnable vcpu with the
 * least runs. One that wakes up starts at most SCHED_WARP_US behind the others, so that an
 * interrupt of the control partition or a keystroke of a guest is served at once, and a sleeper
 * cannot hoard time. No tick: a slice ends by the timer that the back end arms on entry; an idle
 * CPU arms the local APIC timer for the next deadline of any vcpu, or nothing.
 */
#ifndef BH_PART_SCHED_H
#define BH_PART_SCHED_H

#include "cpu/percpu.h"
#include "part/vcpu.h"

#define SCHED_SLICE_US 10000u
#define SCHED_WARP_US  20000u

struct sched {
	struct vcpu *queue;				/* runnable, not running; sorted by vtime */
	struct vcpu *timers[BH_PART_MAX * BH_VCPU_MAX]; /* vcpus that live on this CPU */
	uint32_t timer_count;
	struct vcpu *loaded; /* whose switched state is in the registers */
	bool resched;	     /* the running vcpu should come back */
	uint64_t
		next_deadline; /* TSC of the earliest deadline of any vcpu here; UINT64_MAX: none */
	uint64_t slice_end;    /* TSC */
	uint64_t vtime_floor;  /* vtime of who ran last */
	uint64_t idle_tsc;     /* ticks spent with nothing to run */
};

void sched_init(struct cpu *cpu);

/** Adds or removes a vcpu of this CPU; state VCPU_OFF. */
void sched_attach(struct vcpu *vcpu);
void sched_detach(struct vcpu *vcpu);

/** The vcpu may run now: queue it, and preempt if it should go first. No effect when already
 * queued, running, paused or not runnable. */
void sched_enqueue(struct vcpu *vcpu);
/** Takes a vcpu off the queue (it was paused, stopped or reset). */
void sched_dequeue(struct vcpu *vcpu);

/** A vcpu's timer shall expire at this TSC. */
void sched_deadline(struct vcpu *vcpu, uint64_t tsc);

/** Fires every deadline that has passed. */
void sched_expire(uint64_t now);

/** The slice of the running vcpu is over: it should come back. Who keeps its interrupts off for a
 * second is named in the log, once, and goes on with its share. */
void sched_slice_over(struct vcpu *vcpu, bool interrupts_on, uint64_t now);

/** TSC at which the running vcpu must leave the guest: end of slice or next deadline. */
static inline uint64_t sched_horizon(const struct sched *sched)
{
	return sched->slice_end < sched->next_deadline ? sched->slice_end : sched->next_deadline;
}

/** Runs vcpus for ever. */
BH_NORETURN void sched_run(void);

#endif
