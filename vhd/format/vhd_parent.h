/* SPDX-License-Identifier: Apache-2.0 */
/** The names that a differencing image has for its parent: of its locators and of its header. */
#ifndef VHD_PARENT_H
#define VHD_PARENT_H

#include "folder.h"
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

/** Finds a file of the folder whose name differs from one of `names` by the case of ASCII letters
 * only, as Windows would. -ENOENT, -errno. */
VHD_MUST_CHECK int vhd_parent_find_spelling(struct folder *folder,
					    const struct vhd_parent_names *names,
					    char ret_name[VHD_NAME_SIZE]);

#endif
