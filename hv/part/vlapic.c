/* SPDX-License-Identifier: Apache-2.0 */
/** The local APIC of a vcpu. Everything the guest writes is masked to the bits the manual names.
 *  IRR and TMR are written by anybody, atomically; all else by the CPU that the vcpu is on, or
 *  while it is off every CPU. Others read its mode and logical id when they look for a
 *  destination. */
#include "part/vlapic.h"

#include "cpu/insn.h"
#include "irq/lapic.h"
#include "lib/string.h"
#include "part/backend.h"
#include "part/part.h"
#include "part/sched.h"

/* Offsets of the xAPIC page shifted by 4, which is also the x2APIC MSR number minus 0x800. */
enum {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
	REG_LDR = 0x0d,
	REG_DFR = 0x0e,
	REG_SVR = 0x0f,
	REG_ISR0 = 0x10,
	REG_TMR0 = 0x18,
	REG_IRR0 = 0x20,
	REG_ESR = 0x28,
	REG_LVT_CMCI = 0x2f,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT0 = 0x32,
	REG_LVT_LAST = 0x37,
	REG_TIMER_INITIAL = 0x38,
	REG_TIMER_CURRENT = 0x39,
	REG_TIMER_DIVIDE = 0x3e,
	REG_SELF_IPI = 0x3f,
};

#define BASE_BSP    BIT(8)
#define BASE_X2APIC BIT(10)
#define BASE_ENABLE BIT(11)

#define SVR_ENABLE	    (1u << 8)
#define LVT_MASKED	    (1u << 16)
#define LVT_TIMER_MODE(lvt) (((lvt) >> 17) & 3)
enum { TIMER_ONESHOT = 0, TIMER_PERIODIC = 1, TIMER_TSC_DEADLINE = 2 };

#define LVT_ERROR 5u /* index in lvt[] */

#define ESR_SEND_ILLEGAL BIT(5)

#define APIC_VERSION 0x00050014u /* 6 LVT entries, version 0x14 */

static uint64_t bitmap_read(const uint64_t *map, unsigned word)
{
	return __atomic_load_n(&map[word], __ATOMIC_RELAXED);
}

static bool bitmap_test(const uint64_t *map, unsigned vector)
{
	return (bitmap_read(map, vector / 64) >> (vector % 64)) & 1;
}

static void bitmap_set(uint64_t *map, unsigned vector)
{
	map[vector / 64] |= BIT(vector % 64);
}

static void bitmap_clear(uint64_t *map, unsigned vector)
{
	map[vector / 64] &= ~BIT(vector % 64);
}

static int bitmap_highest(const uint64_t *map)
{
	for (int i = 3; i >= 0; i--) {
		uint64_t word = bitmap_read(map, (unsigned)i);

		if (word) {
			return i * 64 + 63 - __builtin_clzll(word);
		}
	}
	return -1;
}

static uint32_t bitmap_word(const uint64_t *map, unsigned word)
{
	return (uint32_t)(bitmap_read(map, word / 2) >> (word % 2 * 32));
}

static bool is_x2apic(const struct vlapic *lapic)
{
	return lapic->base & BASE_X2APIC;
}

/* SDM 3A, "Logical Destination Mode in x2APIC Mode". */
static uint32_t x2apic_ldr(uint32_t id)
{
	return (id >> 4) << 16 | 1u << (id & 15);
}

/* The physical local APIC would hold back what is in service for ever. */
static void end_physical(const struct vlapic *lapic)
{
	for (unsigned i = 0; i < ARRAY_SIZE(lapic->phys); i++) {
		for (uint64_t left = lapic->phys[i]; left; left &= left - 1) {
			lapic_eoi();
		}
	}
}

void vlapic_reset(struct vlapic *lapic, uint32_t id, bool x2apic)
{
	end_physical(lapic);
	for (unsigned i = 0; i < ARRAY_SIZE(lapic->irr); i++) {
		__atomic_store_n(&lapic->irr[i], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&lapic->tmr[i], 0, __ATOMIC_RELAXED);
	}
	memset(&lapic->isr, 0, sizeof(*lapic) - offsetof(struct vlapic, isr));
	lapic->base =
		VLAPIC_MMIO | BASE_ENABLE | (x2apic ? BASE_X2APIC : 0) | (id == 0 ? BASE_BSP : 0);
	lapic->svr = 0xff;
	for (unsigned i = 0; i < ARRAY_SIZE(lapic->lvt); i++) {
		lapic->lvt[i] = LVT_MASKED;
	}
}

static unsigned priority_class(const struct vlapic *lapic)
{
	int in_service = bitmap_highest(lapic->isr);
	unsigned isrv = in_service < 0 ? 0 : (unsigned)in_service & 0xf0;
	unsigned tpr = lapic->tpr & 0xf0;

	return MAX(isrv, tpr);
}

int vlapic_pending(const struct vlapic *lapic)
{
	int vector;

	if (!(bitmap_read(lapic->irr, 0) | bitmap_read(lapic->irr, 1) | bitmap_read(lapic->irr, 2) |
	      bitmap_read(lapic->irr, 3))) {
		return -1; /* by far the most frequent */
	}
	vector = bitmap_highest(lapic->irr);
	if (vector < 0 || !(lapic->svr & SVR_ENABLE) || !(lapic->base & BASE_ENABLE)) {
		return -1;
	}
	return ((unsigned)vector & 0xf0) > priority_class(lapic) ? vector : -1;
}

void vlapic_accept(struct vlapic *lapic, unsigned vector)
{
	__atomic_fetch_and(&lapic->irr[vector / 64], ~BIT(vector % 64), __ATOMIC_RELAXED);
	bitmap_set(lapic->isr, vector);
}

void vlapic_raise(struct vcpu *vcpu, unsigned vector, bool level)
{
	struct vlapic *lapic = &vcpu->lapic;

	if (bitmap_test(lapic->tmr, vector) != level) {
		__atomic_fetch_xor(&lapic->tmr[vector / 64], BIT(vector % 64), __ATOMIC_RELAXED);
	}
	__atomic_fetch_or(&lapic->irr[vector / 64], BIT(vector % 64), __ATOMIC_RELEASE);
	vcpu_request(vcpu, VCPU_REQ_IRQ);
}

static void eoi(struct vcpu *vcpu)
{
	struct vlapic *lapic = &vcpu->lapic;
	int vector = bitmap_highest(lapic->isr);

	if (vector < 0) {
		return;
	}
	bitmap_clear(lapic->isr, (unsigned)vector);
	vcpu->irq_check = true;
	if (bitmap_test(lapic->phys, (unsigned)vector)) {
		bitmap_clear(lapic->phys, (unsigned)vector);
		lapic_eoi();
	}
}

static bool logical_match(const struct vcpu *vcpu, uint32_t dest)
{
	const struct vlapic *lapic = &vcpu->lapic;

	if (is_x2apic(lapic)) {
		uint32_t ldr = x2apic_ldr(vcpu->apic_id);

		return (ldr >> 16) == (dest >> 16) && (ldr & dest & 0xffff);
	}
	return (lapic->ldr >> 24) & dest;
}

static bool destination_match(const struct vcpu *vcpu, uint32_t dest, bool logical, bool x2apic)
{
	if (dest == (x2apic ? 0xffffffff : 0xff)) {
		return true;
	}
	return logical ? logical_match(vcpu, dest) : dest == vcpu->apic_id;
}

enum { MODE_FIXED = 0, MODE_LOWEST = 1, MODE_NMI = 4, MODE_INIT = 5, MODE_SIPI = 6 };

static void deliver(struct vcpu *vcpu, unsigned mode, unsigned vector, bool level)
{
	switch (mode) {
	case MODE_FIXED:
	case MODE_LOWEST:
		if (vector >= 16) {
			vlapic_raise(vcpu, vector, level);
		}
		break;
	case MODE_NMI:
		vcpu_request(vcpu, VCPU_REQ_NMI);
		break;
	case MODE_INIT:
		if (vcpu->id != 0) {
			__atomic_fetch_and(&vcpu->requests, ~(uint32_t)VCPU_REQ_SIPI, __ATOMIC_SEQ_CST);
			vcpu_request(vcpu, VCPU_REQ_INIT);
		}
		break;
	case MODE_SIPI:
		if (vcpu->id != 0) {
			__atomic_store_n(&vcpu->sipi_vector, (uint8_t)vector, __ATOMIC_RELAXED);
			vcpu_request(vcpu, VCPU_REQ_SIPI);
		}
		break;
	default:
		break;
	}
}

/* To each vcpu but `except` that the destination names; with lowest priority to the first of them.
 */
static void send(const struct part *part, const struct vcpu *except, uint32_t dest, bool logical,
		 bool x2apic, unsigned mode, unsigned vector, bool level)
{
	for (unsigned i = 0; i < part->vcpu_count; i++) {
		struct vcpu *vcpu = part->vcpu[i];

		if (vcpu != except && destination_match(vcpu, dest, logical, x2apic)) {
			deliver(vcpu, mode, vector, level);
			if (mode == MODE_LOWEST) {
				return;
			}
		}
	}
}

enum { SHORTHAND_SELF = 1, SHORTHAND_OTHERS = 3 }; /* 2: all */

/* SDM 3A, "Interrupt Command Register (ICR)". */
static void icr_write(struct vcpu *source, uint64_t icr)
{
	struct part *part = source->part;
	bool x2apic = is_x2apic(&source->lapic);
	uint32_t dest = x2apic ? (uint32_t)(icr >> 32) : (uint32_t)(icr >> 56);
	unsigned mode = (icr >> 8) & 7, vector = icr & 0xff, shorthand = (icr >> 18) & 3;
	bool logical = icr & BIT(11), level = icr & BIT(15);

	if (mode == MODE_INIT && level && !(icr & BIT(14))) {
		return; /* INIT level de-assert: no effect */
	}
	if (shorthand == SHORTHAND_SELF) {
		deliver(source, mode, vector, false);
		return;
	}
	send(part, shorthand == SHORTHAND_OTHERS ? source : NULL,
	     shorthand ? x2apic ? 0xffffffff : 0xff : dest, logical, x2apic, mode, vector, false);
}

int vlapic_msi(struct vcpu *vcpu0, uint64_t address, uint32_t data)
{
	unsigned mode = (data >> 8) & 7, vector = data & 0xff;

	if ((address & ~0xfffffull) != VLAPIC_MMIO || vector < 16 || mode > MODE_LOWEST) {
		return -BH_INVAL;
	}
	send(vcpu0->part, NULL, (uint32_t)(address >> 12) & 0xff, address & BIT(2), false, mode,
	     vector, data & BIT(15));
	return 0;
}

static unsigned timer_shift(const struct vlapic *lapic)
{
	unsigned divide = (lapic->timer_divide & 3) | (lapic->timer_divide >> 1 & 4);

	return (divide + 1) & 7; /* 000 = 2 ... 110 = 128, 111 = 1 */
}

static void set_deadline(struct vcpu *vcpu, uint64_t deadline)
{
	vcpu->lapic.deadline = deadline;
	if (deadline) {
		sched_deadline(vcpu, deadline);
	}
}

/* The count register runs at the TSC rate over the divider: CPUID leaf 0x15 says the same. */
static void timer_arm(struct vcpu *vcpu)
{
	const struct vlapic *lapic = &vcpu->lapic;
	uint64_t count = (uint64_t)lapic->timer_initial << timer_shift(lapic);

	set_deadline(vcpu, count ? insn_rdtsc() + count : 0);
}

static uint32_t timer_current(const struct vlapic *lapic)
{
	uint64_t now = insn_rdtsc();

	if (lapic->deadline == 0 || lapic->deadline <= now ||
	    LVT_TIMER_MODE(lapic->lvt[0]) == TIMER_TSC_DEADLINE) {
		return 0;
	}
	return (uint32_t)((lapic->deadline - now) >> timer_shift(lapic));
}

void vlapic_write_tsc_deadline(struct vcpu *vcpu, uint64_t guest_tsc)
{
	struct vlapic *lapic = &vcpu->lapic;
	uint64_t host;

	if (LVT_TIMER_MODE(lapic->lvt[0]) != TIMER_TSC_DEADLINE) {
		return;
	}
	lapic->tsc_deadline = guest_tsc;
	host = guest_tsc - vcpu->tsc_offset;
	set_deadline(vcpu, guest_tsc == 0 ? 0 : host == 0 ? 1 : host);
}

void vlapic_timer_expire(struct vcpu *vcpu, uint64_t now)
{
	struct vlapic *lapic = &vcpu->lapic;
	uint32_t lvt = lapic->lvt[0];

	if (lapic->deadline == 0 || lapic->deadline > now) {
		return; /* the guest has set another one meanwhile */
	}
	lapic->deadline = 0;
	lapic->tsc_deadline = 0;
	if (LVT_TIMER_MODE(lvt) == TIMER_PERIODIC) {
		uint64_t period = (uint64_t)lapic->timer_initial << timer_shift(lapic);

		if (period) {
			/* A period shorter than one slice of root mode would never let the guest
			 * run. */
			set_deadline(vcpu, now + MAX(period, 2000));
		}
	}
	if (!(lvt & LVT_MASKED) && (lvt & 0xff) >= 16) {
		vlapic_raise(vcpu, lvt & 0xff, false);
	}
}

static uint64_t read_register(struct vcpu *vcpu, unsigned reg)
{
	struct vlapic *lapic = &vcpu->lapic;
	bool x2apic = is_x2apic(lapic);

	switch (reg) {
	case REG_ID:
		return x2apic ? vcpu->apic_id : vcpu->apic_id << 24;
	case REG_VERSION:
		return APIC_VERSION;
	case REG_TPR:
		return lapic->tpr;
	case REG_PPR:
		return priority_class(lapic);
	case REG_LDR:
		return x2apic ? x2apic_ldr(vcpu->apic_id) : lapic->ldr;
	case REG_DFR:
		return 0xffffffff; /* flat model only */
	case REG_SVR:
		return lapic->svr;
	case REG_ISR0 ... REG_ISR0 + 7:
		return bitmap_word(lapic->isr, reg - REG_ISR0);
	case REG_TMR0 ... REG_TMR0 + 7:
		return bitmap_word(lapic->tmr, reg - REG_TMR0);
	case REG_IRR0 ... REG_IRR0 + 7:
		return bitmap_word(lapic->irr, reg - REG_IRR0);
	case REG_ESR:
		return lapic->esr;
	case REG_ICR:
		return x2apic ? lapic->icr : (uint32_t)lapic->icr;
	case REG_ICR_HIGH:
		return lapic->icr_high;
	case REG_LVT0 ... REG_LVT_LAST:
		return lapic->lvt[reg - REG_LVT0];
	case REG_TIMER_INITIAL:
		return lapic->timer_initial;
	case REG_TIMER_CURRENT:
		return timer_current(lapic);
	case REG_TIMER_DIVIDE:
		return lapic->timer_divide;
	default:
		return 0;
	}
}

static void write_lvt(struct vcpu *vcpu, unsigned index, uint32_t value)
{
	/* SDM 3A, "Local Vector Table": writable bits per entry. */
	static const uint32_t writable[6] = {0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};
	struct vlapic *lapic = &vcpu->lapic;
	uint32_t old = lapic->lvt[index];

	lapic->lvt[index] = value & writable[index];
	if (!(lapic->svr & SVR_ENABLE)) {
		lapic->lvt[index] |= LVT_MASKED;
	}
	if (index == 0 && LVT_TIMER_MODE(old) != LVT_TIMER_MODE(value)) {
		lapic->timer_initial = 0;
		lapic->tsc_deadline = 0;
		lapic->deadline = 0;
	}
	if (index == 3 && part_is_control(vcpu->part) && vcpu->id == 0) {
		/* The PIC behind LINT0 is the control partition's, and wired to the first CPU. */
		lapic_lint0_mask(lapic->lvt[3] & LVT_MASKED);
	}
}

static void note_error(struct vcpu *vcpu, uint32_t error)
{
	struct vlapic *lapic = &vcpu->lapic;
	uint32_t lvt = lapic->lvt[LVT_ERROR];

	lapic->esr_next |= error;
	if (!(lvt & LVT_MASKED) && (lvt & 0xff) >= 16) {
		vlapic_raise(vcpu, lvt & 0xff, false);
	}
}

static void write_register(struct vcpu *vcpu, unsigned reg, uint64_t value)
{
	struct vlapic *lapic = &vcpu->lapic;
	uint32_t low = (uint32_t)value;

	switch (reg) {
	case REG_TPR:
		lapic->tpr = low & 0xff;
		vcpu->irq_check = true;
		break;
	case REG_EOI:
		eoi(vcpu);
		break;
	case REG_LDR:
		lapic->ldr = low & 0xff000000;
		break;
	case REG_SVR:
		lapic->svr = low & 0x1ff;
		if (!(low & SVR_ENABLE)) {
			for (unsigned i = 0; i < ARRAY_SIZE(lapic->lvt); i++) {
				lapic->lvt[i] |= LVT_MASKED;
			}
		}
		vcpu->irq_check = true;
		break;
	case REG_ESR: /* SDM 3A, "Error Handling": a write shows what came since the last one */
		lapic->esr = lapic->esr_next;
		lapic->esr_next = 0;
		break;
	case REG_ICR:
		lapic->icr = is_x2apic(lapic) ? value : (uint64_t)lapic->icr_high << 32 | low;
		lapic->icr &= ~BIT(12); /* delivered at once */
		icr_write(vcpu, lapic->icr);
		break;
	case REG_ICR_HIGH:
		lapic->icr_high = low & 0xff000000;
		break;
	case REG_LVT0 ... REG_LVT_LAST:
		write_lvt(vcpu, reg - REG_LVT0, low);
		break;
	case REG_TIMER_INITIAL:
		if (LVT_TIMER_MODE(lapic->lvt[0]) != TIMER_TSC_DEADLINE) {
			lapic->timer_initial = low;
			timer_arm(vcpu);
		}
		break;
	case REG_TIMER_DIVIDE:
		lapic->timer_divide = low & 0xb;
		break;
	case REG_SELF_IPI:
		if (low < 16) {
			note_error(vcpu, ESR_SEND_ILLEGAL);
			break;
		}
		deliver(vcpu, MODE_FIXED, low & 0xff, false);
		break;
	default:
		break;
	}
}

/* SDM 3A, "x2APIC Register Address Space": which registers exist, by direction. All numbers are
 * below 64. */
#define EIGHT(first) (0xffull << (first))
#define BOTH_WAYS                                                                                  \
	(BIT(REG_TPR) | BIT(REG_SVR) | BIT(REG_ESR) | BIT(REG_ICR) | 0x3full << REG_LVT0 |         \
	 BIT(REG_TIMER_INITIAL) | BIT(REG_TIMER_DIVIDE))
#define READABLE                                                                                   \
	(BOTH_WAYS | BIT(REG_ID) | BIT(REG_VERSION) | BIT(REG_PPR) | BIT(REG_LDR) |                \
	 EIGHT(REG_ISR0) | EIGHT(REG_TMR0) | EIGHT(REG_IRR0) | BIT(REG_TIMER_CURRENT))
#define WRITABLE (BOTH_WAYS | BIT(REG_EOI) | BIT(REG_SELF_IPI))

static bool msr_exists(unsigned reg, bool write)
{
	return reg < 64 && ((write ? WRITABLE : READABLE) >> reg & 1);
}

int vlapic_read_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *ret_value)
{
	unsigned reg = msr - 0x800;

	if (!is_x2apic(&vcpu->lapic) || !msr_exists(reg, false)) {
		return -BH_INVAL;
	}
	*ret_value = read_register(vcpu, reg);
	return 0;
}

int vlapic_write_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	unsigned reg = msr - 0x800;

	if (reg == REG_EOI && value == 0 && is_x2apic(&vcpu->lapic)) {
		eoi(vcpu);
		return 0;
	}
	if (!is_x2apic(&vcpu->lapic) || !msr_exists(reg, true)) {
		return -BH_INVAL;
	}
	if (((reg == REG_EOI || reg == REG_ESR) && value != 0) || (reg != REG_ICR && value >> 32) ||
	    ((reg == REG_TPR || reg == REG_SELF_IPI) && value > 0xff)) {
		return -BH_INVAL;
	}
	write_register(vcpu, reg, value);
	return 0;
}

uint32_t vlapic_read_mmio(struct vcpu *vcpu, uint32_t offset)
{
	return is_x2apic(&vcpu->lapic) ? 0xffffffff
				       : (uint32_t)read_register(vcpu, offset >> 4 & 0xff);
}

void vlapic_write_mmio(struct vcpu *vcpu, uint32_t offset, uint32_t value)
{
	unsigned reg = offset >> 4 & 0xff;

	if (!is_x2apic(&vcpu->lapic) && reg != REG_SELF_IPI) {
		write_register(vcpu, reg, value);
	}
}

int vlapic_write_base(struct vcpu *vcpu, uint64_t value)
{
	struct vlapic *lapic = &vcpu->lapic;
	bool enable = value & BASE_ENABLE, x2apic = value & BASE_X2APIC;

	/* SDM 3A, "x2APIC State Transitions". */
	if ((value & ~(BASE_BSP | BASE_X2APIC | BASE_ENABLE)) != VLAPIC_MMIO ||
	    (x2apic && !enable) || (is_x2apic(lapic) && enable && !x2apic) ||
	    (x2apic && !(lapic->base & BASE_ENABLE))) {
		return -BH_INVAL;
	}
	if (!enable && (lapic->base & BASE_ENABLE)) {
		vlapic_reset(lapic, vcpu->id, false);
	}
	lapic->base = (lapic->base & BASE_BSP) | (value & ~BASE_BSP);
	return 0;
}
