/* SPDX-License-Identifier: Apache-2.0 */
/** Per-CPU data and stacks, and the protections each CPU switches on for root mode. */
#include "cpu/percpu.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "lib/boot_info.h"

struct cpu cpus[CPU_MAX];
uint32_t cpu_running = 1;
struct cpu_stacks cpu_stacks[CPU_MAX] BH_ALIGNED(4096) BH_SECTION(".bss.stacks");

#define STACK_TOP(stack) ((uintptr_t)(stack) + sizeof(stack))

void cpu_count_add(void)
{
	__atomic_store_n(&cpu_running, cpu_running + 1, __ATOMIC_RELEASE);
}

void cpu_init(unsigned id)
{
	struct cpu *cpu = &cpus[id];
	struct cpu_stacks *stacks = &cpu_stacks[id];

	cpu->self = cpu;
	cpu->id = id;
	cpu->stack_top = STACK_TOP(stacks->main);
	cpu->tss.rsp[0] = cpu->stack_top;
	cpu->tss.ist[IST_DF - 1] = STACK_TOP(stacks->df);
	cpu->tss.ist[IST_NMI - 1] = STACK_TOP(stacks->nmi);
	cpu->tss.ist[IST_MC - 1] = STACK_TOP(stacks->mc);
	cpu_desc_init(cpu);
	insn_wrmsr(MSR_IA32_GS_BASE, (uintptr_t)cpu);
}

int cpu_protect(void)
{
	uint64_t cr4 = insn_read_cr4() | CR4_OSFXSR | CR4_MCE;

	if (!cpuid_has(0x80000001u, CPUID_EDX, CPUID_X1_EDX_NX)) {
		return boot_fail(BH_NOSUPP,
				 "the CPU has no execute-disable bit (CPUID.80000001H:EDX.NX)");
	}
	cr4 |= cpuid_has(1, CPUID_ECX, CPUID_1_ECX_XSAVE) ? CR4_OSXSAVE : 0;
	cr4 |= cpuid_has(7, CPUID_EBX, CPUID_7_EBX_SMEP) ? CR4_SMEP : 0;
	cr4 |= cpuid_has(7, CPUID_EBX, CPUID_7_EBX_SMAP) ? CR4_SMAP : 0;
	insn_wrmsr(MSR_IA32_EFER, insn_rdmsr(MSR_IA32_EFER) | EFER_NXE);
	insn_write_cr4(cr4);
	insn_write_cr0((insn_read_cr0() | CR0_WP | CR0_NE | CR0_MP) & ~(CR0_EM | CR0_TS));
	return 0;
}
