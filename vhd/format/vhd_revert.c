/* SPDX-License-Identifier: Apache-2.0 */
/* Owns going back to a snapshot, and taking that back. */
#define _GNU_SOURCE

#include "vhd_revert.h"

#include "vhd_children.h"
#include "vhd_disk.h"
#include "vhd_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_child(void *context, const struct vhd_set_disk *disk, struct why *why)
{
	struct vhd_disk_create create = {.type = VHD_DIFFERENCING, .parent = disk->parent.text};

	return vhd_disk_create(context, disk->made.text, &create, why);
}

static int is_there(struct folder *folder, const char *name, struct why *why)
{
	struct file *file;
	int rc = folder_open_file(folder, name, FOLDER_READ, &file);

	if (rc < 0) {
		return why_set(why, rc, "%s: %s", name,
			       rc == -ENOENT ? "there is no such image" : strerror(-rc));
	}
	file_close(file);
	return 0;
}

static int choose_parent(struct folder *folder, struct vhd_set_disk *disk, const char *tag,
			 struct why *why)
{
	if (tag) {
		int rc = vhd_name_is_tag(tag) ? vhd_name_tag(disk->name, tag, &disk->parent)
					      : -EINVAL;

		return rc ? why_set(why, rc, "\"%.64s\" is no tag of a snapshot", tag)
			  : is_there(folder, disk->parent.text, why);
	}
	if (!disk->parent.text[0]) {
		return why_set(why, -EINVAL,
			       "%s stands on no snapshot, there is nothing to go back to",
			       disk->name);
	}
	return 0;
}

static int run(struct vhd_set *set, struct folder *folder, const char *const *names, unsigned count,
	       const char *tag, bool undo, struct why *why)
{
	int rc = vhd_set_open(set, folder, names, count, why);

	for (unsigned i = 0; !rc && i < set->count; i++) {
		struct vhd_set_disk *disk = &set->disks[i];

		rc = vhd_name_tag(disk->name, VHD_NAME_REVERTED, &disk->old);
		rc = rc	     ? rc
		     : !undo ? choose_parent(folder, disk, tag, why)
			     : is_there(folder, disk->old.text, why);
	}
	if (!rc) {
		rc = undo ? vhd_set_exchange(set, why) : vhd_set_swap(set, make_child, folder, why);
	}
	vhd_set_close(set);
	return rc;
}

static int run_with_set(struct folder *folder, const char *const *names, unsigned count,
			const char *tag, bool undo, struct why *why)
{
	struct vhd_set *set = calloc(1, sizeof(*set)); /* too large for a fiber's stack */
	int rc = set ? run(set, folder, names, count, tag, undo, why) : -ENOMEM;

	free(set);
	return rc;
}

int vhd_revert_run(struct folder *folder, const char *const *names, unsigned count, const char *tag,
		   struct why *why)
{
	return run_with_set(folder, names, count, tag, false, why);
}

int vhd_revert_undo(struct folder *folder, const char *const *names, unsigned count,
		    struct why *why)
{
	return run_with_set(folder, names, count, NULL, true, why);
}

/* Nobody may read it, and nothing may stand on it. */
static int may_go(struct folder *folder, const char *name, struct why *why)
{
	struct vhd_disk_info info;
	struct layer *layer;
	struct file *file;
	int rc = folder_open_file(folder, name, FOLDER_WRITE, &file);

	if (rc < 0) {
		return why_set(why, rc, "%s: %s", name,
			       rc == -ENOENT ? "nothing was put aside" : strerror(-rc));
	}
	rc = file_lock(file, true);
	file_close(file);
	if (rc < 0) {
		return why_set(why, rc, "%s is in use", name);
	}
	rc = vhd_disk_open(folder, name, VHD_DISK_TOP_ONLY, &layer, NULL);
	if (rc < 0) {
		return 0; /* damaged: nothing stands on it that would open */
	}
	vhd_disk_get_info(layer, 0, &info);
	rc = vhd_children_refuse(folder, name, info.footer.uuid, name, why);
	(void)!layer_close(layer);
	return rc;
}

int vhd_revert_forget(struct folder *folder, const char *name, struct why *why)
{
	struct vhd_name old, companion;
	int rc = vhd_journal_recover(folder, why);

	rc = rc ? rc : vhd_name_tag(name, VHD_NAME_REVERTED, &old);
	rc = rc ? rc : may_go(folder, old.text, why);
	rc = rc ? rc : folder_remove(folder, old.text);
	for (unsigned i = 0; !rc && i < VHD_NAME_COMPANIONS; i++) {
		rc = vhd_name_append(old.text, vhd_name_companions[i], &companion);
		rc = rc ? rc : folder_remove(folder, companion.text);
		rc = rc == -ENOENT ? 0 : rc;
	}
	return rc ? rc : folder_flush(folder);
}
