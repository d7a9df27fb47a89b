/* SPDX-License-Identifier: Apache-2.0 */
/** One virtio device as the guest sees it: a PCI function whose queues are served by a vhost-user
 * back end.
 *
 *  virtio_dev.c   the PCI function, its capabilities and BARs
 *  virtio_common.c the common configuration structure: features, status, queue set-up
 *  virtio_irq.c   from call eventfds to MSI-X
 *
 *  Callers hold the machine lock. What the guest writes is checked here before the back end hears
 * of it. Source: virtio 1.2, "Virtio Over PCI Bus". */
#ifndef RUNNER_VIRTIO_DEV_H
#define RUNNER_VIRTIO_DEV_H

#include "layout.h"
#include "msix.h"
#include "pci.h"
#include "vhost.h"
#include "virtio_type.h"

#define VIRTIO_STATUS_FEATURES_OK 0x08u
#define VIRTIO_STATUS_DRIVER_OK	  0x04u
#define VIRTIO_STATUS_NEEDS_RESET 0x40u

#define VIRTIO_F_VERSION_1 (1ull << 32)

/** BAR 0, LAYOUT_DEVICE_STRIDE bytes. */
#define VIRTIO_BAR_COMMON 0x0000u
#define VIRTIO_BAR_ISR	  0x1000u
#define VIRTIO_BAR_CONFIG 0x2000u
#define VIRTIO_BAR_MSIX	  0x3000u
#define VIRTIO_BAR_PBA	  0x3800u
#define VIRTIO_BAR_SIZE	  LAYOUT_DEVICE_STRIDE

#define VIRTIO_ISR_QUEUE  0x1u
#define VIRTIO_ISR_CONFIG 0x2u

struct virtio_queue {
	uint16_t size, vector;
	bool enabled; /* by the guest */
	bool running; /* the back end has it */
	bool routed;  /* the call eventfd raises `route` by itself, see virtio_irq.c */
	struct {
		uint64_t addr;
		uint32_t data;
	} route;
	uint64_t desc, driver, device;
	int kick, call;
};

/** What a device needs of the machine. */
struct virtio_host {
	int part_fd;
	uint64_t ram_size;
	int wake_fd; /* written when the event loop has to look at the call eventfds again; -1:
			nobody waits */
};

struct virtio_dev {
	struct pci_function pci; /* first: PCI hands it back */
	const struct virtio_type *type;
	unsigned index; /* number of its doorbell page */
	struct virtio_host host;
	struct vhost back;
	struct msix msix;
	unsigned msix_capability, access_capability; /* offsets in configuration space */
	uint64_t offered, accepted;		     /* features */
	uint32_t offered_select, accepted_select;
	uint8_t status, generation, isr;
	uint16_t config_vector, queue_select;
	unsigned queue_count, queue_size_max;
	struct virtio_queue queue[BH_DOORBELL_QUEUE_MAX];
	uint8_t config[VIRTIO_BAR_MSIX - VIRTIO_BAR_CONFIG]; /* what the back end said last */
	bool config_valid;
};

struct virtio_setup {
	const struct virtio_type *type;
	unsigned index;
	unsigned queue_count, queue_size; /* 0: default */
	struct virtio_host host;
};

/** Builds the device over dev->back, which is open, and registers its doorbells and BARs; the
 * function is in slot index + 1. Returns 0 or -errno. */
int virtio_dev_init(struct virtio_dev *dev, const struct virtio_setup *setup, struct bus *bus,
		    struct pci_host *pci);
/** The back end says that its configuration changed. */
void virtio_dev_config_changed(struct virtio_dev *dev);
/** The driver has to reset the device: something of it made no sense. */
void virtio_dev_break(struct virtio_dev *dev);

/** virtio_common.c */
uint64_t virtio_common_read(struct virtio_dev *dev, uint64_t offset, unsigned size);
void virtio_common_write(struct virtio_dev *dev, uint64_t offset, unsigned size, uint64_t value);
/** Puts the device into its state after reset; stops rings that run. */
void virtio_common_reset(struct virtio_dev *dev);

/** virtio_irq.c */
/** Brings the routes of the call eventfds in line with vectors and masks, and delivers what was
 * pending. */
void virtio_irq_update(struct virtio_dev *dev);
/** Whether the event loop must listen to the call eventfd of that queue. */
bool virtio_irq_listens(const struct virtio_dev *dev, unsigned queue);
/** The call eventfd of that queue is readable and not routed. */
void virtio_irq_call(struct virtio_dev *dev, unsigned queue);
void virtio_irq_config(struct virtio_dev *dev);

#endif
