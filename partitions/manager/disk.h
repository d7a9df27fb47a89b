/* SPDX-License-Identifier: Apache-2.0 */
/** The files behind the disks of the policy. The proofs follow data over disks by their names: two
 * names are two disks. So a file may have two names among the disks (hard links, symbolic ones, a
 * folder mounted twice) only where nobody writes it.
 */
#ifndef MANAGER_DISK_H
#define MANAGER_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/table/table.h"

/** Whether the open file of disk `path` (TEXT_DISK_* flags) is none that another
 * disk of the policy names otherwise, or none of the two writes. *ret_other, *ret_path: whose disk
 * it is, and that name. */
bool disk_is_one(const struct table *table, const char *path, uint32_t flags, int fd,
		 const char **ret_other, const char **ret_path);

#endif
