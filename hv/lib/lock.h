/* SPDX-License-Identifier: Apache-2.0 */
/** Ticket spinlock. Root mode runs with interrupts off, so there is no irq-saving variant. */
#ifndef BH_LIB_LOCK_H
#define BH_LIB_LOCK_H

#include "lib/types.h"

struct spinlock {
	uint32_t next;	/* ticket of the next comer */
	uint32_t owner; /* ticket that is served */
};

static inline void lock_acquire(struct spinlock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) {
		__builtin_ia32_pause();
	}
}

static inline void lock_release(struct spinlock *lock)
{
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

#endif
