/* SPDX-License-Identifier: Apache-2.0 */
/** Host local APIC: one set of registers, reached by MSR (x2APIC mode) or by the xAPIC page. */
#include "irq/lapic.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "dbg/log.h"
#include "lib/boot_info.h"
#include "mem/hspace.h"

#define TAG "lapic"

/* The control partition's map has a hole here, so it is here that it must be. */
#define XAPIC_PAGE 0xfee00000ull

/* Offsets of the xAPIC page shifted by 4, which is also the x2APIC MSR number minus 0x800. */
enum {
	REG_ID = 0x02,
	REG_TPR = 0x08,
	REG_EOI = 0x0b,
	REG_SIVR = 0x0f,
	REG_ISR0 = 0x10,
	REG_ESR = 0x28,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT_TIMER = 0x32,
	REG_LVT_LINT0 = 0x35,
	REG_LVT_LINT1 = 0x36,
	REG_LVT_ERROR = 0x37,
	REG_TIMER_INITIAL = 0x38,
	REG_TIMER_CURRENT = 0x39,
	REG_TIMER_DIVIDE = 0x3e,
};

#define LVT_MASKED	 BIT(16)
#define LVT_NMI		 0x400u
#define LVT_EXTINT	 0x700u
#define LVT_TSC_DEADLINE BIT(18)
#define SIVR_ENABLE	 0x100u
#define DIVIDE_BY_1	 0xbu
#define ICR_INIT	 0x4500u /* level assert */
#define ICR_SIPI	 0x4600u
#define ICR_FIXED	 0x4000u
#define ICR_NMI_OTHERS	 0xc4400u
#define ICR_PENDING	 BIT(12)

static bool x2apic, tsc_deadline;
static uint64_t rate; /* counts of the one-shot timer per TSC tick, 32.32 */

/* The deadline that the timer of each CPU is armed to, 0: not armed. Touched by that CPU only. */
static uint64_t armed[CPU_MAX];

static uint32_t reg_read(unsigned reg)
{
	return x2apic ? (uint32_t)insn_rdmsr(MSR_IA32_X2APIC_FIRST + reg)
		      : insn_mmio_read32(hpa(XAPIC_PAGE + 16 * reg));
}

static void reg_write(unsigned reg, uint32_t value)
{
	if (x2apic) {
		insn_wrmsr(MSR_IA32_X2APIC_FIRST + reg, value);
	} else {
		insn_mmio_write32(hpa(XAPIC_PAGE + 16 * reg), value);
	}
}

int lapic_check(void)
{
	if (!cpuid_has(1, CPUID_EDX, CPUID_1_EDX_APIC)) {
		log_error(TAG, "missing: the local APIC (CPUID.01H:EDX.APIC)");
		return boot_fail(BH_NOSUPP,
				 "the CPU lacks what root mode's interrupts need (listed above)");
	}
	return 0;
}

int lapic_setup(void)
{
	int err;

	x2apic = cpuid_has(1, CPUID_ECX, CPUID_1_ECX_X2APIC);
	tsc_deadline = cpuid_has(1, CPUID_ECX, CPUID_1_ECX_TSC_DEADLINE);
	if (x2apic) {
		return 0;
	}
	err = hspace_map_device(hpa(XAPIC_PAGE), PAGE_SIZE);
	if (err) {
		boot_error = "no frames left to map the local APIC";
	}
	return err;
}

void lapic_init(void)
{
	uint64_t base = (insn_rdmsr(MSR_IA32_APIC_BASE) & APIC_BASE_BSP) | XAPIC_PAGE;

	/* disabled -> xAPIC -> x2APIC are the only steps allowed: SDM 3A, "x2APIC State
	 * Transitions" */
	if (!(insn_rdmsr(MSR_IA32_APIC_BASE) & APIC_BASE_EXTD)) {
		insn_wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_ENABLE);
	}
	if (x2apic) {
		insn_wrmsr(MSR_IA32_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_EXTD);
	}
	reg_write(REG_SIVR, SIVR_ENABLE | IRQ_VECTOR_SPURIOUS);
	reg_write(REG_TPR, 0);
	lapic_lint0_mask(true);
	reg_write(REG_LVT_LINT1, LVT_NMI);
	reg_write(REG_LVT_ERROR, LVT_MASKED);
	reg_write(REG_LVT_TIMER, (tsc_deadline ? LVT_TSC_DEADLINE : 0) | IRQ_VECTOR_TIMER);
	reg_write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_timer_stop();
	reg_write(REG_ESR, 0);
	log_info(TAG, "id %x in %s mode, %s timer", lapic_id(), x2apic ? "x2APIC" : "xAPIC",
		 tsc_deadline ? "TSC-deadline" : "one-shot");
}

/* Counts of the timer in about a millisecond. *ret_ticks: TSC ticks from the start of the count to its end;
 * returns how far off that may be, because nothing here keeps an emulator from pausing us. */
static uint64_t measure(uint64_t *ret_ticks, uint32_t *ret_count)
{
	uint64_t before = insn_rdtsc(), start, last, end;

	reg_write(REG_TIMER_INITIAL, UINT32_MAX);
	start = insn_rdtsc();
	do {
		last = insn_rdtsc();
	} while (last - start < tsc_khz());
	*ret_count = UINT32_MAX - reg_read(REG_TIMER_CURRENT);
	end = insn_rdtsc();
	*ret_ticks = end - start;
	return start - before + end - last;
}

void lapic_timer_measure(void)
{
	uint64_t best = UINT64_MAX;

	if (tsc_deadline) {
		return;
	}
	for (unsigned i = 0; i < 8; i++) {
		uint64_t ticks, doubt;
		uint32_t count;

		doubt = measure(&ticks, &count);
		if (doubt < best) {
			best = doubt;
			rate = ((uint64_t)count << 32) / ticks;
		}
	}
	lapic_timer_stop();
	log_info(TAG, "timer counts at %lu kHz", (rate >> 16) * tsc_khz() >> 16);
}

void lapic_eoi(void)
{
	reg_write(REG_EOI, 0);
}

bool lapic_isr_test(unsigned vector)
{
	return reg_read(REG_ISR0 + vector / 32) & BIT(vector % 32);
}

void lapic_lint0_mask(bool masked)
{
	reg_write(REG_LVT_LINT0, LVT_EXTINT | (masked ? LVT_MASKED : 0));
}

uint32_t lapic_id(void)
{
	return x2apic ? reg_read(REG_ID) : reg_read(REG_ID) >> 24;
}

/* What was written for the receiver must be visible before the message is: SDM 3A, "MSR Access in
 * x2APIC Mode". */
static void send(uint32_t apic_id, uint32_t command)
{
	if (x2apic) {
		insn_fence();
		insn_wrmsr(MSR_IA32_X2APIC_FIRST + REG_ICR, (uint64_t)apic_id << 32 | command);
		return;
	}
	reg_write(REG_ICR_HIGH, apic_id << 24);
	reg_write(REG_ICR, command);
	while (reg_read(REG_ICR) & ICR_PENDING) {
		insn_pause();
	}
}

void lapic_send_ipi(uint32_t apic_id, unsigned vector)
{
	send(apic_id, ICR_FIXED | vector);
}

void lapic_send_init(uint32_t apic_id)
{
	send(apic_id, ICR_INIT);
}

void lapic_send_sipi(uint32_t apic_id, unsigned page)
{
	send(apic_id, ICR_SIPI | page);
}

void lapic_send_nmi_others(void)
{
	send(0, ICR_NMI_OTHERS);
}

/* At most 2^31 ticks ahead: the timer then comes early, and who armed it arms it again. */
static uint32_t counts_until(uint64_t deadline)
{
	uint64_t now = insn_rdtsc(), ahead = deadline > now ? deadline - now : 0, count;

	count = (MIN(ahead, BIT(31)) * rate) >> 32;
	return count == 0 ? 1 : (uint32_t)MIN(count, UINT32_MAX);
}

void lapic_timer_arm(uint64_t deadline)
{
	uint64_t *mine = &armed[cpu_this()->id];

	deadline = deadline ? deadline : 1;
	if (*mine == deadline) {
		return;
	}
	*mine = deadline;
	if (tsc_deadline) {
		insn_wrmsr(MSR_IA32_TSC_DEADLINE, deadline);
	} else {
		reg_write(REG_TIMER_INITIAL, counts_until(deadline));
	}
}

void lapic_timer_stop(void)
{
	armed[cpu_this()->id] = 0;
	if (tsc_deadline) {
		insn_wrmsr(MSR_IA32_TSC_DEADLINE, 0);
	} else {
		reg_write(REG_TIMER_INITIAL, 0);
	}
}

void lapic_timer_done(void)
{
	armed[cpu_this()->id] = 0;
	lapic_eoi();
}
