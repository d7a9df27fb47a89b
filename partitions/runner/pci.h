/* SPDX-License-Identifier: Apache-2.0 */
/** PCI bus 0: a host bridge in slot 0 and functions behind it, reached by ports 0xcf8 and 0xcfc.
 *
 *  A function is its 256 bytes of configuration space and a mask of what the guest may write. After
 * each write its BARs are laid onto the bus again, so a guest may move them. Source: PCI Local Bus
 * Specification 3.0, "Configuration Space", "Configuration Mechanism #1". */
#ifndef RUNNER_PCI_H
#define RUNNER_PCI_H

#include "bus.h"

#define PCI_SLOT_COUNT 32u
#define PCI_BAR_COUNT  6u
#define PCI_CONFIG     256u

#define PCI_PORT_ADDRESS 0xcf8u
#define PCI_PORT_DATA	 0xcfcu

#define PCI_COMMAND	   0x04u
#define PCI_COMMAND_MEMORY 0x02u
#define PCI_BAR0	   0x10u
#define PCI_CAPABILITIES   0x34u

struct pci_function {
	uint8_t config[PCI_CONFIG];
	uint8_t writable[PCI_CONFIG];	       /* bits that the guest may change */
	struct bus_region *bar[PCI_BAR_COUNT]; /* 32-bit memory BARs; NULL: none */
	uint8_t capability_last;	       /* where the next capability is linked from */
	uint8_t capability_end;		       /* first free byte */
	/** Called before bytes [offset, offset + size) are read, and after they were written. May
	 * be NULL. */
	void (*before_read)(struct pci_function *function, unsigned offset, unsigned size);
	void (*after_write)(struct pci_function *function, unsigned offset, unsigned size);
};

struct pci_id {
	uint16_t vendor, device, subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits: class, subclass, interface */
	uint8_t revision;
};

struct pci_host {
	uint32_t address; /* last value of port 0xcf8 */
	struct pci_function bridge;
	struct pci_function *slot[PCI_SLOT_COUNT];
};

/** Empties the bus but for the host bridge and puts its ports onto `bus`. False when the table is
 * full. */
bool pci_host_init(struct pci_host *host, struct bus *bus);
/** Makes a function visible in an empty slot. */
void pci_host_add(struct pci_host *host, unsigned slot, struct pci_function *function);

void pci_function_init(struct pci_function *function, const struct pci_id *id);
/** Adds a capability of `size` bytes with a zeroed body; returns its offset. */
unsigned pci_capability_add(struct pci_function *function, uint8_t id, unsigned size);
/** Makes `region` the 32-bit memory BAR `index`. The region's size is a power of two, >= 16; its
 * base is the BAR's first value. The region is enabled by the guest's command register. */
void pci_bar_add(struct pci_function *function, unsigned index, struct bus_region *region);

uint32_t pci_config_read(struct pci_function *function, unsigned offset, unsigned size);
void pci_config_write(struct pci_function *function, unsigned offset, unsigned size,
		      uint32_t value);
/** Little-endian access to the raw bytes, without side effects. offset + size <= PCI_CONFIG. */
uint32_t pci_config_get(const struct pci_function *function, unsigned offset, unsigned size);
void pci_config_set(struct pci_function *function, unsigned offset, unsigned size, uint32_t value);

#endif
