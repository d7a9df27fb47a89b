/* SPDX-License-Identifier: Apache-2.0 */
/* Owns nothing but the way of an interrupt from CPU to CPU; the words it looks at are in struct cpu. */
#include "part/kick.h"

#include "irq/lapic.h"

void kick(struct cpu *cpu)
{
	/* One that was sent and not yet handled does it as well: the receiver looks after it clears this. */
	if (cpu != cpu_this() && !__atomic_exchange_n(&cpu->kicked, true, __ATOMIC_SEQ_CST)) {
		lapic_send_ipi(cpu->apic_id, IRQ_VECTOR_KICK);
	}
}

void kick_handle(void)
{
	lapic_eoi();
	(void)__atomic_exchange_n(&cpu_this()->kicked, false, __ATOMIC_SEQ_CST);
}

static bool in_guest_of(const struct cpu *cpu, uint32_t part, uint64_t *ret_word)
{
	*ret_word = __atomic_load_n(&cpu->guest, __ATOMIC_SEQ_CST);
	return cpu != cpu_this() && (*ret_word & 0xff) == part + 1;
}

void kick_part(uint32_t part)
{
	uint64_t word;

	for (unsigned i = 0; i < cpu_count(); i++) {
		if (in_guest_of(&cpus[i], part, &word)) {
			kick(&cpus[i]);
		}
	}
}

void kick_out(uint32_t part)
{
	uint64_t word;

	kick_part(part); /* all at once; who enters later does so with what we wrote before */
	for (unsigned i = 0; i < cpu_count(); i++) {
		if (!in_guest_of(&cpus[i], part, &word)) {
			continue;
		}
		kick(&cpus[i]);
		while (__atomic_load_n(&cpus[i].guest, __ATOMIC_ACQUIRE) == word) {
			insn_pause();
		}
	}
}
