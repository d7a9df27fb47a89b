/* SPDX-License-Identifier: Apache-2.0 */
/** The control partition: all memory but ours and the other partitions', identity-mapped, all devices. */
#ifndef BH_PART_CONTROL_H
#define BH_PART_CONTROL_H

#include "lib/types.h"

struct boot_info;

/** Names the partitions of the policy, builds the control partition and makes its first vcpu ready at
 *  `entry` (32-bit protected mode, EBX = start_info: the PVH boot ABI). */
int control_init(const struct boot_info *info, gpa_t start_info, gpa_t entry) BH_MUST_CHECK;

/** Vcpus that the control partition has, or will have: as the policy says, at most one for each CPU. */
unsigned control_vcpu_count(void);

#endif
