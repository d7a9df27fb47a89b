/* SPDX-License-Identifier: Apache-2.0 */
/** Measures round trips out of a partition and back, by the time-stamp counter.
 *
 *  Each figure: 200 rounds, the median of empty rounds subtracted, printed as `figure NAME MIN MEDIAN
 *  MAX`. On Bochs the counter counts instructions: the figures are exact and repeat. ./bench reads them.
 */
#include "guest.h"

#define ROUNDS     200u
#define VECTOR     0x60u
#define MSR_APIC_X 0x800u
#define MSR_EOI    (MSR_APIC_X + APIC_EOI)
#define MSR_SELF   (MSR_APIC_X + APIC_SELF_IPI)
#define PAGE       4096ull
#define SETTLE     200000000ull /* ticks */

static uint64_t samples[ROUNDS];
static uint64_t empty;
static volatile uint64_t isr_time;

static void sort(void)
{
	for (unsigned int i = 1; i < ROUNDS; i++) {
		uint64_t v = samples[i];
		unsigned int j = i;

		for (; j > 0 && samples[j - 1] > v; j--) {
			samples[j] = samples[j - 1];
		}
		samples[j] = v;
	}
}

static uint64_t net(uint64_t ticks)
{
	return ticks > empty ? ticks - empty : 0;
}

static void report(const char *name)
{
	sort();
	guest_printf("figure %s %lu %lu %lu\n", name, net(samples[0]), net(samples[ROUNDS / 2]),
		     net(samples[ROUNDS - 1]));
}

/* One figure: `code` runs between two looks at the counter. */
#define MEASURE(name, code)                                   \
	do {                                                  \
		for (unsigned int i = 0; i < ROUNDS; i++) {   \
			uint64_t start = cpu_rdtsc();         \
			code;                                 \
			samples[i] = cpu_rdtsc() - start;     \
		}                                             \
		report(name);                                 \
	} while (0)

static void handle_interrupt(struct trap_frame *frame)
{
	(void)frame;
	isr_time = cpu_rdtsc();
	cpu_wrmsr(MSR_EOI, 0);
}

/* From the instruction that causes the interrupt until the handler runs; interrupts are on. */
static void measure_self_ipi(void)
{
	trap_set_handler(VECTOR, handle_interrupt);
	cpu_sti();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t start = cpu_rdtsc();

		cpu_wrmsr(MSR_SELF, VECTOR);
		__asm__ volatile("nop");
		samples[i] = isr_time - start;
	}
	cpu_cli();
	report("self_ipi_to_handler");
}

/* A port write to the control partition, which posts an MSI; until the handler runs. */
static void measure_message(void)
{
	cpu_sti();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t start = cpu_rdtsc();

		isr_time = 0;
		cpu_out32(GUEST_PORT_MSI, VECTOR);
		while (isr_time == 0) {
			__asm__ volatile("pause");
		}
		samples[i] = isr_time - start;
	}
	cpu_cli();
	report("msi_from_control_to_handler");
}

static void measure_first_touch(void)
{
	uint64_t at = guest_ram_size() - (ROUNDS + 1) * PAGE;

	for (unsigned int i = 0; i < ROUNDS; i++, at += PAGE) {
		uint64_t start = cpu_rdtsc();

		*(volatile uint8_t *)at = 1;
		samples[i] = cpu_rdtsc() - start;
	}
	report("first_touch");
}

/* Only the bare control partition has the test device: it keeps what was written. */
static bool served_by_bare(void)
{
	volatile uint32_t *device = (volatile uint32_t *)GUEST_MMIO_TEST;

	*device = 0x12345678;
	return *device == 0x12345678;
}

/* The same accesses, answered by the runner process of a Linux control partition. */
static _Noreturn void measure_runner(void)
{
	uint64_t begin = cpu_rdtsc();

	while (cpu_rdtsc() - begin < SETTLE) { /* whoever started us becomes idle first */
	}
	MEASURE("port_write_runner", cpu_out8(GUEST_PORT_ECHO, 1));
	MEASURE("port_read_runner", (void)cpu_in8(GUEST_PORT_ECHO));
	MEASURE("mmio_write_runner", *(volatile uint32_t *)GUEST_MMIO_TEST = 1);
	MEASURE("mmio_read_runner", (void)*(volatile uint32_t *)GUEST_MMIO_TEST);
	guest_printf("figures end\n");
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

int guest_main(void)
{
	uint64_t far = 1ull << 62;

	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	apic_init();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t start = cpu_rdtsc();

		samples[i] = cpu_rdtsc() - start;
	}
	sort();
	empty = samples[ROUNDS / 2];
	guest_printf("empty %lu\n", empty);
	if (!served_by_bare()) {
		measure_runner();
	}
	MEASURE("cpuid", (void)cpu_cpuid(0, 0));
	MEASURE("hypercall", (void)guest_hypercall(0, 0, 0, 0));
	MEASURE("rdmsr", (void)cpu_rdmsr(MSR_APIC_BASE));
	MEASURE("x2apic_eoi", cpu_wrmsr(MSR_EOI, 0));
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR);
	MEASURE("tsc_deadline_write", cpu_wrmsr(MSR_TSC_DEADLINE, far));
	cpu_wrmsr(MSR_TSC_DEADLINE, 0);
	measure_self_ipi();
	MEASURE("mmio_doorbell", *(volatile uint32_t *)GUEST_DOORBELL_PAGE = 0);
	MEASURE("port_write_bare", cpu_out8(GUEST_PORT_ECHO, 1));
	MEASURE("port_read_bare", (void)cpu_in8(GUEST_PORT_ECHO));
	MEASURE("mmio_write_bare", *(volatile uint32_t *)GUEST_MMIO_TEST = 1);
	MEASURE("mmio_read_bare", (void)*(volatile uint32_t *)GUEST_MMIO_TEST);
	measure_message();
	measure_first_touch();
	return 0;
}
