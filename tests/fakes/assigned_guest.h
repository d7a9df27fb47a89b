/* SPDX-License-Identifier: Apache-2.0 */
/** A guest with one assigned device: a network card with the registers of Intel's 82574 (its
 * datasheet, "PCIe Programming Interface"), over the fake /dev/bulkhead. */
#ifndef ASSIGNED_GUEST_H
#define ASSIGNED_GUEST_H

#include "assigned.h"
#include "bulkhead_dev_fake.h"

#define ASSIGNED_GUEST_RAM (2ull << 20)
/** Offsets in its own configuration space; its BARs: 0 and 1 of 128 KiB, 2 ports, 3 of 16 KiB with
 * MSI-X. */
#define ASSIGNED_GUEST_POWER   0xc8u
#define ASSIGNED_GUEST_MSI     0xd0u
#define ASSIGNED_GUEST_EXPRESS 0xe0u
#define ASSIGNED_GUEST_MSIX    0xa0u
#define ASSIGNED_GUEST_VECTORS 5u

struct assigned_guest {
	struct bus bus;
	struct pci_host pci;
	struct assigned dev;
	struct assigned_setup setup;
	int part_fd;
	uint64_t next_gpa;
};

/** Partition 1 and the card, known to the fake device; the function is not built yet, so that a
 * test may change guest->setup. */
struct assigned_guest *assigned_guest_prepare(void);
/** Builds the function; returns what assigned_init() does. */
int assigned_guest_build(struct assigned_guest *guest);
/** Both; NULL on failure. */
struct assigned_guest *assigned_guest_create(void);
void assigned_guest_destroy(struct assigned_guest *guest);

/** Accesses as a guest makes them. */
uint32_t assigned_guest_config_read(struct assigned_guest *guest, unsigned reg, unsigned size);
void assigned_guest_config_write(struct assigned_guest *guest, unsigned reg, unsigned size,
				 uint32_t value);
uint64_t assigned_guest_read(struct assigned_guest *guest, uint64_t gpa, unsigned size);
void assigned_guest_write(struct assigned_guest *guest, uint64_t gpa, unsigned size,
			  uint64_t value);
/** Offset of a capability; 0: none. Ends the process when the list does not end. */
unsigned assigned_guest_capability(struct assigned_guest *guest, uint8_t id);
/** The card as the fake device has it. */
const struct fake_dev_device *assigned_guest_card(const struct assigned_guest *guest);

#endif
