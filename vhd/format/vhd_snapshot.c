/* SPDX-License-Identifier: Apache-2.0 */
/* Owns taking snapshots and telling which there are. */
#define _GNU_SOURCE

#include "vhd_snapshot.h"

#include "vhd_children.h"
#include "vhd_disk.h"
#include "vhd_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int check_free(struct folder *folder, const char *name, struct why *why)
{
	return folder_check_free(folder, name)
		       ? why_set(why, -EEXIST, "%s is there already; choose another tag", name)
		       : 0;
}

static int make_child(void *context, const struct vhd_set_disk *disk, struct why *why)
{
	struct vhd_disk_create create = {
		.type = VHD_DIFFERENCING, .parent = disk->name, .parent_name = disk->old.text};

	return vhd_disk_create(context, disk->made.text, &create, why);
}

int vhd_snapshot_take(struct folder *folder, const char *const *names, unsigned count,
		      const char *tag, struct why *why)
{
	struct vhd_set *set;
	int rc;

	if (!vhd_name_is_tag(tag)) {
		return why_set(why, -EINVAL,
			       "a tag has 1 to %u letters, digits, '-', '_' or '.', and is not "
			       "\"" VHD_NAME_REVERTED "\"",
			       VHD_SNAPSHOT_TAG_MAX);
	}
	set = calloc(1, sizeof(*set));
	if (!set) {
		return -ENOMEM;
	}
	rc = vhd_set_open(set, folder, names, count, why);
	set->keeps_manifest = true;
	for (unsigned i = 0; !rc && i < set->count; i++) {
		struct vhd_set_disk *disk = &set->disks[i];

		rc = vhd_name_tag(disk->name, tag, &disk->old);
		rc = rc ? rc : check_free(folder, disk->old.text, why);
		if (!rc && disk->depth >= VHD_DEPTH_MAX) {
			rc = why_set(why, -ELOOP,
				     "%s stands on %u images already; commit some of them first",
				     disk->name, disk->depth - 1);
		}
	}
	rc = rc ? rc : vhd_set_swap(set, make_child, folder, why);
	vhd_set_close(set);
	free(set);
	return rc;
}

/* The list. */

struct list {
	const char *disk;
	struct layer *layer; /* the disk with its chain */
	int (*each)(void *context, const struct vhd_snapshot *snapshot);
	void *context;
};

static int tell(struct list *list, const struct vhd_disk_info *info, const char *parent,
		unsigned depth)
{
	struct vhd_name tag;
	struct vhd_snapshot snapshot = {
		.name = info->name,
		.parent = parent,
		.size = info->footer.size,
		.file_size = info->file_size,
		.timestamp = info->footer.timestamp,
		.depth = depth,
	};

	memcpy(snapshot.uuid, info->footer.uuid, sizeof(snapshot.uuid));
	if (vhd_name_get_tag(list->disk, info->name, &tag)) {
		snapshot.is_undo = strcmp(tag.text, VHD_NAME_REVERTED) == 0;
		snapshot.tag = tag.text;
	}
	return list->each(list->context, &snapshot);
}

static int tell_chain(struct list *list)
{
	struct vhd_disk_info info, below;
	unsigned depth_count = vhd_disk_get_info(list->layer, 0, &info);
	int rc = 0;

	for (unsigned depth = 1; !rc && depth < depth_count; depth++) {
		bool has_parent = depth + 1 < depth_count;

		vhd_disk_get_info(list->layer, depth, &info);
		if (has_parent) {
			vhd_disk_get_info(list->layer, depth + 1, &below);
		}
		rc = tell(list, &info, has_parent ? below.name : NULL, depth);
	}
	return rc;
}

static bool is_in_chain(const struct list *list, const char *name)
{
	struct vhd_disk_info info;
	unsigned depth_count = vhd_disk_get_info(list->layer, 0, &info);

	for (unsigned depth = 0; depth < depth_count; depth++) {
		vhd_disk_get_info(list->layer, depth, &info);
		if (strcmp(info.name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Beside the chain: named as a snapshot of this disk and not below it. */
static int tell_other(void *context, const char *name, const struct vhd_disk_info *info)
{
	struct list *list = context;
	struct vhd_name tag;

	if (!vhd_name_get_tag(list->disk, name, &tag) || is_in_chain(list, name)) {
		return 0;
	}
	return tell(list, info, info->parent_name, 0);
}

int vhd_snapshot_list(struct folder *folder, const char *name,
		      int (*each)(void *context, const struct vhd_snapshot *snapshot),
		      void *context, struct why *why)
{
	struct list list = {.disk = name, .each = each, .context = context};
	int rc = vhd_disk_open(folder, name, VHD_DISK_NO_LOCK, &list.layer, why);

	if (rc < 0) {
		return rc;
	}
	rc = tell_chain(&list);
	rc = rc ? rc : vhd_children_list(folder, tell_other, &list);
	(void)!layer_close(list.layer);
	return rc;
}
