/* SPDX-License-Identifier: Apache-2.0 */
/** A virtio device on a bus with a fake partition and a fake back end, and the accesses of its
 * driver. */
#ifndef FAKE_VIRTIO_GUEST_H
#define FAKE_VIRTIO_GUEST_H

#include "virtio_dev.h"

#define VIRTIO_GUEST_RAM (2u << 20)

struct virtio_guest {
	int part_fd, wake_fd;
	struct bus bus;
	struct pci_host pci;
	struct virtio_dev dev;
};

/** Device 0 of that type, as after power-on with memory decoding switched on. NULL on failure. */
struct virtio_guest *virtio_guest_create(const char *type);
void virtio_guest_destroy(struct virtio_guest *guest);

/** Accesses by the guest: port, memory, configuration space of the device, common structure. */
uint64_t virtio_guest_read(struct virtio_guest *guest, enum bh_ioreq_type type, uint64_t addr,
			   unsigned size);
void virtio_guest_write(struct virtio_guest *guest, enum bh_ioreq_type type, uint64_t addr,
			unsigned size, uint64_t value);
uint32_t virtio_guest_config_read(struct virtio_guest *guest, unsigned slot, unsigned reg,
				  unsigned size);
void virtio_guest_config_write(struct virtio_guest *guest, unsigned slot, unsigned reg,
			       unsigned size, uint32_t value);
uint64_t virtio_guest_common_read(struct virtio_guest *guest, unsigned reg, unsigned size);
void virtio_guest_common_write(struct virtio_guest *guest, unsigned reg, unsigned size,
			       uint64_t value);

/** Walks to FEATURES_OK accepting `features`; returns the status then. */
uint8_t virtio_guest_negotiate(struct virtio_guest *guest, uint64_t features);
/** Sets a queue of 4 entries up at gpa and enables it. */
void virtio_guest_enable_queue(struct virtio_guest *guest, unsigned queue, uint64_t gpa,
			       unsigned vector);
/** MSI-X: function enabled, vector unmasked with a message that tells vectors apart (data 0x40 +
 * vector). */
void virtio_guest_unmask(struct virtio_guest *guest, unsigned vector);
void virtio_guest_mask(struct virtio_guest *guest, unsigned vector);
/** The whole way to DRIVER_OK with queue 0 on vector 1, configuration changes on vector 0, both
 * unmasked. */
void virtio_guest_start(struct virtio_guest *guest);

#endif
