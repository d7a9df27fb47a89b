/* SPDX-License-Identifier: Apache-2.0 */
/** CPUID feature bits used by root mode. SDM 2A, "CPUID-CPU Identification". */
#ifndef BH_CPU_CPUID_H
#define BH_CPU_CPUID_H

#include "cpu/insn.h"

/* leaf 1, ECX */
#define CPUID_1_ECX_SSE3	 BIT(0)
#define CPUID_1_ECX_MONITOR	 BIT(3)
#define CPUID_1_ECX_VMX		 BIT(5)
#define CPUID_1_ECX_PDCM	 BIT(15)
#define CPUID_1_ECX_PCID	 BIT(17)
#define CPUID_1_ECX_SSE42	 BIT(20)
#define CPUID_1_ECX_X2APIC	 BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)
#define CPUID_1_ECX_XSAVE	 BIT(26)
#define CPUID_1_ECX_OSXSAVE	 BIT(27)
#define CPUID_1_ECX_HYPERVISOR	 BIT(31)
/* leaf 1, EDX */
#define CPUID_1_EDX_TSC	 BIT(4)
#define CPUID_1_EDX_MSR	 BIT(5)
#define CPUID_1_EDX_MCE	 BIT(7)
#define CPUID_1_EDX_APIC BIT(9)
#define CPUID_1_EDX_MTRR BIT(12)
#define CPUID_1_EDX_PGE	 BIT(13)
#define CPUID_1_EDX_MCA	 BIT(14)
#define CPUID_1_EDX_PAT	 BIT(16)
#define CPUID_1_EDX_FXSR BIT(24)
/* leaf 7.0 */
#define CPUID_7_EBX_FSGSBASE BIT(0)
#define CPUID_7_EBX_SMEP     BIT(7)
#define CPUID_7_EBX_INVPCID  BIT(10)
#define CPUID_7_EBX_SMAP     BIT(20)
#define CPUID_7_ECX_UMIP     BIT(2)
/* leaf 0x80000001, EDX */
#define CPUID_X1_EDX_NX	    BIT(20)
#define CPUID_X1_EDX_1G	    BIT(26)
#define CPUID_X1_EDX_RDTSCP BIT(27)
#define CPUID_X1_EDX_LM	    BIT(29)

enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

/** One register of a leaf; 0 when the CPU does not have the leaf. */
uint32_t cpuid_read(uint32_t leaf, uint32_t sub, enum cpuid_reg reg);

/** All bits of mask are set in that register. */
static inline bool cpuid_has(uint32_t leaf, enum cpuid_reg reg, uint64_t mask)
{
	return (cpuid_read(leaf, 0, reg) & mask) == mask;
}

/** Physical address width in bits (leaf 0x80000008), 36 when the CPU does not say. */
unsigned cpuid_phys_bits(void);

#endif
