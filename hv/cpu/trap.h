/* SPDX-License-Identifier: Apache-2.0 */
/** Exceptions and interrupts taken by root mode itself. */
#ifndef BH_CPU_TRAP_H
#define BH_CPU_TRAP_H

#include "lib/types.h"

/** Pushed by trap_entry.S, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/** Entry code of each vector; entry i is trap_stubs + TRAP_STUB_SIZE * i. */
extern const uint8_t trap_stubs[];
#define TRAP_STUB_SIZE 16u
#define TRAP_VECTORS   256u

/** Vectors below 32: fixup of a safe MSR access, or dump, crash record and stop. Others:
 * irq_handle. Interrupts come in only around insn_wait; NMI and #MC at any time, both stop the
 * machine with a record. */
void trap_handle(struct trap_frame *frame);

/** Implemented by part/route.c: an interrupt (vector 32..255) that root mode took or that ended a
 *  guest's run. Interrupts are off. */
void irq_handle(unsigned vector);
/** The same for an NMI that ended a guest's run: the control partition's, or the end of a CPU
 *  when another one has crashed. */
void irq_nmi(void);

#endif
