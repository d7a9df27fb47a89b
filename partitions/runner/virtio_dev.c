/* SPDX-License-Identifier: Apache-2.0 */
/** The PCI function of a virtio device. BAR 0 holds all structures but notification, whose BAR 2 is
 * the device's page of the doorbell window: while it stays there, root mode answers it and we never
 * see a ring. */
#define _GNU_SOURCE
#include "virtio_dev.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "abi/event.h"
#include "bulkhead_dev.h"
#include "report.h"

#define NOTIFY_BAR 2u

#define CAP_VENDOR 0x09u
#define CAP_MSIX   0x11u

/* Types of vendor capability. */
enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4, CFG_PCI = 5 };

#define COMMON_SIZE	0x38u
#define ACCESS_CAP_SIZE 20u
#define ACCESS_CAP_DATA 16u /* where its window starts */

/* Feature bits that concern the transport and that it can do, beside the device's own. */
#define DEVICE_FEATURES	   0x0000000000ffffffull
#define TRANSPORT_FEATURES ((1ull << 28) | (1ull << 29) | (1ull << 35) | (1ull << 36))

void virtio_dev_break(struct virtio_dev *dev)
{
	dev->status |= VIRTIO_STATUS_NEEDS_RESET;
	if (dev->status & VIRTIO_STATUS_DRIVER_OK) {
		virtio_irq_config(dev);
	}
}

void virtio_dev_config_changed(struct virtio_dev *dev)
{
	dev->config_valid = false;
	dev->generation++;
	if (dev->status & VIRTIO_STATUS_DRIVER_OK) {
		virtio_irq_config(dev);
	}
}

static bool config_fits(const struct virtio_dev *dev, uint64_t offset, unsigned size)
{
	return offset < dev->type->config_size && size <= dev->type->config_size - offset &&
	       vhost_has_config(&dev->back);
}

static uint64_t read_config(struct virtio_dev *dev, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (!config_fits(dev, offset, size)) {
		return 0;
	}
	if (!dev->config_valid) {
		if (vhost_config_read(&dev->back, dev->config, dev->type->config_size) < 0) {
			virtio_dev_break(dev);
			return 0;
		}
		/* Byte-wise readers of a bitmap would else cost one round trip a byte. */
		dev->config_valid = vhost_announces_config(&dev->back);
	}
	memcpy(&value, dev->config + offset, size);
	return value;
}

static void write_config(struct virtio_dev *dev, uint64_t offset, unsigned size, uint64_t value)
{
	if (!config_fits(dev, offset, size)) {
		return;
	}
	dev->config_valid = false;
	if (vhost_config_write(&dev->back, (unsigned)offset, size, &value) < 0) {
		virtio_dev_break(dev);
	}
}

static uint64_t bar_read(void *device, uint64_t offset, unsigned size)
{
	struct virtio_dev *dev = device;
	uint8_t isr;

	if (offset >= VIRTIO_BAR_PBA) {
		return msix_pba_read(&dev->msix, offset - VIRTIO_BAR_PBA, size);
	}
	if (offset >= VIRTIO_BAR_MSIX) {
		return msix_table_read(&dev->msix, offset - VIRTIO_BAR_MSIX, size);
	}
	if (offset >= VIRTIO_BAR_CONFIG) {
		return read_config(dev, offset - VIRTIO_BAR_CONFIG, size);
	}
	if (offset >= VIRTIO_BAR_ISR) {
		isr = offset == VIRTIO_BAR_ISR ? dev->isr : 0;
		dev->isr &= (uint8_t)~isr;
		return isr;
	}
	return virtio_common_read(dev, offset, size);
}

static void bar_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_dev *dev = device;

	if (offset >= VIRTIO_BAR_MSIX) {
		if (offset < VIRTIO_BAR_PBA) {
			msix_table_write(&dev->msix, offset - VIRTIO_BAR_MSIX, size, value);
			virtio_irq_update(dev);
		}
	} else if (offset >= VIRTIO_BAR_CONFIG) {
		write_config(dev, offset - VIRTIO_BAR_CONFIG, size, value);
	} else if (offset < VIRTIO_BAR_ISR) {
		virtio_common_write(dev, offset, size, value);
	}
}

static uint64_t notify_read(void *device, uint64_t offset, unsigned size)
{
	return 0;
}

/* Reached only when the guest moved the BAR out of the doorbell window. */
static void notify_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_dev *dev = device;
	const uint64_t one = 1;
	uint64_t queue = offset / BH_DOORBELL_STRIDE;

	if (offset % BH_DOORBELL_STRIDE == 0 && queue < dev->queue_count &&
	    write(dev->queue[queue].kick, &one, sizeof(one)) < 0) {
		return; /* the counter is full: the back end has more than enough kicks to see */
	}
}

static const struct bus_ops bar_ops = {.read = bar_read, .write = bar_write};
static const struct bus_ops notify_ops = {.read = notify_read, .write = notify_write};

/* The capability through which firmware reaches the BARs by configuration space alone. */
static bool access_window(struct virtio_dev *dev, unsigned offset, unsigned size,
			  const struct bus_ops **ret_ops, uint64_t *ret_offset, unsigned *ret_size)
{
	unsigned cap = dev->access_capability;
	uint32_t at = pci_config_get(&dev->pci, cap + 8, 4);
	uint32_t length = pci_config_get(&dev->pci, cap + 12, 4);
	uint8_t bar = dev->pci.config[cap + 4];
	uint64_t limit = bar == NOTIFY_BAR ? BH_PAGE_SIZE : VIRTIO_BAR_SIZE;

	if (offset >= cap + ACCESS_CAP_SIZE || offset + size <= cap + ACCESS_CAP_DATA ||
	    (bar != 0 && bar != NOTIFY_BAR) || (length != 1 && length != 2 && length != 4) ||
	    at % length != 0 || at >= limit) {
		return false;
	}
	*ret_ops = bar == NOTIFY_BAR ? &notify_ops : &bar_ops;
	*ret_offset = at;
	*ret_size = length;
	return true;
}

static void before_config_read(struct pci_function *function, unsigned offset, unsigned size)
{
	struct virtio_dev *dev = (struct virtio_dev *)function;
	const struct bus_ops *ops;
	uint64_t at;
	unsigned length;

	if (access_window(dev, offset, size, &ops, &at, &length)) {
		pci_config_set(function, dev->access_capability + ACCESS_CAP_DATA, 4,
			       (uint32_t)(ops->read(dev, at, length) & bus_ones(length)));
	}
}

static void after_config_write(struct pci_function *function, unsigned offset, unsigned size)
{
	struct virtio_dev *dev = (struct virtio_dev *)function;
	unsigned control = dev->msix_capability + 2;
	const struct bus_ops *ops;
	uint64_t at;
	unsigned length;

	if (offset < control + 2 && offset + size > control) {
		uint32_t value = pci_config_get(function, control, 2);

		dev->msix.enabled = value & 0x8000;
		dev->msix.masked = value & 0x4000;
		virtio_irq_update(dev);
	}
	if (access_window(dev, offset, size, &ops, &at, &length)) {
		uint32_t value =
			pci_config_get(function, dev->access_capability + ACCESS_CAP_DATA, 4);

		ops->write(dev, at, length, value & bus_ones(length));
	}
}

static unsigned add_virtio_cap(struct virtio_dev *dev, uint8_t type, uint8_t bar, uint32_t offset,
			       uint32_t length, unsigned size)
{
	unsigned cap = pci_capability_add(&dev->pci, CAP_VENDOR, size);

	dev->pci.config[cap + 2] = (uint8_t)size;
	dev->pci.config[cap + 3] = type;
	dev->pci.config[cap + 4] = bar;
	pci_config_set(&dev->pci, cap + 8, 4, offset);
	pci_config_set(&dev->pci, cap + 12, 4, length);
	return cap;
}

static void add_capabilities(struct virtio_dev *dev)
{
	unsigned cap = pci_capability_add(&dev->pci, CAP_MSIX, 12);

	dev->msix_capability = cap;
	pci_config_set(&dev->pci, cap + 2, 2, dev->msix.count - 1);
	dev->pci.writable[cap + 3] = 0xc0; /* enable, mask all */
	pci_config_set(&dev->pci, cap + 4, 4, VIRTIO_BAR_MSIX);
	pci_config_set(&dev->pci, cap + 8, 4, VIRTIO_BAR_PBA);

	add_virtio_cap(dev, CFG_COMMON, 0, VIRTIO_BAR_COMMON, COMMON_SIZE, 16);
	add_virtio_cap(dev, CFG_ISR, 0, VIRTIO_BAR_ISR, 1, 16);
	if (dev->type->config_size > 0) {
		add_virtio_cap(dev, CFG_DEVICE, 0, VIRTIO_BAR_CONFIG, dev->type->config_size, 16);
	}
	cap = add_virtio_cap(dev, CFG_NOTIFY, NOTIFY_BAR, 0, BH_PAGE_SIZE, 20);
	pci_config_set(&dev->pci, cap + 16, 4, BH_DOORBELL_STRIDE);

	cap = add_virtio_cap(dev, CFG_PCI, 0, 0, 0, ACCESS_CAP_SIZE);
	dev->access_capability = cap;
	dev->pci.writable[cap + 4] = 0xff;
	memset(&dev->pci.writable[cap + 8], 0xff, 12);
}

static int add_queues(struct virtio_dev *dev)
{
	for (unsigned i = 0; i < dev->queue_count; i++) {
		struct virtio_queue *queue = &dev->queue[i];
		int err;

		queue->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		queue->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (queue->kick < 0 || queue->call < 0) {
			return -errno;
		}
		err = dev_doorbell(dev->host.part_fd, dev->index, i, queue->kick);
		if (err < 0) {
			return err;
		}
	}
	return 0;
}

int virtio_dev_init(struct virtio_dev *dev, const struct virtio_setup *setup, struct bus *bus,
		    struct pci_host *pci)
{
	const struct virtio_type *type = setup->type;
	const struct pci_id id = {
		.vendor = 0x1af4,
		.device = (uint16_t)(0x1040 + type->id),
		.subsystem_vendor = 0x1af4,
		.subsystem = (uint16_t)(0x1040 + type->id),
		.class_code = type->class_code,
		.revision = 1,
	};
	struct bus_region *bar, *notify;
	unsigned count = setup->queue_count;

	if (count == 0) {
		count = dev->back.queue_count > type->queue_count ? dev->back.queue_count
								  : type->queue_count;
	}
	dev->type = type;
	dev->index = setup->index;
	dev->host = setup->host;
	dev->queue_count = count;
	dev->queue_size_max = setup->queue_size != 0 ? setup->queue_size : type->queue_size;
	dev->offered =
		(dev->back.features & (DEVICE_FEATURES | TRANSPORT_FEATURES)) | VIRTIO_F_VERSION_1;
	msix_init(&dev->msix, count + 1);
	virtio_common_reset(dev);
	pci_function_init(&dev->pci, &id);
	dev->pci.before_read = before_config_read;
	dev->pci.after_write = after_config_write;
	add_capabilities(dev);
	bar = bus_add(bus, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + LAYOUT_DEVICE_STRIDE * dev->index,
		      VIRTIO_BAR_SIZE, &bar_ops, dev);
	notify = bus_add(bus, BH_IOREQ_MMIO, LAYOUT_DOORBELL_GPA + BH_PAGE_SIZE * dev->index,
			 BH_PAGE_SIZE, &notify_ops, dev);
	if (bar == NULL || notify == NULL) {
		return -ENOSPC;
	}
	pci_bar_add(&dev->pci, 0, bar);
	pci_bar_add(&dev->pci, NOTIFY_BAR, notify);
	pci_host_add(pci, dev->index + 1, &dev->pci);
	return add_queues(dev);
}
