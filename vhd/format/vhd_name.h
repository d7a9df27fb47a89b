/* SPDX-License-Identifier: Apache-2.0 */
/** Names of the files that belong to a disk NAME.vhd: NAME.TAG.vhd its snapshots, NAME.reverted.vhd
 * what the last revert put aside, NAME.vhd.new what is being made. A disk without the suffix ".vhd"
 * gets its tags at the end.
 */
#ifndef VHD_NAME_H
#define VHD_NAME_H

#include "why.h"

#include <limits.h>
#include <stdbool.h>

#define VHD_NAME_REVERTED "reverted"

/** Files that tell what a disk reads as, by the ends of their names: NAME.vhd.manifest and
 * NAME.vhd.tree (docs/SPEC-manifest.md). */
#define VHD_NAME_COMPANIONS 2u
extern const char *const vhd_name_companions[VHD_NAME_COMPANIONS];

struct vhd_name {
	char text[NAME_MAX + 1];
};

/** NAME.TAG.vhd. -ENAMETOOLONG; -EINVAL when `name` is no plain name. */
VHD_MUST_CHECK int vhd_name_tag(const char *name, const char *tag, struct vhd_name *ret_name);

/** NAME.vhd and `suffix`: ".new", ".manifest". Errors as vhd_name_tag(). */
VHD_MUST_CHECK int vhd_name_append(const char *name, const char *suffix, struct vhd_name *ret_name);

/** True when a user may give this tag: letters, digits, '-', '_', '.', not "reverted". */
bool vhd_name_is_tag(const char *tag);

/** When `other` is NAME.TAG.vhd of the disk `name`: true and the tag. */
bool vhd_name_get_tag(const char *name, const char *other, struct vhd_name *ret_tag);

#endif
