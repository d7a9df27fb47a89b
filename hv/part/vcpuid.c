/* SPDX-License-Identifier: Apache-2.0 */
/** The allow list is applied once, at start; an exit only copies the answer. */
#include "part/vcpuid.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/tsc.h"
#include "part/part.h"

#define LEAF_BASIC_MAX	  0x16u
#define LEAF_EXTENDED	  0x80000000u
#define LEAF_EXTENDED_MAX 8u
#define LEAF_HYPERVISOR	  0x40000000u

/* SSE3 PCLMUL SSSE3 FMA CX16 PCID SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND. Not: MONITOR, VMX,
 * SMX, PDCM and the like. */
#define ALLOW_1_ECX                                                                                \
	(BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(17) | BIT(19) | BIT(20) | BIT(22) |    \
	 BIT(23) | BIT(25) | BIT(26) | BIT(28) | BIT(29) | BIT(30))
/* The virtual local APIC has both, whatever the CPU has. */
#define ALWAYS_1_ECX (CPUID_1_ECX_HYPERVISOR | CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE)
/* FPU VME DE PSE TSC MSR PAE CX8 APIC SEP PGE CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 SS. */
#define ALLOW_1_EDX                                                                                \
	(BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(9) |          \
	 BIT(11) | BIT(13) | BIT(15) | BIT(16) | BIT(17) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | \
	 BIT(26) | BIT(27))
/* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS INVPCID RDSEED ADX SMAP CLFLUSHOPT CLWB SHA. */
#define ALLOW_7_EBX                                                                                \
	(BIT(0) | BIT(3) | BIT(5) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(18) | BIT(19) |       \
	 BIT(20) | BIT(23) | BIT(24) | BIT(29))
/* LAHF LZCNT PREFETCHW. */
#define ALLOW_X1_ECX (BIT(0) | BIT(5) | BIT(8))
/* SYSCALL NX 1G-pages RDTSCP LM. */
#define ALLOW_X1_EDX (BIT(11) | BIT(20) | BIT(26) | BIT(27) | BIT(29))
#define INVARIANT_TSC BIT(8)
/* XSAVEOPT XSAVEC XGETBV1; not XSAVES. */
#define ALLOW_D1_EAX 0x7u

static struct cpuid_regs basic[LEAF_BASIC_MAX + 1];
static struct cpuid_regs extended[LEAF_EXTENDED_MAX + 1];
static struct cpuid_regs vendor[2];
static uint64_t cr4_allowed;

static void read_basic(void)
{
	/* Signature and brand string, caches, and what the list above lets through. */
	for (uint32_t leaf = 0; leaf <= 2; leaf++) {
		insn_cpuid(leaf, 0, &basic[leaf]);
	}
	basic[0].eax = LEAF_BASIC_MAX;
	basic[1].ebx = (basic[1].ebx & 0x0000ff00) | 1u << 16;
	basic[1].ecx = (basic[1].ecx & ALLOW_1_ECX) | (uint32_t)ALWAYS_1_ECX;
	basic[1].edx &= ALLOW_1_EDX;
	basic[6].eax = 1u << 2; /* ARAT: the timer does not stop in deep idle */
	insn_cpuid(7, 0, &basic[7]);
	basic[7] = (struct cpuid_regs){0, (uint32_t)(basic[7].ebx & ALLOW_7_EBX), 0, 0};
	/* Crystal clock and its ratio: the TSC rate, exactly. */
	basic[0x15] = (struct cpuid_regs){1, 1, (uint32_t)(tsc_khz() * 1000), 0};
	/* Base and maximum frequency in MHz. Without it Linux measures against a PIT that guests lack. */
	basic[0x16] = (struct cpuid_regs){(uint32_t)(tsc_khz() / 1000), (uint32_t)(tsc_khz() / 1000), 0, 0};
}

static void read_extended(void)
{
	for (uint32_t leaf = 0; leaf <= LEAF_EXTENDED_MAX; leaf++) {
		insn_cpuid(LEAF_EXTENDED + leaf, 0, &extended[leaf]);
	}
	extended[0].eax = LEAF_EXTENDED + LEAF_EXTENDED_MAX;
	extended[1].ecx &= ALLOW_X1_ECX;
	extended[1].edx &= ALLOW_X1_EDX;
	extended[5] = (struct cpuid_regs){0};
	extended[7] = (struct cpuid_regs){.edx = INVARIANT_TSC};
	extended[8] = (struct cpuid_regs){.eax = extended[8].eax & 0xffff};
}

void vcpuid_init(void)
{
	read_basic();
	read_extended();
	/* "BulkheadHyp\0"; "KVMKVMKVM\0\0\0" with no feature: Linux then uses x2APIC without interrupt
	 * remapping (docs/decisions). */
	vendor[0] = (struct cpuid_regs){LEAF_HYPERVISOR + 1, 0x6b6c7542, 0x64616568, 0x00707948};
	vendor[1] = (struct cpuid_regs){LEAF_HYPERVISOR + 0x101, 0x4b4d564b, 0x564b4d56, 0x4d};
	cr4_allowed = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE |
		      CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	cr4_allowed |= basic[1].ecx & CPUID_1_ECX_PCID ? CR4_PCIDE : 0;
	cr4_allowed |= basic[1].ecx & CPUID_1_ECX_XSAVE ? CR4_OSXSAVE : 0;
	cr4_allowed |= basic[7].ebx & CPUID_7_EBX_FSGSBASE ? CR4_FSGSBASE : 0;
	cr4_allowed |= basic[7].ebx & CPUID_7_EBX_SMEP ? CR4_SMEP : 0;
	cr4_allowed |= basic[7].ebx & CPUID_7_EBX_SMAP ? CR4_SMAP : 0;
}

uint64_t vcpuid_cr4_allowed(void)
{
	return cr4_allowed;
}

static void read_xsave(uint32_t sub, struct cpuid_regs *ret)
{
	insn_cpuid(0xd, sub, ret); /* sizes follow the guest's XCR0, which is loaded */
	if (sub == 0) {
		ret->eax &= 0x7;
		ret->edx = 0;
	} else if (sub == 1) {
		*ret = (struct cpuid_regs){.eax = ret->eax & ALLOW_D1_EAX};
	} else if (sub > 2) {
		*ret = (struct cpuid_regs){0};
	}
}

static void read_topology(const struct vcpu *vcpu, uint32_t sub, struct cpuid_regs *ret)
{
	uint32_t count = vcpu->part->vcpu_count;

	*ret = (struct cpuid_regs){.ecx = sub, .edx = vcpu->apic_id};
	if (sub == 0) {
		ret->ebx = 1;
		ret->ecx |= 1u << 8; /* SMT level: one thread */
	} else if (sub == 1) {
		ret->eax = 3; /* x2APIC id bits below the package */
		ret->ebx = count;
		ret->ecx |= 2u << 8;
	}
}

void vcpuid_read(struct vcpu *vcpu, uint64_t cr4, uint32_t leaf, uint32_t sub, struct cpuid_regs *ret)
{
	if (leaf <= LEAF_BASIC_MAX) {
		*ret = basic[leaf];
		switch (leaf) {
		case 1:
			ret->ebx |= vcpu->apic_id << 24;
			ret->ecx |= cr4 & CR4_OSXSAVE ? (uint32_t)CPUID_1_ECX_OSXSAVE : 0;
			break;
		case 4:
			insn_cpuid(leaf, sub, ret);
			ret->eax &= 0x00003fff; /* no sharing between threads or cores */
			break;
		case 7:
			if (sub) {
				*ret = (struct cpuid_regs){0};
			}
			break;
		case 0xb:
			read_topology(vcpu, sub, ret);
			break;
		case 0xd:
			read_xsave(sub, ret);
			break;
		default:
			break;
		}
		return;
	}
	if (leaf >= LEAF_EXTENDED && leaf - LEAF_EXTENDED <= LEAF_EXTENDED_MAX) {
		*ret = extended[leaf - LEAF_EXTENDED];
		return;
	}
	*ret = leaf == LEAF_HYPERVISOR	       ? vendor[0]
	       : leaf == LEAF_HYPERVISOR + 0x100 ? vendor[1]
						 : (struct cpuid_regs){0};
}
