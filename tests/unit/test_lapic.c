/* SPDX-License-Identifier: Apache-2.0 */
/** The host's local APIC: gate, set-up, timer, in both of its modes. */
#include "irq/lapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "dbg/console.h"
#include "insn_fake.h"
#include "lib/boot_info.h"
#include "machine.h"
#include "mem/frames.h"
#include "mem/hspace.h"

#define MIB	0x100000ull
#define RAM_TOP (32 * MIB)
#define XAPIC	0xfee00000ull

static struct {
	uint32_t reg[64];
	unsigned initial_writes;
} xapic;

static uint64_t xapic_in(uint64_t at, unsigned size)
{
	assert_int_equal(size, 4);
	assert_int_equal(at & ~0xff0ull, XAPIC);
	if (at == XAPIC + 0x390) {
		/* Counts down at half the rate of the TSC. */
		return UINT32_MAX - insn_fake.tsc / 2;
	}
	return xapic.reg[at >> 4 & 63];
}

static void xapic_out(uint64_t at, unsigned size, uint64_t value)
{
	assert_int_equal(size, 4);
	assert_int_equal(at & ~0xff0ull, XAPIC);
	xapic.reg[at >> 4 & 63] = (uint32_t)value;
	xapic.initial_writes += at == XAPIC + 0x380;
}

static void use_cpu(uint64_t ecx)
{
	insn_fake_set_cpuid(0, 0, 1, 0, 0, 0);
	insn_fake_set_cpuid(1, 0, 0, 0, (uint32_t)ecx, CPUID_1_EDX_APIC);
	insn_fake_set_msr(MSR_IA32_APIC_BASE, XAPIC | APIC_BASE_BSP);
	assert_int_equal(lapic_setup(), 0);
	lapic_init();
}

static void use_x2apic(void)
{
	use_cpu(CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE);
}

/* The CPU of the emulated AMD laptop: the page, and a timer that only counts. */
static void use_xapic(void)
{
	strcpy(boot_record()->cmdline, "tsc_khz=50000");
	assert_int_equal(tsc_init(0, false), 0);
	use_cpu(0);
	insn_fake.tsc = 0;
	lapic_timer_measure();
	xapic.initial_writes = 0;
}

/* A CPU without a local APIC is refused by name. */
static void lapic_check_names_what_is_missing(void **state)
{
	(void)state;
	insn_fake_set_cpuid(0, 0, 1, 0, 0, 0);
	assert_int_equal(lapic_check(), -BH_NOSUPP);
	assert_non_null(strstr(insn_fake.console, "CPUID.01H:EDX.APIC"));
	insn_fake_set_cpuid(1, 0, 0, 0, 0, CPUID_1_EDX_APIC);
	assert_int_equal(lapic_check(), 0);
}

/* Set-up ends in x2APIC mode with LINT0 closed and the timer in TSC-deadline mode, not armed. */
static void lapic_init_closes_all_but_nmi_and_timer(void **state)
{
	(void)state;
	use_x2apic();
	assert_int_equal(insn_rdmsr(MSR_IA32_APIC_BASE),
			 0xfee00000 | APIC_BASE_BSP | APIC_BASE_ENABLE | APIC_BASE_EXTD);
	assert_int_equal(insn_rdmsr(MSR_IA32_X2APIC_LVT_LINT0), BIT(16) | 0x700);
	assert_int_equal(insn_rdmsr(MSR_IA32_X2APIC_LVT_LINT1), 0x400);
	assert_int_equal(insn_rdmsr(MSR_IA32_X2APIC_LVT_TIMER), BIT(18) | IRQ_VECTOR_TIMER);
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 0);
}

/* Without x2APIC mode the same set-up goes to the page, wherever firmware had put it. */
static void lapic_init_uses_the_page_without_x2apic(void **state)
{
	(void)state;
	use_xapic();
	insn_fake_set_msr(MSR_IA32_APIC_BASE, 0xfed00000 | APIC_BASE_BSP);
	lapic_init();
	assert_int_equal(insn_rdmsr(MSR_IA32_APIC_BASE), XAPIC | APIC_BASE_BSP | APIC_BASE_ENABLE);
	assert_int_equal(xapic.reg[0x35], BIT(16) | 0x700);
	assert_int_equal(xapic.reg[0x36], 0x400);
	assert_int_equal(xapic.reg[0x32], IRQ_VECTOR_TIMER);
	assert_int_equal(xapic.reg[0x38], 0);
}

/* Deadline 0 would disarm the timer, so it counts as the next tick. */
static void lapic_timer_never_disarms_by_arming(void **state)
{
	(void)state;
	use_x2apic();
	lapic_timer_arm(0);
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 1);
	lapic_timer_arm(77);
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 77);
	lapic_timer_stop();
	assert_int_equal(insn_rdmsr(MSR_IA32_TSC_DEADLINE), 0);
}

/* The one-shot timer counts what is left of the TSC, at its own rate, and never nothing. */
static void lapic_timer_counts_to_the_deadline(void **state)
{
	(void)state;
	use_xapic();
	lapic_timer_arm(insn_fake.tsc + 100000);
	assert_in_range(xapic.reg[0x38], 49900, 50000);
	lapic_timer_arm(1);
	assert_int_equal(xapic.reg[0x38], 1);
	lapic_timer_arm(UINT64_MAX);
	assert_in_range(xapic.reg[0x38], BIT(30) - BIT(20), BIT(30) + BIT(20));
	lapic_timer_stop();
	assert_int_equal(xapic.reg[0x38], 0);
}

/* The deadline that is armed already costs no access; after it came, it does. */
static void lapic_timer_is_armed_once_per_deadline(void **state)
{
	(void)state;
	use_xapic();
	lapic_timer_arm(1000000);
	lapic_timer_arm(1000000);
	assert_int_equal(xapic.initial_writes, 1);
	lapic_timer_done();
	lapic_timer_arm(1000000);
	assert_int_equal(xapic.initial_writes, 2);
}

/* A vector is looked up in its own word of the ISR. */
static void lapic_isr_test_reads_the_right_bit(void **state)
{
	(void)state;
	use_x2apic();
	insn_fake_set_msr(MSR_IA32_X2APIC_ISR0 + 1, BIT(3));
	assert_true(lapic_isr_test(35));
	assert_false(lapic_isr_test(3));
	assert_false(lapic_isr_test(36));
}

/* Interrupts for another CPU carry its id where the mode wants it. */
static void lapic_send_names_the_target(void **state)
{
	(void)state;
	use_x2apic();
	lapic_send_sipi(0x123, 8);
	assert_int_equal(insn_rdmsr(MSR_IA32_X2APIC_FIRST + 0x30), 0x12300004608ull);
	use_xapic();
	lapic_send_ipi(3, 0xfd);
	assert_int_equal(xapic.reg[0x31], 3u << 24);
	assert_int_equal(xapic.reg[0x30], 0x40fd);
	lapic_send_init(3);
	assert_int_equal(xapic.reg[0x30], 0x4500);
	lapic_send_nmi_others();
	assert_int_equal(xapic.reg[0x30], 0xc4400);
}

static int prepare(void **state)
{
	static struct boot_info info;

	(void)state;
	insn_fake_reset();
	console_init();
	cpu_init(0);
	memset(&xapic, 0, sizeof(xapic));
	insn_fake.mmio_in = xapic_in;
	insn_fake.mmio_out = xapic_out;
	machine_map_ram(MIB, RAM_TOP - MIB);
	machine_boot_info(&info, RAM_TOP);
	insn_fake_set_cpuid(0x80000000, 0, 0x80000001, 0, 0, 0);
	insn_fake_set_cpuid(0x80000001, 0, 0, 0, 0, (uint32_t)CPUID_X1_EDX_NX);
	return frames_init(&info) || hspace_init();
}

static int finish(void **state)
{
	(void)state;
	machine_unmap_ram(MIB, RAM_TOP - MIB);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lapic_check_names_what_is_missing, prepare, finish),
		cmocka_unit_test_setup_teardown(lapic_init_closes_all_but_nmi_and_timer, prepare, finish),
		cmocka_unit_test_setup_teardown(lapic_init_uses_the_page_without_x2apic, prepare, finish),
		cmocka_unit_test_setup_teardown(lapic_timer_never_disarms_by_arming, prepare, finish),
		cmocka_unit_test_setup_teardown(lapic_timer_counts_to_the_deadline, prepare, finish),
		cmocka_unit_test_setup_teardown(lapic_timer_is_armed_once_per_deadline, prepare, finish),
		cmocka_unit_test_setup_teardown(lapic_isr_test_reads_the_right_bit, prepare, finish),
		cmocka_unit_test_setup_teardown(lapic_send_names_the_target, prepare, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
