/* SPDX-License-Identifier: Apache-2.0 */
/** Ticket spinlock. Root mode runs with interrupts off, so there is no irq-saving variant. */
#ifndef BH_LIB_LOCK_H
#define BH_LIB_LOCK_H

#include "lib/types.h"

#if __STDC_HOSTED__
#include <sched.h>
#define lock_pause()  sched_yield() /* the holder is a thread that may not be running */
#define lock_arrive() sched_yield() /* and what can come between, shall */
#else
#define lock_pause() __builtin_ia32_pause()
#define lock_arrive()
#endif

struct spinlock {
	uint32_t next;	/* ticket of the next comer */
	uint32_t owner; /* ticket that is served */
};

static inline void lock_acquire(struct spinlock *lock)
{
	uint32_t ticket;

	lock_arrive();
	ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) {
		lock_pause();
	}
}

static inline void lock_release(struct spinlock *lock)
{
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

#endif
