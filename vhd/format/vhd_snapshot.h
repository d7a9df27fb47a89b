/* SPDX-License-Identifier: Apache-2.0 */
/** Snapshots of disks: NAME.vhd becomes NAME.TAG.vhd, which nobody writes any more, and a new empty
 * child of it takes the name NAME.vhd. A set of disks is taken at one instant: after a power cut
 * all of them have the snapshot or none.
 *
 *  Context: disks must not be open elsewhere (-EAGAIN); one folder.
 */
#ifndef VHD_SNAPSHOT_H
#define VHD_SNAPSHOT_H

#include "folder.h"

#include <stdbool.h>

#define VHD_SNAPSHOT_SET_MAX 16u
#define VHD_SNAPSHOT_TAG_MAX 64u

/** tag: letters, digits, '-', '_', and '.', 1 to VHD_SNAPSHOT_TAG_MAX, not "reverted". Returns 0;
 * -EEXIST a snapshot with this tag is there; -EINVAL a bad tag, or a disk named twice; -EAGAIN in
 * use; -ELOOP the chain is as long as it may be; -ENOSPC and other -errno: nothing was changed. */
VHD_MUST_CHECK int vhd_snapshot_take(struct folder *folder, const char *const *names,
				     unsigned count, const char *tag, struct why *why);

/** One image on which the disk stands, or which was made from it. */
struct vhd_snapshot {
	const char *name;   /* of the file */
	const char *tag;    /* NULL: not named as a snapshot of this disk */
	const char *parent; /* name of its parent's file; NULL: a base */
	uint64_t size;	    /* of the disk, bytes */
	uint64_t file_size;
	uint32_t timestamp; /* seconds since 2000-01-01 00:00 UTC */
	uint8_t uuid[16];
	unsigned depth; /* in the chain of the disk: 1 is its parent; 0: beside the chain */
	bool is_undo;	/* kept by vhd_revert_run() */
};

/** Calls `each` for the chain below the disk, nearest first, then for other images of the folder
 * that are named as snapshots of it, until it returns non-zero; returns that, 0, or -errno. */
VHD_MUST_CHECK int vhd_snapshot_list(struct folder *folder, const char *name,
				     int (*each)(void *context,
						 const struct vhd_snapshot *snapshot),
				     void *context, struct why *why);

#endif
