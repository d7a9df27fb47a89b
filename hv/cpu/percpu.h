/* SPDX-License-Identifier: Apache-2.0 */
/** What belongs to one CPU, reached through GS. */
#ifndef BH_CPU_PERCPU_H
#define BH_CPU_PERCPU_H

#include "cpu/desc.h"
#include "cpu/insn.h"

#define CPU_MAX	       8u
#define CPU_STACK_SIZE 0x8000u
#define CPU_IST_SIZE   0x2000u

struct vcpu;
struct sched;

struct cpu {
	struct cpu *self;   /* offset 0: insn_this_cpu */
	uint32_t id;	    /* index in cpus[] */
	uint32_t apic_id;   /* x2APIC id */
	uint64_t stack_top; /* of the ordinary stack; offset 16, entry.S and the VM exit path use it
			     */
	struct vcpu *current; /* vcpu on this CPU; written by it alone, under the lock of `sched` */
	void *backend;	      /* the back end's */
	bool guest_nmi;	      /* the next NMI ended a guest's run: it is no fault of ours */
	struct sched *sched;  /* part/sched.c */
	uint64_t guest;	      /* part/kick.h: 0, or which guest it is in; written by it alone */
	uint64_t entries;     /* of guests; makes each value of `guest` a new one */
	bool kicked;	      /* an interrupt is on its way to it, part/kick.c */
	const void *uses;     /* what it reads and others may take away, part/use.h */
	uint64_t gdt[DESC_GDT_WORDS] BH_ALIGNED(16);
	struct desc_tss tss BH_ALIGNED(16);
};
_Static_assert(offsetof(struct cpu, stack_top) == 16, "entry.S");

extern struct cpu cpus[CPU_MAX];

/** CPUs that run: cpus[0] to cpus[cpu_count() - 1]. Grows while CPUs start, then stays. */
extern uint32_t cpu_running;
static inline unsigned cpu_count(void)
{
	return __atomic_load_n(&cpu_running, __ATOMIC_ACQUIRE);
}
/** The CPU with the next number is ready to work with others. */
void cpu_count_add(void);

/** Stacks of one CPU, each with an unmapped page below it. */
struct cpu_stacks {
	uint8_t guard_main[PAGE_SIZE];
	uint8_t main[CPU_STACK_SIZE];
	uint8_t guard_df[PAGE_SIZE];
	uint8_t df[CPU_IST_SIZE];
	uint8_t guard_nmi[PAGE_SIZE];
	uint8_t nmi[CPU_IST_SIZE];
	uint8_t guard_mc[PAGE_SIZE];
	uint8_t mc[CPU_IST_SIZE];
};
extern struct cpu_stacks cpu_stacks[CPU_MAX];

static inline struct cpu *cpu_this(void)
{
	return insn_this_cpu();
}

/** Prepares cpus[id] and loads its GS, GDT, TSS and the IDT on the calling CPU. The stack stays. */
void cpu_init(unsigned id);

/** Sets CR0.WP, EFER.NXE, CR4.SMEP/SMAP and the like; needs the tables of hspace_init. Error:
 * -BH_NOSUPP. */
BH_MUST_CHECK int cpu_protect(void);

#endif
