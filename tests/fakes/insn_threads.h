/* SPDX-License-Identifier: Apache-2.0 */
/** CPUs that are threads: each thread is one of cpus[], interrupts between them arrive for real, HLT sleeps,
 *  the TSC is the clock in nanoseconds. Takes the place of insn.c. */
#ifndef BH_TESTS_FAKES_INSN_THREADS_H
#define BH_TESTS_FAKES_INSN_THREADS_H

#include <sched.h>
#include <stdlib.h>

#include "cpu/percpu.h"

void threads_reset(void);
/** The calling thread is that CPU from now on. */
void threads_become(struct cpu *cpu);

/** Ends every thread at its next HLT, or where it calls threads_end: a guest does, and holds no lock of root
 *  mode. One that ends with a lock lets all wait for ever who want it. */
void threads_stop(void);
bool threads_stopping(void);
void threads_end(void);

/** An interrupt waits for the calling CPU; takes what waits through irq_handle. */
bool threads_irq_pending(void);
void threads_take_irqs(void);

/** Lets the other CPUs run; seldom where that takes long, because the host has more to run. */
void threads_yield(void);

/** The TSC of a CPU is off by so much. */
void threads_skew(unsigned cpu, int64_t ticks);

/** For threads in which an assertion of the test framework cannot fail. */
#define BH_CHECK_TEST(cond) ((cond) ? (void)0 : abort())

#endif
