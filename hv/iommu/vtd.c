/* SPDX-License-Identifier: Apache-2.0 */
/** Registers of a remapping unit. Every wait has an end: hardware that does not answer is named. */
#include "iommu/vtd.h"

#include "cpu/insn.h"
#include "cpu/tsc.h"
#include "lib/boot_info.h"
#include "mem/frames.h"
#include "mem/hspace.h"

#define REG_VERSION    0x00u
#define REG_CAP	       0x08u
#define REG_ECAP       0x10u
#define REG_COMMAND    0x18u
#define REG_STATUS     0x1cu
#define REG_ROOT       0x20u
#define REG_CONTEXT    0x28u
#define REG_FAULT      0x34u
#define REG_EVENT      0x38u /* control, then message data, address, upper address */
#define REG_PROTECT    0x64u
#define REG_QUEUE_TAIL 0x88u
#define REG_QUEUE      0x90u
#define REG_IRT	       0xb8u

/* Of the command and status registers. */
#define TRANSLATE   BIT(31)
#define SET_ROOT    BIT(30)
#define FLUSH_WRITE BIT(27)
#define QUEUE	    BIT(26)
#define REMAP	    BIT(25)
#define SET_IRT	    BIT(24)
#define COMPAT	    BIT(23)
#define LASTING	    (TRANSLATE | QUEUE | REMAP | COMPAT)

#define CAP_RWBF	 BIT(4)
#define CAP_PROTECT	 (BIT(5) | BIT(6))
#define CAP_FAULT_AT(c)	 ((uint32_t)((c) >> 24 & 0x3ff) * 16)
#define CAP_FAULTS(c)	 ((uint32_t)((c) >> 40 & 0xff) + 1)
#define ECAP_IOTLB_AT(e) ((uint32_t)((e) >> 8 & 0x3ff) * 16)

#define CONTEXT_GLOBAL	 (BIT(63) | BIT(61))
#define IOTLB_GLOBAL	 (BIT(63) | BIT(60) | BIT(49) | BIT(48)) /* drains reads and writes */
#define IRT_256_ENTRIES	 7u
#define FAULT_ALL	 0x7full
#define FAULT_VALID	 BIT(63)
#define FAULT_READ	 BIT(62)
#define REASON_INTERRUPT 0x20u /* to 0x2f: an interrupt was refused */

/* Descriptors of the queue: what, granularity global. */
#define DO_CONTEXT   0x11u
#define DO_IOTLB     0xd2u
#define DO_INTERRUPT 0x04u
#define DO_WAIT	     0x25u /* writes a status word */
#define DONE	     1u

#define WAIT_MS 100u

static uint32_t read32(const struct vtd *unit, uint32_t reg)
{
	return insn_mmio_read32(hpa(unit->base.v + reg));
}

static uint64_t read64(const struct vtd *unit, uint32_t reg)
{
	return insn_mmio_read64(hpa(unit->base.v + reg));
}

static void write32(const struct vtd *unit, uint32_t reg, uint64_t value)
{
	insn_mmio_write32(hpa(unit->base.v + reg), (uint32_t)value);
}

static void write64(const struct vtd *unit, uint32_t reg, uint64_t value)
{
	insn_mmio_write64(hpa(unit->base.v + reg), value);
}

static int fail(const struct vtd *unit, const char *what)
{
	return boot_fail(BH_NOSUPP, "the IOMMU at %lx %s", unit->base.v, what);
}

/** Waits until the bits of a register are as wanted; reg 0: of the word that ends the queue. */
static int wait(const struct vtd *unit, uint32_t reg, uint64_t bits, uint64_t wanted,
		const char *what)
{
	uint64_t end = insn_rdtsc() + WAIT_MS * tsc_khz();

	while (((reg ? read32(unit, reg) : __atomic_load_n(&unit->done, __ATOMIC_ACQUIRE)) &
		bits) != wanted) {
		if (insn_rdtsc() > end) {
			return fail(unit, what);
		}
		insn_pause();
	}
	return 0;
}

/** Sets or clears one bit of the command register; `wanted`: how the status bit answers. */
static int command(const struct vtd *unit, uint64_t bit, bool on, uint64_t wanted, const char *what)
{
	uint64_t lasting = read32(unit, REG_STATUS) & LASTING;

	write32(unit, REG_COMMAND, on ? lasting | bit : lasting & ~bit);
	return wait(unit, REG_STATUS, bit, wanted, what);
}

static void submit(struct vtd *unit, uint64_t low, uint64_t high)
{
	unit->queue[unit->tail / 8] = low;
	unit->queue[unit->tail / 8 + 1] = high;
	insn_clflush(&unit->queue[unit->tail / 8]);
	unit->tail = (unit->tail + 16) % PAGE_SIZE;
}

static int flush_by_queue(struct vtd *unit)
{
	__atomic_store_n(&unit->done, 0, __ATOMIC_SEQ_CST);
	submit(unit, DO_CONTEXT, 0);
	submit(unit, DO_IOTLB, 0);
	if (unit->ecap & VTD_ECAP_INTREMAP) {
		submit(unit, DO_INTERRUPT, 0);
	}
	submit(unit, DO_WAIT | (uint64_t)DONE << 32, ptr_hpa(&unit->done).v);
	write64(unit, REG_QUEUE_TAIL, unit->tail);
	return wait(unit, 0, DONE, DONE, "does not work off its invalidation queue");
}

int vtd_flush(struct vtd *unit)
{
	static const char *const cannot = "does not invalidate its caches";
	uint32_t iotlb = ECAP_IOTLB_AT(unit->ecap) + 8;
	int err = 0;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (unit->cap & CAP_RWBF) {
		err = command(unit, FLUSH_WRITE, true, 0, "does not flush its write buffer");
	}
	if (err || unit->queue) {
		return err ? err : flush_by_queue(unit);
	}
	write64(unit, REG_CONTEXT, CONTEXT_GLOBAL);
	err = wait(unit, REG_CONTEXT + 4, BIT(31), 0, cannot);
	if (!err) {
		write64(unit, iotlb, IOTLB_GLOBAL);
		err = wait(unit, iotlb + 4, BIT(31), 0, cannot);
	}
	return err;
}

int vtd_open(struct vtd *unit, hpa_t base)
{
	static const uint64_t on[] = {TRANSLATE, REMAP, QUEUE};
	hpa_t queue;
	int err = hspace_map_device(base, PAGE_SIZE);

	err = err ? err : frame_alloc(&queue);
	if (err) {
		boot_error = "no frames left for an IOMMU";
		return err;
	}
	*unit = (struct vtd){.base = base};
	if (!read32(unit, REG_VERSION) || read32(unit, REG_VERSION) == UINT32_MAX) {
		return fail(unit, "is in the DMAR table but does not answer");
	}
	unit->cap = read64(unit, REG_CAP);
	unit->ecap = read64(unit, REG_ECAP);
	unit->queue = unit->ecap & VTD_ECAP_QUEUE ? hpa_ptr(queue) : NULL;
	if (CAP_FAULT_AT(unit->cap) + 16 * CAP_FAULTS(unit->cap) > PAGE_SIZE ||
	    ECAP_IOTLB_AT(unit->ecap) + 16 > PAGE_SIZE) {
		return fail(unit, "has registers outside its page");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(on) && !err; i++) {
		err = command(unit, on[i], false, 0, "does not stop what the firmware started");
	}
	return err;
}

static int start_remapping(struct vtd *unit, hpa_t irt)
{
	int err;

	/* xAPIC destinations whatever mode the CPUs are in: with extended ones the unit would block
	 * what the control partition's own devices send. Ids of 255 and more do not occur here. */
	write64(unit, REG_IRT, irt.v | IRT_256_ENTRIES);
	err = command(unit, SET_IRT, true, SET_IRT, "does not take its interrupt table");
	err = err ? err : vtd_flush(unit);
	err = err ? err : command(unit, REMAP, true, REMAP, "does not start remapping interrupts");
	/* Those pass unchanged; QEMU 7.2 lets them and does not say so in its status. */
	write32(unit, REG_COMMAND, (read32(unit, REG_STATUS) & LASTING) | COMPAT);
	return err;
}

int vtd_start(struct vtd *unit, hpa_t root, hpa_t irt, unsigned vector, uint32_t apic_id)
{
	int err = 0;

	if (unit->queue) {
		write64(unit, REG_QUEUE_TAIL, unit->tail);
		write64(unit, REG_QUEUE, ptr_hpa(unit->queue).v);
		err = command(unit, QUEUE, true, QUEUE, "does not start its invalidation queue");
	}
	write64(unit, REG_ROOT, root.v);
	err = err ? err : command(unit, SET_ROOT, true, SET_ROOT, "does not take its root table");
	err = err ? err : vtd_flush(unit);
	err = err || !irt.v ? err : start_remapping(unit, irt);
	for (uint32_t i = 0; i < CAP_FAULTS(unit->cap); i++) { /* old ones */
		write32(unit, CAP_FAULT_AT(unit->cap) + 16 * i + 12, FAULT_VALID >> 32);
	}
	write32(unit, REG_FAULT, FAULT_ALL);
	write32(unit, REG_EVENT + 4, vector);
	write32(unit, REG_EVENT + 8, 0xfee00000u | (apic_id & 0xff) << 12);
	write32(unit, REG_EVENT + 12, apic_id & ~0xffu);
	write32(unit, REG_EVENT, 0);
	err = err ? err : command(unit, TRANSLATE, true, TRANSLATE, "does not start translating");
	if (!err && unit->cap & CAP_PROTECT) {
		write32(unit, REG_PROTECT,
			0); /* the firmware may have closed memory to all devices */
		err = wait(unit, REG_PROTECT, 1, 0, "does not open its protected memory");
	}
	return err;
}

static bool take_record(struct vtd *unit, uint32_t at, struct vtd_fault *ret)
{
	uint64_t low = read64(unit, at), high = read64(unit, at + 8);
	uint8_t reason = (uint8_t)(high >> 32);

	if (!(high & FAULT_VALID)) {
		return false;
	}
	*ret = (struct vtd_fault){(reason & 0xf0) == REASON_INTERRUPT ? low >> 48
								      : ALIGN_DOWN(low, PAGE_SIZE),
				  (uint16_t)high, reason, !(high & FAULT_READ)};
	write32(unit, at + 12, FAULT_VALID >> 32);
	return true;
}

bool vtd_fault_take(struct vtd *unit, struct vtd_fault *ret)
{
	uint32_t count = CAP_FAULTS(unit->cap);

	for (uint32_t i = 0; i < 2 * count; i++) {
		if (take_record(unit, CAP_FAULT_AT(unit->cap) + 16 * (i % count), ret)) {
			return true;
		}
		/* Only a fault that comes while no status bit is set interrupts: after they are
		 * cleared each record is looked at once more. */
		if (i + 1 == count) {
			write32(unit, REG_FAULT, FAULT_ALL);
		}
	}
	return false;
}
