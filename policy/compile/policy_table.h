/* SPDX-License-Identifier: Apache-2.0 */
/** Makes the compiled policy table of hv/abi/policy.h from partition and module specifications.
 *
 *  The table is built in the caller's struct and serialised once all is known; nothing here is used
 * at run time. Root mode validates the bytes again with its own code.
 */
#ifndef POLICY_TABLE_H
#define POLICY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "abi/policy.h"

/** Highest number of boot modules a table can name; a machine needs three or four. */
#define POLICY_MODULE_MAX 16u

struct policy_table {
	uint32_t part_count;
	uint32_t module_count;
	uint16_t device_count;
	uint16_t flags; /* BH_POLICY_IOMMU_* */
	struct bh_policy_part part[BH_PART_MAX];
	struct bh_policy_module module[POLICY_MODULE_MAX];
	struct bh_policy_device device[BH_POLICY_DEVICE_MAX];
};

/** CRC-32C (RFC 3720, appendix B.4) of `size` bytes, continued from `crc`; start with 0. */
uint32_t policy_crc32c(uint32_t crc, const void *data, size_t size);

/** Adds a partition from "name:ram_mib:vcpus:weight:flags[:doorbells]".
 *  flags: words "control" and "mapped" joined by '+', or "none". doorbells defaults to 0.
 *  Returns 0, or -1 with a reason in `*ret_why` (a constant string); then the table is unchanged.
 */
int policy_table_add_part(struct policy_table *table, const char *spec, const char **ret_why);

/** Adds a boot module with the role, size in bytes and CRC-32C of its content. Returns as above. */
int policy_table_add_module(struct policy_table *table, const char *role, uint64_t size,
			    uint32_t crc32c, const char **ret_why);

/** Adds a real device from "role=NAME,part=NAME,class=HEX[/MASK],vendor=HEX,device=HEX,nth=N" in
 * any order; role, part and one of class and vendor must be there. A class of four digits or fewer
 * is a base class and subclass. The partition must have been added before. Returns as above. */
int policy_table_add_device(struct policy_table *table, const char *spec, const char **ret_why);

/** Takes "required" or "warn": what happens on a machine without an IOMMU. Returns as above. */
int policy_table_set_iommu(struct policy_table *table, const char *word, const char **ret_why);

/** Writes the table into `out`. Returns its size in bytes, or -1 with a reason when the table as a
 * whole has no meaning (no partitions, wrong owner of "control") or does not fit `out_size`. */
long policy_table_emit(const struct policy_table *table, void *out, size_t out_size,
		       const char **ret_why);

#endif
