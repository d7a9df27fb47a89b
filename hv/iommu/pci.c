/* SPDX-License-Identifier: Apache-2.0 */
/** The configuration ports. A device does not decode memory while its BARs are measured. */
#include "iommu/pci.h"

#include "cpu/insn.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA    0xcfc
#define REG_HEADER   0x0cu
#define REG_BAR	     0x10u
#define REG_CAPS     0x34u

#define COMMAND_MEMORY 2u
#define COMMAND_BITS   0xffffu /* above it status bits, which writing 1 clears */
#define HAS_CAPS       BIT(20)
#define CAPS_MAX       48u
#define MULTI_FUNCTION BIT(23)
#define BAR_PORTS      1u
#define BAR_64	       4u
#define BAR_ATTRIBUTES 0xfu

static void select(uint16_t source, unsigned reg)
{
	insn_out32(PORT_ADDRESS, 0x80000000u | (uint32_t)source << 8 | (reg & 0xfc));
}

uint32_t pci_read(uint16_t source, unsigned reg)
{
	select(source, reg);
	return insn_in32(PORT_DATA);
}

void pci_write(uint16_t source, unsigned reg, uint32_t value)
{
	select(source, reg);
	insn_out32(PORT_DATA, value);
}

bool pci_next(uint32_t *source)
{
	for (; *source < BIT(16); ++*source) {
		uint16_t first = (uint16_t)(*source & ~7u);

		if (*source != first && !(pci_read(first, REG_HEADER) & MULTI_FUNCTION)) {
			*source |= 7; /* nor is there function 7 */
		} else if ((pci_read((uint16_t)*source, PCI_ID) & 0xffff) != 0xffff) {
			return true;
		} else if (*source == first) {
			*source |= 7;
		}
	}
	return false;
}

unsigned pci_capability(uint16_t source, unsigned id)
{
	unsigned at = pci_read(source, PCI_COMMAND) & HAS_CAPS ? pci_read(source, REG_CAPS) : 0;

	for (unsigned i = 0; (at & 0xfc) && i < CAPS_MAX; i++) {
		uint32_t head = pci_read(source, at);

		if ((head & 0xff) == id) {
			return at & 0xfc;
		}
		at = head >> 8;
	}
	return 0;
}

/** What stays of all ones written to a BAR register. */
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
	unsigned reg = REG_BAR + 4 * index;
	uint32_t low = pci_read(source, reg),
		 command = pci_read(source, PCI_COMMAND) & COMMAND_BITS;
	bool wide = !(low & BAR_PORTS) && low & BAR_64 && index < 5;
	uint64_t base = low & ~BAR_ATTRIBUTES, mask;

	pci_write(source, PCI_COMMAND, command & ~COMMAND_MEMORY);
	mask = probe(source, reg) & ~BAR_ATTRIBUTES;
	if (wide) {
		base |= (uint64_t)pci_read(source, reg + 4) << 32;
		mask |= (uint64_t)probe(source, reg + 4) << 32;
	}
	pci_write(source, PCI_COMMAND, command);
	*ret_size = low & BAR_PORTS || !base ? 0 : mask & -mask;
	*ret_base = *ret_size ? base : 0;
	return wide ? 2 : 1;
}
