/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the configuration space that host tests see. */
#include "pci_fake.h"

#include <stdlib.h>
#include <string.h>

#include "insn_fake.h"

static struct pci_fake functions[PCI_FAKE_MAX];
static unsigned count;
static uint32_t address;

static struct pci_fake *find(uint16_t source)
{
	for (unsigned i = 0; i < count; i++) {
		if (functions[i].source == source) {
			return &functions[i];
		}
	}
	return NULL;
}

static uint32_t in(uint16_t port, unsigned size)
{
	struct pci_fake *fn = find((uint16_t)(address >> 8));
	uint32_t value = 0xffffffff;

	(void)size;
	if (port == 0xcfc && fn && address >> 31) {
		memcpy(&value, fn->config + (address & 0xfc), 4);
	}
	return value;
}

static void out(uint16_t port, unsigned size, uint32_t value)
{
	struct pci_fake *fn = find((uint16_t)(address >> 8));
	unsigned reg = address & 0xfc;

	(void)size;
	if (port == 0xcf8) {
		address = value;
		return;
	}
	if (port != 0xcfc || !fn) {
		return;
	}
	if (reg >= 0x10 && reg < 0x28) {
		unsigned bar = (reg - 0x10) / 4;
		uint32_t old;

		memcpy(&old, fn->config + reg, 4);
		value &= ~(fn->bar_size[bar] - 1);
		value |= fn->bar_size[bar] ? old & 0xf : 0;
	}
	if (reg == 4) {
		value &= 0xffff; /* status bits are cleared by writing 1 */
		memcpy(fn->config + 4, &value, 2);
		return;
	}
	memcpy(fn->config + reg, &value, 4);
}

void pci_fake_reset(void)
{
	count = 0;
	insn_fake.in = in;
	insn_fake.out = out;
}

struct pci_fake *pci_fake_add(uint16_t source, uint32_t id, uint32_t class_code)
{
	struct pci_fake *fn = &functions[count++];

	if (count > PCI_FAKE_MAX) {
		abort();
	}
	memset(fn, 0, sizeof(*fn));
	fn->source = source;
	memcpy(fn->config, &id, 4);
	class_code <<= 8;
	memcpy(fn->config + 8, &class_code, 4);
	return fn;
}

struct pci_fake *pci_fake_add_bridge(uint16_t source, uint8_t bus, unsigned port_type)
{
	struct pci_fake *fn = pci_fake_add(source, 0x12348086, 0x060400);
	uint16_t flags = (uint16_t)(port_type << 4 | 2);

	fn->config[0x0e] = 1;
	fn->config[0x18] = (uint8_t)(source >> 8);
	fn->config[0x19] = fn->config[0x1a] = bus;
	pci_fake_add_capability(fn, 0x40, 0x10, &flags, sizeof(flags));
	return fn;
}

void pci_fake_add_capability(struct pci_fake *fn, unsigned at, unsigned id, const void *body,
			     size_t size)
{
	fn->config[6] |= 0x10;
	fn->config[at] = (uint8_t)id;
	fn->config[at + 1] = fn->config[0x34];
	fn->config[0x34] = (uint8_t)at;
	memcpy(fn->config + at + 2, body, size);
}
