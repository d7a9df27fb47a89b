/* SPDX-License-Identifier: Apache-2.0 */
/** Which images of a folder stand on which. */
#ifndef VHD_CHILDREN_H
#define VHD_CHILDREN_H

#include "vhd_disk.h"

/** Calls `each` for every file of the folder that opens as a VHD, without locks, until it returns
 * non-zero; returns that, 0, or -errno. */
VHD_MUST_CHECK int vhd_children_list(struct folder *folder,
				     int (*each)(void *context, const char *name,
						 const struct vhd_disk_info *info),
				     void *context);

/** -EBUSY when an image other than `except` stands on the one with that UUID; `why` names them. */
VHD_MUST_CHECK int vhd_children_refuse(struct folder *folder, const char *parent,
				       const uint8_t uuid[16], const char *except, struct why *why);

#endif
