/* SPDX-License-Identifier: Apache-2.0 */
/** The SVM instructions for host tests. */
#include "svm_fake.h"

svm_fake_guest svm_fake_enter;

void svm_save(hpa_t vmcb)
{
	(void)vmcb;
}

void svm_stgi(void)
{
}

void svm_enter(uint64_t *regs, hpa_t guest, hpa_t host)
{
	(void)host;
	if (svm_fake_enter) {
		svm_fake_enter(regs, hpa_ptr(guest));
	}
}
