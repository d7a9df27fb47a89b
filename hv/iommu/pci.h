/* SPDX-License-Identifier: Apache-2.0 */
/** PCI configuration space of segment 0, by ports, while nothing but root mode runs; the ports
 * belong to the control partition afterwards. A function is named by its source: bus << 8 | device
 * << 3 | function. Source: PCI Local Bus Specification 3.0, "Configuration Mechanism",
 * "Configuration Space Organization". */
#ifndef BH_IOMMU_PCI_H
#define BH_IOMMU_PCI_H

#include "lib/types.h"

#define PCI_ID	    0x00u
#define PCI_COMMAND 0x04u
#define PCI_CLASS   0x08u
#define PCI_BAR	    0x10u

#define PCI_COMMAND_MEMORY BIT(1)
#define PCI_COMMAND_MASTER BIT(2)
#define PCI_CAP_MSIX	   0x11u

uint32_t pci_read(uint16_t source, unsigned reg);
void pci_write(uint16_t source, unsigned reg, uint32_t value);

/** Offset of a capability, 0: it has none of this kind. */
unsigned pci_capability(uint16_t source, unsigned id);

/** Calls fn for each function there is, in order, until it returns non-zero, which is returned. */
int pci_walk(int (*fn)(void *ctx, uint16_t source), void *ctx);

/** Finds the bridges. First of all. */
void pci_init(void);
/** The bridge above a bus; false: there is none. */
bool pci_bridge_above(unsigned bus, uint16_t *ret_bridge);
/** The bus right behind a bridge; false: it is none. */
bool pci_bus_behind(uint16_t bridge, unsigned *ret_bus);
/** The function is reached through the bridge. */
bool pci_is_behind(uint16_t source, uint16_t bridge);
/** Its requests carry its own id: no bridge to conventional PCI lies above it. */
bool pci_has_own_id(uint16_t source);

/** A memory BAR: address and size in bytes, 0 when there is none. Returns how many registers it
 * takes. */
unsigned pci_bar(uint16_t source, unsigned index, uint64_t *ret_base, uint64_t *ret_size);

#endif
