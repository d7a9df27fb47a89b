/* SPDX-License-Identifier: Apache-2.0 */
/** The driver side, register by register. */
#define _GNU_SOURCE
#include "virtio_guest.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "bulkhead_dev_fake.h"
#include "vhost_fake.h"

#define BACK_FEATURES ((1ull << 5) | (1ull << 29) | (1ull << 30) | (1ull << 32) | (1ull << 34))

struct virtio_guest *virtio_guest_create(const char *type)
{
	struct virtio_guest *guest = calloc(1, sizeof(*guest));
	struct virtio_setup setup = {.type = virtio_type_find(type)};
	int dev;

	if (guest == NULL || setup.type == NULL) {
		free(guest);
		return NULL;
	}
	fake_vhost_reset();
	fake_dev_reset();
	fake_dev_add_part(1, "desktop", VIRTIO_GUEST_RAM, 1);
	dev = dev_open();
	guest->part_fd = dev_create(dev, 1);
	close(dev);
	guest->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	setup.host = (struct virtio_host){guest->part_fd, VIRTIO_GUEST_RAM, guest->wake_fd};
	guest->dev.back.features = BACK_FEATURES;
	if (!pci_host_init(&guest->pci, &guest->bus) ||
	    dev_doorbell_window(guest->part_fd, LAYOUT_DOORBELL_GPA, 1) < 0 ||
	    virtio_dev_init(&guest->dev, &setup, &guest->bus, &guest->pci) < 0 ||
	    dev_part_start(guest->part_fd) < 0) {
		free(guest);
		return NULL;
	}
	virtio_guest_config_write(guest, 1, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	return guest;
}

void virtio_guest_destroy(struct virtio_guest *guest)
{
	for (unsigned i = 0; i < guest->dev.queue_count; i++) {
		close(guest->dev.queue[i].kick);
		close(guest->dev.queue[i].call);
	}
	close(guest->part_fd);
	close(guest->wake_fd);
	fake_dev_reset();
	free(guest);
}

static uint64_t access_bus(struct virtio_guest *guest, enum bh_ioreq_type type,
			   enum bh_ioreq_dir dir, uint64_t addr, unsigned size, uint64_t value)
{
	const struct bh_ioreq request = {.type = (uint8_t)type,
					 .dir = (uint8_t)dir,
					 .addr = addr,
					 .size = size,
					 .data = value};

	return bus_access(&guest->bus, &request);
}

uint64_t virtio_guest_read(struct virtio_guest *guest, enum bh_ioreq_type type, uint64_t addr,
			   unsigned size)
{
	return access_bus(guest, type, BH_IOREQ_READ, addr, size, 0);
}

void virtio_guest_write(struct virtio_guest *guest, enum bh_ioreq_type type, uint64_t addr,
			unsigned size, uint64_t value)
{
	access_bus(guest, type, BH_IOREQ_WRITE, addr, size, value);
}

static void select_register(struct virtio_guest *guest, unsigned slot, unsigned reg)
{
	virtio_guest_write(guest, BH_IOREQ_PIO, PCI_PORT_ADDRESS, 4,
			   0x80000000u | slot << 11 | (reg & 0xfc));
}

uint32_t virtio_guest_config_read(struct virtio_guest *guest, unsigned slot, unsigned reg,
				  unsigned size)
{
	select_register(guest, slot, reg);
	return (uint32_t)virtio_guest_read(guest, BH_IOREQ_PIO, PCI_PORT_DATA + (reg & 3), size);
}

void virtio_guest_config_write(struct virtio_guest *guest, unsigned slot, unsigned reg,
			       unsigned size, uint32_t value)
{
	select_register(guest, slot, reg);
	virtio_guest_write(guest, BH_IOREQ_PIO, PCI_PORT_DATA + (reg & 3), size, value);
}

uint64_t virtio_guest_common_read(struct virtio_guest *guest, unsigned reg, unsigned size)
{
	return virtio_guest_read(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + reg, size);
}

void virtio_guest_common_write(struct virtio_guest *guest, unsigned reg, unsigned size,
			       uint64_t value)
{
	virtio_guest_write(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + reg, size, value);
}

uint8_t virtio_guest_negotiate(struct virtio_guest *guest, uint64_t features)
{
	virtio_guest_common_write(guest, 0x14, 1, 0);
	virtio_guest_common_write(guest, 0x14, 1, 3);
	virtio_guest_common_write(guest, 0x08, 4, 0);
	virtio_guest_common_write(guest, 0x0c, 4, (uint32_t)features);
	virtio_guest_common_write(guest, 0x08, 4, 1);
	virtio_guest_common_write(guest, 0x0c, 4, (uint32_t)(features >> 32));
	virtio_guest_common_write(guest, 0x14, 1, 3 | VIRTIO_STATUS_FEATURES_OK);
	return (uint8_t)virtio_guest_common_read(guest, 0x14, 1);
}

void virtio_guest_enable_queue(struct virtio_guest *guest, unsigned queue, uint64_t gpa,
			       unsigned vector)
{
	virtio_guest_common_write(guest, 0x16, 2, queue);
	virtio_guest_common_write(guest, 0x18, 2, 4);
	virtio_guest_common_write(guest, 0x1a, 2, vector);
	virtio_guest_common_write(guest, 0x20, 4, (uint32_t)gpa);
	virtio_guest_common_write(guest, 0x24, 4, (uint32_t)(gpa >> 32));
	virtio_guest_common_write(guest, 0x28, 8, gpa + 64);
	virtio_guest_common_write(guest, 0x30, 8, gpa + 128);
	virtio_guest_common_write(guest, 0x1c, 2, 1);
}

static uint64_t entry_gpa(unsigned vector)
{
	return LAYOUT_DEVICE_GPA + VIRTIO_BAR_MSIX + MSIX_ENTRY_SIZE * vector;
}

void virtio_guest_unmask(struct virtio_guest *guest, unsigned vector)
{
	virtio_guest_config_write(guest, 1, guest->dev.msix_capability + 2, 2, 0x8000);
	virtio_guest_write(guest, BH_IOREQ_MMIO, entry_gpa(vector), 4, 0xfee00000u);
	virtio_guest_write(guest, BH_IOREQ_MMIO, entry_gpa(vector) + 4, 4, 0);
	virtio_guest_write(guest, BH_IOREQ_MMIO, entry_gpa(vector) + 8, 4, 0x40 + vector);
	virtio_guest_write(guest, BH_IOREQ_MMIO, entry_gpa(vector) + 12, 4, 0);
}

void virtio_guest_mask(struct virtio_guest *guest, unsigned vector)
{
	virtio_guest_write(guest, BH_IOREQ_MMIO, entry_gpa(vector) + 12, 4, 1);
}

void virtio_guest_start(struct virtio_guest *guest)
{
	virtio_guest_negotiate(guest, VIRTIO_F_VERSION_1);
	virtio_guest_unmask(guest, 0);
	virtio_guest_unmask(guest, 1);
	virtio_guest_common_write(guest, 0x10, 2, 0);
	virtio_guest_enable_queue(guest, 0, 0x10000, 1);
	virtio_guest_common_write(guest, 0x14, 1, 0x0f);
}
