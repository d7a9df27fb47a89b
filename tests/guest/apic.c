/* SPDX-License-Identifier: Apache-2.0 */
/** Local APIC: self IPI, priorities, nesting, EOI, the three timer modes, register access rules.
 *  expect: exit 1 */
#include "guest.h"

#define LOW      0x51u
#define HIGH     0x91u
#define TIMER    0xd0u
#define DIVIDE_1 0xbu

static volatile uint32_t low_count, high_count, timer_count;
static volatile bool low_isr, high_inside_low, nest, low_after_high;
static volatile uint32_t ppr_seen;

static void handle_low(struct trap_frame *frame)
{
	(void)frame;
	low_count++;
	low_isr = apic_vector_bit(APIC_ISR, LOW);
	ppr_seen = apic_read(APIC_PPR);
	if (nest) {
		uint32_t before = high_count;

		apic_self_ipi(LOW); /* must wait */
		apic_self_ipi(HIGH);
		cpu_sti();
		(void)cpu_cpuid(0, 0);
		cpu_cli();
		high_inside_low = high_count == before + 1 && low_count == 1;
		nest = false;
	}
	apic_eoi();
}

static void handle_high(struct trap_frame *frame)
{
	(void)frame;
	high_count++;
	apic_eoi();
}

static void handle_timer(struct trap_frame *frame)
{
	(void)frame;
	timer_count++;
	apic_eoi();
}

static void open_window(void)
{
	cpu_sti();
	__asm__ volatile("nop\n\tnop");
	cpu_cli();
}

/* Ticks of the TSC, and of the timer: an exit takes some thousand of them on one machine,
 * 100,000 on another. */
static uint64_t ms(unsigned count)
{
	return guest_tsc_hz() / 1000 * count;
}

/* Waits with interrupts on until the timer handler has run `count` times, or for so long. */
static bool wait_for(uint32_t count, uint64_t ticks)
{
	uint64_t end = cpu_rdtsc() + ticks;

	cpu_sti();
	while (timer_count < count && cpu_rdtsc() < end) {
	}
	cpu_cli();
	return timer_count >= count;
}

static bool timer_wait(uint32_t count)
{
	return wait_for(count, ms(2000));
}

static void check_self_ipi(void)
{
	low_count = 0;
	apic_self_ipi(LOW);
	tap_ok(low_count == 0 && apic_vector_bit(APIC_IRR, LOW), "IF=0: pending in the IRR");
	open_window();
	tap_equal(low_count, 1, "IF=1: delivered once");
	tap_ok(low_isr, "its ISR bit is set in the handler");
	tap_equal(ppr_seen, LOW & 0xf0, "its class is the processor priority in the handler");
	tap_ok(!apic_vector_bit(APIC_ISR, LOW) && !apic_vector_bit(APIC_IRR, LOW), "EOI clears it");
	apic_self_ipi(LOW);
	__asm__ volatile("sti\n\tcli");
	tap_equal(low_count, 1, "STI; CLI opens no window");
	open_window();
	tap_equal(low_count, 2, "a later window does");
	cpu_sti();
	apic_self_ipi(LOW);
	__asm__ volatile("nop");
	cpu_cli();
	tap_equal(low_count, 3, "delivered at once with IF=1");
	apic_write(APIC_ICR, 1u << 18 | LOW);
	open_window();
	tap_equal(low_count, 4, "ICR with the self shorthand");
	if (apic_is_x2()) {
		cpu_wrmsr(0x830, (uint64_t)apic_read(APIC_ID) << 32 | LOW);
		open_window();
		tap_equal(low_count, 5, "ICR to the own APIC ID");
		cpu_wrmsr(0x830, 2ull << 18 | LOW);
		open_window();
		tap_equal(low_count, 6, "ICR to all including self");
		cpu_wrmsr(0x830, 3ull << 18 | LOW);
		open_window();
		tap_equal(low_count, 6, "ICR to all but self");
	}
}

static void check_priorities(void)
{
	low_count = high_count = 0;
	apic_write(APIC_TPR, LOW & 0xf0);
	apic_self_ipi(LOW);
	open_window();
	tap_equal(low_count, 0, "TPR of the same class holds it back");
	apic_self_ipi(HIGH);
	open_window();
	tap_equal(high_count, 1, "a higher class goes through");
	apic_write(APIC_TPR, 0);
	open_window();
	tap_equal(low_count, 1, "TPR 0 lets it come");
	low_count = high_count = 0;
	nest = true;
	apic_self_ipi(LOW);
	open_window();
	tap_ok(high_inside_low, "the higher one nests, the same one waits");
	open_window();
	tap_equal(low_count, 2, "and comes after EOI");
	low_count = high_count = 0;
	apic_self_ipi(LOW);
	apic_self_ipi(HIGH);
	apic_self_ipi(HIGH);
	open_window();
	tap_ok(low_count == 1 && high_count == 1, "both pending: each is delivered once");
}

static void check_deadline(void)
{
	timer_count = 0;
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | TIMER);
	uint64_t when = cpu_rdtsc() + ms(20);

	cpu_wrmsr(MSR_TSC_DEADLINE, when);
	tap_equal(cpu_rdmsr(MSR_TSC_DEADLINE), when, "the deadline reads back while armed");
	tap_ok(timer_wait(1), "the deadline timer fires");
	tap_ok(cpu_rdtsc() >= when, "not before its time");
	tap_equal(cpu_rdmsr(MSR_TSC_DEADLINE), 0, "and reads 0 then");
	cpu_wrmsr(MSR_TSC_DEADLINE, 1);
	tap_ok(timer_wait(2), "a deadline in the past fires at once");
	cpu_wrmsr(MSR_TSC_DEADLINE, cpu_rdtsc() + ms(50));
	cpu_wrmsr(MSR_TSC_DEADLINE, 0);
	tap_ok(!wait_for(3, ms(60)), "0 disarms it");
	for (uint32_t i = 3; i < 8; i++) {
		cpu_wrmsr(MSR_TSC_DEADLINE, cpu_rdtsc() + 100000);
		while (timer_count < i) {
			cpu_sti_hlt_cli();
		}
	}
	tap_equal(timer_count, 7, "wakes a halted CPU, five times");
	cpu_wrmsr(MSR_TSC_DEADLINE, cpu_rdtsc() + guest_tsc_hz() / 10000);
	when = cpu_rdtsc() + guest_tsc_hz() / 100;
	while (cpu_rdtsc() < when) {
	}
	tap_ok(timer_count == 7 && apic_vector_bit(APIC_IRR, TIMER), "IF=0: the timer is pending");
	open_window();
	tap_equal(timer_count, 8, "and delivered later");
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | APIC_LVT_DEADLINE | TIMER);
	cpu_wrmsr(MSR_TSC_DEADLINE, cpu_rdtsc() + 1000);
	tap_ok(!wait_for(9, ms(5)), "masked: nothing comes");
}

static void check_counting_modes(void)
{
	timer_count = 0;
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_1);
	apic_write(APIC_LVT_TIMER, TIMER);
	apic_write(APIC_TIMER_INITIAL, (uint32_t)ms(50));
	uint32_t first = apic_read(APIC_TIMER_CURRENT);
	uint32_t second = apic_read(APIC_TIMER_CURRENT);

	tap_ok(first <= ms(50) && second < first && second > 0, "one-shot: the count goes down");
	tap_ok(timer_wait(1), "one-shot fires");
	tap_equal(apic_read(APIC_TIMER_CURRENT), 0, "and stays at 0");
	tap_ok(!wait_for(2, ms(60)), "and fires once");
	apic_write(APIC_LVT_TIMER, APIC_LVT_PERIODIC | TIMER);
	apic_write(APIC_TIMER_INITIAL, (uint32_t)ms(5));
	tap_ok(timer_wait(5), "periodic fires again and again");
	apic_write(APIC_TIMER_INITIAL, 0);
	uint32_t stopped = timer_count;

	tap_ok(!wait_for(stopped + 2, ms(20)), "initial count 0 stops it");
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | TIMER);
}

static void check_registers(void)
{
	uint64_t value;

	tap_ok((cpu_rdmsr(0x803) & 0xf0) == 0x10 && (cpu_rdmsr(0x803) >> 16 & 0xff) >= 4,
	       "version: integrated, 5 or more LVT entries");
	tap_equal(trap_try_wrmsr(0x802, 0), TRAP_GP, "write to the ID: #GP");
	tap_equal(trap_try_wrmsr(0x80b, 1), TRAP_GP, "EOI with another value than 0: #GP");
	tap_equal(trap_try_rdmsr(0x80b, &value), TRAP_GP, "read of EOI: #GP");
	tap_equal(trap_try_rdmsr(0x831, &value), TRAP_GP, "no upper half of the ICR: #GP");
	tap_equal(trap_try_rdmsr(0x80e, &value), TRAP_GP, "no destination format register: #GP");
	tap_equal(trap_try_rdmsr(0x840, &value), TRAP_GP, "register 0x40: #GP");
	tap_equal(trap_try_wrmsr(0x808, 0x100), TRAP_GP, "reserved bits of the TPR: #GP");
	tap_equal(trap_try_wrmsr(0x80f, 1ull << 32), TRAP_GP, "upper half of a register: #GP");
	cpu_wrmsr(0x808, 0x20);
	tap_equal(cpu_rdmsr(0x808), 0x20, "TPR holds");
	cpu_wrmsr(0x808, 0);
	cpu_wrmsr(0x828, 0);
	tap_equal(trap_try_wrmsr(0x83f, 5), TRAP_NONE, "self IPI with vector 5 is taken");
	cpu_wrmsr(0x828, 0);
	tap_ok((cpu_rdmsr(0x828) & 0x60) != 0, "and noted in the ESR");
}

static void check_message(void)
{
	low_count = 0;
	cpu_out32(GUEST_PORT_MSI, LOW);
	uint64_t end = cpu_rdtsc() + ms(2000);

	cpu_sti();
	while (low_count == 0 && cpu_rdtsc() < end) {
	}
	cpu_cli();
	tap_equal(low_count, 1, "an MSI from the control partition arrives");
	cpu_out32(GUEST_PORT_MSI, HIGH);
	cpu_out32(GUEST_PORT_MSI, LOW);
	high_count = 0;
	cpu_sti_hlt_cli();
	open_window();
	tap_ok(high_count == 1 && low_count == 2, "two messages arrive, each once");
}

int guest_main(void)
{
	bool deadline = (cpu_cpuid(1, 0).ecx & 1u << 24) != 0;

	if (guest_in_partition()) {
		tap_equal(cpu_rdmsr(MSR_APIC_BASE) & 0xc00, 0xc00, "x2APIC is on from the start");
	}
	apic_init();
	trap_set_handler(LOW, handle_low);
	trap_set_handler(HIGH, handle_high);
	trap_set_handler(TIMER, handle_timer);
	trap_set_handler(0xff, handle_high);
	check_self_ipi();
	check_priorities();
	if (deadline) {
		check_deadline();
	} else {
		tap_skip("TSC-deadline mode", "not offered");
	}
	check_counting_modes();
	if (apic_is_x2()) {
		check_registers();
	} else {
		tap_skip("register rules", "no x2APIC");
	}
	if (guest_in_partition()) {
		check_message();
	}
	return tap_done();
}
