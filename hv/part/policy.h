/* SPDX-License-Identifier: Apache-2.0 */
/** The policy table of this boot. Validated wholly before anything starts; read by the gate alone. */
#ifndef BH_PART_POLICY_H
#define BH_PART_POLICY_H

#include "abi/policy.h"
#include "lib/types.h"

struct boot_info;

/** Checks a table in memory: sizes, counts, names, CRC. Pure. Errors: -BH_CORRUPT; boot_error says what. */
int policy_check(const void *table, uint64_t size) BH_MUST_CHECK;

/** Finds the boot module "policy", checks it and each module it names (present, size, CRC), copies it.
 *  Errors: -BH_NOENT, -BH_CORRUPT; boot_error says what. */
int policy_init(const struct boot_info *info) BH_MUST_CHECK;

uint32_t policy_part_count(void);
/** NULL when the policy does not name this partition. */
const struct bh_policy_part *policy_part(uint32_t id);
/** NULL when the policy names fewer devices. */
const struct bh_policy_device *policy_device(uint32_t id);
/** Without an IOMMU nothing may start. */
bool policy_requires_iommu(void);

#endif
