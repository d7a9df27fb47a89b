/* SPDX-License-Identifier: Apache-2.0 */
/** The IOMMU as the control partition sees it, and the real devices that the policy gives to guests. */
#ifndef BH_ABI_DEVICE_H
#define BH_ABI_DEVICE_H

#include "types.h"

#define BH_IOMMU_ACTIVE   0x1u /* no device reaches memory of another partition or of root mode */
#define BH_IOMMU_INTREMAP 0x2u /* interrupts of assigned devices are checked against their sender */

struct bh_iommu_info {
	uint32_t flags;        /* BH_IOMMU_*; 0: nothing holds devices back */
	uint32_t unit_count;   /* remapping units */
	uint32_t device_count; /* devices that the policy names */
	uint32_t width;        /* bits of a DMA address */
	uint64_t faults;       /* recorded since the start */
	uint64_t reserved;
};
BH_ABI_ASSERT(sizeof(struct bh_iommu_info) == 32);

/** One access that a device was denied. The last BH_IOMMU_FAULT_MAX are kept. */
#define BH_IOMMU_FAULT_MAX 64u

struct bh_iommu_fault {
	uint64_t number;  /* in: first one not seen yet; out: number of this one, from 0 */
	uint64_t address; /* that the device used; for interrupts the index of the entry */
	uint64_t tsc;     /* when it was taken */
	uint16_t source;  /* bus << 8 | device << 3 | function */
	uint8_t reason;   /* VT-d specification, "Fault Reason Encodings" */
	uint8_t write;    /* 1: the device wrote */
	uint32_t part;    /* whose device it is */
};
BH_ABI_ASSERT(sizeof(struct bh_iommu_fault) == 32);

enum bh_device_state {
	BH_DEVICE_ABSENT = 0,  /* no such device in this machine */
	BH_DEVICE_CONTROL = 1, /* there, but it stays the control partition's: no IOMMU that could hold it */
	BH_DEVICE_ASSIGNED = 2,
};

#define BH_DEVICE_BAR_MAX 6u
/** Interrupts of all assigned devices together. */
#define BH_DEVICE_IRQ_MAX 8u

/** A device of the policy table, as root mode found it before anything ran. */
struct bh_device_info {
	char role[16];       /* from the policy, 0-terminated */
	uint32_t state;      /* enum bh_device_state */
	uint32_t part;       /* whose it is by the policy */
	uint16_t source;     /* bus << 8 | device << 3 | function */
	uint16_t vendor, device;
	uint16_t msix_count; /* entries of its MSI-X table, 0: none */
	uint32_t class_code; /* base class << 16 | subclass << 8 | interface */
	uint32_t msix_bar;   /* BAR with the table */
	uint64_t msix_offset;
	uint64_t bar[BH_DEVICE_BAR_MAX];      /* host-physical address; 0: none, or ports */
	uint64_t bar_size[BH_DEVICE_BAR_MAX]; /* bytes */
};
BH_ABI_ASSERT(sizeof(struct bh_device_info) == 144);

/** One interrupt of an assigned device. */
struct bh_device_irq {
	uint32_t index; /* in: 0..msix_count - 1 */
	uint32_t part_data; /* in: the message that the partition shall get; address 0: none any more */
	uint64_t part_address;
	uint64_t address; /* out: the message that belongs into the device's own table */
	uint32_t data;
	uint32_t reserved;
};
BH_ABI_ASSERT(sizeof(struct bh_device_irq) == 32);

#endif
