/* SPDX-License-Identifier: Apache-2.0 */
/** Who runs next on a CPU: weighted fair shares with a head start for who wakes up.
 *
 *  Each vcpu has a virtual time that advances by run time over weight; the runnable vcpu with the
 *  least runs. One that wakes up starts at most SCHED_WARP_US behind the others, so that an
 *  interrupt of the control partition or a keystroke of a guest is served at once, and a sleeper
 *  cannot hoard time. No tick: a slice ends by the timer that the back end arms on entry; an idle
 *  CPU arms the local APIC timer for the next deadline of any vcpu, or nothing.
 *
 *  A partition with a cap pays for what it ran with time in which none of its vcpus is chosen: ten
 *  milliseconds at 25 percent cost forty, from when they began. Nothing is saved up, and on several CPUs
 *  at once each pays.
 *
 *  Each CPU has a queue. A vcpu has a home CPU; a CPU with nothing to run takes a waiting one
 *  from another, unless it is pinned. A vcpu of the control partition is, so that interrupts of
 *  devices find it.
 *
 *  Locks: sched->lock holds the queue of a CPU, the places of the vcpus at home there, and
 *  cpu->current. One of them is held at a time, and no other lock taken meanwhile. A vcpu moves
 *  with its old home locked, and is RUNNING from then on. No wake-up is lost: who asks something
 *  of a vcpu sets a bit in vcpu->requests and then takes the lock; a CPU that puts a vcpu away
 *  looks at those bits with the lock held. */
#ifndef BH_PART_SCHED_H
#define BH_PART_SCHED_H

#include "cpu/percpu.h"
#include "lib/lock.h"
#include "part/vcpu.h"

#define SCHED_SLICE_US 10000u
#define SCHED_WARP_US  20000u

enum sched_place {
	SCHED_OFF,     /* on no queue and no CPU; its registers may still be in one */
	SCHED_QUEUED,
	SCHED_HELD,    /* on no queue until its partition is within its cap again */
	SCHED_RUNNING, /* chosen by its home CPU */
};

struct sched {
	struct spinlock lock;
	struct cpu *cpu;
	struct vcpu *queue;				/* QUEUED; sorted by vtime */
	struct vcpu *timers[BH_PART_MAX * BH_VCPU_MAX]; /* vcpus at home here */
	uint32_t timer_count;
	uint32_t movable;     /* of the queue, how many others may take; a hint without the lock */
	uint64_t vtime_floor; /* vtime of who ran last */
	bool idle;	      /* about to sleep, or asleep: an interrupt is needed */
	bool resched;	      /* the running vcpu should come back; anybody sets it, with the lock */
	/* Touched by this CPU only. */
	struct vcpu *loaded; /* whose registers are in the CPU */
	uint64_t
		next_deadline; /* TSC of the earliest deadline of any vcpu here; UINT64_MAX: none */
	uint64_t slice_end;    /* TSC */
	uint64_t idle_tsc;     /* ticks spent with nothing to run */
};

void sched_init(struct cpu *cpu);

/** Gives a new vcpu a home: the CPU of its number and no other for the control partition, else the one with
 *  the fewest. */
void sched_attach(struct vcpu *vcpu);
/** Forgets a vcpu that no CPU has. */
void sched_detach(struct vcpu *vcpu);

/** The vcpu shall look at what it is asked, or may run again: queues it, and makes its CPU look if it is
 *  there already or should go first. No effect while its partition is not RUNNING. */
void sched_wake(struct vcpu *vcpu);

/** Takes a vcpu off the queue and its registers out of the CPU. Its partition is not RUNNING. False: a CPU
 *  still has it and was told; ask again. */
bool sched_expel(struct vcpu *vcpu);

/** A vcpu's timer shall expire at this TSC. Context: the vcpu runs here. */
void sched_deadline(struct vcpu *vcpu, uint64_t tsc);

/** Fires every deadline of this CPU that has passed. */
void sched_expire_due(uint64_t now);
static inline void sched_expire(uint64_t now)
{
	if (now >= cpu_this()->sched->next_deadline) {
		sched_expire_due(now);
	}
}

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
