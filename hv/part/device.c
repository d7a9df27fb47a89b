/* SPDX-License-Identifier: Apache-2.0 */
/** Assigned devices: where they are, what of them is mapped, where their interrupts go. */
#include "part/device.h"

#include "dbg/log.h"
#include "iommu/fault.h"
#include "iommu/iommu.h"
#include "iommu/pci.h"
#include "irq/lapic.h"
#include "lib/boot_info.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "part/backend.h"
#include "part/policy.h"

#define TAG "device"

#define PCI_HOLE_TOP  BIT(32)
#define DEVICES_TOP   BIT(39)
#define MSIX_ENTRY    16u
#define MSIX_COUNT(c) (((c) >> 16 & 0x7ff) + 1)

static struct device {
	struct bh_device_info info;
	uint64_t gpa[BH_DEVICE_BAR_MAX]; /* where the partition has the BAR, 0: nowhere */
} devices[BH_POLICY_DEVICE_MAX];
static uint32_t device_count;

/* Interrupts in use: slot i is entry i of the IOMMU and vector IRQ_VECTOR_DEVICE + i. */
static struct irq {
	const struct device *device; /* NULL: free */
	uint32_t index;
	uint32_t part_data;
	uint64_t part_address;
} irqs[BH_DEVICE_IRQ_MAX];
/* Held while an interrupt is delivered, so that its partition is there as long. */
static struct spinlock irq_lock;

struct search {
	const struct bh_policy_device *want;
	unsigned nth;
	struct bh_device_info *ret;
};

static bool is_taken(uint16_t source)
{
	for (uint32_t i = 0; i < device_count; i++) {
		if (devices[i].info.state && devices[i].info.source == source) {
			return true;
		}
	}
	return false;
}

static int match(void *ctx, uint16_t source)
{
	struct search *search = ctx;
	const struct bh_policy_device *want = search->want;
	uint32_t id = pci_read(source, PCI_ID), class_code = pci_read(source, PCI_CLASS) >> 8;

	if ((class_code & want->class_mask) != want->class_code ||
	    (want->vendor != BH_POLICY_DEVICE_ANY && want->vendor != (id & 0xffff)) ||
	    (want->device != BH_POLICY_DEVICE_ANY && want->device != id >> 16) ||
	    is_taken(source) || search->nth++ != want->nth) {
		return 0;
	}
	search->ret->source = source;
	search->ret->vendor = (uint16_t)id;
	search->ret->device = (uint16_t)(id >> 16);
	search->ret->class_code = class_code;
	search->ret->state = BH_DEVICE_CONTROL;
	return 1;
}

/** BARs, and the MSI-X table. */
static void read_resources(struct bh_device_info *info)
{
	unsigned cap = pci_capability(info->source, PCI_CAP_MSIX);
	uint32_t at = cap ? pci_read(info->source, cap + 4) : 0;

	for (unsigned i = 0; i < BH_DEVICE_BAR_MAX;) {
		i += pci_bar(info->source, i, &info->bar[i], &info->bar_size[i]);
	}
	if (cap && (at & 7) < BH_DEVICE_BAR_MAX) {
		info->msix_count = (uint16_t)MSIX_COUNT(pci_read(info->source, cap));
		info->msix_bar = at & 7;
		info->msix_offset = at & ~7u;
	}
}

static void find(struct device *device, const struct bh_policy_device *want)
{
	struct bh_device_info *info = &device->info;
	struct search search = {want, 0, info};

	memset(device, 0, sizeof(*device));
	memcpy(info->role, want->role, sizeof(info->role));
	info->part = want->part;
	if (!pci_walk(match, &search)) {
		log_notice(TAG, "%s: this machine has none", info->role);
		return;
	}
	read_resources(info);
	if (iommu_claim(info->source, info->part)) {
		log_notice(TAG, "%s, " FAULT_BDF ": stays with the control partition: %s",
			   info->role, FAULT_BDF_ARGS(info->source), boot_error);
		return;
	}
	/* The firmware may have left it running: on a machine that starts by the network, the card.
	 */
	pci_write(info->source, PCI_COMMAND,
		  pci_read(info->source, PCI_COMMAND) & 0xffff & ~(uint32_t)PCI_COMMAND_MASTER);
	info->state = BH_DEVICE_ASSIGNED;
	log_notice(TAG, "%s, " FAULT_BDF ": assigned to %s", info->role,
		   FAULT_BDF_ARGS(info->source), policy_part(info->part)->name);
}

int device_init(void)
{
	static char text[128];
	const char *gap = iommu_gap();

	if (gap && policy_requires_iommu()) {
		fmt_snprintf(text, sizeof(text), "the policy requires an IOMMU for all devices: %s",
			     gap);
		boot_error = text;
		return -BH_NOSUPP;
	}
	if (gap) {
		log_notice(TAG, "warning: devices are not held back from memory: %s", gap);
	}
	for (device_count = 0; policy_device(device_count); device_count++) {
		find(&devices[device_count], policy_device(device_count));
	}
	return 0;
}

int device_attach(const struct part *part)
{
	for (uint32_t i = 0; i < device_count; i++) {
		const struct bh_device_info *info = &devices[i].info;
		int err = info->part == part->id && info->state == BH_DEVICE_ASSIGNED
				  ? iommu_attach(info->source, part->ram, part->ram_size)
				  : 0;

		if (err) {
			device_detach(part);
			return err;
		}
	}
	return 0;
}

/** First and last byte of the pages that hold the MSI-X table, as offsets in a BAR; false: not in
 * this one. */
static bool msix_pages(const struct bh_device_info *info, uint64_t bar, uint64_t *ret_first,
		       uint64_t *ret_end)
{
	*ret_first = ALIGN_DOWN(info->msix_offset, PAGE_SIZE);
	*ret_end = ALIGN_UP(info->msix_offset + info->msix_count * MSIX_ENTRY, PAGE_SIZE);
	return info->msix_count && info->msix_bar == bar;
}

/** Moves [from, end) of a BAR to the partition, or back to the control partition. */
static int move(const struct device *device, uint64_t bar, uint64_t gpa, uint64_t from,
		uint64_t end)
{
	struct part *control = &parts[BH_PART_CONTROL], *part = &parts[device->info.part];
	uint64_t at = device->info.bar[bar] + from;
	int err;

	if (from >= end) {
		return 0;
	}
	if (!gpa) {
		err = backend_unmap(part, device->gpa[bar] + from, end - from);
		return err ? err
			   : backend_map(control, at, hpa(at), end - from,
					 PTAB_READ | PTAB_WRITE | PTAB_EXECUTE, PTAB_UC);
	}
	err = backend_map(part, gpa + from, hpa(at), end - from, PTAB_READ | PTAB_WRITE, PTAB_UC);
	if (!err) {
		err = backend_unmap(control, at, end - from);
		if (err) {
			(void)!backend_unmap(part, gpa + from, end - from);
		}
	}
	return err;
}

/** The whole BAR but the pages of the MSI-X table: those the control partition's runner emulates.
 */
static int move_bar(struct device *device, uint64_t bar, uint64_t gpa)
{
	uint64_t size = device->info.bar_size[bar], first = size, end = size;
	int err;

	if (!msix_pages(&device->info, bar, &first, &end)) {
		first = end = size;
	}
	err = move(device, bar, gpa, 0, MIN(first, size));
	err = err ? err : move(device, bar, gpa, end, size);
	if (!err) {
		device->gpa[bar] = gpa;
	}
	return err;
}

void device_detach(const struct part *part)
{
	lock_acquire(&irq_lock);
	for (unsigned i = 0; i < BH_DEVICE_IRQ_MAX; i++) {
		if (irqs[i].device && irqs[i].device->info.part == part->id) {
			iommu_irq_forbid(i);
			irqs[i].device = NULL;
		}
	}
	lock_release(&irq_lock);
	for (uint32_t i = 0; i < device_count; i++) {
		if (devices[i].info.part != part->id ||
		    devices[i].info.state != BH_DEVICE_ASSIGNED) {
			continue;
		}
		iommu_detach(devices[i].info.source);
		for (unsigned bar = 0; bar < BH_DEVICE_BAR_MAX; bar++) {
			if (devices[i].gpa[bar] && move_bar(&devices[i], bar, 0)) {
				log_error(TAG, "%s: BAR %u is nobody's: no frames left",
					  devices[i].info.role, bar);
			}
		}
	}
}

bool device_range_owned(const struct part *part, uint64_t base, uint64_t size)
{
	for (uint32_t i = 0; i < device_count; i++) {
		const struct bh_device_info *info = &devices[i].info;

		for (unsigned bar = 0; bar < BH_DEVICE_BAR_MAX; bar++) {
			if (info->part == part->id && info->state == BH_DEVICE_ASSIGNED &&
			    base >= info->bar[bar] && base - info->bar[bar] < info->bar_size[bar] &&
			    size <= info->bar_size[bar] - (base - info->bar[bar])) {
				return true;
			}
		}
	}
	return false;
}

bool device_handle_irq(unsigned vector)
{
	unsigned i = vector - IRQ_VECTOR_DEVICE;
	const struct device *device;

	if (i >= BH_DEVICE_IRQ_MAX) {
		return false;
	}
	lock_acquire(&irq_lock);
	device = irqs[i].device;
	if (device) { /* a message that means nothing to a local APIC is lost */
		lapic_eoi();
		(void)!vlapic_msi(parts[device->info.part].vcpu[0], irqs[i].part_address,
				  irqs[i].part_data);
	}
	lock_release(&irq_lock);
	return device;
}

void device_iommu_info(struct bh_iommu_info *ret_info)
{
	iommu_get_info(ret_info);
	ret_info->device_count = device_count;
}

int device_get_info(uint64_t id, struct bh_device_info *ret_info)
{
	if (id >= device_count) {
		return -BH_NOENT;
	}
	*ret_info = devices[id].info;
	return 0;
}

/** One hypercall at a time changes the device or its partition. */
static int claim(uint64_t id)
{
	return id < device_count ? part_claim(&parts[devices[id].info.part]) : -BH_NOENT;
}

static void release(uint64_t id)
{
	part_release(&parts[devices[id].info.part]);
}

/** The device, if it is assigned and its partition is there. */
static int usable(uint64_t id, struct device **ret_device, struct part **ret_part)
{
	if (id >= device_count) {
		return -BH_NOENT;
	}
	*ret_device = &devices[id];
	*ret_part = &parts[devices[id].info.part];
	if (devices[id].info.state != BH_DEVICE_ASSIGNED) {
		return -BH_NOSUPP;
	}
	return (*ret_part)->state == BH_PART_EMPTY ? -BH_STATE : 0;
}

/** Whole pages in which there is nothing but this device. */
static bool is_movable(const struct bh_device_info *info, uint64_t bar)
{
	uint64_t base = info->bar[bar], size = info->bar_size[bar], at = base, run;
	hpa_t page;
	unsigned owner;

	if (!size || !IS_ALIGNED(base | size, PAGE_SIZE) || base >= DEVICES_TOP ||
	    size > DEVICES_TOP - base ||
	    (base < VLAPIC_MMIO + 0x100000 && base + size > VLAPIC_MMIO)) {
		return false;
	}
	for (unsigned i = 0; iommu_registers(i, &page); i++) {
		if (page.v >= base && page.v < base + size) {
			return false;
		}
	}
	for (; at < base + size && frame_run_next(&at, &run, &owner); at += run) {
		if (owner != FRAME_ABSENT) {
			return false;
		}
	}
	return true;
}

static int map_claimed(uint64_t id, uint64_t bar, uint64_t gpa)
{
	struct device *device;
	struct part *part;
	uint64_t size;
	int err = usable(id, &device, &part);

	if (err) {
		return err;
	}
	if (bar >= BH_DEVICE_BAR_MAX) {
		return -BH_INVAL;
	}
	size = device->info.bar_size[bar];
	if (!is_movable(&device->info, bar)) {
		return -BH_NOSUPP;
	}
	if (gpa &&
	    (!IS_ALIGNED(gpa, PAGE_SIZE) || gpa < part->ram_size || gpa >= PCI_HOLE_TOP ||
	     size > PCI_HOLE_TOP - gpa || (gpa <= VLAPIC_MMIO && VLAPIC_MMIO < gpa + size))) {
		return -BH_RANGE;
	}
	if (device->gpa[bar]) {
		err = move_bar(device, bar, 0);
	}
	return err || !gpa ? err : move_bar(device, bar, gpa);
}

int device_map(uint64_t id, uint64_t bar, uint64_t gpa)
{
	int err = claim(id);

	if (!err) {
		err = map_claimed(id, bar, gpa);
		release(id);
	}
	return err;
}

static struct irq *find_irq(const struct device *device, uint32_t index)
{
	struct irq *found = NULL;

	for (unsigned i = 0; i < BH_DEVICE_IRQ_MAX; i++) {
		if (irqs[i].device == device && irqs[i].index == index) {
			return &irqs[i];
		}
		if (!irqs[i].device && !found) {
			found = &irqs[i];
		}
	}
	return found;
}

static int set_irq_claimed(uint64_t id, struct bh_device_irq *irq)
{
	struct device *device;
	struct part *part;
	struct irq *slot;
	unsigned i;
	int err = usable(id, &device, &part);

	if (err) {
		return err;
	}
	if (irq->index >= device->info.msix_count) {
		return -BH_INVAL;
	}
	lock_acquire(&irq_lock);
	slot = find_irq(device, irq->index);
	i = slot ? (unsigned)(slot - irqs) : 0;
	irq->address = irq->data = 0;
	if (slot && irq->part_address) {
		*slot = (struct irq){device, irq->index, irq->part_data, irq->part_address};
		iommu_irq_allow(i, device->info.source, IRQ_VECTOR_DEVICE + i, &irq->address,
				&irq->data);
	} else if (slot) {
		slot->device = NULL;
		iommu_irq_forbid(i);
	}
	lock_release(&irq_lock);
	return slot ? 0 : -BH_NOMEM;
}

int device_set_irq(uint64_t id, struct bh_device_irq *irq)
{
	int err = claim(id);

	if (!err) {
		err = set_irq_claimed(id, irq);
		release(id);
	}
	return err;
}
