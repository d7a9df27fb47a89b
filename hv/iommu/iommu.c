/* SPDX-License-Identifier: Apache-2.0 */
/** Start, and the order of changes: first the tables, then every unit forgets, then the caller goes
 * on. */
#include "iommu/iommu.h"

#include "acpi/acpi.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "iommu/dmar.h"
#include "iommu/domain.h"
#include "iommu/fault.h"
#include "iommu/pci.h"
#include "iommu/vtd.h"
#include "irq/lapic.h"
#include "lib/boot_info.h"
#include "lib/format.h"
#include "lib/lock.h"
#include "mem/frames.h"

#define TAG "iommu"

#define REGISTERS_TOP  BIT(39) /* root mode and the control partition map no device above */
#define INTERRUPTS     0xfee00000ull
#define INTERRUPTS_END 0xfef00000ull
#define MESSAGE	       0xfee00010ull /* remappable format */
#define SETTLE_MS      20u

static struct dmar dmar;
static struct vtd units[DMAR_UNIT_MAX];
static uint32_t unit_count; /* 0: no IOMMU */
static unsigned width;	    /* bits of a DMA address */
static unsigned domains;    /* numbers that all units know */
static bool remaps;	    /* all units remap interrupts */
static bool running;
static bool complete; /* no device is without a unit above it */
static uint32_t irq_apic_id;
static struct spinlock lock;

static int refuse(enum bh_err err, const char *what, uint64_t at)
{
	static char text[112];

	fmt_snprintf(text, sizeof(text), "DMAR: %s (%lx)", what, at);
	boot_error = text;
	return -(int)err;
}

static int check_unit(const struct dmar_unit *unit)
{
	if (unit->base >= REGISTERS_TOP) {
		return refuse(BH_NOSUPP, "registers of a remapping unit above 512 GiB", unit->base);
	}
	if (frame_owner(hpa(unit->base)) != FRAME_ABSENT ||
	    (unit->base >= INTERRUPTS && unit->base < INTERRUPTS_END)) {
		return refuse(BH_CORRUPT, "registers of a remapping unit inside memory",
			      unit->base);
	}
	return 0;
}

/** What devices may go on using lies in nobody's memory, or in the control partition's. */
static int check_region(const struct dmar_region *region)
{
	uint64_t at = region->base, size;
	unsigned owner;

	for (; at < region->end && frame_run_next(&at, &size, &owner); at += size) {
		if (owner != FRAME_ABSENT && owner != FRAME_PART0 + BH_PART_CONTROL) {
			return refuse(BH_CORRUPT,
				      "a reserved memory region inside memory of root mode or a "
				      "partition",
				      region->base);
		}
	}
	for (uint32_t i = 0; i < dmar.unit_count; i++) {
		if (region->base <= dmar.unit[i].base && dmar.unit[i].base < region->end) {
			return refuse(BH_CORRUPT, "a reserved memory region over a remapping unit",
				      region->base);
		}
	}
	if (region->base < INTERRUPTS_END && region->end > INTERRUPTS) {
		return refuse(BH_CORRUPT, "a reserved memory region where interrupts go",
			      region->base);
	}
	return region->end > BIT(width)
		       ? refuse(BH_CORRUPT, "a reserved memory region that no device can address",
				region->base)
		       : 0;
}

/** What every unit can, since all use the same tables. */
static int choose_limits(struct domain_limits *ret)
{
	uint64_t cap = ~0ull, ecap = ~0ull, depths;

	width = dmar.width;
	domains = UINT32_MAX;
	for (uint32_t i = 0; i < unit_count; i++) {
		cap &= units[i].cap;
		ecap &= units[i].ecap;
		width = MIN(width, VTD_CAP_MGAW(units[i].cap));
		domains = MIN(domains, VTD_CAP_DOMAINS(units[i].cap));
	}
	depths = VTD_CAP_SAGAW(cap);
	ret->levels = depths & BIT(1) && (frames_top() <= BIT(39) || !(depths & BIT(2))) ? 3 : 4;
	if (!(depths & BIT(ret->levels - 2))) {
		return refuse(BH_NOSUPP, "the remapping units share no depth of page tables",
			      depths);
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
	struct ptab *space = domain_space(BH_PART_CONTROL);
	uint64_t base = 0, size;
	unsigned owner;
	int err = 0;

	for (; !err && frame_run_next(&base, &size, &owner); base += size) {
		if (owner == FRAME_PART0 + BH_PART_CONTROL) {
			err = ptab_map(space, base, base, size, PTAB_READ | PTAB_WRITE, PTAB_WB);
		}
	}
	for (uint32_t i = 0; i < dmar.region_count && !err; i++) {
		err = check_region(&dmar.region[i]);
		if (!err) {
			err = ptab_map(space, dmar.region[i].base, dmar.region[i].base,
				       dmar.region[i].end - dmar.region[i].base,
				       PTAB_READ | PTAB_WRITE, PTAB_WB);
		}
	}
	return err;
}

int iommu_init(void)
{
	struct domain_limits limits;
	int err = 0;

	unit_count = 0;
	running = false;
	complete = true;
	if (!acpi_get()->dmar) {
		return 0;
	}
	err = dmar_parse(acpi_get()->dmar, acpi_get()->dmar_size, &dmar);
	for (uint32_t i = 0; i < dmar.unit_count && !err; i++) {
		err = check_unit(&dmar.unit[i]);
		if (!err) {
			err = vtd_open(&units[i], hpa(dmar.unit[i].base));
			unit_count = i + 1;
		}
	}
	err = err ? err : choose_limits(&limits);
	if (err) {
		return err;
	}
	pci_init();
	boot_error = "no frames left for the tables of the IOMMU";
	err = domain_init(&limits);
	return err ? err : map_control();
}

/** Nothing has been started, so whatever is refused now was left running by the firmware. */
static int settle(void)
{
	static char text[128];
	struct bh_iommu_fault fault;
	uint64_t end = insn_rdtsc() + SETTLE_MS * tsc_khz();

	while (!iommu_fault_take()) {
		if (insn_rdtsc() > end) {
			return 0;
		}
		insn_pause();
	}
	BH_CHECK(iommu_fault_read(fault_count() - 1, &fault) == 0);
	fmt_snprintf(text, sizeof(text),
		     "the IOMMU reports a fault at once: the firmware left device " FAULT_BDF
		     " running, it %s %lx",
		     FAULT_BDF_ARGS(fault.source), fault.write ? "writes" : "reads", fault.address);
	boot_error = text;
	return -BH_DENIED;
}

int iommu_start(void)
{
	hpa_t irt = remaps ? domain_interrupts() : hpa(0);
	int err = 0;

	irq_apic_id = cpu_this()->apic_id;
	for (uint32_t i = 0; i < unit_count && !err; i++) {
		err = vtd_start(&units[i], domain_root(), irt, IRQ_VECTOR_IOMMU, irq_apic_id);
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
	if (index >= unit_count) {
		return false;
	}
	*ret_page = units[index].base;
	return true;
}

void iommu_get_info(struct bh_iommu_info *ret_info)
{
	*ret_info = (struct bh_iommu_info){
		.flags = (running && complete ? BH_IOMMU_ACTIVE : 0) |
			 (running && remaps ? BH_IOMMU_INTREMAP : 0),
		.unit_count = unit_count,
		.width = width,
		.faults = fault_count(),
	};
}

/** The tables have changed. A unit that does not forget the old ones breaks what we promise. */
static void flush(void)
{
	for (uint32_t i = 0; i < unit_count && running; i++) {
		BH_CHECK(vtd_flush(&units[i]) == 0);
	}
}

/** One of the scopes is this function, or a bridge above it. */
static bool scopes_cover(struct dmar_scopes scopes, uint16_t source)
{
	struct dmar_scope scope;

	while (dmar_scope_next(&scopes, &scope)) {
		unsigned bus = scope.bus, step = 0;
		uint16_t at = 0;

		if (scope.type != DMAR_SCOPE_ENDPOINT && scope.type != DMAR_SCOPE_BRIDGE) {
			continue;
		}
		for (; step < scope.depth && (step == 0 || pci_bus_behind(at, &bus)); step++) {
			at = (uint16_t)(bus << 8 | scope.path[2 * step] << 3 |
					scope.path[2 * step + 1]);
		}
		if (step == scope.depth && (at == source || (scope.type == DMAR_SCOPE_BRIDGE &&
							     pci_is_behind(source, at)))) {
			return true;
		}
	}
	return false;
}

static bool is_covered(uint16_t source)
{
	for (uint32_t i = 0; i < dmar.unit_count; i++) {
		if (dmar.unit[i].all || scopes_cover(dmar.unit[i].scopes, source)) {
			return true;
		}
	}
	return false;
}

static int find_uncovered(void *ctx, uint16_t source)
{
	*(uint16_t *)ctx = source;
	return !is_covered(source);
}

const char *iommu_gap(void)
{
	static char text[64];
	uint16_t source;

	if (!unit_count) {
		return "the machine has no IOMMU, or the firmware hides it";
	}
	if (!pci_walk(find_uncovered, &source)) {
		return NULL;
	}
	fmt_snprintf(text, sizeof(text), "no remapping unit is above device " FAULT_BDF,
		     FAULT_BDF_ARGS(source));
	complete = false;
	return text;
}

static bool has_region(uint16_t source)
{
	for (uint32_t i = 0; i < dmar.region_count; i++) {
		if (scopes_cover(dmar.region[i].scopes, source)) {
			return true;
		}
	}
	return false;
}

static const char *why_not(uint16_t source, unsigned part)
{
	return !unit_count		 ? "the machine has no IOMMU"
	       : !remaps		 ? "the IOMMU does not remap interrupts"
	       : part + 1 >= domains	 ? "the IOMMU has too few domains"
	       : !is_covered(source)	 ? "no remapping unit is above it"
	       : has_region(source)	 ? "the firmware reserves memory for it"
	       : !pci_has_own_id(source) ? "it shares its bridge to conventional PCI with others"
					 : NULL;
}

int iommu_claim(uint16_t source, unsigned part)
{
	const char *why = why_not(source, part);

	if (why) {
		boot_error = why;
		return -BH_NOSUPP;
	}
	boot_error = "no frames left for the tables of the IOMMU";
	return domain_set_device(source, part, true);
}

int iommu_attach(uint16_t source, hpa_t ram, uint64_t size)
{
	bool blocked;
	unsigned part = domain_part(source, &blocked);
	int err = 0;

	lock_acquire(&lock);
	if (!domain_space(part)) {
		err = domain_create(part);
		if (!err) {
			err = ptab_map(domain_space(part), 0, ram.v, size, PTAB_READ | PTAB_WRITE,
				       PTAB_WB);
			if (err) {
				domain_destroy(part);
			}
		}
	}
	if (!err) {
		err = domain_set_device(source, part, false);
		flush();
	}
	lock_release(&lock);
	return err;
}

static bool has_attached(unsigned part)
{
	bool blocked;

	for (uint32_t source = 0; source < BIT(16); source++) {
		if (domain_part((uint16_t)source, &blocked) == part && !blocked) {
			return true;
		}
	}
	return false;
}

void iommu_detach(uint16_t source)
{
	bool blocked;
	unsigned part = domain_part(source, &blocked);

	lock_acquire(&lock);
	BH_CHECK(domain_set_device(source, part, true) == 0);
	flush();
	if (domain_space(part) && !has_attached(part)) {
		domain_destroy(part);
	}
	lock_release(&lock);
}

void iommu_irq_allow(unsigned index, uint16_t source, unsigned vector, uint64_t *ret_address,
		     uint32_t *ret_data)
{
	lock_acquire(&lock);
	domain_set_interrupt(index, source, vector, irq_apic_id);
	flush();
	lock_release(&lock);
	*ret_address = MESSAGE | (uint64_t)index << 5;
	*ret_data = 0;
}

void iommu_irq_forbid(unsigned index)
{
	lock_acquire(&lock);
	domain_set_interrupt(index, 0, 0, 0);
	flush();
	lock_release(&lock);
}

uint64_t iommu_fault_take(void)
{
	struct vtd_fault fault;
	uint64_t parts = 0;
	unsigned left = FAULT_TAKE_MAX;

	lock_acquire(&lock);
	for (uint32_t i = 0; i < unit_count && running; i++) {
		while (left && vtd_fault_take(&units[i], &fault)) {
			bool noisy = false;

			left--;
			parts |= BIT(fault_record(&fault, &noisy));
			if (noisy && domain_silence(fault.source) == 0) {
				flush();
			}
		}
	}
	lock_release(&lock);
	return parts;
}

int iommu_fault_read(uint64_t number, struct bh_iommu_fault *ret_fault)
{
	int err;

	lock_acquire(&lock);
	err = fault_read(number, ret_fault);
	lock_release(&lock);
	return err;
}

static int check_leaf(void *ctx, uint64_t va, uint64_t entry, unsigned level)
{
	unsigned part = *(const unsigned *)ctx, owner;
	const struct ptab *space = domain_space(part);
	uint64_t at = space->fmt->addr(entry, level), end = at + ptab_level_size(level), size;

	if (part != BH_PART_CONTROL) {
		return !frame_range_owned(hpa(at), end - at, part);
	}
	for (; at < end && frame_run_next(&at, &size, &owner); at += size) {
		if (owner != FRAME_ABSENT && owner != FRAME_PART0 + BH_PART_CONTROL) {
			return 1;
		}
	}
	return 0;
}

bool iommu_check_isolation(void)
{
	bool holds = true;

	lock_acquire(&lock);
	for (unsigned part = 0; part < BH_PART_MAX && unit_count; part++) {
		struct ptab *space = domain_space(part);

		holds = holds && (!space || ptab_walk(space, check_leaf, &part) == 0);
	}
	lock_release(&lock);
	return holds;
}
