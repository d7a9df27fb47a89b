/* SPDX-License-Identifier: Apache-2.0 */
/** While a queue's vector can be delivered, its call eventfd is an irqfd: the interrupt goes from
 * back end to guest without us. Else the event loop listens to the eventfd and notes the interrupt
 * as pending. */
#include <stdint.h>
#include <unistd.h>
#include "bulkhead_dev.h"
#include "report.h"
#include "virtio_dev.h"

static bool take_event(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count);
}

static void wake_loop(const struct virtio_dev *dev)
{
	const uint64_t one = 1;

	if (dev->host.wake_fd >= 0 && write(dev->host.wake_fd, &one, sizeof(one)) < 0) {
		return; /* the counter is full: the loop is about to wake */
	}
}

static void raise_vector(struct virtio_dev *dev, unsigned vector)
{
	const struct msix_entry *entry = &dev->msix.entry[vector];
	int err = dev_msi(dev->host.part_fd, entry->addr, entry->data);

	if (err < 0) {
		report_debug(REPORT_VIRTIO_STATUS, "%s: interrupt refused: %d", dev->type->name,
			     err);
	}
}

static void raise_or_note(struct virtio_dev *dev, unsigned vector)
{
	if (vector >= dev->msix.count) {
		return;
	}
	if (msix_deliverable(&dev->msix, vector)) {
		raise_vector(dev, vector);
	} else if (dev->msix.enabled) {
		dev->msix.pending[vector] = true;
	}
}

static bool unroute(struct virtio_dev *dev, struct virtio_queue *queue)
{
	if (!queue->routed) {
		return false;
	}
	if (dev_irqfd_remove(dev->host.part_fd, queue->call) < 0) {
		report_debug(REPORT_VIRTIO_STATUS, "%s: irqfd was not there", dev->type->name);
	}
	queue->routed = false;
	return true;
}

static bool route(struct virtio_dev *dev, struct virtio_queue *queue)
{
	const struct msix_entry *entry = &dev->msix.entry[queue->vector];
	bool was_routed = queue->routed;

	if (was_routed && queue->route.addr == entry->addr && queue->route.data == entry->data) {
		return false;
	}
	if (dev_irqfd(dev->host.part_fd, queue->call, entry->addr, entry->data) < 0) {
		/* No slot left: the event loop delivers instead. */
		return unroute(dev, queue);
	}
	queue->routed = true;
	queue->route.addr = entry->addr;
	queue->route.data = entry->data;
	/* What came in before the route was there. Who reads the counter first delivers. */
	if (take_event(queue->call)) {
		raise_vector(dev, queue->vector);
	}
	return !was_routed;
}

void virtio_irq_update(struct virtio_dev *dev)
{
	bool changed = false;

	for (unsigned i = 0; i < dev->queue_count; i++) {
		struct virtio_queue *queue = &dev->queue[i];

		if (queue->running && msix_deliverable(&dev->msix, queue->vector)) {
			changed |= route(dev, queue);
		} else {
			changed |= unroute(dev, queue) || queue->running;
		}
	}
	for (unsigned vector = 0; vector < dev->msix.count; vector++) {
		if (msix_take_pending(&dev->msix, vector)) {
			raise_vector(dev, vector);
		}
	}
	if (changed) {
		wake_loop(dev);
	}
}

bool virtio_irq_listens(const struct virtio_dev *dev, unsigned queue)
{
	return queue < dev->queue_count && dev->queue[queue].running && !dev->queue[queue].routed;
}

void virtio_irq_call(struct virtio_dev *dev, unsigned queue)
{
	if (!virtio_irq_listens(dev, queue) || !take_event(dev->queue[queue].call)) {
		return;
	}
	dev->isr |= VIRTIO_ISR_QUEUE;
	raise_or_note(dev, dev->queue[queue].vector);
}

void virtio_irq_config(struct virtio_dev *dev)
{
	dev->isr |= VIRTIO_ISR_CONFIG;
	raise_or_note(dev, dev->config_vector);
}
