/* SPDX-License-Identifier: Apache-2.0 */
/** Writes a disk with all of its parents as one new image that stands alone. */
#ifndef VHD_FLATTEN_H
#define VHD_FLATTEN_H

#include "folder.h"
#include "progress.h"
#include "vhd_footer.h"

/** Makes `to_name`, VHD_FIXED or VHD_DYNAMIC, in `to_folder` (which may be `folder`). It appears
 * whole or not at all. Returns 0; -EEXIST; -EINVAL; -EAGAIN in use; -ECANCELED; -errno. */
VHD_MUST_CHECK int vhd_flatten_run(struct folder *folder, const char *name,
				   struct folder *to_folder, const char *to_name,
				   enum vhd_type type, const struct progress *progress,
				   struct why *why);

#endif
