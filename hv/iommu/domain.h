/* SPDX-License-Identifier: Apache-2.0 */
/** Tables that the units walk: per bus and device a domain, per domain its memory; per interrupt
 * its target. One set for all units. No locks, no flushes: iommu.c does both. Source: VT-d
 * specification, "Root Entry", "Context Entry", "Second-Level Paging Entries", "Interrupt Remapping
 * Table Entry (IRTE) for Remapped Interrupts". */
#ifndef BH_IOMMU_DOMAIN_H
#define BH_IOMMU_DOMAIN_H

#include "mem/ptab.h"

/** What all units can. */
struct domain_limits {
	unsigned levels;   /* 3 or 4 */
	unsigned max_leaf; /* 1..3 */
	bool coherent;	   /* units look into the CPUs' caches */
	bool snoop;	   /* device accesses can be made to */
};

/** Makes empty tables, in which every device is the control partition's. -BH_NOMEM. */
BH_MUST_CHECK int domain_init(const struct domain_limits *limits);
hpa_t domain_root(void);
hpa_t domain_interrupts(void);

/** Second-level table of a partition, NULL when it has none. */
struct ptab *domain_space(unsigned part);
BH_MUST_CHECK int domain_create(unsigned part);
void domain_destroy(unsigned part);

/** Gives the device an entry of its own in the name of a partition: with the partition's domain, or
 * blocked. -BH_NOMEM. Cannot fail for a device that has one. */
BH_MUST_CHECK int domain_set_device(uint16_t source, unsigned part, bool blocked);
/** Whose the device is, and whether it is blocked. */
unsigned domain_part(uint16_t source, bool *ret_blocked);
/** Faults of the device are not recorded any more, until its entry is set again. -BH_NOMEM. */
BH_MUST_CHECK int domain_silence(uint16_t source);

/** Message `index` of the device becomes that vector; vector 0: of nobody. */
void domain_set_interrupt(unsigned index, uint16_t source, unsigned vector, uint32_t apic_id);

#endif
