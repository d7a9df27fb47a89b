/* SPDX-License-Identifier: Apache-2.0 */
/** What devices were denied: the last records, and as many log lines as a person can read. */
#ifndef BH_IOMMU_FAULT_H
#define BH_IOMMU_FAULT_H

#include "abi/device.h"
#include "iommu/vtd.h"

/** Records taken at a time: a device that goes on and on does not keep us here. */
#define FAULT_TAKE_MAX 128u

/** A source in words. */
#define FAULT_BDF	       "%02x:%02x.%x"
#define FAULT_BDF_ARGS(source) (source) >> 8, (source) >> 3 & 31, (source)&7

/** Keeps a record. Returns the partition whose device it is; *ret_noisy: it has had so many that
 * its faults should not be recorded any more. */
unsigned fault_record(const struct vtd_fault *fault, bool *ret_noisy);
/** See iommu_fault_read. */
BH_MUST_CHECK int fault_read(uint64_t number, struct bh_iommu_fault *ret_fault);
uint64_t fault_count(void);

#endif
