/* SPDX-License-Identifier: Apache-2.0 */
/** The names that a differencing image has for its parent: of its locators and of its header. */
#ifndef VHD_PARENT_H
#define VHD_PARENT_H

#include "vhd_header.h"

/** Different names that an image may have. */
#define VHD_PARENT_NAMES_MAX 3u

struct vhd_parent_names {
	char names[VHD_PARENT_NAMES_MAX][VHD_NAME_SIZE];
	unsigned count;
};

/** Lists plain file names, best first, each once. Paths from Windows are cut to their last part: a
 * parent lies beside its child. What cannot be read is left out. */
void vhd_parent_list_names(struct file *file, const struct vhd_header *header,
			   struct vhd_parent_names *ret_names);

#endif
