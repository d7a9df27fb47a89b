/* SPDX-License-Identifier: Apache-2.0 */
/** The other CPUs, one after the other: INIT, start-up IPI, and then each step of the new CPU
 *  within a bounded time. The first CPU and the new one take turns by `phase`. Built for the
 *  target alone. Source: SDM 3A, "MP Initialization Protocol Algorithm"; MultiProcessor
 *  Specification 1.4, "Application Processor Startup". */
#include "boot/ap.h"

#include "acpi/acpi.h"
#include "boot/pvh.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "dbg/halt.h"
#include "dbg/log.h"
#include "irq/lapic.h"
#include "lib/boot_info.h"
#include "lib/string.h"
#include "mem/hspace.h"
#include "part/backend.h"
#include "part/sched.h"
#include "part/xcr0.h"

#define TAG	   "boot"
#define INIT_US	   10000u
#define AGAIN_US   1000u    /* until the second start-up IPI */
#define ARRIVE_US  20000000u /* emulators start slowly */
#define STEP_US	   20000000u /* for all that follows */

enum phase {
	PHASE_CALLED,  /* first CPU: sent what starts it */
	PHASE_ARRIVED, /* new CPU: runs our code, and compares its TSC with the first CPU's next */
	PHASE_READY,   /* new CPU: can run vcpus, and does when it is counted in */
	PHASE_FAILED,  /* new CPU: cannot, and stops */
};

extern const uint8_t ap_page[], ap_page_end[];
extern uint32_t ap_ticket;
extern uint64_t ap_stack;
void ap_main(void);

uint32_t ap_ticket;
uint64_t ap_stack;
static uint32_t phase;
static struct tsc_pair pair;

static uint32_t get_phase(void)
{
	return __atomic_load_n(&phase, __ATOMIC_ACQUIRE);
}

static void set_phase(uint32_t value)
{
	__atomic_store_n(&phase, value, __ATOMIC_RELEASE);
}

static int init_cpu(struct cpu *cpu)
{
	int err;

	lapic_init();
	cpu->apic_id = lapic_id();
	sched_init(cpu);
	set_phase(PHASE_ARRIVED);
	if (tsc_compare(&pair, tsc_khz() * STEP_US / 1000)) {
		return boot_fail(BH_NOSUPP,
				 "its time-stamp counter is not in step with the first CPU's");
	}
	err = backend->cpu_init();
	return err ? err : xcr0_init();
}

/* The new CPU, on its own stack and the tables of the start. */
void ap_main(void)
{
	struct cpu *cpu = &cpus[cpu_count()];
	int err;

	cpu_init((unsigned)(cpu - cpus));
	err = cpu_protect();
	if (!err) {
		insn_write_cr3(hspace_cr3());
		err = init_cpu(cpu);
	}
	set_phase(err ? PHASE_FAILED : PHASE_READY);
	while (!err && cpu_count() <= cpu->id) {
		insn_pause();
	}
	if (!err) {
		sched_run();
	}
	insn_stop();
}

static void wait_us(uint64_t us)
{
	uint64_t end = insn_rdtsc() + us * tsc_khz() / 1000;

	while (insn_rdtsc() < end) {
		insn_pause();
	}
}

/* Waits while the new CPU is in that phase; false: it does not leave it. */
static bool left_phase(uint32_t value, uint64_t us)
{
	uint64_t end = insn_rdtsc() + us * tsc_khz() / 1000;

	while (get_phase() == value && insn_rdtsc() < end) {
		insn_pause();
	}
	return get_phase() != value;
}

static bool call(uint32_t apic_id, unsigned page)
{
	__atomic_store_n(&ap_ticket, 1, __ATOMIC_SEQ_CST);
	lapic_send_init(apic_id);
	wait_us(INIT_US);
	lapic_send_sipi(apic_id, page);
	if (!left_phase(PHASE_CALLED, AGAIN_US)) {
		lapic_send_sipi(apic_id, page);
	}
	if (left_phase(PHASE_CALLED, ARRIVE_US)) {
		return true;
	}
	__atomic_store_n(&ap_ticket, 0, __ATOMIC_SEQ_CST);
	lapic_send_init(apic_id); /* wherever it is */
	return false;
}

/* NULL, or why the CPU cannot be used. */
static const char *bring_up(uint32_t apic_id, unsigned page)
{
	struct cpu_stacks *stacks = &cpu_stacks[cpu_count()];

	ap_stack = (uintptr_t)stacks->main + sizeof(stacks->main);
	memset(&pair, 0, sizeof(pair));
	boot_error = "it lacks what the first CPU has";
	set_phase(PHASE_CALLED);
	if (!call(apic_id, page)) {
		return "it does not start";
	}
	(void)tsc_compare(&pair, tsc_khz() * STEP_US / 1000); /* it sees the same result */
	if (!left_phase(PHASE_ARRIVED, STEP_US)) {
		return "it got stuck";
	}
	return get_phase() == PHASE_FAILED ? boot_error : NULL;
}

/* False: a CPU has run away with what the next one would need. */
static bool start(uint32_t apic_id, unsigned page)
{
	const char *why = bring_up(apic_id, page);

	if (why) {
		log_error(TAG, "CPU with APIC id %x stays off: %s", apic_id, why);
		return get_phase() != PHASE_ARRIVED;
	}
	cpu_count_add();
	return true;
}

static bool is_running(uint32_t apic_id)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		if (cpus[i].apic_id == apic_id) {
			return true;
		}
	}
	return false;
}

static unsigned limit(void)
{
	uint64_t wanted = boot_option_u64("cpus", CPU_MAX);

	return wanted == 0 ? 1 : (unsigned)MIN(wanted, CPU_MAX);
}

void ap_start_all(const struct boot_info *info)
{
	static uint8_t saved[PAGE_SIZE];
	const struct acpi_info *acpi = acpi_get();
	uint64_t page = limit() > 1 && acpi->cpu_count > 1 ? pvh_find_low(info, PAGE_SIZE) : 0;
	bool more = page != 0;

	if (acpi->cpu_found > CPU_MAX) {
		log_error(TAG, "%u CPUs are more than the %u that are supported: the others stay off",
			  acpi->cpu_found, CPU_MAX);
	}
	halt_others = lapic_send_nmi_others;
	if (page) {
		memcpy(saved, hpa_ptr(hpa(page)), PAGE_SIZE);
		memcpy(hpa_ptr(hpa(page)), ap_page, (size_t)(ap_page_end - ap_page));
	}
	for (uint32_t i = 0; more && i < acpi->cpu_count && cpu_count() < limit(); i++) {
		if (!is_running(acpi->apic_id[i])) {
			more = start(acpi->apic_id[i], (unsigned)(page >> PAGE_SHIFT));
		}
	}
	if (page) {
		memcpy(hpa_ptr(hpa(page)), saved, PAGE_SIZE);
	}
	log_notice(TAG, "%u of %u CPUs", cpu_count(), acpi->cpu_found);
}
