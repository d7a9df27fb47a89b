/* SPDX-License-Identifier: Apache-2.0 */
/** CPUID and MSRs of an AMD-V CPU, as QEMU 7.2 shows them for `-cpu EPYC,+svm`. */
#include "svm_fake.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "insn_fake.h"
#include "vmx_fake.h"

void svm_fake_reset(void)
{
	insn_fake_reset();
	svm_fake_enter = NULL;
	insn_fake_set_cpuid(0, 0, 0xd, 0x68747541, 0x444d4163, 0x69746e65);
	insn_fake_set_cpuid(1, 0, 0x800f12, 0, CPUID_1_ECX_XSAVE, CPUID_1_EDX_APIC);
	insn_fake_set_cpuid(7, 0, 0, 0, 0, 0);
	insn_fake_set_cpuid(0xd, 0, 7, 832, 832, 0);
	insn_fake_set_cpuid(0x80000000, 0, 0x8000000a, 0, 0, 0);
	insn_fake_set_cpuid(0x80000001, 0, 0, 0, (uint32_t)CPUID_X1_ECX_SVM,
			    (uint32_t)CPUID_X1_EDX_NX);
	insn_fake_set_cpuid(0x8000000a, 0, 1, 16, 0, 1);
	insn_fake_set_msr(MSR_VM_CR, 0);
}

void svm_fake_start_root_mode(void)
{
	svm_fake_reset();
	vmx_fake_start_on_this_cpu();
}
