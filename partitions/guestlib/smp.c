/* SPDX-License-Identifier: Apache-2.0 */
/** The other CPUs of a test kernel: their start by INIT and start-up IPI, orders to them, IPIs.
 *
 *  CPU i has local APIC ID i. The started ones wait in HLT for an order (smp_run) with interrupts off
 *  but at the HLT. Source: SDM 3A, "Typical AP Initialization Sequence".
 */
#include "guest.h"

#define TRAMPOLINE_AT 0x8000u
#define PATIENCE_S    120u

extern uint8_t smp_trampoline[], smp_trampoline_end[];
void smp_main(uint32_t id);

static volatile uint32_t up;
static volatile uint32_t starts[SMP_MAX];
static smp_job volatile jobs[SMP_MAX];

uint32_t smp_wanted(void)
{
	const char *at = guest_cmdline();
	const size_t n = sizeof("vcpus=") - 1;

	for (; strlen(at) > n; at++) {
		if (memcmp(at, "vcpus=", n) == 0) {
			return (uint32_t)(at[n] - '0');
		}
	}
	return 1;
}

uint64_t smp_patience(void)
{
	return cpu_rdtsc() + PATIENCE_S * guest_tsc_hz();
}

void smp_pause(uint64_t us)
{
	uint64_t end = cpu_rdtsc() + us * (guest_tsc_hz() / 1000000);

	while (cpu_rdtsc() < end) {
		__asm__ volatile("pause");
	}
}

static void wake(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

void smp_init(void)
{
	memcpy((void *)(uint64_t)TRAMPOLINE_AT, smp_trampoline,
	       (size_t)(smp_trampoline_end - smp_trampoline));
	trap_set_handler(SMP_WAKE, wake);
}

void smp_start(uint32_t id)
{
	apic_ipi(id, APIC_ICR_INIT | APIC_ICR_ASSERT);
	smp_pause(10000);
	apic_ipi(id, APIC_ICR_STARTUP | APIC_ICR_ASSERT | TRAMPOLINE_AT >> 12);
}

uint32_t smp_start_all(void)
{
	uint32_t wanted = smp_wanted();
	uint64_t end;

	smp_init();
	apic_ipi(0, APIC_ICR_OTHERS | APIC_ICR_INIT | APIC_ICR_ASSERT);
	smp_pause(10000);
	apic_ipi(0, APIC_ICR_OTHERS | APIC_ICR_STARTUP | APIC_ICR_ASSERT | TRAMPOLINE_AT >> 12);
	end = smp_patience();
	while (up + 1 < wanted && cpu_rdtsc() < end) {
		__asm__ volatile("pause");
	}
	smp_pause(10000); /* one too many would show now */
	return up + 1;
}

uint32_t smp_starts(uint32_t id)
{
	return starts[id];
}

uint32_t smp_id(void)
{
	return apic_is_x2() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void smp_run(uint32_t id, smp_job job)
{
	jobs[id] = job;
	apic_ipi(id, APIC_ICR_ASSERT | SMP_WAKE);
}

bool smp_wait(uint32_t id)
{
	uint64_t end = smp_patience();

	while (jobs[id] != NULL && cpu_rdtsc() < end) {
		__asm__ volatile("pause");
	}
	return jobs[id] == NULL;
}

/* Each CPU that was started, on a stack of its own. */
void smp_main(uint32_t id)
{
	trap_load();
	if ((cpu_cpuid(1, 0).ecx & 1u << 26) != 0) {
		cpu_write_cr4(cpu_read_cr4() | CR4_OSXSAVE);
	}
	apic_init();
	starts[id]++;
	jobs[id] = NULL;
	__atomic_fetch_add(&up, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		while (jobs[id] == NULL) {
			cpu_sti_hlt_cli();
		}
		jobs[id](id);
		jobs[id] = NULL;
	}
}
