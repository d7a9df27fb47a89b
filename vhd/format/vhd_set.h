/* SPDX-License-Identifier: Apache-2.0 */
/** A few disks of one folder, changed together. What takes the place of each is made beside it as
 * NAME.new; then all names change at one instant (vhd_journal.h).
 */
#ifndef VHD_SET_H
#define VHD_SET_H

#include "vhd_journal.h"
#include "vhd_name.h"
#include "vhd_snapshot.h"

struct vhd_set_disk {
	const char *name;
	struct vhd_name made;	/* NAME.new */
	struct vhd_name old;	/* what today's file will be called */
	struct vhd_name parent; /* file of its parent; "": none */
	unsigned depth;		/* images in its chain */
	struct file *lock;
};

struct vhd_set {
	struct folder *folder;
	unsigned count;
	bool keeps_manifest; /* the disks read as before: manifests stay with their names */
	struct vhd_set_disk disks[VHD_SNAPSHOT_SET_MAX];
};

/** Ends what was cut off, puts each disk in order and keeps writers away from it. `names` must
 * outlive the set. -EINVAL none, too many, or one twice; -EAGAIN in use; else as vhd_disk_open().
 */
VHD_MUST_CHECK int vhd_set_open(struct vhd_set *set, struct folder *folder,
				const char *const *names, unsigned count, struct why *why);

void vhd_set_close(struct vhd_set *set);

/** With `old` filled in for each disk: calls `make` for each, which makes the file called `made`,
 * then today's files get their `old` name and the made ones theirs; manifests go with their files,
 * unless they are to stay.
 * When something fails, nothing was changed. */
VHD_MUST_CHECK int vhd_set_swap(struct vhd_set *set,
				int (*make)(void *context, const struct vhd_set_disk *disk,
					    struct why *why),
				void *context, struct why *why);

/** The same where the made files are there already, called `old`: both exchange their names. */
VHD_MUST_CHECK int vhd_set_exchange(struct vhd_set *set, struct why *why);

#endif
