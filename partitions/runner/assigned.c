/* SPDX-License-Identifier: Apache-2.0 */
/** After each access that may matter, what the device should be is worked out anew from the
 * function's registers and compared with what it is: only the difference is asked of /dev/bulkhead.
 * A wish that is refused leaves the guest without that BAR or interrupt, and nobody else. */
#include "assigned.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "bulkhead_dev.h"
#include "report.h"

#define COMMAND_MASTER 0x04u

#define MSIX_CONTROL 2u
#define MSIX_ENABLED 0x8000u
#define MSIX_MASKED  0x4000u
#define ENTRY_MASKED 0x1u

static void tell_refused(struct assigned *dev, const char *what, uint64_t value, int err)
{
	if (!dev->told) {
		report_notice("device %.16s: %s 0x%" PRIx64 " refused: %s", dev->info.role, what,
			      value, strerror(-err));
	}
	dev->told = true;
}

/* ---- BARs ---- */

static bool may_map(const struct assigned *dev, const struct bus_region *region)
{
	const uint64_t doorbells_end = LAYOUT_DOORBELL_GPA + LAYOUT_DEVICE_MAX * BH_PAGE_SIZE;

	return region->enabled && region->base >= doorbells_end &&
	       region->base <= LAYOUT_PCI_HOLE_END &&
	       region->size <= LAYOUT_PCI_HOLE_END - region->base &&
	       !bus_overlaps(dev->bus, region);
}

static void move_bar(struct assigned *dev, unsigned bar, uint64_t gpa)
{
	int err = dev_device_map(dev->part_fd, dev->number, bar, gpa);

	if (err < 0) {
		tell_refused(dev, "BAR at", gpa, err);
		return;
	}
	dev->mapped[bar] = gpa;
}

static void update_bars(struct assigned *dev)
{
	uint64_t wanted[PCI_BAR_COUNT] = {0};

	for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
		const struct bus_region *region = dev->pci.bar[i];

		if (region != NULL && may_map(dev, region)) {
			wanted[i] = region->base;
		}
		if (dev->mapped[i] != 0 && dev->mapped[i] != wanted[i]) {
			move_bar(dev, i, 0);
		}
	}
	for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
		if (dev->mapped[i] != wanted[i] && dev->mapped[i] == 0) {
			move_bar(dev, i, wanted[i]);
		}
	}
}

/* ---- Interrupts ---- */

static void set_route(struct assigned *dev, unsigned vector, struct assigned_route wanted)
{
	struct assigned_route *route = &dev->route[vector];
	int err;

	if (wanted.addr == route->addr && wanted.data == route->data &&
	    wanted.masked == route->masked) {
		return;
	}
	err = dev_device_irq(dev->part_fd, dev->number, vector, wanted.addr, wanted.data,
			     wanted.masked);
	report_debug(REPORT_ASSIGNED, "%.16s: interrupt %u: address 0x%" PRIx64 " data 0x%x%s: %d",
		     dev->info.role, vector, wanted.addr, wanted.data,
		     wanted.masked ? " masked" : "", err);
	if (err == 0) {
		*route = wanted;
	} else {
		route->masked = true; /* as a refused message leaves it */
		tell_refused(dev, "interrupt to", wanted.addr, err);
	}
}

/* An entry that was never live has no message yet; one that was keeps it while it is masked. */
static void update_routes(struct assigned *dev)
{
	for (unsigned i = 0; i < dev->msix.count; i++) {
		const struct msix_entry *entry = &dev->msix.entry[i];
		struct assigned_route wanted = {.masked = true};

		if (dev->msix.enabled && !(entry->control & ENTRY_MASKED) && entry->addr != 0) {
			wanted = (struct assigned_route){entry->addr, entry->data, false};
		} else if (dev->msix.enabled) {
			wanted.addr = dev->route[i].addr;
			wanted.data = dev->route[i].data;
		}
		set_route(dev, i, wanted);
	}
}

static void update_control(struct assigned *dev)
{
	uint32_t flags = 0;
	int err;

	if (dev->pci.config[PCI_COMMAND] & COMMAND_MASTER) {
		flags |= BULKHEAD_DEVICE_MASTER;
	}
	if (dev->msix.enabled) {
		flags |= BULKHEAD_DEVICE_MSIX;
	}
	if (dev->msix.masked) {
		flags |= BULKHEAD_DEVICE_MSIX_MASKED;
	}
	if (flags == dev->flags) {
		return;
	}
	err = dev_device_control(dev->part_fd, dev->number, flags);
	if (err < 0) {
		tell_refused(dev, "control", flags, err);
		return;
	}
	dev->flags = flags;
}

static void after_config_write(struct pci_function *function, unsigned offset, unsigned size)
{
	struct assigned *dev = (struct assigned *)function;

	if (dev->msix_capability != 0) {
		uint32_t control = pci_config_get(function, dev->msix_capability + MSIX_CONTROL, 2);

		dev->msix.enabled = control & MSIX_ENABLED;
		dev->msix.masked = control & MSIX_MASKED;
	}
	update_bars(dev);
	update_routes(dev);
	update_control(dev);
}

/* ---- What of the BARs reaches us: the MSI-X table, and all of them while they are not mapped ----
 */

static uint64_t bar_read(void *device, uint64_t offset, unsigned size)
{
	(void)device;
	(void)offset;
	(void)size;
	return 0;
}

static void bar_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)device;
	(void)offset;
	(void)size;
	(void)value;
}

static uint64_t table_read(void *device, uint64_t offset, unsigned size)
{
	const struct assigned *dev = device;

	if (offset < dev->info.msix_offset) {
		return 0;
	}
	return msix_table_read(&dev->msix, offset - dev->info.msix_offset, size);
}

static void table_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct assigned *dev = device;

	if (offset >= dev->info.msix_offset) {
		msix_table_write(&dev->msix, offset - dev->info.msix_offset, size, value);
		update_routes(dev);
	}
}

static const struct bus_ops bar_ops = {.read = bar_read, .write = bar_write};
static const struct bus_ops table_ops = {.read = table_read, .write = table_write};

/* ---- Set-up ---- */

/* Ports are not offered, nor what shares its page with another device's registers. */
static bool offered(const struct bh_device_info *info, unsigned bar)
{
	uint64_t size = info->bar_size[bar];

	return info->bar[bar] != 0 && size >= BH_PAGE_SIZE && (size & (size - 1)) == 0;
}

static int add_bar(struct assigned *dev, unsigned bar, struct bus *bus, uint64_t *next_gpa)
{
	uint64_t size = dev->info.bar_size[bar];
	uint64_t base = (*next_gpa + size - 1) & ~(size - 1);
	bool has_table = dev->msix.count != 0 && bar == dev->info.msix_bar;
	struct bus_region *region;

	if (size > LAYOUT_PCI_HOLE_END || base > LAYOUT_PCI_HOLE_END - size) {
		return -ENOSPC;
	}
	region = bus_add(bus, BH_IOREQ_MMIO, base, size, has_table ? &table_ops : &bar_ops, dev);
	if (region == NULL) {
		return -ENOSPC;
	}
	pci_bar_add(&dev->pci, bar, region);
	*next_gpa = base + size;
	return 0;
}

static unsigned vector_count(const struct bh_device_info *info)
{
	uint64_t end = info->msix_offset + (uint64_t)info->msix_count * MSIX_ENTRY_SIZE;

	if (info->msix_bar >= PCI_BAR_COUNT || !offered(info, info->msix_bar) ||
	    info->msix_offset % 8 != 0 || info->msix_offset > UINT32_MAX ||
	    end > info->bar_size[info->msix_bar]) {
		return 0;
	}
	return info->msix_count < BH_DEVICE_IRQ_MAX ? info->msix_count : BH_DEVICE_IRQ_MAX;
}

int assigned_init(struct assigned *dev, const struct assigned_setup *setup, struct bus *bus,
		  struct pci_host *pci)
{
	if (!assigned_config_fits(&setup->info, setup->config)) {
		return -EINVAL;
	}
	memset(dev, 0, sizeof(*dev));
	dev->bus = bus;
	dev->part_fd = setup->part_fd;
	dev->number = setup->number;
	dev->info = setup->info;
	msix_init(&dev->msix, vector_count(&dev->info));
	for (unsigned i = 0; i < BH_DEVICE_IRQ_MAX; i++) {
		dev->route[i].masked = true;
	}
	assigned_config_fill(dev, setup->config);
	dev->pci.after_write = after_config_write;
	if (dev->msix_capability != 0) {
		dev->pci.writable[dev->msix_capability + MSIX_CONTROL + 1] =
			(MSIX_ENABLED | MSIX_MASKED) >> 8;
	}
	for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
		int err = offered(&dev->info, i) ? add_bar(dev, i, bus, setup->next_gpa) : 0;

		if (err < 0) {
			return err;
		}
	}
	pci_host_add(pci, setup->slot, &dev->pci);
	return 0;
}
