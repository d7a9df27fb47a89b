/* SPDX-License-Identifier: Apache-2.0 */
/** An AMD-V CPU for host tests: VMCBs are memory, so a test reads and writes them itself, and the guest is a
 *  function of the test. */
#ifndef BH_TESTS_FAKES_SVM_FAKE_H
#define BH_TESTS_FAKES_SVM_FAKE_H

#include "svm/svm.h"

/** What the "guest" does instead of VMRUN. */
typedef void (*svm_fake_guest)(uint64_t *regs, struct vmcb *vmcb);
extern svm_fake_guest svm_fake_enter;

/** Sets CPUID and MSRs of a CPU like that of the emulated AMD laptop: all that we need and no more. */
void svm_fake_reset(void);

/** Root mode up to the first entry, as vmx_fake_start_root_mode; vmx_fake_stop_root_mode ends it. */
void svm_fake_start_root_mode(void);

#endif
