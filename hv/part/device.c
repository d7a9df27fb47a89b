/* SPDX-License-Identifier: Apache-2.0 */
/** Assigned devices: where they are, what of them is mapped, where their interrupts go. */
#include "part/device.h"

#include "dbg/log.h"
#include "iommu/iommu.h"
#include "iommu/pci.h"
#include "irq/lapic.h"
#include "lib/boot_info.h"
#include "lib/string.h"
#include "part/backend.h"
#include "part/gate.h"
#include "part/policy.h"

#define TAG "device"

#define MSIX_ENTRY	16u
#define MSIX_COUNT(cap) (((cap) >> 16 & 0x7ff) + 1)
#define COMMAND_BITS	0xffffu /* above it status bits, which writing 1 clears */

static struct device {
	struct bh_device_info info;
	uint64_t gpa[BH_DEVICE_BAR_MAX]; /* where the partition has the BAR, 0: nowhere */
} devices[BH_POLICY_DEVICE_MAX];
static uint32_t device_count;

/* Slot i is entry i of the IOMMU and vector IRQ_VECTOR_DEVICE + i. */
static struct irq {
	const struct device *device; /* NULL: free */
	struct bh_device_irq message;
} irqs[BH_DEVICE_IRQ_MAX];
/* Held while an interrupt is delivered, so that its partition is there as long. */
static struct spinlock irq_lock;

static bool fits(const struct bh_policy_device *want, uint16_t source)
{
	uint32_t id = pci_read(source, PCI_ID);

	for (uint32_t i = 0; i < device_count; i++) { /* one function, one owner */
		if (devices[i].info.state && devices[i].info.source == source) {
			return false;
		}
	}
	return (pci_read(source, PCI_CLASS) >> 8 & want->class_mask) == want->class_code &&
	       (want->vendor == BH_POLICY_DEVICE_ANY || want->vendor == (id & 0xffff)) &&
	       (want->device == BH_POLICY_DEVICE_ANY || want->device == id >> 16);
}

static bool find(const struct bh_policy_device *want, uint16_t *ret_source)
{
	unsigned nth = 0;

	for (uint32_t source = 0; pci_next(&source); source++) {
		if (fits(want, (uint16_t)source) && nth++ == want->nth) {
			*ret_source = (uint16_t)source;
			return true;
		}
	}
	return false;
}

static void read_config(struct bh_device_info *info)
{
	uint32_t id = pci_read(info->source, PCI_ID), table;
	unsigned cap = pci_capability(info->source, PCI_CAP_MSIX);

	info->vendor = (uint16_t)id;
	info->device = (uint16_t)(id >> 16);
	info->class_code = pci_read(info->source, PCI_CLASS) >> 8;
	for (unsigned i = 0; i < BH_DEVICE_BAR_MAX;) {
		i += pci_bar(info->source, i, &info->bar[i], &info->bar_size[i]);
	}
	table = cap ? pci_read(info->source, cap + 4) : 7;
	if ((table & 7) < BH_DEVICE_BAR_MAX) {
		info->msix_count = (uint16_t)MSIX_COUNT(pci_read(info->source, cap));
		info->msix_bar = table & 7;
		info->msix_offset = table & ~7u;
	}
}

static void init_device(unsigned id, const struct bh_policy_device *want)
{
	struct bh_device_info *info = &devices[id].info;

	devices[id] = (struct device){.info.part = want->part};
	memcpy(info->role, want->role, sizeof(info->role));
	if (!find(want, &info->source)) {
		log_notice(TAG, "%s: this machine has none", info->role);
		return;
	}
	info->state = BH_DEVICE_CONTROL;
	read_config(info);
	if (iommu_claim(id, info->source, info->part)) {
		log_notice(TAG, "%s, " PCI_BDF ": stays with the control partition: %s", info->role,
			   PCI_BDF_ARGS(info->source), boot_error);
		return;
	}
	/* The firmware may have left it running: on a machine that starts by the network, the card.
	 */
	pci_write(info->source, PCI_COMMAND,
		  pci_read(info->source, PCI_COMMAND) & COMMAND_BITS & ~PCI_MASTER);
	info->state = BH_DEVICE_ASSIGNED;
	log_notice(TAG, "%s, " PCI_BDF ": assigned to %s", info->role, PCI_BDF_ARGS(info->source),
		   policy_part(info->part)->name);
}

int device_init(void)
{
	hpa_t page;

	if (!iommu_registers(0, &page)) {
		boot_error = "the policy requires an IOMMU; this machine has no IOMMU, or hides it";
		if (policy_requires_iommu()) {
			return -BH_NOSUPP;
		}
		log_notice(TAG, "warning: devices are not held back from memory: no IOMMU");
	}
	for (device_count = 0; policy_device(device_count); device_count++) {
		init_device(device_count, policy_device(device_count));
	}
	return 0;
}

static bool is_of(unsigned id, const struct part *part)
{
	return id < device_count && gate_owns_device(part, id) &&
	       devices[id].info.state == BH_DEVICE_ASSIGNED;
}

int device_attach(const struct part *part)
{
	int err = 0;

	for (uint32_t i = 0; i < device_count && !err; i++) {
		err = is_of(i, part) ? iommu_attach(i, part->ram, part->ram_size) : 0;
	}
	if (err) {
		device_detach(part);
	}
	return err;
}

/** Moves [from, end) of a BAR to the partition, or (gpa 0) back to the control partition. */
static int move(const struct device *device, uint64_t bar, uint64_t gpa, uint64_t from,
		uint64_t end)
{
	struct part *control = &parts[BH_PART_CONTROL], *part = &parts[device->info.part];
	uint64_t at = device->info.bar[bar] + from, size = end - from;
	int err;

	if (from >= end) {
		return 0;
	}
	err = gpa ? backend_unmap(control, at, size)
		  : backend_unmap(part, device->gpa[bar] + from, size);
	if (!err && gpa) {
		err = backend_map(part, gpa + from, hpa(at), size, PTAB_READ | PTAB_WRITE, PTAB_UC);
	}
	if (err || !gpa) {
		err = backend_map(control, at, hpa(at), size, PTAB_READ | PTAB_WRITE, PTAB_UC)
			      ? -BH_NOMEM
			      : err;
	}
	return err;
}

/** All of the BAR but the pages of the MSI-X table, whose accesses go to the runner. */
static int move_bar(struct device *device, uint64_t bar, uint64_t gpa)
{
	const struct bh_device_info *info = &device->info;
	uint64_t size = info->bar_size[bar], first = size, end = size;
	int err;

	if (info->msix_count && info->msix_bar == bar) {
		first = MIN(ALIGN_DOWN(info->msix_offset, PAGE_SIZE), size);
		end = ALIGN_UP(info->msix_offset + info->msix_count * MSIX_ENTRY, PAGE_SIZE);
	}
	err = move(device, bar, gpa, 0, first);
	err = err ? err : move(device, bar, gpa, end, size);
	device->gpa[bar] = err ? device->gpa[bar] : gpa;
	return err;
}

void device_detach(const struct part *part)
{
	lock_acquire(&irq_lock);
	for (unsigned i = 0; i < BH_DEVICE_IRQ_MAX; i++) {
		if (irqs[i].device && irqs[i].device->info.part == part->id) {
			(void)iommu_set_irq(i, 0, 0);
			irqs[i].device = NULL;
		}
	}
	lock_release(&irq_lock);
	for (uint32_t i = 0; i < device_count; i++) {
		if (is_of(i, part)) {
			iommu_detach(i);
		}
		for (unsigned bar = 0; bar < BH_DEVICE_BAR_MAX && is_of(i, part); bar++) {
			if (devices[i].gpa[bar] && move_bar(&devices[i], bar, 0)) {
				log_error(TAG, "no frames left to give BAR %u back", bar);
			}
		}
	}
}

bool device_range_owned(const struct part *part, uint64_t base, uint64_t size)
{
	for (uint32_t i = 0; i < device_count; i++) {
		for (unsigned bar = 0; bar < BH_DEVICE_BAR_MAX && is_of(i, part); bar++) {
			uint64_t at = base - devices[i].info.bar[bar];

			if (at < devices[i].info.bar_size[bar] &&
			    size <= devices[i].info.bar_size[bar] - at) {
				return true;
			}
		}
	}
	return false;
}

bool device_handle_irq(unsigned vector)
{
	const struct irq *irq = &irqs[vector - IRQ_VECTOR_DEVICE];
	const struct device *device;

	if (vector - IRQ_VECTOR_DEVICE >= BH_DEVICE_IRQ_MAX) {
		return false;
	}
	lock_acquire(&irq_lock);
	device = irq->device;
	if (device) { /* a message that means nothing to a local APIC is lost */
		lapic_eoi();
		(void)!vlapic_msi(parts[device->info.part].vcpu[0], irq->message.part_address,
				  irq->message.part_data);
	}
	lock_release(&irq_lock);
	return device;
}

int device_get_info(uint64_t id, struct bh_device_info *ret_info)
{
	if (id >= device_count) {
		return -BH_NOENT;
	}
	*ret_info = devices[id].info;
	return 0;
}

uint32_t device_get_count(void)
{
	return device_count;
}

/** Claims the partition of a device that is assigned, if it is there: one change at a time. */
static int claim(uint64_t id, struct part **ret_part)
{
	int err = id >= device_count				 ? -BH_NOENT
		  : devices[id].info.state != BH_DEVICE_ASSIGNED ? -BH_NOSUPP
								 : 0;

	if (err) {
		return err;
	}
	*ret_part = &parts[devices[id].info.part];
	err = part_claim(*ret_part);
	if (!err && part_state(*ret_part) == BH_PART_EMPTY) {
		part_release(*ret_part);
		err = -BH_STATE;
	}
	return err;
}

static int map_claimed(struct device *device, uint64_t bar, uint64_t gpa)
{
	uint64_t base, size;
	int err = 0;

	if (bar >= BH_DEVICE_BAR_MAX) {
		return -BH_INVAL;
	}
	base = device->info.bar[bar];
	size = device->info.bar_size[bar];
	if (!size || !IS_ALIGNED(base | size, PAGE_SIZE) || !iommu_range_free(base, size)) {
		return -BH_NOSUPP;
	}
	if (gpa && !part_range_free(&parts[device->info.part], gpa, size)) {
		return -BH_RANGE;
	}
	if (device->gpa[bar]) {
		err = move_bar(device, bar, 0);
	}
	return err || !gpa ? err : move_bar(device, bar, gpa);
}

int device_map(uint64_t id, uint64_t bar, uint64_t gpa)
{
	struct part *part;
	int err = claim(id, &part);

	if (!err) {
		err = map_claimed(&devices[id], bar, gpa);
		part_release(part);
	}
	return err;
}

/** The slot of this interrupt, else a free one, else NULL. */
static struct irq *find_irq(const struct device *device, uint32_t index)
{
	struct irq *found = NULL;

	for (unsigned i = 0; i < BH_DEVICE_IRQ_MAX; i++) {
		if (irqs[i].device == device && irqs[i].message.index == index) {
			return &irqs[i];
		}
		found = irqs[i].device || found ? found : &irqs[i];
	}
	return found;
}

int device_set_irq(uint64_t id, struct bh_device_irq *message)
{
	struct part *part;
	int err = claim(id, &part);
	struct irq *irq;
	unsigned i;

	if (err) {
		return err;
	}
	if (message->index >= devices[id].info.msix_count) {
		part_release(part);
		return -BH_INVAL;
	}
	lock_acquire(&irq_lock);
	irq = find_irq(&devices[id], message->index);
	if (irq) {
		i = (unsigned)(irq - irqs);
		*irq = (struct irq){message->part_address ? &devices[id] : NULL, *message};
		message->address =
			iommu_set_irq(i, (unsigned)id, irq->device ? IRQ_VECTOR_DEVICE + i : 0);
		message->data = 0;
	}
	lock_release(&irq_lock);
	part_release(part);
	return irq ? 0 : -BH_NOMEM;
}
