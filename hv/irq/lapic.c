/* SPDX-License-Identifier: Apache-2.0 */
/** Host local APIC. x2APIC only: no page to map, no page to hide from the control partition. */
#include "irq/lapic.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "dbg/log.h"
#include "lib/boot_info.h"

#define LVT_MASKED	 BIT(16)
#define LVT_NMI		 0x400u
#define LVT_EXTINT	 0x700u
#define LVT_TSC_DEADLINE BIT(18)
#define SIVR_ENABLE	 0x100u

int lapic_check(void)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} need[] = {
		{CPUID_1_ECX_X2APIC, "x2APIC mode (CPUID.01H:ECX.x2APIC)"},
		{CPUID_1_ECX_TSC_DEADLINE, "the TSC-deadline timer (CPUID.01H:ECX.TSC_Deadline)"},
	};
	int rc = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(need); i++) {
		if (!cpuid_has(1, CPUID_ECX, need[i].bit)) {
			log_error("lapic", "missing: %s", need[i].name);
			boot_error =
				"the CPU lacks what root mode's interrupts need (listed above)";
			rc = -BH_NOSUPP;
		}
	}
	return rc;
}

void lapic_init(void)
{
	uint64_t base = insn_rdmsr(MSR_IA32_APIC_BASE);

	/* disabled -> xAPIC -> x2APIC are the only steps allowed: SDM 3A, "x2APIC State
	 * Transitions" */
	insn_wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_ENABLE);
	insn_wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_EXTD);
	insn_wrmsr(MSR_IA32_X2APIC_SIVR, SIVR_ENABLE | IRQ_VECTOR_SPURIOUS);
	insn_wrmsr(MSR_IA32_X2APIC_TPR, 0);
	lapic_lint0_mask(true);
	insn_wrmsr(MSR_IA32_X2APIC_LVT_LINT1, LVT_NMI);
	insn_wrmsr(MSR_IA32_X2APIC_LVT_ERROR, LVT_MASKED);
	insn_wrmsr(MSR_IA32_X2APIC_LVT_TIMER, LVT_TSC_DEADLINE | IRQ_VECTOR_TIMER);
	insn_wrmsr(MSR_IA32_TSC_DEADLINE, 0);
	insn_wrmsr(MSR_IA32_X2APIC_ESR, 0);
	log_info("lapic", "id %x in x2APIC mode", lapic_id());
}

void lapic_eoi(void)
{
	insn_wrmsr(MSR_IA32_X2APIC_EOI, 0);
}

bool lapic_isr_test(unsigned vector)
{
	return insn_rdmsr(MSR_IA32_X2APIC_ISR0 + vector / 32) & BIT(vector % 32);
}

void lapic_lint0_mask(bool masked)
{
	insn_wrmsr(MSR_IA32_X2APIC_LVT_LINT0, LVT_EXTINT | (masked ? LVT_MASKED : 0));
}

uint32_t lapic_id(void)
{
	return (uint32_t)insn_rdmsr(MSR_IA32_X2APIC_APICID);
}

void lapic_timer_arm(uint64_t tsc_deadline)
{
	insn_wrmsr(MSR_IA32_TSC_DEADLINE, tsc_deadline ? tsc_deadline : 1);
}

void lapic_timer_stop(void)
{
	insn_wrmsr(MSR_IA32_TSC_DEADLINE, 0);
}
