/* SPDX-License-Identifier: Apache-2.0 */
/** The CPU under a host test: what the functions of cpu/insn.h read and write. Fakes keep history, so
 *  that a test can look at what happened on the way. */
#ifndef FAKE_CPU_H
#define FAKE_CPU_H

#include "cpu/percpu.h"

#define FAKE_MSR_MAX   64u
#define FAKE_CPUID_MAX 32u
#define FAKE_OUT_MAX   65536u

struct fake_msr {
	uint32_t index;
	uint64_t value;
	unsigned writes;
};

struct fake_cpuid {
	uint32_t leaf, sub;
	struct cpuid_regs regs;
};

struct fake_cpu {
	uint64_t tsc, tsc_step; /* each RDTSC adds the step after it was read */
	uint64_t cr0, cr2, cr3, cr4, dr[8], xcr0;
	struct fake_msr msr[FAKE_MSR_MAX]; /* an MSR that is not here reads 0; safe access refuses it */
	unsigned msr_count;
	struct fake_cpuid cpuid[FAKE_CPUID_MAX]; /* a leaf that is not here reads 0 */
	unsigned cpuid_count;
	struct { /* every OUT, oldest first */
		uint16_t port;
		uint32_t value;
	} out[FAKE_OUT_MAX];
	unsigned out_count;
	uint32_t (*in)(uint16_t port); /* NULL: all ones */
	unsigned waits, wbinvds;
	void (*on_wait)(void); /* called by insn_wait: makes the interrupt that ends it */
};
extern struct fake_cpu fake_cpu;

/** A CPU after RESET whose cpu_this() is cpus[0]. */
void fake_cpu_init(void);

void fake_msr_set(uint32_t index, uint64_t value);
uint64_t fake_msr_get(uint32_t index);
void fake_cpuid_set(uint32_t leaf, uint32_t sub, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx);

/** What was written to the UART since fake_cpu_init, 0-terminated, in a static buffer. */
const char *fake_console_text(void);

/** Runs `code` and returns whether it reached boot_halt, boot_refuse or any other insn_stop. */
bool fake_stops(void (*code)(void));

#endif
