/* SPDX-License-Identifier: Apache-2.0 */
/** PCI functions behind the configuration ports, in host tests. */
#ifndef BH_TESTS_FAKES_PCI_FAKE_H
#define BH_TESTS_FAKES_PCI_FAKE_H

#include "lib/types.h"

#define PCI_FAKE_MAX 16u

struct pci_fake {
	uint16_t source;
	uint8_t config[256];
	uint32_t bar_size[6]; /* bytes; of a 64-bit BAR the lower half */
};

/** No functions; the ports of insn_fake lead here from now on. */
void pci_fake_reset(void);
/** Adds a function without BARs; class_code has 24 bits. */
struct pci_fake *pci_fake_add(uint16_t source, uint32_t id, uint32_t class_code);
/** The same for a bridge to `bus`, with a PCI Express capability of this port type. */
struct pci_fake *pci_fake_add_bridge(uint16_t source, uint8_t bus, unsigned port_type);
/** Gives it a capability of one kind at this offset, the only one so far. */
void pci_fake_add_capability(struct pci_fake *fn, unsigned at, unsigned id, const void *body,
			     size_t size);

#endif
