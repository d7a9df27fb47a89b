/* SPDX-License-Identifier: Apache-2.0 */
/** Things that every CPU may read at any time and that somebody may take away: the vcpus of a partition, the
 *  event page. A reader says that it is in there and then looks whether the thing is still there; who takes
 *  it away makes it not there and then waits until nobody is in. A reader waits for nothing but spin locks
 *  meanwhile, so that wait is short; no two things are used at a time.
 *  Locks: none. Context: any CPU, in root mode.
 */
#ifndef BH_PART_USE_H
#define BH_PART_USE_H

#include "cpu/percpu.h"

/** Look at the thing only after this, and not after use_end. */
static inline void use_begin(struct cpu *cpu, const void *what)
{
	(void)__atomic_exchange_n(&cpu->uses, what, __ATOMIC_SEQ_CST);
}

static inline void use_end(struct cpu *cpu)
{
	__atomic_store_n(&cpu->uses, NULL, __ATOMIC_RELEASE);
}

/** Returns when no other CPU uses the thing as it was. Context: it was made not there before. */
static inline void use_wait(const void *what)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		while (&cpus[i] != cpu_this() &&
		       __atomic_load_n(&cpus[i].uses, __ATOMIC_SEQ_CST) == what) {
			insn_pause();
		}
	}
}

#endif
