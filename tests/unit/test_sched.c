/* SPDX-License-Identifier: Apache-2.0 */
/** Who runs next, over a fake CPU on which "running" is a function that lets time pass. */
#include "part/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/tsc.h"
#include "dbg/log.h"
#include "insn_fake.h"
#include "part/part.h"
#include "part/policy.h"
#include "vmx_fake.h"
#include "vtx/vmx.h"

#define IOREQ_PAGE (VMX_FAKE_ARGS + PAGE_SIZE)

static struct vcpu *guests[3]; /* control, desktop, browser */
static uint64_t ran[3];
static unsigned turns;
static jmp_buf out;

static unsigned running(void)
{
	for (unsigned i = 0; i < 3; i++) {
		if (cpu_this()->current == guests[i]) {
			return i;
		}
	}
	return 0;
}

/* A guest that never stops by itself: it runs until the timer that the back end armed. */
static bool spin(uint64_t *regs)
{
	uint64_t ticks = vmx_read(VMCS_PREEMPTION_TIMER);

	(void)regs;
	if (turns-- == 0) {
		longjmp(out, 1);
	}
	insn_fake.tsc += ticks;
	ran[running()] += ticks;
	vmx_write(VMCS_EXIT_REASON, EXIT_REASON_PREEMPTION_TIMER);
	vmx_write(VMCS_IDT_VECTORING_INFO, 0);
	return true;
}

static int setup(void **state)
{
	(void)state;
	vmx_fake_start_root_mode();
	assert_non_null(parts[0].policy);
	guests[0] = parts[0].vcpu[0];
	for (unsigned i = 1; i < 3; i++) {
		assert_int_equal(part_create(&parts[i], hpa(IOREQ_PAGE + i * PAGE_SIZE)), 0);
		guests[i] = parts[i].vcpu[0];
		guests[i]->state = VCPU_RUNNABLE;
		assert_int_equal(part_start(&parts[i]), 0);
	}
	memset(ran, 0, sizeof(ran));
	vmx_fake_enter = spin;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vmx_fake_stop_root_mode();
	return 0;
}

static void run_turns(unsigned count)
{
	struct vcpu *left;

	turns = count;
	if (setjmp(out) == 0) {
		sched_run();
	}
	left = cpu_this()->current;
	cpu_this()->current = NULL;
	cpu_this()->guest = 0;
	left->place = SCHED_OFF;
	sched_wake(left);
}

/* Who wants the CPU all the time gets it by weight: 400 to 100 to 100. */
static void sched_shares_by_weight(void **state)
{
	(void)state;
	run_turns(6000);
	assert_true(ran[1] > 0 && ran[2] > 0);
	assert_in_range(ran[0] * 100 / ran[1], 360, 440);
	assert_in_range(ran[1] * 100 / ran[2], 90, 110);
}

/* A slice ends although the guest never exits by itself. */
static void sched_slice_is_bounded(void **state)
{
	(void)state;
	run_turns(3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(ran[i] <= 2 * (uint64_t)SCHED_SLICE_US * tsc_khz() / 1000);
	}
}

/* Who keeps its interrupts off for a second is named once, and goes on running. */
static void sched_names_who_keeps_interrupts_off(void **state)
{
	static char text[0x10000];
	uint64_t start, before, written;
	const char *said;

	(void)state;
	log_read(0, text, sizeof(text), &start, &before);
	(void)vmcs_enter(guests[1]);
	vmx_write(VMCS_GUEST_RFLAGS, 2);
	(void)vmcs_enter(guests[2]);
	vmx_write(VMCS_GUEST_RFLAGS, 2 | 0x200);
	guests[0]->state = VCPU_HALTED; /* its next turn finds nothing to do */
	run_turns(600);			/* six seconds */
	text[log_read(before, text, sizeof(text) - 1, &start, &written)] = 0;
	said = strstr(text, "desktop: vcpu 0 keeps its interrupts off");
	assert_non_null(said);
	assert_null(strstr(strchr(said, '\n'), "keeps its interrupts off"));
	assert_true(ran[1] > 0 && ran[2] > 0);
}

/* A paused partition does not run; resumed it runs again. */
static void sched_leaves_paused_partitions_alone(void **state)
{
	(void)state;
	assert_int_equal(part_pause(&parts[1]), 0);
	run_turns(100);
	assert_int_equal(ran[1], 0);
	assert_int_equal(part_resume(&parts[1]), 0);
	run_turns(100);
	assert_true(ran[1] > 0);
}

/* Who slept a long time goes first when it wakes, but cannot live on what it did not use. */
static void sched_waking_goes_first_for_a_while(void **state)
{
	(void)state;
	guests[0]->state = VCPU_HALTED; /* its next turn finds nothing to do */
	run_turns(2000);
	memset(ran, 0, sizeof(ran));
	guests[0]->nmi = true;
	vcpu_request(guests[0], VCPU_REQ_IRQ);
	run_turns(1);
	assert_true(ran[0] > 0);
	assert_int_equal(ran[1] + ran[2], 0);
	run_turns(2000);
	assert_true(ran[1] > 0 && ran[2] > 0);
}

/* A deadline of a vcpu that does not run ends the slice of the one that does. */
static void sched_deadline_ends_a_slice(void **state)
{
	uint64_t soon = 1000;

	(void)state;
	guests[2]->state = VCPU_HALTED;
	guests[2]->lapic.svr = 0x1ff;
	guests[2]->lapic.lvt[0] = 2u << 17 | 0xec;
	vlapic_write_tsc_deadline(guests[2], insn_fake.tsc + soon);
	run_turns(1);
	assert_true(ran[0] + ran[1] <= soon);
	run_turns(1);
	assert_int_equal(guests[2]->state, VCPU_RUNNABLE);
}

/* A deadline that passes while its vcpu is paused is not forgotten: it may go on without another
 * look. */
static void sched_deadline_counts_while_paused(void **state)
{
	(void)state;
	guests[2]->lapic.svr = 0x1ff;
	guests[2]->lapic.lvt[0] = 2u << 17 | 0xec;
	vlapic_write_tsc_deadline(guests[2], insn_fake.tsc + 1000);
	assert_int_equal(part_pause(&parts[2]), 0);
	insn_fake.tsc += 2000;
	sched_expire(insn_fake.tsc);
	assert_true(guests[2]->requests & VCPU_REQ_TIMER);
}

/* A cap in the table in force, as percent; 0: none. */
static void cap_desktop(uint32_t percent)
{
	struct vmx_fake_policy table;

	vmx_fake_policy(&table);
	table.part[1].cap = percent;
	vmx_fake_seal(&table);
	assert_int_equal(policy_load(&table, sizeof(table)), 0);
}

static void run_for(uint64_t ticks)
{
	uint64_t end = insn_fake.tsc + ticks;

	memset(ran, 0, sizeof(ran));
	while (insn_fake.tsc < end) {
		run_turns(1);
	}
}

/* A partition with a cap gets that much of a CPU that everybody wants, and what it does not get the
 * others do. */
static void sched_cap_bounds_a_partition(void **state)
{
	uint64_t all, start;

	(void)state;
	cap_desktop(10);
	start = insn_fake.tsc;
	run_for(10000ull * tsc_khz()); /* ten seconds */
	all = insn_fake.tsc - start;
	assert_in_range(ran[1] * 1000 / all, 80, 101);
	assert_true(ran[2] * 100 / all >= 15);
	assert_true((ran[0] + ran[1] + ran[2]) * 100 / all >= 98);
}

/* Taken away, the cap is forgotten at once: what was owed is not paid. */
static void sched_cap_ends_with_the_table_that_had_it(void **state)
{
	(void)state;
	cap_desktop(1);
	run_for(1000ull * tsc_khz());
	assert_true(ran[1] <= 15ull * tsc_khz());
	cap_desktop(0);
	run_for(1000ull * tsc_khz());
	assert_true(ran[1] >= 100ull * tsc_khz());
}

/* A cap above what one vcpu can use holds nothing back. */
static void sched_cap_of_a_whole_cpu_costs_nothing(void **state)
{
	(void)state;
	cap_desktop(100);
	run_turns(6000);
	assert_in_range(ran[1] * 100 / ran[2], 90, 110);
}

/* A partition that is paused or reset while its cap holds it goes on afterwards. */
static void sched_cap_survives_pause_and_reset(void **state)
{
	(void)state;
	cap_desktop(10);
	for (unsigned i = 0; i < 20; i++) {
		run_for(7ull * tsc_khz());
		assert_int_equal(part_pause(&parts[1]), 0);
		run_for(i * tsc_khz());
		assert_int_equal(part_resume(&parts[1]), 0);
	}
	run_for(200ull * tsc_khz());
	assert_true(ran[1] > 0);
	assert_int_equal(part_reset(&parts[1]), 0);
	guests[1]->state = VCPU_RUNNABLE;
	assert_int_equal(part_start(&parts[1]), 0);
	run_for(1000ull * tsc_khz());
	assert_true(ran[1] > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sched_shares_by_weight),
		TEST(sched_slice_is_bounded),
		TEST(sched_names_who_keeps_interrupts_off),
		TEST(sched_leaves_paused_partitions_alone),
		TEST(sched_waking_goes_first_for_a_while),
		TEST(sched_deadline_ends_a_slice),
		TEST(sched_deadline_counts_while_paused),
		TEST(sched_cap_bounds_a_partition),
		TEST(sched_cap_ends_with_the_table_that_had_it),
		TEST(sched_cap_of_a_whole_cpu_costs_nothing),
		TEST(sched_cap_survives_pause_and_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
