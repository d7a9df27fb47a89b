/* SPDX-License-Identifier: Apache-2.0 */
/** The CPU and the ports that root mode sees in host tests. Tests set it up and look at what was done. */
#ifndef BH_TESTS_FAKES_INSN_FAKE_H
#define BH_TESTS_FAKES_INSN_FAKE_H

#include <setjmp.h>

#include "cpu/insn.h"

#define INSN_FAKE_MAX 64u

struct insn_fake {
	struct {
		uint32_t number;
		uint64_t value;
	} msr[INSN_FAKE_MAX]; /* latest value of each; unknown ones read 0, or #GP in the safe form */
	unsigned msr_count;
	uint64_t cr[9], dr[8], xcr0;
	uint64_t tsc, tsc_step; /* RDTSC returns tsc and adds the step */
	struct {
		uint32_t leaf, sub;
		struct cpuid_regs regs;
	} cpuid[INSN_FAKE_MAX];
	unsigned cpuid_count;
	uint32_t (*in)(uint16_t port, unsigned size); /* ports but COM1 */
	void (*out)(uint16_t port, unsigned size, uint32_t value);
	uint64_t (*mmio_in)(uint64_t at, unsigned size); /* registers of devices */
	void (*mmio_out)(uint64_t at, unsigned size, uint64_t value);
	void (*window)(void); /* interrupts are open: insn_irq_window */
	char console[0x10000]; /* what went out on COM1 */
	unsigned console_used;
	uint8_t com1[8];
	jmp_buf on_stop; /* insn_stop goes there while stop_armed */
	bool stop_armed;
};

extern struct insn_fake insn_fake;

/** A CPU as after reset, with TSC step 1 and no CPUID leaf. */
void insn_fake_reset(void);
void insn_fake_set_cpuid(uint32_t leaf, uint32_t sub, uint32_t a, uint32_t b, uint32_t c, uint32_t d);
void insn_fake_set_msr(uint32_t msr, uint64_t value);

/** Runs the statement; true if it stopped the CPU. */
#define INSN_FAKE_STOPS(statement)                                                                 \
	(insn_fake.stop_armed = true,                                                              \
	 setjmp(insn_fake.on_stop) ? (insn_fake.stop_armed = false, true)                          \
				   : ((statement), insn_fake.stop_armed = false, false))

#endif
