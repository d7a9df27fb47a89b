/* SPDX-License-Identifier: Apache-2.0 */
/** Tables that the units walk: per bus and device a domain, per domain its memory; per interrupt
 * its target. One set for all units. No locks, no flushes: iommu.c does both. Source: VT-d
 * specification, "Root Entry", "Context Entry", "Second-Level Paging Entries", "Interrupt Remapping
 * Table Entry (IRTE) for Remapped Interrupts". */
#ifndef BH_IOMMU_DOMAIN_H
#define BH_IOMMU_DOMAIN_H

#include "abi/policy.h"
#include "mem/ptab.h"

/** Domain 0 is the control partition's, i + 1 that of assigned device i. */
#define DOMAIN_CONTROL 0u
#define DOMAIN_COUNT   (1 + BH_POLICY_DEVICE_MAX)

/** What all units can. */
struct domain_limits {
	unsigned levels;   /* 3 or 4 */
	unsigned max_leaf; /* 1..3 */
	bool coherent;	   /* units look into the CPUs' caches */
	bool snoop;	   /* device accesses can be made to */
};

extern hpa_t domain_root, domain_interrupts;
/** Second-level tables; root 0: none. */
extern struct ptab domain_space[DOMAIN_COUNT];

/** Makes empty tables, in which every device is in DOMAIN_CONTROL. -BH_NOMEM. */
BH_MUST_CHECK int domain_init(const struct domain_limits *limits);
BH_MUST_CHECK int domain_create(unsigned domain);

/** Gives the device an entry of its own: a domain, or blocked. -BH_NOMEM. Cannot fail for a device
 * that has one. */
BH_MUST_CHECK int domain_set_device(uint16_t source, unsigned domain, bool blocked);
/** Message `index` of the device becomes that vector; vector 0: of nobody. */
void domain_set_interrupt(unsigned index, uint16_t source, unsigned vector, uint32_t apic_id);

#endif
