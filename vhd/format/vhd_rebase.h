/* SPDX-License-Identifier: Apache-2.0 */
/** Gives a differencing image another parent, while it reads the same. */
#ifndef VHD_REBASE_H
#define VHD_REBASE_H

#include "folder.h"
#include "progress.h"

#include <stdbool.h>

/** Copies into the image what differs between the old parent and `parent`, a name in the same
 * folder, then names `parent` as its parent. name_only: copies nothing, for a parent that only got
 * another name; its UUID must be the one that the image knows. Interrupted at any point, the image
 * reads the same over the old parent. Returns 0; -EINVAL no differencing image, or `parent` stands
 * on it; -ESTALE name_only and another UUID; -EAGAIN in use; -ECANCELED; -errno. */
VHD_MUST_CHECK int vhd_rebase_run(struct folder *folder, const char *name, const char *parent,
				  bool name_only, const struct progress *progress, struct why *why);

#endif
