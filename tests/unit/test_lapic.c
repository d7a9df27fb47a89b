/* SPDX-License-Identifier: Apache-2.0 */
/** The host's local APIC: gate, set-up, timer. */
#include "irq/lapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "dbg/console.h"
#include "insn_fake.h"

/* Each missing feature is named; with both the gate opens. */
static void lapic_check_names_what_is_missing(void **state)
{
	(void)state;
	insn_fake_set_cpuid(0, 0, 1, 0, 0, 0);
	assert_int_equal(lapic_check(), -BH_NOSUPP);
	assert_non_null(strstr(insn_fake.console, "x2APIC"));
	assert_non_null(strstr(insn_fake.console, "TSC_Deadline"));
	insn_fake_set_cpuid(1, 0, 0, 0, CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE, 0);
	assert_int_equal(lapic_check(), 0);
}

/* Set-up ends in x2APIC mode with LINT0 closed and the timer in TSC-deadline mode, not armed. */
static void lapic_init_closes_all_but_nmi_and_timer(void **state)
{
	(void)state;
	insn_fake_set_msr(MSR_IA32_APIC_BASE, 0xfee00000 | APIC_BASE_BSP);
	lapic_init();
	assert_int_equal(insn_rdmsr(MSR_IA32_APIC_BASE),
			 0xfee00000 | APIC_BASE_BSP | APIC_BASE_ENABLE | APIC_BASE_EXTD);
	assert_int_equal(insn_rdmsr(MSR_IA32_X2APIC_LVT_LINT0), BIT(16) | 0x700);
	assert_int_equal(insn_rdmsr(MSR_IA32_X2APIC_LVT_LINT1), 0x400);
	assert_int_equal(insn_rdmsr(MSR_IA32_X2APIC_LVT_TIMER), BIT(18) | IRQ_VECTOR_TIMER);
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 0);
}

/* Deadline 0 would disarm the timer, so it counts as the next tick. */
static void lapic_timer_never_disarms_by_arming(void **state)
{
	(void)state;
	lapic_timer_arm(0);
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 1);
	lapic_timer_arm(77);
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 77);
	lapic_timer_stop();
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 0);
}

/* A vector is looked up in its own word of the ISR. */
static void lapic_isr_test_reads_the_right_bit(void **state)
{
	(void)state;
	insn_fake_set_msr(MSR_IA32_X2APIC_ISR0 + 1, BIT(3));
	assert_true(lapic_isr_test(35));
	assert_false(lapic_isr_test(3));
	assert_false(lapic_isr_test(36));
}

static int prepare(void **state)
{
	(void)state;
	insn_fake_reset();
	console_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lapic_check_names_what_is_missing),
		cmocka_unit_test(lapic_init_closes_all_but_nmi_and_timer),
		cmocka_unit_test(lapic_timer_never_disarms_by_arming),
		cmocka_unit_test(lapic_isr_test_reads_the_right_bit),
	};
	return cmocka_run_group_tests(tests, prepare, NULL);
}
