/* SPDX-License-Identifier: Apache-2.0 */
/** Owns what root mode knows of the PCI buses: which bridge leads to which bus. */
#include "iommu/pci.h"

#include "cpu/insn.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define ENABLE	     BIT(31)

#define BUSES	   256u
#define NO_BRIDGE  0xffffu
#define REG_HEADER 0x0cu
#define REG_BUSES  0x18u
#define REG_CAPS   0x34u
#define CAPS_MAX   48u
#define MULTI	   BIT(23)
#define HAS_CAPS   BIT(20)
#define CAP_PCIE   0x10u

#define BAR_PORTS	BIT(0)
#define BAR_64		BIT(2)
#define BAR_ATTRIBUTES	0xfu
#define PCIE_TYPE(word) ((word) >> 20 & 0xf)
#define PCIE_ROOT_PORT	4u
#define PCIE_DOWNSTREAM 6u

/* Bridge to each bus, NO_BRIDGE for a root bus. */
static uint16_t above[BUSES];

uint32_t pci_read(uint16_t source, unsigned reg)
{
	insn_out32(PORT_ADDRESS, (uint32_t)(ENABLE | (uint32_t)source << 8 | (reg & 0xfc)));
	return insn_in32(PORT_DATA);
}

void pci_write(uint16_t source, unsigned reg, uint32_t value)
{
	insn_out32(PORT_ADDRESS, (uint32_t)(ENABLE | (uint32_t)source << 8 | (reg & 0xfc)));
	insn_out32(PORT_DATA, value);
}

static bool is_there(uint16_t source)
{
	return (pci_read(source, PCI_ID) & 0xffff) != 0xffff;
}

unsigned pci_capability(uint16_t source, unsigned id)
{
	unsigned at =
		pci_read(source, PCI_COMMAND) & HAS_CAPS ? pci_read(source, REG_CAPS) & 0xfc : 0;

	for (unsigned i = 0; at && i < CAPS_MAX; i++) {
		uint32_t head = pci_read(source, at);

		if ((head & 0xff) == id) {
			return at;
		}
		at = head >> 8 & 0xfc;
	}
	return 0;
}

int pci_walk(int (*fn)(void *ctx, uint16_t source), void *ctx)
{
	for (uint32_t source = 0; source < BUSES << 8; source++) {
		int rc;

		if (!is_there((uint16_t)source)) {
			source |=
				source % 8 == 0 ? 7 : 0; /* without function 0 there is no other */
			continue;
		}
		rc = fn(ctx, (uint16_t)source);
		if (rc) {
			return rc;
		}
		if (source % 8 == 0 && !(pci_read((uint16_t)source, REG_HEADER) & MULTI)) {
			source |= 7;
		}
	}
	return 0;
}

static int note_bridge(void *ctx, uint16_t source)
{
	unsigned bus;

	if ((pci_read(source, REG_HEADER) >> 16 & 0x7f) == 1) {
		bus = pci_read(source, REG_BUSES) >> 8 & 0xff;
		if (bus > source >> 8) { /* else not set up; and so no path is a circle */
			above[bus] = source;
		}
	}
	return 0;
}

void pci_init(void)
{
	for (unsigned i = 0; i < BUSES; i++) {
		above[i] = NO_BRIDGE;
	}
	(void)pci_walk(note_bridge, NULL);
}

bool pci_bridge_above(unsigned bus, uint16_t *ret_bridge)
{
	*ret_bridge = above[bus];
	return above[bus] != NO_BRIDGE;
}

bool pci_bus_behind(uint16_t bridge, unsigned *ret_bus)
{
	for (unsigned bus = 0; bus < BUSES; bus++) {
		if (above[bus] == bridge) {
			*ret_bus = bus;
			return true;
		}
	}
	return false;
}

bool pci_is_behind(uint16_t source, uint16_t bridge)
{
	uint16_t at = source;

	while (pci_bridge_above(at >> 8, &at)) {
		if (at == bridge) {
			return true;
		}
	}
	return false;
}

bool pci_has_own_id(uint16_t source)
{
	uint16_t at = source;

	while (pci_bridge_above(at >> 8, &at)) {
		unsigned cap = pci_capability(at, CAP_PCIE);
		unsigned type = cap ? PCIE_TYPE(pci_read(at, cap)) : 0;

		if (type < PCIE_ROOT_PORT || type > PCIE_DOWNSTREAM) {
			return false;
		}
	}
	return true;
}

/** What stays of all ones written to a BAR register. The device does not decode memory meanwhile.
 */
static uint32_t probe(uint16_t source, unsigned reg)
{
	uint32_t old = pci_read(source, reg), stays;

	pci_write(source, reg, 0xffffffffu);
	stays = pci_read(source, reg);
	pci_write(source, reg, old);
	return stays;
}

unsigned pci_bar(uint16_t source, unsigned index, uint64_t *ret_base, uint64_t *ret_size)
{
	unsigned reg = PCI_BAR + 4 * index;
	uint32_t low = pci_read(source, reg), command = pci_read(source, PCI_COMMAND);
	uint64_t base = low & ~BAR_ATTRIBUTES, mask;
	bool wide = !(low & BAR_PORTS) && low & BAR_64 && index < 5;

	*ret_base = *ret_size = 0;
	if (low & BAR_PORTS) {
		return 1;
	}
	pci_write(source, PCI_COMMAND, command & 0xffff & ~(uint32_t)PCI_COMMAND_MEMORY);
	mask = probe(source, reg) & ~BAR_ATTRIBUTES;
	if (wide) {
		base |= (uint64_t)pci_read(source, reg + 4) << 32;
		mask |= (uint64_t)probe(source, reg + 4) << 32;
	} else if (mask) {
		mask |= 0xffffffff00000000ull;
	}
	pci_write(source, PCI_COMMAND, command & 0xffff);
	if (base && mask) {
		*ret_base = base;
		*ret_size = mask & -mask;
	}
	return wide ? 2 : 1;
}
