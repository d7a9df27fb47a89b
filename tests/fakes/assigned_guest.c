/* SPDX-License-Identifier: Apache-2.0 */
/** The driver side, register by register. */
#define _GNU_SOURCE
#include "assigned_guest.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(uint8_t *config, unsigned offset, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++) {
		config[offset + i] = (uint8_t)(value >> (8 * i));
	}
}

/* Power management, MSI, PCI Express, MSI-X, linked in this order. */
static void fill_config(uint8_t *config)
{
	memset(config, 0, PCI_CONFIG);
	put(config, 0x00, 4, 0x10d38086);
	put(config, 0x04, 4, 0x00100406);
	put(config, 0x08, 4, 0x02000007);
	put(config, 0x10, 4, 0xfeb80000);
	put(config, 0x14, 4, 0xfeba0000);
	put(config, 0x18, 4, 0x0000c001);
	put(config, 0x1c, 4, 0xfebd4000);
	put(config, 0x2c, 4, 0x00011af4);
	put(config, 0x34, 1, ASSIGNED_GUEST_POWER);
	put(config, 0x3c, 2, 0x010b);
	put(config, ASSIGNED_GUEST_POWER, 4, 0xc8220001 | ASSIGNED_GUEST_MSI << 8);
	put(config, ASSIGNED_GUEST_POWER + 4, 2, 0x2103);
	put(config, ASSIGNED_GUEST_MSI, 4, 0x00800005 | ASSIGNED_GUEST_EXPRESS << 8);
	put(config, ASSIGNED_GUEST_EXPRESS, 4, 0x01010010 | ASSIGNED_GUEST_MSIX << 8);
	put(config, ASSIGNED_GUEST_EXPRESS + 4, 4, 0x10008cc1);
	put(config, ASSIGNED_GUEST_EXPRESS + 8, 2, 0x281f);
	put(config, ASSIGNED_GUEST_MSIX, 4, 0x00040011);
	put(config, ASSIGNED_GUEST_MSIX + 4, 4, 3);
	put(config, ASSIGNED_GUEST_MSIX + 8, 4, 0x2003);
}

struct assigned_guest *assigned_guest_prepare(void)
{
	static const struct bh_device_info card = {
		.role = "nic",
		.state = BH_DEVICE_ASSIGNED,
		.part = 1,
		.source = 0x0010,
		.vendor = 0x8086,
		.device = 0x10d3,
		.msix_count = ASSIGNED_GUEST_VECTORS,
		.class_code = 0x020000,
		.msix_bar = 3,
		.bar = {0xfeb80000, 0xfeba0000, 0, 0xfebd4000},
		.bar_size = {0x20000, 0x20000, 0, 0x4000},
	};
	struct assigned_guest *guest = calloc(1, sizeof(*guest));
	int dev;

	if (guest == NULL) {
		return NULL;
	}
	fake_dev_reset();
	fake_dev_add_part(1, "management", ASSIGNED_GUEST_RAM, 1);
	dev = dev_open();
	guest->part_fd = dev_create(dev, 1);
	close(dev);
	guest->next_gpa = LAYOUT_ASSIGNED_GPA;
	guest->setup = (struct assigned_setup){.part_fd = guest->part_fd,
					       .number = fake_dev_add_device(&card),
					       .info = card,
					       .slot = LAYOUT_ASSIGNED_SLOT,
					       .next_gpa = &guest->next_gpa};
	fill_config(guest->setup.config);
	return guest;
}

int assigned_guest_build(struct assigned_guest *guest)
{
	if (!pci_host_init(&guest->pci, &guest->bus)) {
		return -1;
	}
	return assigned_init(&guest->dev, &guest->setup, &guest->bus, &guest->pci);
}

struct assigned_guest *assigned_guest_create(void)
{
	struct assigned_guest *guest = assigned_guest_prepare();

	if (guest != NULL && assigned_guest_build(guest) < 0) {
		assigned_guest_destroy(guest);
		return NULL;
	}
	return guest;
}

void assigned_guest_destroy(struct assigned_guest *guest)
{
	close(guest->part_fd);
	fake_dev_reset();
	free(guest);
}

static uint64_t access_bus(struct assigned_guest *guest, enum bh_ioreq_type type,
			   enum bh_ioreq_dir dir, uint64_t addr, unsigned size, uint64_t value)
{
	const struct bh_ioreq request = {.type = (uint8_t)type,
					 .dir = (uint8_t)dir,
					 .addr = addr,
					 .size = size,
					 .data = value};

	return bus_access(&guest->bus, &request);
}

static uint64_t select_register(struct assigned_guest *guest, unsigned reg)
{
	access_bus(guest, BH_IOREQ_PIO, BH_IOREQ_WRITE, PCI_PORT_ADDRESS, 4,
		   0x80000000u | LAYOUT_ASSIGNED_SLOT << 11 | (reg & 0xfc));
	return PCI_PORT_DATA + (reg & 3);
}

uint32_t assigned_guest_config_read(struct assigned_guest *guest, unsigned reg, unsigned size)
{
	uint64_t port = select_register(guest, reg);

	return (uint32_t)access_bus(guest, BH_IOREQ_PIO, BH_IOREQ_READ, port, size, 0);
}

void assigned_guest_config_write(struct assigned_guest *guest, unsigned reg, unsigned size,
				 uint32_t value)
{
	uint64_t port = select_register(guest, reg);

	access_bus(guest, BH_IOREQ_PIO, BH_IOREQ_WRITE, port, size, value);
}

uint64_t assigned_guest_read(struct assigned_guest *guest, uint64_t gpa, unsigned size)
{
	return access_bus(guest, BH_IOREQ_MMIO, BH_IOREQ_READ, gpa, size, 0);
}

void assigned_guest_write(struct assigned_guest *guest, uint64_t gpa, unsigned size, uint64_t value)
{
	access_bus(guest, BH_IOREQ_MMIO, BH_IOREQ_WRITE, gpa, size, value);
}

unsigned assigned_guest_capability(struct assigned_guest *guest, uint8_t id)
{
	unsigned at = assigned_guest_config_read(guest, PCI_CAPABILITIES, 1);

	for (unsigned i = 0; at != 0; i++) {
		if (i == 16) {
			abort();
		}
		if (assigned_guest_config_read(guest, at, 1) == id) {
			return at;
		}
		at = assigned_guest_config_read(guest, at + 1, 1);
	}
	return 0;
}

const struct fake_dev_device *assigned_guest_card(const struct assigned_guest *guest)
{
	return fake_dev_device(guest->setup.number);
}
