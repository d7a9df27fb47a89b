/* SPDX-License-Identifier: Apache-2.0 */
/** CPUID feature bits used by root mode. SDM 2A, "CPUID-CPU Identification". */
#ifndef BH_CPU_CPUID_H
#define BH_CPU_CPUID_H

#include "cpu/insn.h"

/* leaf 1, ECX */
#define CPUID_1_ECX_VMX		 BIT(5)
#define CPUID_1_ECX_PCID	 BIT(17)
#define CPUID_1_ECX_X2APIC	 BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_XSAVE	 BIT(26)
#define CPUID_1_ECX_OSXSAVE	 BIT(27)
#define CPUID_1_ECX_HYPERVISOR	 BIT(31)
/* leaf 1, EDX */
#define CPUID_1_EDX_APIC BIT(9)
/* leaf 7.0 */
#define CPUID_7_EBX_FSGSBASE BIT(0)
#define CPUID_7_EBX_SMEP     BIT(7)
#define CPUID_7_EBX_SMAP     BIT(20)
/* leaf 0x80000001 */
#define CPUID_X1_ECX_SVM    BIT(2)
#define CPUID_X1_EDX_NX	    BIT(20)
#define CPUID_X1_EDX_1G	    BIT(26)

/* In the order of struct cpuid_regs. */
enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

/** One register of a leaf; 0 when the CPU does not have the leaf. */
uint32_t cpuid_read(uint32_t leaf, uint32_t sub, enum cpuid_reg reg);

/** All bits of mask are set in that register. */
static inline bool cpuid_has(uint32_t leaf, enum cpuid_reg reg, uint64_t mask)
{
	return (cpuid_read(leaf, 0, reg) & mask) == mask;
}

#endif
