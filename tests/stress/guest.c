/* SPDX-License-Identifier: Apache-2.0 */
/** A guest that never rests: its vcpus wake each other, flood each other, set timers and ring
 *  doorbells, round after round, and tell the control partition after each (STRESS_PORT). What
 *  does not come in time ends it with a message. The command line has `vcpus=N`. */
#include "guest.h"
#include "stress.h"

#define VECTOR_RING  0x61u
#define VECTOR_FLOOD 0x62u
#define VECTOR_TIMER 0x63u
#define RING_ROUNDS  20u
#define FLOOD	     50u
#define TIMERS	     5u

static uint32_t cpus;
static volatile uint32_t ring[SMP_MAX], flood[SMP_MAX], timer[SMP_MAX];
static volatile bool late[SMP_MAX];

static void handle_ring(struct trap_frame *frame)
{
	(void)frame;
	ring[smp_id()]++;
	apic_eoi();
}

static void handle_flood(struct trap_frame *frame)
{
	(void)frame;
	flood[smp_id()]++;
	apic_eoi();
}

static void handle_timer(struct trap_frame *frame)
{
	(void)frame;
	timer[smp_id()]++;
	apic_eoi();
}

static void handle_nothing(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

static _Noreturn void fail(const char *what)
{
	guest_printf("%s\n", what);
	guest_exit(1);
}

static void arm(uint64_t us)
{
	cpu_wrmsr(MSR_TSC_DEADLINE, cpu_rdtsc() + us * (guest_tsc_hz() / 1000000));
}

/* Halts until the counter has reached the value. A timer ends the sleep if nothing else does: late. */
static void sleep_until(const volatile uint32_t *counter, uint32_t value, uint32_t id)
{
	arm(STRESS_LATE_S * 1000000ull);
	while (*counter < value && !late[id]) {
		uint32_t before = timer[id];

		cpu_sti_hlt_cli();
		late[id] = timer[id] != before && *counter < value;
	}
	cpu_wrmsr(MSR_TSC_DEADLINE, 0);
}

/* Each halts until the one before it has woken it, and wakes the next. */
static void job_ring(uint32_t id)
{
	uint32_t seen = 0;

	for (uint32_t i = 0; i < RING_ROUNDS && !late[id]; i++) {
		if (id != 0 || i != 0) {
			sleep_until(&ring[id], ++seen, id);
		}
		apic_ipi((id + 1) % cpus, APIC_ICR_ASSERT | VECTOR_RING);
	}
	if (id == 0) {
		sleep_until(&ring[id], ++seen, id);
	}
}

static void job_flood(uint32_t id)
{
	(void)id;
	cpu_sti();
	for (uint32_t i = 0; i < FLOOD; i++) {
		apic_ipi(0, APIC_ICR_OTHERS | APIC_ICR_ASSERT | VECTOR_FLOOD);
	}
	cpu_cli();
}

static void job_timers(uint32_t id)
{
	for (uint32_t i = 0; i < TIMERS; i++) {
		uint32_t before = timer[id];

		arm(50 + 37 * id);
		while (timer[id] == before) {
			cpu_sti_hlt_cli();
		}
	}
}

static void job_doorbells(uint32_t id)
{
	for (uint32_t i = 0; i < 8; i++) {
		*(volatile uint32_t *)(STRESS_DOORBELLS + 4 * (id + i)) = i;
	}
}

static void job_setup(uint32_t id)
{
	(void)id;
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR_TIMER);
}

static void all_do(smp_job job, const char *what)
{
	for (uint32_t i = 1; i < cpus; i++) {
		smp_run(i, job);
	}
	job(0);
	for (uint32_t i = 0; i < cpus; i++) {
		if ((i != 0 && !smp_wait(i)) || late[i]) {
			fail(what);
		}
	}
}

static void check_flood(void)
{
	uint64_t end = smp_patience();

	for (uint32_t i = 0; i < cpus; i++) {
		while (cpus > 1 && flood[i] == 0) {
			cpu_sti();
			__asm__ volatile("pause");
			cpu_cli();
			if (cpu_rdtsc() > end) {
				fail("a flood of interrupts did not arrive");
			}
		}
		flood[i] = 0;
	}
}

int guest_main(void)
{
	apic_init();
	trap_set_handler(VECTOR_RING, handle_ring);
	trap_set_handler(VECTOR_FLOOD, handle_flood);
	trap_set_handler(VECTOR_TIMER, handle_timer);
	trap_set_handler(STRESS_VECTOR, handle_nothing);
	cpus = smp_start_all();
	if (cpus != smp_wanted()) {
		fail("not all vcpus have started");
	}
	all_do(job_setup, "a vcpu takes no orders");
	for (uint32_t round = 1;; round++) {
		memset((void *)(uintptr_t)ring, 0, sizeof(ring)); /* nobody is waking anybody now */
		all_do(job_ring, "a wake-up is lost");
		all_do(job_flood, "a vcpu does not end its flood");
		check_flood();
		all_do(job_timers, "a timer is lost");
		all_do(job_doorbells, "a vcpu does not end its rings");
		__asm__ volatile("outl %0, %w1" : : "a"(round), "Nd"(STRESS_PORT));
	}
}
