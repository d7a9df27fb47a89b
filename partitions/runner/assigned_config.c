/* SPDX-License-Identifier: Apache-2.0 */
/** What the guest learns of the device: identity, MSI-X, PCI Express without power and error
 * handling, and power management that knows D0 only. The bytes come from the device and are not
 * trusted either. */
#include "assigned.h"

#include <string.h>

#define HEADER_TYPE	0x0eu
#define HEADER_MULTIPLE 0x80u
#define HEADER_SIZE	0x40u
#define SUBSYSTEM	0x2cu

#define CAP_POWER   0x01u
#define CAP_EXPRESS 0x10u
#define CAP_MSIX    0x11u
#define CAPS_MAX    48u /* all that fit behind the header */

#define POWER_SIZE	    8u
#define POWER_VERSION	    3u
#define POWER_NO_SOFT_RESET 0x0008u

#define EXPRESS_SIZE 60u
/* Version 2, root complex integrated endpoint: there is no port above it. */
#define EXPRESS_FLAGS 0x0092u
/* Extended tags, role-based errors; no function-level reset, no slot power, no phantom functions.
 */
#define EXPRESS_DEVICE_CAP 0x00008020u
/* Relaxed ordering, payload size, extended tags, no snoop, read request size; no error reports. */
#define EXPRESS_DEVICE_CONTROL 0x79f0u

#define MSIX_SIZE 12u

static uint32_t get(const uint8_t *config, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value |= (uint32_t)config[offset + i] << (8 * i);
	}
	return value;
}

/* Offset of a capability of which `size` bytes must be there; 0: none. */
static unsigned find(const uint8_t *config, uint8_t id, unsigned size)
{
	unsigned at = config[PCI_CAPABILITIES] & ~3u;

	for (unsigned i = 0; i < CAPS_MAX && at >= HEADER_SIZE; i++) {
		if (config[at] == id && at + size <= PCI_CONFIG) {
			return at;
		}
		at = config[at + 1] & ~3u;
	}
	return 0;
}

static void add_msix(struct assigned *dev, const uint8_t *config)
{
	unsigned from = find(config, CAP_MSIX, MSIX_SIZE);
	unsigned cap;

	if (from == 0 || dev->msix.count == 0) {
		return;
	}
	cap = pci_capability_add(&dev->pci, CAP_MSIX, MSIX_SIZE);
	pci_config_set(&dev->pci, cap + 2, 2, dev->msix.count - 1);
	pci_config_set(&dev->pci, cap + 4, 4, (uint32_t)dev->info.msix_offset | dev->info.msix_bar);
	pci_config_set(&dev->pci, cap + 8, 4, get(config, from + 8, 4));
	dev->msix_capability = cap;
}

/* Who may read a size that it cannot set has to find the same in control and capability. */
static void add_express(struct assigned *dev, const uint8_t *config)
{
	unsigned from = find(config, CAP_EXPRESS, 12);
	uint32_t control, capability;
	unsigned cap;

	if (from == 0) {
		return;
	}
	control = get(config, from + 8, 2) & EXPRESS_DEVICE_CONTROL;
	capability = (get(config, from + 4, 4) & EXPRESS_DEVICE_CAP) | (control >> 5 & 7);
	cap = pci_capability_add(&dev->pci, CAP_EXPRESS, EXPRESS_SIZE);
	pci_config_set(&dev->pci, cap + 2, 2, EXPRESS_FLAGS);
	pci_config_set(&dev->pci, cap + 4, 4, capability);
	pci_config_set(&dev->pci, cap + 8, 2, control);
}

static void add_power(struct assigned *dev, const uint8_t *config)
{
	unsigned cap;

	if (find(config, CAP_POWER, POWER_SIZE) == 0) {
		return;
	}
	cap = pci_capability_add(&dev->pci, CAP_POWER, POWER_SIZE);
	pci_config_set(&dev->pci, cap + 2, 2, POWER_VERSION);
	pci_config_set(&dev->pci, cap + 4, 2, POWER_NO_SOFT_RESET);
}

bool assigned_config_fits(const struct bh_device_info *info, const uint8_t config[PCI_CONFIG])
{
	return get(config, 0, 2) == info->vendor && get(config, 2, 2) == info->device &&
	       (config[HEADER_TYPE] & ~HEADER_MULTIPLE) == 0;
}

void assigned_config_fill(struct assigned *dev, const uint8_t config[PCI_CONFIG])
{
	const struct pci_id id = {
		.vendor = dev->info.vendor,
		.device = dev->info.device,
		.subsystem_vendor = (uint16_t)get(config, SUBSYSTEM, 2),
		.subsystem = (uint16_t)get(config, SUBSYSTEM + 2, 2),
		.class_code = get(config, 9, 3),
		.revision = config[8],
	};

	pci_function_init(&dev->pci, &id);
	add_msix(dev, config);
	add_express(dev, config);
	add_power(dev, config);
}
