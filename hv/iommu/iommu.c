/* SPDX-License-Identifier: Apache-2.0 */
/** Start, faults, and the order of changes: first the tables, then every unit forgets, then the
 * caller goes on. */
#include "iommu/iommu.h"

#include "acpi/acpi.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "iommu/dmar.h"
#include "iommu/domain.h"
#include "iommu/pci.h"
#include "iommu/vtd.h"
#include "irq/lapic.h"
#include "lib/boot_info.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "mem/frames.h"

#define TAG "iommu"

#define DEVICES_TOP    BIT(39) /* root mode and the control partition map nothing above */
#define INTERRUPTS     0xfee00000ull
#define INTERRUPTS_END 0xfef00000ull
#define MESSAGE	       0xfee00010ull /* remappable format */
#define PROT_RW	       (PTAB_READ | PTAB_WRITE)
#define SETTLE_MS      20u
#define WINDOW_MS      1000u
#define WINDOW_FAULTS  16u

static struct dmar dmar;
static struct vtd units[DMAR_UNIT_MAX];
static uint32_t unit_count; /* 0: no IOMMU */
static unsigned width;	    /* bits of a DMA address */
static bool remaps;	    /* all units remap interrupts */
static bool running;
static uint32_t irq_apic_id;
static struct spinlock lock;

static struct slot {
	bool claimed;
	uint16_t source;
	unsigned part;
} slots[BH_POLICY_DEVICE_MAX];

/* A device can fault a million times a second: what is not taken stays with the unit or is lost. */
static struct bh_iommu_fault faults[BH_IOMMU_FAULT_MAX];
static uint64_t fault_count, window_end; /* TSC */
static unsigned window_left;

static int refuse(enum bh_err err, const char *what, uint64_t at)
{
	return boot_fail(err, "DMAR: %s (%lx)", what, at);
}

static bool range_free(uint64_t base, uint64_t end, unsigned allowed_owner)
{
	uint64_t size;
	unsigned owner;

	if (base < INTERRUPTS_END && end > INTERRUPTS) {
		return false;
	}
	for (uint32_t i = 0; i < unit_count; i++) {
		if (units[i].base.v >= base && units[i].base.v < end) {
			return false;
		}
	}
	for (; base < end && frame_run_next(&base, &size, &owner); base += size) {
		if (owner != FRAME_ABSENT && owner != allowed_owner) {
			return false;
		}
	}
	return true;
}

bool iommu_range_free(uint64_t base, uint64_t size)
{
	return base < DEVICES_TOP && size <= DEVICES_TOP - base &&
	       range_free(base, base + size, FRAME_ABSENT);
}

static int open_units(void)
{
	int err = 0;

	for (uint32_t i = 0; i < dmar.unit_count && !err; i++) {
		if (!iommu_range_free(dmar.unit[i], PAGE_SIZE)) {
			return refuse(BH_CORRUPT,
				      "registers of a remapping unit inside memory or others",
				      dmar.unit[i]);
		}
		err = vtd_open(&units[i], hpa(dmar.unit[i]));
		unit_count += !err;
	}
	return err;
}

/** What every unit can, since all use the same tables. */
static int choose_limits(struct domain_limits *ret)
{
	uint64_t cap = ~0ull, ecap = ~0ull;

	width = dmar.width;
	for (uint32_t i = 0; i < unit_count; i++) {
		cap &= units[i].cap;
		ecap &= units[i].ecap;
		width = MIN(width, VTD_CAP_MGAW(units[i].cap));
	}
	ret->levels = VTD_CAP_SAGAW(cap) & BIT(1) ? 3 : 4;
	if (!(VTD_CAP_SAGAW(cap) & BIT(ret->levels - 2))) {
		return refuse(BH_NOSUPP, "the remapping units share no depth of page tables", cap);
	}
	width = MIN(width, 12 + 9 * ret->levels);
	if (frames_top() > BIT(width)) {
		return refuse(BH_NOSUPP, "the remapping units do not reach all memory", BIT(width));
	}
	ret->max_leaf = !(cap & VTD_CAP_2M) ? 1 : cap & VTD_CAP_1G ? 3 : 2;
	ret->coherent = ecap & VTD_ECAP_COHERENT;
	ret->snoop = ecap & VTD_ECAP_SNOOP;
	remaps = ecap & VTD_ECAP_QUEUE && ecap & VTD_ECAP_INTREMAP;
	return 0;
}

static int map_control(void)
{
	struct ptab *space = &domain_space[DOMAIN_CONTROL];
	const struct dmar_region *region = dmar.region;
	uint64_t base = 0, size;
	unsigned owner;
	int err = 0;

	for (; !err && frame_run_next(&base, &size, &owner); base += size) {
		if (owner == FRAME_PART0 + BH_PART_CONTROL) {
			err = ptab_map(space, base, base, size, PROT_RW, PTAB_WB);
		}
	}
	for (; region < dmar.region + dmar.region_count && !err; region++) {
		if (region->end > BIT(width) ||
		    !range_free(region->base, region->end, FRAME_PART0 + BH_PART_CONTROL)) {
			return refuse(BH_CORRUPT, "a reserved memory region where none can be",
				      region->base);
		}
		err = ptab_map(space, region->base, region->base, region->end - region->base,
			       PROT_RW, PTAB_WB);
	}
	return err;
}

int iommu_init(void)
{
	struct domain_limits limits;
	int err;

	unit_count = window_left = 0;
	window_end = 0;
	running = false;
	memset(slots, 0, sizeof(slots));
	if (!acpi_get()->dmar) {
		return 0;
	}
	err = dmar_parse(acpi_get()->dmar, acpi_get()->dmar_size, &dmar);
	err = err ? err : open_units();
	err = err ? err : choose_limits(&limits);
	if (err) {
		return err;
	}
	boot_error = "no frames left for the tables of the IOMMU";
	err = domain_init(&limits);
	return err ? err : map_control();
}

/** Nothing has been started, so whatever is refused now was left running by the firmware. */
static int settle(void)
{
	const struct bh_iommu_fault *fault;
	uint64_t end = insn_rdtsc() + SETTLE_MS * tsc_khz();

	while (!iommu_fault_take()) {
		if (insn_rdtsc() > end) {
			return 0;
		}
		insn_pause();
	}
	fault = &faults[(fault_count - 1) % BH_IOMMU_FAULT_MAX];
	return boot_fail(BH_DENIED,
			 "the IOMMU reports a fault at once: the firmware left device " PCI_BDF
			 " running, it %s %lx",
			 PCI_BDF_ARGS(fault->source), fault->write ? "writes" : "reads",
			 fault->address);
}

int iommu_start(void)
{
	hpa_t irt = remaps ? domain_interrupts : hpa(0);
	int err = 0;

	irq_apic_id = cpu_this()->apic_id;
	for (uint32_t i = 0; i < unit_count && !err; i++) {
		err = vtd_start(&units[i], domain_root, irt, IRQ_VECTOR_IOMMU, irq_apic_id);
	}
	if (err || !unit_count) {
		return err;
	}
	running = true;
	log_notice(TAG, "%u units, %u-bit addresses, interrupt remapping: %s", unit_count, width,
		   remaps ? "yes" : "no");
	return settle();
}

bool iommu_registers(unsigned index, hpa_t *ret_page)
{
	*ret_page = units[index % DMAR_UNIT_MAX].base;
	return index < unit_count;
}

/** The tables have changed. A unit that does not forget the old ones breaks what we promise. */
static void flush(void)
{
	for (uint32_t i = 0; i < unit_count && running; i++) {
		BH_CHECK(vtd_flush(&units[i]) == 0);
	}
}

/** Why the device cannot be held apart from all others; NULL: it can. A conventional device behind
 * a bridge has the bridge's id. */
static const char *why_not(uint16_t source)
{
	for (uint32_t i = 0; i < dmar.region_count && unit_count; i++) {
		if (dmar_region_names(&dmar.region[i], source)) {
			return "the firmware reserves memory for it";
		}
	}
	return !unit_count ? "the machine has no IOMMU, or the firmware hides it"
	       : !remaps   ? "the IOMMU does not remap interrupts"
	       : source >> 8 && !pci_capability(source, PCI_CAP_PCIE)
		       ? "it shares its bridge to conventional PCI with others"
		       : NULL;
}

int iommu_claim(unsigned slot, uint16_t source, unsigned part)
{
	boot_error = why_not(source);
	if (boot_error) {
		return -BH_NOSUPP;
	}
	boot_error = "no frames left for the tables of the IOMMU";
	slots[slot] = (struct slot){true, source, part};
	return domain_set_device(source, slot + 1, true);
}

int iommu_attach(unsigned slot, hpa_t ram, uint64_t size)
{
	struct ptab *space = &domain_space[slot + 1];
	int err;

	lock_acquire(&lock);
	err = domain_create(slot + 1);
	if (!err) {
		err = ptab_map(space, 0, ram.v, size, PROT_RW, PTAB_WB);
		if (err) {
			ptab_fini(space);
		}
	}
	err = err ? err : domain_set_device(slots[slot].source, slot + 1, false);
	flush();
	lock_release(&lock);
	return err;
}

void iommu_detach(unsigned slot)
{
	lock_acquire(&lock);
	BH_CHECK(domain_set_device(slots[slot].source, slot + 1, true) == 0);
	flush();
	if (domain_space[slot + 1].root.v) {
		ptab_fini(&domain_space[slot + 1]);
	}
	lock_release(&lock);
}

uint64_t iommu_set_irq(unsigned index, unsigned slot, unsigned vector)
{
	lock_acquire(&lock);
	domain_set_interrupt(index, slots[slot].source, vector, irq_apic_id);
	flush();
	lock_release(&lock);
	return MESSAGE | (uint64_t)index << 5;
}

static unsigned part_of(uint16_t source)
{
	for (unsigned i = 0; i < BH_POLICY_DEVICE_MAX; i++) {
		if (slots[i].claimed && slots[i].source == source) {
			return slots[i].part;
		}
	}
	return BH_PART_CONTROL;
}

static uint64_t record(const struct vtd_fault *fault)
{
	unsigned part = part_of(fault->source);

	faults[fault_count % BH_IOMMU_FAULT_MAX] =
		(struct bh_iommu_fault){fault_count,   fault->address, insn_rdtsc(), fault->source,
					fault->reason, fault->write,   part};
	fault_count++;
	log_notice(TAG, "device " PCI_BDF " of partition %u was denied %s %lx, reason %u",
		   PCI_BDF_ARGS(fault->source), part, fault->write ? "a write to" : "a read of",
		   fault->address, fault->reason);
	return BIT(part);
}

uint64_t iommu_fault_take(void)
{
	struct vtd_fault fault;
	uint64_t parts = 0;

	lock_acquire(&lock);
	if (insn_rdtsc() > window_end) {
		window_end = insn_rdtsc() + WINDOW_MS * tsc_khz();
		window_left = WINDOW_FAULTS;
	}
	for (uint32_t i = 0; i < unit_count && running; i++) {
		for (; window_left && vtd_fault_take(&units[i], &fault); window_left--) {
			parts |= record(&fault);
		}
	}
	lock_release(&lock);
	return parts;
}

int iommu_fault_read(uint64_t number, struct bh_iommu_fault *ret_fault)
{
	int err = -BH_NOENT;

	lock_acquire(&lock);
	if (number < fault_count) {
		number = fault_count - MIN(fault_count - number, BH_IOMMU_FAULT_MAX);
		*ret_fault = faults[number % BH_IOMMU_FAULT_MAX];
		err = 0;
	}
	lock_release(&lock);
	return err;
}

void iommu_get_info(struct bh_iommu_info *ret_info)
{
	*ret_info = (struct bh_iommu_info){
		.flags = !running ? 0 : BH_IOMMU_ACTIVE | (remaps ? BH_IOMMU_INTREMAP : 0),
		.unit_count = unit_count,
		.width = width,
		.faults = fault_count,
	};
}

static int check_leaf(void *ctx, uint64_t va, uint64_t entry, unsigned level)
{
	const struct ptab *space = ctx;
	uint64_t at = ptab_addr(entry, level), size = ptab_level_size(level);

	return space == domain_space
		       ? !range_free(at, at + size, FRAME_PART0 + BH_PART_CONTROL)
		       : !frame_range_owned(hpa(at), size, slots[space - domain_space - 1].part);
}

bool iommu_check_isolation(void)
{
	bool holds = true;

	lock_acquire(&lock);
	for (unsigned i = 0; i < DOMAIN_COUNT && unit_count; i++) {
		holds = holds && (!domain_space[i].root.v ||
				  ptab_walk(&domain_space[i], check_leaf, &domain_space[i]) == 0);
	}
	lock_release(&lock);
	return holds;
}
