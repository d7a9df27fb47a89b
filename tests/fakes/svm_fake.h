/* SPDX-License-Identifier: Apache-2.0 */
/** An AMD CPU for host tests: VMCBs are memory, so a test reads and writes them itself. */
#ifndef BH_TESTS_FAKES_SVM_FAKE_H
#define BH_TESTS_FAKES_SVM_FAKE_H

#include "svm/svm.h"

/** Called instead of VMRUN. */
typedef void (*svm_fake_guest)(uint64_t *regs, struct vmcb *vmcb);
extern svm_fake_guest svm_fake_enter;

#endif
