/* SPDX-License-Identifier: Apache-2.0 */
/** The policy tables: that of this boot, validated wholly before anything starts, and the one in
 * force, which a running control partition may change within it. Read by the gate alone. */
#ifndef BH_PART_POLICY_H
#define BH_PART_POLICY_H

#include "abi/policy.h"
#include "lib/types.h"

struct boot_info;

/** Checks root mode's part of a table in memory: sizes, counts, names, rights, CRC. Pure. Returns
 * NULL, or a constant that says what is wrong. */
const char *policy_check(const void *table, uint64_t size) BH_MUST_CHECK;

/** Finds the boot module "policy", checks it and each module it names (present, size, CRC), copies
 * it and puts it in force. Errors: -BH_NOENT, -BH_CORRUPT; boot_error says what. */
int policy_init(const struct boot_info *info) BH_MUST_CHECK;

/** Puts another table in force: wholly or, on any failure, not at all. See BH_HC_POLICY_LOAD for
 * the errors; the log says what is wrong. Bytes behind root mode's part do not matter. Context: any
 * CPU. */
int policy_load(const void *untrusted, uint64_t size) BH_MUST_CHECK;
/** All but the refusals, which the gate counts. */
void policy_get_info(struct bh_policy_info *ret_info);

/** 8 bytes of what the table in force says of a partition; POLICY_NOW takes a field out of them,
 * none of which crosses 8 bytes. Partitions and fields that are read one after the other may be of
 * two tables. */
uint64_t policy_word(uint32_t id, size_t word);
#define POLICY_NOW(id, field)                                                                      \
	((__typeof__(((struct bh_policy_part *)0)                                                  \
			     ->field))(policy_word((id),                                           \
						   offsetof(struct bh_policy_part, field) / 8) >>  \
				       offsetof(struct bh_policy_part, field) % 8 * 8))

uint32_t policy_part_count(void);
/** As the table of this boot has it: names and flags are those of any other. NULL when it does not
 * name this partition. */
const struct bh_policy_part *policy_part(uint32_t id);
/** NULL when the policy names fewer devices. No table in force has others. */
const struct bh_policy_device *policy_device(uint32_t id);
/** Without an IOMMU nothing may start. */
bool policy_requires_iommu(void);

#endif
