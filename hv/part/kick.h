/* SPDX-License-Identifier: Apache-2.0 */
/** How a CPU makes another one look again at what is asked of it.
 *
 *  A CPU announces that it is about to enter a guest, and then looks once more at what others may have
 *  written for it; who writes something for it looks afterwards whether it is in a guest, and then sends an
 *  interrupt. Each side writes before it reads, so one of them sees the other. Nobody ever waits for a CPU
 *  that is in root mode here, only for one to leave its guest, which the interrupt forces.
 *  Locks: none. Context: any CPU.
 */
#ifndef BH_PART_KICK_H
#define BH_PART_KICK_H

#include "cpu/percpu.h"

/** This CPU is about to run a guest of that partition. A full barrier: what is read next is new. */
static inline void kick_enter_guest(struct cpu *cpu, uint32_t part)
{
	uint64_t word = ++cpu->entries << 8 | (part + 1);

	(void)__atomic_exchange_n(&cpu->guest, word, __ATOMIC_SEQ_CST);
}

static inline void kick_leave_guest(struct cpu *cpu)
{
	__atomic_store_n(&cpu->guest, 0, __ATOMIC_RELEASE);
}

/** May be in a guest now, and will leave it when kicked. */
static inline bool kick_in_guest(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->guest, __ATOMIC_SEQ_CST) != 0;
}

/** Makes the CPU leave its guest or its sleep; the calling CPU is not meant. */
void kick(struct cpu *cpu);
/** IRQ_VECTOR_KICK came. */
void kick_handle(void);

/** Every CPU that is in a guest of that partition shall leave it. kick_out returns when they have: what the
 *  caller wrote before counts in each guest of the partition. Context of kick_out: no lock held, and not the
 *  exit of a guest. */
void kick_part(uint32_t part);
void kick_out(uint32_t part);

#endif
