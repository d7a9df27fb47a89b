/* SPDX-License-Identifier: Apache-2.0 */
/** Merges a differencing image into its parent, one level down. Afterwards the parent's file has
 * the child's name and identity (UUID), so that what stands on the child goes on to stand; the
 * parent's own name is gone. Interrupted at any point, the disk reads the same, and a second run
 * ends it.
 */
#ifndef VHD_COMMIT_H
#define VHD_COMMIT_H

#include "folder.h"
#include "progress.h"

/** Of a set, each disk is merged on its own and all names change at one instant. Returns 0; -EINVAL
 * a disk without a parent; -EBUSY other images of the folder stand on the parent: `why` names them
 * (vhd_flatten.h or vhd_rebase.h make them independent); -EAGAIN in use; -ECANCELED; -errno. */
VHD_MUST_CHECK int vhd_commit_run(struct folder *folder, const char *const *names, unsigned count,
				  const struct progress *progress, struct why *why);

#endif
