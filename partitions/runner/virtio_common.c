/* SPDX-License-Identifier: Apache-2.0 */
/** The common configuration structure: a small state machine that the driver walks through.
 *  Source: virtio 1.2, "Common configuration structure layout", "Device Initialization". */
#include <string.h>
#include <unistd.h>
#include "report.h"
#include "virtio_dev.h"

enum {
	REG_OFFERED_SELECT = 0x00,
	REG_OFFERED = 0x04,
	REG_ACCEPTED_SELECT = 0x08,
	REG_ACCEPTED = 0x0c,
	REG_CONFIG_VECTOR = 0x10,
	REG_QUEUE_COUNT = 0x12,
	REG_STATUS = 0x14,
	REG_GENERATION = 0x15,
	REG_QUEUE_SELECT = 0x16,
	REG_QUEUE_SIZE = 0x18,
	REG_QUEUE_VECTOR = 0x1a,
	REG_QUEUE_ENABLE = 0x1c,
	REG_QUEUE_NOTIFY = 0x1e,
	REG_QUEUE_DESC = 0x20,
	REG_QUEUE_DRIVER = 0x28,
	REG_QUEUE_DEVICE = 0x30,
};

#define STATUS_WRITABLE 0x8fu

static struct virtio_queue *selected(struct virtio_dev *dev)
{
	return dev->queue_select < dev->queue_count ? &dev->queue[dev->queue_select] : NULL;
}

/* Where the 64-bit address register at `offset` or its upper half lives; NULL: no such register. */
static uint64_t *queue_address(struct virtio_queue *queue, uint64_t offset)
{
	switch (offset & ~7ull) {
	case REG_QUEUE_DESC:
		return &queue->desc;
	case REG_QUEUE_DRIVER:
		return &queue->driver;
	case REG_QUEUE_DEVICE:
		return &queue->device;
	default:
		return NULL;
	}
}

static bool range_in_ram(const struct virtio_dev *dev, uint64_t gpa, uint64_t size, uint64_t align)
{
	return gpa % align == 0 && gpa <= dev->host.ram_size && size <= dev->host.ram_size - gpa;
}

static bool ring_in_ram(const struct virtio_dev *dev, const struct virtio_queue *queue)
{
	return range_in_ram(dev, queue->desc, 16ull * queue->size, 16) &&
	       range_in_ram(dev, queue->driver, 6 + 2ull * queue->size, 2) &&
	       range_in_ram(dev, queue->device, 6 + 8ull * queue->size, 4);
}

static void start_queue(struct virtio_dev *dev, unsigned index)
{
	struct virtio_queue *queue = &dev->queue[index];
	const struct vhost_ring ring = {
		.size = queue->size,
		.desc = queue->desc,
		.driver = queue->driver,
		.device = queue->device,
		.kick = queue->kick,
		.call = queue->call,
	};

	if (queue->running) {
		return;
	}
	if (vhost_ring_start(&dev->back, index, &ring) < 0) {
		virtio_dev_break(dev);
		return;
	}
	queue->running = true;
}

static void start_device(struct virtio_dev *dev)
{
	if (vhost_set_features(&dev->back, dev->accepted) < 0) {
		virtio_dev_break(dev);
		return;
	}
	for (unsigned i = 0; i < dev->queue_count; i++) {
		if (dev->queue[i].enabled) {
			start_queue(dev, i);
		}
	}
	virtio_irq_update(dev);
}

static void stop_device(struct virtio_dev *dev)
{
	for (unsigned i = 0; i < dev->queue_count; i++) {
		struct virtio_queue *queue = &dev->queue[i];
		uint64_t count;

		if (!queue->running) {
			continue;
		}
		if (vhost_ring_stop(&dev->back, i) < 0) {
			report_debug(REPORT_VIRTIO_STATUS, "%s: ring %u did not stop",
				     dev->type->name, i);
		}
		queue->running = false;
		virtio_irq_update(dev);
		if (read(queue->call, &count, sizeof(count)) < 0) {
			continue; /* nothing was left in it */
		}
	}
}

void virtio_common_reset(struct virtio_dev *dev)
{
	stop_device(dev);
	dev->status = 0;
	dev->isr = 0;
	dev->accepted = 0;
	dev->offered_select = 0;
	dev->accepted_select = 0;
	dev->queue_select = 0;
	dev->config_vector = MSIX_NO_VECTOR;
	dev->config_valid = false;
	for (unsigned i = 0; i < dev->queue_count; i++) {
		struct virtio_queue *queue = &dev->queue[i];

		queue->size = (uint16_t)dev->queue_size_max;
		queue->vector = MSIX_NO_VECTOR;
		queue->enabled = false;
		queue->desc = queue->driver = queue->device = 0;
	}
}

static void write_status(struct virtio_dev *dev, uint8_t value)
{
	uint8_t added = value & (uint8_t)~dev->status & STATUS_WRITABLE;

	report_debug(REPORT_VIRTIO_STATUS, "%s %u: status 0x%02x written 0x%02x", dev->type->name,
		     dev->index, dev->status, value);
	if (value == 0) {
		virtio_common_reset(dev);
		return;
	}
	if ((added & VIRTIO_STATUS_FEATURES_OK) &&
	    ((dev->accepted & ~dev->offered) != 0 || !(dev->accepted & VIRTIO_F_VERSION_1))) {
		added &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	}
	dev->status |= added;
	if ((added & VIRTIO_STATUS_DRIVER_OK) && (dev->status & VIRTIO_STATUS_FEATURES_OK)) {
		start_device(dev);
	}
}

static void enable_queue(struct virtio_dev *dev)
{
	struct virtio_queue *queue = selected(dev);

	if (queue->enabled) {
		return;
	}
	if (!ring_in_ram(dev, queue)) {
		virtio_dev_break(dev);
		return;
	}
	queue->enabled = true;
	/* Drivers enable queues before DRIVER_OK; one that comes late starts at once. */
	if ((dev->status & VIRTIO_STATUS_DRIVER_OK) && (dev->status & VIRTIO_STATUS_FEATURES_OK)) {
		start_queue(dev, dev->queue_select);
		virtio_irq_update(dev);
	}
}

static uint16_t checked_vector(const struct virtio_dev *dev, uint64_t value)
{
	return value < dev->msix.count ? (uint16_t)value : MSIX_NO_VECTOR;
}

static uint64_t read_queue(struct virtio_dev *dev, uint64_t offset, unsigned size)
{
	struct virtio_queue *queue = selected(dev);
	uint64_t *address;

	if (queue == NULL) {
		return offset == REG_QUEUE_VECTOR ? MSIX_NO_VECTOR : 0;
	}
	switch (offset) {
	case REG_QUEUE_SIZE:
		return queue->size;
	case REG_QUEUE_VECTOR:
		return queue->vector;
	case REG_QUEUE_ENABLE:
		return queue->enabled;
	case REG_QUEUE_NOTIFY:
		return dev->queue_select;
	default:
		address = queue_address(queue, offset);
		return address != NULL && size >= 4 && offset % 4 == 0
			       ? *address >> (offset % 8 * 8)
			       : 0;
	}
}

uint64_t virtio_common_read(struct virtio_dev *dev, uint64_t offset, unsigned size)
{
	switch (offset) {
	case REG_OFFERED_SELECT:
		return dev->offered_select;
	case REG_OFFERED:
		return dev->offered_select < 2
			       ? (uint32_t)(dev->offered >> (32 * dev->offered_select))
			       : 0;
	case REG_ACCEPTED_SELECT:
		return dev->accepted_select;
	case REG_ACCEPTED:
		return dev->accepted_select < 2
			       ? (uint32_t)(dev->accepted >> (32 * dev->accepted_select))
			       : 0;
	case REG_CONFIG_VECTOR:
		return dev->config_vector;
	case REG_QUEUE_COUNT:
		return dev->queue_count;
	case REG_STATUS:
		return dev->status;
	case REG_GENERATION:
		return dev->generation;
	case REG_QUEUE_SELECT:
		return dev->queue_select;
	default:
		return read_queue(dev, offset, size);
	}
}

static void write_address(struct virtio_queue *queue, uint64_t offset, unsigned size,
			  uint64_t value)
{
	uint64_t *address = queue_address(queue, offset);

	if (address == NULL) {
		return;
	}
	if (size == 8 && offset % 8 == 0) {
		*address = value;
	} else if (size == 4 && offset % 8 == 0) {
		*address = (*address & ~0xffffffffull) | value;
	} else if (size == 4 && offset % 8 == 4) {
		*address = (*address & 0xffffffffull) | value << 32;
	}
}

static void write_queue(struct virtio_dev *dev, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_queue *queue = selected(dev);

	if (queue == NULL) {
		return;
	}
	if (offset == REG_QUEUE_VECTOR) {
		queue->vector = checked_vector(dev, value);
		virtio_irq_update(dev);
	} else if (offset == REG_QUEUE_ENABLE) {
		if (value == 1) {
			enable_queue(dev);
		}
	} else if (queue->enabled) {
		return; /* size and place of a ring stay until reset */
	} else if (offset == REG_QUEUE_SIZE) {
		if (value != 0 && value <= dev->queue_size_max && (value & (value - 1)) == 0) {
			queue->size = (uint16_t)value;
		}
	} else {
		write_address(queue, offset, size, value);
	}
}

static void write_accepted(struct virtio_dev *dev, uint64_t value)
{
	unsigned shift = 32 * dev->accepted_select;

	if (dev->accepted_select < 2 && !(dev->status & VIRTIO_STATUS_FEATURES_OK)) {
		dev->accepted = (dev->accepted & ~(0xffffffffull << shift)) | value << shift;
	}
}

void virtio_common_write(struct virtio_dev *dev, uint64_t offset, unsigned size, uint64_t value)
{
	switch (offset) {
	case REG_OFFERED_SELECT:
		dev->offered_select = (uint32_t)value;
		break;
	case REG_ACCEPTED_SELECT:
		dev->accepted_select = (uint32_t)value;
		break;
	case REG_ACCEPTED:
		write_accepted(dev, value & 0xffffffffu);
		break;
	case REG_CONFIG_VECTOR:
		dev->config_vector = checked_vector(dev, value);
		break;
	case REG_STATUS:
		write_status(dev, (uint8_t)value);
		break;
	case REG_QUEUE_SELECT:
		dev->queue_select = (uint16_t)value;
		break;
	default:
		write_queue(dev, offset, size, value);
		break;
	}
}
