/* SPDX-License-Identifier: Apache-2.0 */
/** PCI configuration space of segment 0, by ports, while nothing but root mode runs; the ports
 * belong to the control partition afterwards. A function is named by its source: bus << 8 |
 * device << 3 | function. Source: PCI Local Bus Specification 3.0, "Configuration Mechanism",
 * "Configuration Space Organization". */
#ifndef BH_IOMMU_PCI_H
#define BH_IOMMU_PCI_H

#include "lib/types.h"

#define PCI_ID	     0x00u
#define PCI_COMMAND  0x04u
#define PCI_CLASS    0x08u
#define PCI_CAP_PCIE 0x10u
#define PCI_CAP_MSIX 0x11u
#define PCI_MASTER   4u /* in the command register */

/** A source in words. */
#define PCI_BDF		     "%02x:%02x.%x"
#define PCI_BDF_ARGS(source) (source) >> 8, (source) >> 3 & 31, (source)&7

uint32_t pci_read(uint16_t source, unsigned reg);
void pci_write(uint16_t source, unsigned reg, uint32_t value);

/** Finds the first function at or behind *source; false: there is no more. */
bool pci_next(uint32_t *source);
/** Offset of a capability, 0: it has none of this kind. */
unsigned pci_capability(uint16_t source, unsigned id);
/** A memory BAR: address and size in bytes, 0 when there is none. Returns how many registers it
 * takes. */
unsigned pci_bar(uint16_t source, unsigned index, uint64_t *ret_base, uint64_t *ret_size);

#endif
