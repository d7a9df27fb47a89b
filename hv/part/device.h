/* SPDX-License-Identifier: Apache-2.0 */
/** Real devices that the policy gives to guests: found once, then held by the IOMMU to their
 * partition. */
#ifndef BH_PART_DEVICE_H
#define BH_PART_DEVICE_H

#include "abi/device.h"
#include "part/part.h"

/** Finds the devices of the policy and takes them from the control partition; before that runs,
 * after iommu_init. Error: -BH_NOSUPP (the policy requires an IOMMU that is not there), boot_error
 * says what. */
int device_init(void) BH_MUST_CHECK;

/** The partition starts: its devices reach its RAM. -BH_NOMEM: none does. Partition claimed. */
int device_attach(const struct part *part) BH_MUST_CHECK;
/** The partition ends: its devices reach nothing and interrupt nobody, their BARs are the control
 *  partition's again. Partition claimed. */
void device_detach(const struct part *part);

/** [base, base + size) lies in a BAR of a device that the partition has. */
bool device_range_owned(const struct part *part, uint64_t base, uint64_t size);

/** An interrupt of root mode's own range came. False: it is no device's. */
bool device_handle_irq(unsigned vector);

/** See the hypercalls of the same names (abi/hypercall.h). */
uint32_t device_get_count(void);
int device_get_info(uint64_t id, struct bh_device_info *ret_info) BH_MUST_CHECK;
int device_map(uint64_t id, uint64_t bar, uint64_t gpa) BH_MUST_CHECK;
int device_set_irq(uint64_t id, struct bh_device_irq *message) BH_MUST_CHECK;

#endif
