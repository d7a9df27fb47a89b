/* SPDX-License-Identifier: Apache-2.0 */
/** Configuration mechanism 1 and the common part of configuration space. */
#include "pci.h"

#include <assert.h>
#include <string.h>
#include "report.h"

#define ADDRESS_ENABLE 0x80000000u
#define STATUS	       0x06u
#define STATUS_CAPS    0x10u
#define HEADER_END     0x40u

uint32_t pci_config_get(const struct pci_function *function, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		value |= (uint32_t)function->config[offset + i] << (8 * i);
	}
	return value;
}

void pci_config_set(struct pci_function *function, unsigned offset, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++) {
		function->config[offset + i] = (uint8_t)(value >> (8 * i));
	}
}

void pci_function_init(struct pci_function *function, const struct pci_id *id)
{
	memset(function, 0, sizeof(*function));
	pci_config_set(function, 0x00, 2, id->vendor);
	pci_config_set(function, 0x02, 2, id->device);
	function->config[0x08] = id->revision;
	pci_config_set(function, 0x09, 3, id->class_code);
	pci_config_set(function, 0x2c, 2, id->subsystem_vendor);
	pci_config_set(function, 0x2e, 2, id->subsystem);
	function->writable[PCI_COMMAND] = 0x06;	    /* memory space, bus master */
	function->writable[PCI_COMMAND + 1] = 0x04; /* interrupt disable */
	function->writable[0x0c] = 0xff;	    /* cache line size, no effect */
	function->writable[0x3c] = 0xff;	    /* interrupt line, no effect */
	function->capability_last = PCI_CAPABILITIES;
	function->capability_end = HEADER_END;
}

unsigned pci_capability_add(struct pci_function *function, uint8_t id, unsigned size)
{
	unsigned offset = function->capability_end;

	assert(offset + size <= PCI_CONFIG);
	function->config[STATUS] |= STATUS_CAPS;
	function->config[function->capability_last] = (uint8_t)offset;
	function->config[offset] = id;
	function->capability_last = (uint8_t)(offset + 1);
	function->capability_end = (uint8_t)((offset + size + 3) & ~3u);
	return offset;
}

static void place_bars(struct pci_function *function)
{
	bool memory = function->config[PCI_COMMAND] & PCI_COMMAND_MEMORY;

	for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
		struct bus_region *region = function->bar[i];

		if (region != NULL) {
			region->base = pci_config_get(function, PCI_BAR0 + 4 * i, 4) & ~0xfull;
			region->enabled = memory;
		}
	}
}

void pci_bar_add(struct pci_function *function, unsigned index, struct bus_region *region)
{
	uint32_t mask = ~(uint32_t)(region->size - 1);

	for (unsigned i = 0; i < 4; i++) {
		function->writable[PCI_BAR0 + 4 * index + i] = (uint8_t)(mask >> (8 * i));
	}
	pci_config_set(function, PCI_BAR0 + 4 * index, 4, (uint32_t)region->base);
	function->bar[index] = region;
	place_bars(function);
}

uint32_t pci_config_read(struct pci_function *function, unsigned offset, unsigned size)
{
	if (offset + size > PCI_CONFIG) {
		return (uint32_t)bus_ones(size);
	}
	if (function->before_read != NULL) {
		function->before_read(function, offset, size);
	}
	return pci_config_get(function, offset, size);
}

void pci_config_write(struct pci_function *function, unsigned offset, unsigned size, uint32_t value)
{
	if (offset + size > PCI_CONFIG) {
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = function->writable[offset + i];
		uint8_t byte = (uint8_t)(value >> (8 * i));

		function->config[offset + i] =
			(uint8_t)((function->config[offset + i] & ~mask) | (byte & mask));
	}
	place_bars(function);
	if (function->after_write != NULL) {
		function->after_write(function, offset, size);
	}
}

/* Only whole dwords reach the address register; PCs use its bytes for other things. */
static uint64_t address_read(void *device, uint64_t offset, unsigned size)
{
	const struct pci_host *host = device;

	return offset == 0 && size == 4 ? host->address : bus_ones(size);
}

static void address_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_host *host = device;

	if (offset == 0 && size == 4) {
		host->address = (uint32_t)value & ~3u;
	}
}

static struct pci_function *selected(const struct pci_host *host)
{
	uint32_t address = host->address;

	if (!(address & ADDRESS_ENABLE) || (address >> 16 & 0xff) != 0 || (address >> 8 & 7) != 0) {
		return NULL;
	}
	return host->slot[address >> 11 & 0x1f];
}

static uint64_t data_read(void *device, uint64_t offset, unsigned size)
{
	struct pci_host *host = device;
	struct pci_function *function = selected(host);
	unsigned reg = (host->address & 0xfc) + (unsigned)offset;
	uint32_t value;

	if (function == NULL || size > 4) {
		return bus_ones(size);
	}
	value = pci_config_read(function, reg, size);
	report_debug(REPORT_PCI_CFG, "slot %u reg 0x%02x size %u reads 0x%x",
		     host->address >> 11 & 0x1f, reg, size, value);
	return value;
}

static void data_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_host *host = device;
	struct pci_function *function = selected(host);
	unsigned reg = (host->address & 0xfc) + (unsigned)offset;

	if (function == NULL || size > 4) {
		return;
	}
	report_debug(REPORT_PCI_CFG, "slot %u reg 0x%02x size %u written 0x%x",
		     host->address >> 11 & 0x1f, reg, size, (unsigned)value);
	pci_config_write(function, reg, size, (uint32_t)value);
}

static const struct bus_ops address_ops = {.read = address_read, .write = address_write};
static const struct bus_ops data_ops = {.read = data_read, .write = data_write};

bool pci_host_init(struct pci_host *host, struct bus *bus)
{
	/* The numbers of QEMU's generic host bridge: no driver binds to it. */
	static const struct pci_id bridge = {
		.vendor = 0x1b36, .device = 0x0008, .class_code = 0x060000};

	memset(host, 0, sizeof(*host));
	pci_function_init(&host->bridge, &bridge);
	pci_host_add(host, 0, &host->bridge);
	return bus_add(bus, BH_IOREQ_PIO, PCI_PORT_ADDRESS, 4, &address_ops, host) != NULL &&
	       bus_add(bus, BH_IOREQ_PIO, PCI_PORT_DATA, 4, &data_ops, host) != NULL;
}

void pci_host_add(struct pci_host *host, unsigned slot, struct pci_function *function)
{
	assert(slot < PCI_SLOT_COUNT && host->slot[slot] == NULL);
	host->slot[slot] = function;
}
