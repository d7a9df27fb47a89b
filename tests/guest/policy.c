/* SPDX-License-Identifier: Apache-2.0 */
/** Policy tables that the control partition loads while this guest runs: one within the table of the boot
 *  counts at once, one that is refused changes nothing.
 *  expect: exit 1 */
#include "abi/err.h"
#include "guest.h"

#define VECTOR	  0x50u
#define BELL	  ((volatile uint32_t *)GUEST_DOORBELL_PAGE)
#define WORK	  6000000u /* rounds of a few ticks */

static volatile uint32_t interrupts;
static uint32_t loads; /* that must have been taken so far */

static void handle(struct trap_frame *frame)
{
	(void)frame;
	interrupts++;
	apic_eoi();
}

/* Error of the load, 0: taken. Whether it counts as one is checked too. */
static uint32_t load(uint32_t changes)
{
	uint32_t result;

	cpu_out32(GUEST_PORT_POLICY, changes);
	result = cpu_in32(GUEST_PORT_POLICY);
	loads += (result & 0xff) == 0;
	return result >> 8 == loads ? result & 0xff : UINT32_MAX;
}

/* 1: a ring of queue 1 reached the control partition. */
static uint32_t ring(void)
{
	(void)cpu_in32(GUEST_PORT_QUEUES);
	BELL[1] = 0;
	return cpu_in32(GUEST_PORT_QUEUES) >> 1;
}

static bool interrupted(void)
{
	uint32_t before = interrupts;

	cpu_out32(GUEST_PORT_MSI, VECTOR);
	for (unsigned int i = 0; i < 1000; i++) {
		cpu_sti();
		__asm__ volatile("nop");
		cpu_cli();
	}
	return interrupts != before;
}

static void check_rights(void)
{
	tap_equal(load(0), 0, "the table of the boot can be loaded again");
	tap_ok(ring() && interrupted(), "rings and interrupts arrive");
	tap_equal(load(GUEST_POLICY_NO_RING), 0, "a table that allows less is taken");
	tap_equal(ring(), 0, "the ring goes nowhere");
	tap_ok(interrupted(), "interrupts arrive");
	tap_equal(load(GUEST_POLICY_NO_IRQ), 0, "another is taken in its place");
	tap_equal(ring(), 1, "rings arrive again");
	tap_ok(!interrupted(), "interrupts do not");
}

/* In force is a table without interrupts. */
static void check_refused(void)
{
	static const uint32_t more[] = {GUEST_POLICY_MORE, GUEST_POLICY_RIGHTS,
					GUEST_POLICY_MORE | GUEST_POLICY_NO_RING};

	for (unsigned int i = 0; i < sizeof(more) / sizeof(*more); i++) {
		tap_equal(load(more[i]), BH_DENIED, "a table that allows more is denied");
		tap_ok(ring() == 1 && !interrupted(), "and all is as it was");
	}
	tap_equal(load(GUEST_POLICY_DAMAGED), BH_CORRUPT, "a damaged one is refused");
	tap_ok(ring() == 1 && !interrupted(), "and all is as it was");
	tap_equal(load(0), 0, "back to the table of the boot");
	tap_ok(ring() && interrupted(), "rings and interrupts arrive");
}

/* Ticks for a fixed amount of work without exits. */
static uint64_t work(void)
{
	uint64_t start = cpu_rdtsc();

	for (volatile uint32_t i = 0; i < WORK; i++) {
	}
	return cpu_rdtsc() - start;
}

static void check_cap(void)
{
	uint64_t free = work(), capped;

	tap_equal(load(GUEST_POLICY_CAP), 0, "a table with a cap of ten percent is taken");
	capped = work();
	guest_printf("# %lu ticks without, %lu with a cap\n", free, capped);
	tap_ok(capped >= 9 * free && capped <= 11 * free, "the work takes ten times as long");
	tap_equal(load(0), 0, "back to the table of the boot");
	capped = work();
	tap_ok(capped < 2 * free, "the work is as fast as it was");
}

int guest_main(void)
{
	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	apic_init();
	trap_set_handler(VECTOR, handle);
	check_rights();
	check_refused();
	check_cap();
	return tap_done();
}
