/* SPDX-License-Identifier: Apache-2.0 */
/** Several vcpus: start, IPIs of each kind, NMI, wake-ups, a TLB shoot-down, time-stamp counters in step.
 *  expect: exit 1
 *  vcpus: 2 4
 *  timeout: 600 */
#include "guest.h"

#define VECTOR_COUNT 0x61u
#define VECTOR_SHOOT 0x62u
#define VECTOR_TIMER 0x63u
#define VECTOR_RING  0x64u
#define VECTOR_NMI   2u
#define SETTLE_US    20000u
#define WINDOW_VA    0x8000000000ull /* entry 1 of the PML4 */
#define RING_ROUNDS  200u
#define FLOOD        300u
#define ADDS         20000u
#define PTE_SMALL    3ull

extern uint64_t page_pml4[];
extern const uint8_t halt_begin[], halt_end[]; /* in job_halt_closed */

static uint32_t cpus;
static volatile uint32_t got[SMP_MAX], nmis[SMP_MAX], shot[SMP_MAX], rung[SMP_MAX], timed[SMP_MAX];
static volatile bool nmi_hold, reading;
static bool deadline;
static volatile uint32_t nmi_inside;
static volatile uint64_t sum, last_tsc, late;
static volatile uint32_t lock, epoch, wrong, ready;
static uint64_t window_tables[3][512] __attribute__((aligned(4096)));
static uint64_t window_pages[2][512] __attribute__((aligned(4096)));

static void handle_count(struct trap_frame *frame)
{
	(void)frame;
	__atomic_fetch_add(&got[smp_id()], 1, __ATOMIC_SEQ_CST);
	apic_eoi();
}

static void handle_nmi(struct trap_frame *frame)
{
	nmis[smp_id()]++;
	nmi_inside++;
	if (frame->rip >= (uint64_t)halt_begin && frame->rip < (uint64_t)halt_end) {
		frame->rip = (uint64_t)halt_end;
	}
	while (nmi_hold) {
		__asm__ volatile("pause");
	}
}

static void handle_shoot(struct trap_frame *frame)
{
	(void)frame;
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW_VA) : "memory");
	shot[smp_id()]++;
	apic_eoi();
}

static void handle_ring(struct trap_frame *frame)
{
	(void)frame;
	rung[smp_id()]++;
	apic_eoi();
}

static void handle_timer(struct trap_frame *frame)
{
	(void)frame;
	timed[smp_id()]++;
	apic_eoi();
}

/* True once *what is at least that; false when it never comes. */
static bool reaches(const volatile uint32_t *what, uint32_t value)
{
	uint64_t end = smp_patience();

	while (*what < value && cpu_rdtsc() < end) {
		__asm__ volatile("pause");
	}
	return *what >= value;
}

static void run_all(smp_job job)
{
	for (uint32_t i = 1; i < cpus; i++) {
		smp_run(i, job);
	}
}

static bool wait_all(void)
{
	bool over = true;

	for (uint32_t i = 1; i < cpus; i++) {
		over &= smp_wait(i);
	}
	return over;
}

/* Sends, and looks who got it: bit i of `want` for CPU i, each exactly once. */
static void check_ipi(uint32_t dest, uint32_t what, uint32_t want, const char *name)
{
	uint32_t seen = 0, more = 0;

	for (uint32_t i = 0; i < cpus; i++) {
		got[i] = 0;
	}
	cpu_sti();
	apic_ipi(dest, what | APIC_ICR_ASSERT | VECTOR_COUNT);
	for (uint32_t i = 0; i < cpus; i++) {
		if ((want >> i & 1) != 0) {
			reaches(&got[i], 1);
		}
	}
	smp_pause(SETTLE_US);
	cpu_cli();
	for (uint32_t i = 0; i < cpus; i++) {
		seen |= (got[i] != 0 ? 1u : 0u) << i;
		more += got[i] > 1 ? 1 : 0;
	}
	tap_ok(seen == want && more == 0, "%s", name);
	if (seen != want || more != 0) {
		guest_printf("# CPUs 0x%x, wanted 0x%x, more than once on %u\n", seen, want, more);
	}
}

static void check_ipis(void)
{
	const uint32_t all = (1u << cpus) - 1;

	for (uint32_t i = 0; i < cpus; i++) {
		check_ipi(i, 0, 1u << i, "IPI to one APIC ID");
	}
	check_ipi(0, APIC_ICR_SELF, 1, "IPI to self");
	check_ipi(0, APIC_ICR_ALL, all, "IPI to all including self");
	check_ipi(0, APIC_ICR_OTHERS, all & ~1u, "IPI to all others");
	check_ipi(apic_is_x2() ? 0xffffffff : 0xff, 0, all, "IPI to the broadcast ID");
	check_ipi(cpus, 0, 0, "IPI to an ID that nobody has");
	if (apic_is_x2()) {
		check_ipi(all & ~1u, APIC_ICR_LOGICAL, all & ~1u, "IPI to a logical set");
		check_ipi(0x10000u | all, APIC_ICR_LOGICAL, 0, "IPI to another cluster");
	}
}

static void job_report(uint32_t id)
{
	bool fits = smp_id() == id && (cpu_cpuid(1, 0).ebx >> 24) == id &&
		    (cpu_rdmsr(MSR_APIC_BASE) & 0x100) == 0;

	ready += fits ? 1 : 0;
}

static bool started_since(uint32_t starts)
{
	uint64_t end = smp_patience();

	while (smp_starts(1) == starts && cpu_rdtsc() < end) {
		__asm__ volatile("pause");
	}
	return smp_starts(1) == starts + 1;
}

static void check_start(void)
{
	uint32_t starts = smp_starts(1);

	ready = 0;
	for (uint32_t i = 1; i < cpus; i++) {
		smp_run(i, job_report);
		smp_wait(i);
	}
	tap_equal(ready, cpus - 1, "each knows its APIC ID and that it is not the boot CPU");
	apic_ipi(1, APIC_ICR_STARTUP | APIC_ICR_ASSERT | 8);
	smp_pause(SETTLE_US);
	smp_run(1, job_report);
	tap_ok(smp_wait(1) && smp_starts(1) == starts, "a start-up IPI to a running CPU does nothing");
	got[1] = 0;
	apic_ipi(1, APIC_ICR_INIT | APIC_ICR_ASSERT);
	smp_pause(SETTLE_US);
	apic_ipi(1, APIC_ICR_ASSERT | VECTOR_COUNT);
	smp_pause(SETTLE_US);
	tap_equal(got[1], 0, "after INIT it takes no interrupt");
	for (uint32_t i = 0; i < 20; i++) {
		starts = smp_starts(1);
		smp_start(1);
		if (!started_since(starts)) {
			break;
		}
	}
	tap_equal(smp_starts(1), starts + 1, "INIT and a start-up IPI start it again, 20 times");
	smp_run(1, job_report);
	tap_ok(smp_wait(1), "and it works as before");
}

/* An NMI that comes before the HLT would be slept over: handle_nmi goes on behind the loop then. */
static __attribute__((noinline)) void job_halt_closed(uint32_t id)
{
	ready = 1;
	__asm__ volatile("cli\n"
			 "halt_begin:\n\t"
			 "cmpl $0, %0\n\t"
			 "jne halt_end\n\t"
			 "hlt\n\t"
			 "jmp halt_begin\n"
			 "halt_end:"
			 :
			 : "m"(nmis[id])
			 : "cc", "memory");
}

static void job_spin_closed(uint32_t id)
{
	ready = 1;
	while (nmis[id] == 0) {
		__asm__ volatile("pause");
	}
}

static void check_nmi_to(smp_job job, const char *name)
{
	nmis[1] = 0;
	ready = 0;
	smp_run(1, job);
	reaches(&ready, 1);
	smp_pause(1000);
	apic_ipi(1, APIC_ICR_NMI | APIC_ICR_ASSERT);
	tap_ok(smp_wait(1) && nmis[1] == 1, "%s", name);
}

static void check_nmi(void)
{
	uint32_t seen = 0;

	check_nmi_to(job_halt_closed, "an NMI wakes a CPU that halts with interrupts off");
	check_nmi_to(job_spin_closed, "an NMI reaches a CPU that spins with interrupts off");
	for (uint32_t i = 0; i < cpus; i++) {
		nmis[i] = 0;
	}
	apic_ipi(0, APIC_ICR_OTHERS | APIC_ICR_NMI | APIC_ICR_ASSERT);
	for (uint32_t i = 1; i < cpus; i++) {
		seen += reaches(&nmis[i], 1) ? 1 : 0;
	}
	smp_pause(SETTLE_US);
	for (uint32_t i = 1; i < cpus; i++) {
		seen += nmis[i] == 1 ? 1 : 0;
	}
	tap_equal(seen, 2 * (cpus - 1), "NMI to all others: each takes one");
	tap_equal(nmis[0], 0, "and the sender none");
	nmi_hold = true;
	nmis[1] = 0;
	nmi_inside = 0;
	apic_ipi(1, APIC_ICR_NMI | APIC_ICR_ASSERT);
	reaches(&nmi_inside, 1);
	apic_ipi(1, APIC_ICR_NMI | APIC_ICR_ASSERT);
	apic_ipi(1, APIC_ICR_NMI | APIC_ICR_ASSERT);
	smp_pause(SETTLE_US);
	tap_equal(nmi_inside, 1, "no NMI inside the handler of one");
	nmi_hold = false;
	reaches(&nmi_inside, 2);
	smp_pause(SETTLE_US);
	tap_equal(nmi_inside, 2, "of those that came meanwhile one is left");
}

/* Halts until the token is here, gives it to the next. A wake-up that is lost stops the ring. */
static void job_ring(uint32_t id)
{
	for (uint32_t round = 1; round <= RING_ROUNDS; round++) {
		while (rung[id] < round) {
			cpu_sti_hlt_cli();
		}
		apic_ipi((id + 1) % cpus, APIC_ICR_ASSERT | VECTOR_RING);
	}
}

/* So that a halted boot CPU sees that nothing comes any more. */
static void alarm_set(uint64_t when)
{
	if (deadline) {
		apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR_TIMER);
		cpu_wrmsr(MSR_TSC_DEADLINE, when);
	}
}

static void check_wakes(void)
{
	uint64_t end = smp_patience();

	for (uint32_t i = 0; i < cpus; i++) {
		rung[i] = 0;
	}
	run_all(job_ring);
	apic_ipi(1, APIC_ICR_ASSERT | VECTOR_RING);
	alarm_set(end);
	for (uint32_t round = 1; round <= RING_ROUNDS && cpu_rdtsc() < end; round++) {
		while (rung[0] < round && cpu_rdtsc() < end) {
			cpu_sti_hlt_cli();
		}
		if (round < RING_ROUNDS) {
			apic_ipi(1, APIC_ICR_ASSERT | VECTOR_RING);
		}
	}
	alarm_set(0);
	tap_ok(wait_all() && rung[0] == RING_ROUNDS, "200 rounds of IPIs to halted CPUs: none is lost");
}

static void job_timer(uint32_t id)
{
	timed[id] = 0;
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR_TIMER);
	for (uint32_t i = 1; i <= 20; i++) {
		uint64_t when = cpu_rdtsc() + guest_tsc_hz() / 1000;

		cpu_wrmsr(MSR_TSC_DEADLINE, when);
		while (timed[id] < i) {
			cpu_sti_hlt_cli();
		}
		late += cpu_rdtsc() < when ? 1 : 0;
	}
}

static void check_timers(void)
{
	late = 0;
	run_all(job_timer);
	job_timer(0);
	tap_ok(wait_all() && late == 0, "each has a deadline timer of its own, none fires early");
}

static void job_read(uint32_t id)
{
	const volatile uint64_t *window = (const volatile uint64_t *)WINDOW_VA;

	(void)id;
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (reading) {
		uint32_t before = epoch;
		uint64_t value = *window;

		/* An odd epoch: the change is under way, old and new are both right. */
		if ((before & 1) == 0 && epoch == before && value != (before >> 1 & 1)) {
			wrong++;
		}
		__asm__ volatile("sti\n\tnop\n\tnop\n\tcli");
	}
}

static void check_shoot_down(void)
{
	const uint64_t page[2] = { (uint64_t)window_pages[0], (uint64_t)window_pages[1] };
	bool all = true;

	window_pages[1][0] = 1;
	page_pml4[1] = (uint64_t)window_tables[0] | PTE_SMALL;
	window_tables[0][0] = (uint64_t)window_tables[1] | PTE_SMALL;
	window_tables[1][0] = (uint64_t)window_tables[2] | PTE_SMALL;
	window_tables[2][0] = page[0] | PTE_SMALL;
	epoch = wrong = ready = 0;
	reading = true;
	run_all(job_read);
	all &= reaches(&ready, cpus - 1);
	for (uint32_t round = 1; round <= 50; round++) {
		for (uint32_t i = 1; i < cpus; i++) {
			shot[i] = 0;
		}
		epoch++;
		*(volatile uint64_t *)&window_tables[2][0] = page[round & 1] | PTE_SMALL;
		apic_ipi(0, APIC_ICR_OTHERS | APIC_ICR_ASSERT | VECTOR_SHOOT);
		for (uint32_t i = 1; i < cpus; i++) {
			all &= reaches(&shot[i], 1);
		}
		epoch++;
		smp_pause(200);
	}
	reading = false;
	all &= wait_all();
	tap_ok(all, "50 shoot-downs are answered by all");
	tap_equal(wrong, 0, "and after each nobody reads the old page");
}

static void job_clock(uint32_t id)
{
	(void)id;
	for (uint32_t i = 0; i < 500; i++) {
		uint64_t now;

		while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) != 0) {
			__asm__ volatile("pause");
		}
		now = cpu_rdtsc();
		wrong += now < last_tsc ? 1 : 0;
		last_tsc = now;
		__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	}
}

static void job_add(uint32_t id)
{
	(void)id;
	for (uint32_t i = 0; i < ADDS; i++) {
		__atomic_fetch_add(&sum, 1, __ATOMIC_SEQ_CST);
	}
}

static void check_shared(void)
{
	wrong = 0;
	run_all(job_clock);
	job_clock(0);
	tap_ok(wait_all() && wrong == 0, "the time-stamp counters are in step");
	sum = 0;
	run_all(job_add);
	job_add(0);
	wait_all();
	tap_equal(sum, (uint64_t)ADDS * cpus, "locked additions add up");
}

static void job_flood(uint32_t id)
{
	(void)id;
	cpu_sti();
	for (uint32_t i = 0; i < FLOOD; i++) {
		apic_ipi(0, APIC_ICR_OTHERS | APIC_ICR_ASSERT | VECTOR_COUNT);
	}
	cpu_cli();
}

static void check_flood(void)
{
	bool fair = true;

	for (uint32_t i = 0; i < cpus; i++) {
		got[i] = 0;
	}
	run_all(job_flood);
	job_flood(0);
	tap_ok(wait_all(), "all send IPIs to all others at once");
	cpu_sti();
	smp_pause(SETTLE_US);
	cpu_cli();
	for (uint32_t i = 0; i < cpus; i++) {
		fair &= got[i] >= 1 && got[i] <= FLOOD * (cpus - 1);
	}
	tap_ok(fair, "each gets some and not more than were sent");
	check_ipi(0, APIC_ICR_ALL, (1u << cpus) - 1, "and one more arrives everywhere");
}

int guest_main(void)
{
	deadline = (cpu_cpuid(1, 0).ecx & 1u << 24) != 0;
	apic_init();
	trap_set_handler(VECTOR_COUNT, handle_count);
	trap_set_handler(VECTOR_SHOOT, handle_shoot);
	trap_set_handler(VECTOR_TIMER, handle_timer);
	trap_set_handler(VECTOR_RING, handle_ring);
	trap_set_handler(VECTOR_NMI, handle_nmi);
	cpus = smp_start_all();
	tap_equal(cpus, smp_wanted(), "INIT and a start-up IPI to all others start every vcpu");
	if (cpus < 2) {
		return tap_done();
	}
	check_start();
	check_ipis();
	check_nmi();
	check_wakes();
	if (deadline) {
		check_timers();
	} else {
		tap_skip("deadline timers", "not offered");
	}
	check_shoot_down();
	check_shared();
	check_flood();
	return tap_done();
}
