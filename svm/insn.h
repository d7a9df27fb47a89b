/* SPDX-License-Identifier: Apache-2.0 */
/** The SVM instructions. Host tests link tests/fakes/svm_insn.c instead.
 *  Source: APM 3, "System Instruction Reference". */
#ifndef SVM_INSN_H
#define SVM_INSN_H

#include "lib/types.h"

/** entry.S: runs the guest until the next exit. Returns with the global interrupt flag clear: what came
 *  meanwhile waits for svm_stgi. */
void svm_enter(uint64_t *regs, hpa_t guest, hpa_t host);

#if __STDC_HOSTED__
#include "svm_insn_host.h" /* tests/fakes: the same names as functions */
#else

static inline void svm_save(hpa_t vmcb)
{
	__asm__ volatile("vmsave %0" : : "a"(vmcb.v) : "memory");
}

static inline void svm_stgi(void)
{
	__asm__ volatile("stgi" : : : "memory");
}

#endif

#endif
