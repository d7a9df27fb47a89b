/* SPDX-License-Identifier: Apache-2.0 */
/** A real PCI device that belongs to the partition, as its guest sees it.
 *
 *  assigned.c         BARs, MSI-X table, and what of them reaches the device
 *  assigned_config.c  from the device's own configuration space to the one that the guest gets
 *
 *  The guest touches the device's BARs directly, but for the pages with the MSI-X table. Everything
 * else is emulated: of configuration space only bus master, memory enable and MSI-X control have an
 * effect. The runner holds no part of the device; /dev/bulkhead acts on it. Callers hold the
 * machine lock. Source: PCI Local Bus Specification 3.0, "Configuration Space", "MSI-X Capability
 * and Table Structures"; PCI Express Base Specification 4.0, "PCI Express Capability Structure". */
#ifndef RUNNER_ASSIGNED_H
#define RUNNER_ASSIGNED_H

#include "abi/device.h"
#include "layout.h"
#include "msix.h"
#include "pci.h"

struct assigned {
	struct pci_function pci; /* first: PCI hands it back */
	const struct bus *bus;
	int part_fd;
	uint32_t number; /* in the policy table */
	struct bh_device_info info;
	uint64_t mapped[PCI_BAR_COUNT]; /* where the guest touches the BAR itself, 0: nowhere */
	struct msix msix;
	unsigned msix_capability; /* offset in configuration space, 0: none */
	struct assigned_route {
		uint64_t addr; /* of the message that root mode turns the interrupt into, 0: none */
		uint32_t data;
		bool masked; /* in the device */
	} route[BH_DEVICE_IRQ_MAX];
	uint32_t flags; /* BULKHEAD_DEVICE_* as last set */
	bool told;	/* of the first refusal; a guest must not fill the log */
};

struct assigned_setup {
	int part_fd;
	uint32_t number;
	struct bh_device_info info;
	uint8_t config[PCI_CONFIG]; /* of the device */
	unsigned slot;
	uint64_t *next_gpa; /* where its BARs may begin; moved on behind them */
};

/** Builds the function and puts it into its slot; the device itself stays untouched until the guest
 * enables it. Returns 0; -EINVAL: the configuration space is not of that device; -ENOSPC: its BARs
 * do not fit. */
int assigned_init(struct assigned *dev, const struct assigned_setup *setup, struct bus *bus,
		  struct pci_host *pci);

/** Fills the function with identity and capabilities of the device whose 256 bytes of configuration
 * space are `config`, and sets dev->msix_capability. BARs and writable bits of capabilities are the
 * caller's. */
void assigned_config_fill(struct assigned *dev, const uint8_t config[PCI_CONFIG]);
/** Whether these bytes are the configuration space of the device that root mode speaks of. */
bool assigned_config_fits(const struct bh_device_info *info, const uint8_t config[PCI_CONFIG]);

#endif
