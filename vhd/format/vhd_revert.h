/* SPDX-License-Identifier: Apache-2.0 */
/** Going back to a snapshot: what was written since is put aside as NAME.reverted.vhd, where it
 * stays until the next revert of the disk, and a new empty child takes the name. Of a set, all
 * disks go back or none, also after a power cut.
 */
#ifndef VHD_REVERT_H
#define VHD_REVERT_H

#include "folder.h"

/** tag: of the snapshot to go back to, NULL: the last one. Returns 0; -EINVAL the disk stands on no
 * snapshot; -ENOENT no such tag; -EAGAIN in use; -errno: nothing was changed. */
VHD_MUST_CHECK int vhd_revert_run(struct folder *folder, const char *const *names, unsigned count,
				  const char *tag, struct why *why);

/** Undoes the last revert by exchanging the disk and what was put aside. -ENOENT: there is nothing
 * to undo. */
VHD_MUST_CHECK int vhd_revert_undo(struct folder *folder, const char *const *names, unsigned count,
				   struct why *why);

/** Removes what the last revert put aside. -ENOENT: nothing is there. */
VHD_MUST_CHECK int vhd_revert_forget(struct folder *folder, const char *name, struct why *why);

#endif
