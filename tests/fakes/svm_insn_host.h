/* SPDX-License-Identifier: Apache-2.0 */
/** svm/insn.h for the host: plain functions, in tests/fakes/svm_insn.c. */
#ifndef BH_TESTS_FAKES_SVM_INSN_HOST_H
#define BH_TESTS_FAKES_SVM_INSN_HOST_H

#include "lib/types.h"

void svm_save(hpa_t vmcb);
void svm_stgi(void);

#endif
