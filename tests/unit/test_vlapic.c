/* SPDX-License-Identifier: Apache-2.0 */
/** The local APIC of a vcpu, through the registers a guest sees. */
#include "part/vlapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "insn_fake.h"
#include "part/part.h"
#include "part/sched.h"

#define MSR(reg) (0x800u + (reg))
enum { ID = 2, TPR = 8, EOI = 0xb, LDR = 0xd, SVR = 0xf, ISR1 = 0x11, IRR1 = 0x21, ICR = 0x30 };
enum { TIMER = 0x32, INITIAL = 0x38, DIVIDE = 0x3e, SELF_IPI = 0x3f };

static struct part part;
static struct vcpu vcpus[2];
static struct bh_policy_part policy = {.name = "guest", .vcpu_count = 2, .weight = 100};

static int setup(void **state)
{
	(void)state;
	memset(&part, 0, sizeof(part));
	memset(vcpus, 0, sizeof(vcpus));
	part.id = 1;
	part.policy = &policy;
	part.vcpu_count = 2;
	cpu_init(0);
	sched_init(cpu_this());
	for (unsigned i = 0; i < 2; i++) {
		vcpus[i].part = &part;
		vcpus[i].id = i;
		vcpus[i].apic_id = i;
		vcpus[i].state = VCPU_HALTED;
		sched_attach(&vcpus[i]);
		part.vcpu[i] = &vcpus[i];
		vlapic_reset(&vcpus[i].lapic, i, true);
		assert_int_equal(vlapic_write_msr(&vcpus[i], MSR(SVR), 0x1ff), 0);
	}
	return 0;
}

static uint64_t read_reg(struct vcpu *vcpu, unsigned reg)
{
	uint64_t value = 0;

	assert_int_equal(vlapic_read_msr(vcpu, MSR(reg), &value), 0);
	return value;
}

/* An interrupt waits in IRR, moves to ISR when delivered, and leaves with EOI. */
static void vlapic_carries_a_vector_from_irr_to_eoi(void **state)
{
	(void)state;
	vlapic_raise(&vcpus[0], 0x41, false);
	assert_int_equal(read_reg(&vcpus[0], IRR1 + 1), 1 << 1);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), 0x41);
	vlapic_accept(&vcpus[0].lapic, 0x41);
	assert_int_equal(read_reg(&vcpus[0], IRR1 + 1), 0);
	assert_int_equal(read_reg(&vcpus[0], ISR1 + 1), 1 << 1);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(EOI), 0), 0);
	assert_int_equal(read_reg(&vcpus[0], ISR1 + 1), 0);
}

/* A vector is held back while one of the same or a higher class is in service. */
static void vlapic_holds_back_lower_classes(void **state)
{
	(void)state;
	vlapic_raise(&vcpus[0], 0x81, false);
	vlapic_accept(&vcpus[0].lapic, 0x81);
	vlapic_raise(&vcpus[0], 0x8f, false);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), -1);
	vlapic_raise(&vcpus[0], 0x91, false);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), 0x91);
}

/* The task priority holds back its class and all below. */
static void vlapic_honours_task_priority(void **state)
{
	(void)state;
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(TPR), 0x50), 0);
	vlapic_raise(&vcpus[0], 0x5f, false);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), -1);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(TPR), 0x40), 0);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), 0x5f);
}

/* A software-disabled APIC delivers nothing. */
static void vlapic_disabled_delivers_nothing(void **state)
{
	(void)state;
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(SVR), 0xff), 0);
	vlapic_raise(&vcpus[0], 0x41, false);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), -1);
}

/* Registers that do not exist, reserved bits and a non-zero EOI are #GP for the guest. */
static void vlapic_refuses_what_the_manual_forbids(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(ID), 0), -BH_INVAL);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(EOI), 1), -BH_INVAL);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(TPR), 1ull << 32), -BH_INVAL);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(0x0e), 0), -BH_INVAL);
	assert_int_equal(vlapic_read_msr(&vcpus[0], MSR(EOI), &value), -BH_INVAL);
	assert_int_equal(vlapic_read_msr(&vcpus[0], MSR(0xff), &value), -BH_INVAL);
}

/* A fixed IPI by physical id reaches that vcpu only; "all but self" reaches the others. */
static void vlapic_sends_ipis(void **state)
{
	(void)state;
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(ICR), 1ull << 32 | 0x61), 0);
	assert_int_equal(vlapic_pending(&vcpus[1].lapic), 0x61);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), -1);
	assert_int_equal(vlapic_write_msr(&vcpus[1], MSR(ICR), 3ull << 18 | 0x71), 0);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), 0x71);
	assert_int_equal(vlapic_pending(&vcpus[1].lapic), 0x61);
}

/* A logical destination names a cluster and a set of members. */
static void vlapic_sends_logical_ipis(void **state)
{
	(void)state;
	assert_int_equal(read_reg(&vcpus[1], LDR), 2);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(ICR), 2ull << 32 | 1u << 11 | 0x62), 0);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), -1);
	assert_int_equal(vlapic_pending(&vcpus[1].lapic), 0x62);
}

/* An MSI must name the local APIC's page, a real vector and a mode we deliver. */
static void vlapic_msi_checks_the_message(void **state)
{
	(void)state;
	assert_int_equal(vlapic_msi(&vcpus[0], 0xfee01000, 0x45), 0);
	assert_int_equal(vlapic_pending(&vcpus[1].lapic), 0x45);
	assert_int_equal(vlapic_msi(&vcpus[0], 0xfed00000, 0x45), -BH_INVAL);
	assert_int_equal(vlapic_msi(&vcpus[0], 0xfee00000, 0x05), -BH_INVAL);
	assert_int_equal(vlapic_msi(&vcpus[0], 0xfee00000, 0x445), -BH_INVAL);
}

/* The TSC deadline fires once, at its time, and reads 0 afterwards. */
static void vlapic_tsc_deadline_fires_once(void **state)
{
	(void)state;
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(TIMER), 2u << 17 | 0xec), 0);
	vlapic_write_tsc_deadline(&vcpus[0], 5000);
	assert_int_equal(vcpus[0].lapic.deadline, 5000);
	vlapic_timer_expire(&vcpus[0], 5000);
	assert_int_equal(vlapic_pending(&vcpus[0].lapic), 0xec);
	assert_int_equal(vcpus[0].lapic.deadline, 0);
	assert_int_equal(vcpus[0].lapic.tsc_deadline, 0);
}

/* In another timer mode the deadline register is ignored; the count arms a deadline times the
 * divider. */
static void vlapic_counts_in_oneshot_mode(void **state)
{
	(void)state;
	vlapic_write_tsc_deadline(&vcpus[0], 5000);
	assert_int_equal(vcpus[0].lapic.deadline, 0);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(TIMER), 0xec), 0);
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(DIVIDE), 0x3), 0); /* by 16 */
	insn_fake.tsc = 77;
	assert_int_equal(vlapic_write_msr(&vcpus[0], MSR(INITIAL), 100), 0);
	assert_int_equal(vcpus[0].lapic.deadline, 77 + 1600);
}

/* x2APIC mode cannot be left for xAPIC mode directly, nor the page be moved. */
static void vlapic_base_allows_only_the_manuals_steps(void **state)
{
	(void)state;
	assert_int_equal(vlapic_write_base(&vcpus[0], 0xfee00800), -BH_INVAL);
	assert_int_equal(vlapic_write_base(&vcpus[0], 0xfed00c00), -BH_INVAL);
	assert_int_equal(vlapic_write_base(&vcpus[0], 0xfee00000), 0);
	assert_int_equal(vlapic_write_base(&vcpus[0], 0xfee00c00), -BH_INVAL);
	assert_int_equal(vlapic_write_base(&vcpus[0], 0xfee00800), 0);
	assert_int_equal(vlapic_write_base(&vcpus[0], 0xfee00c00), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(vlapic_carries_a_vector_from_irr_to_eoi, setup),
		cmocka_unit_test_setup(vlapic_holds_back_lower_classes, setup),
		cmocka_unit_test_setup(vlapic_honours_task_priority, setup),
		cmocka_unit_test_setup(vlapic_disabled_delivers_nothing, setup),
		cmocka_unit_test_setup(vlapic_refuses_what_the_manual_forbids, setup),
		cmocka_unit_test_setup(vlapic_sends_ipis, setup),
		cmocka_unit_test_setup(vlapic_sends_logical_ipis, setup),
		cmocka_unit_test_setup(vlapic_msi_checks_the_message, setup),
		cmocka_unit_test_setup(vlapic_tsc_deadline_fires_once, setup),
		cmocka_unit_test_setup(vlapic_counts_in_oneshot_mode, setup),
		cmocka_unit_test_setup(vlapic_base_allows_only_the_manuals_steps, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
