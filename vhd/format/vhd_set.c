/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the change of names of several disks at one instant. Invariant: a disk of an open set is
 * locked, so nobody can write to what is about to become a parent. */
#define _GNU_SOURCE

#include "vhd_set.h"

#include "vhd_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Opening for writing puts in order what a power cut left. */
static int look_at(struct folder *folder, struct vhd_set_disk *disk, struct why *why)
{
	struct vhd_disk_info info;
	struct layer *layer;
	int rc = vhd_disk_open(folder, disk->name, VHD_DISK_WRITE, &layer, why);

	if (rc < 0) {
		return rc;
	}
	disk->depth = vhd_disk_get_info(layer, 0, &info);
	if (disk->depth > 1) {
		vhd_disk_get_info(layer, 1, &info);
		snprintf(disk->parent.text, sizeof(disk->parent.text), "%s", info.name);
	}
	rc = layer_close(layer);
	return rc < 0 ? why_set(why, rc, "%s cannot be put in order: %s", disk->name, strerror(-rc))
		      : 0;
}

static int lock(struct folder *folder, struct vhd_set_disk *disk, struct why *why)
{
	int rc = folder_open_file(folder, disk->name, FOLDER_READ, &disk->lock);

	rc = rc ? rc : file_lock(disk->lock, false);
	return rc < 0 ? why_set(why, rc, "%s: %s", disk->name,
				rc == -EAGAIN ? "in use; close it first" : strerror(-rc))
		      : 0;
}

int vhd_set_open(struct vhd_set *set, struct folder *folder, const char *const *names,
		 unsigned count, struct why *why)
{
	int rc = vhd_journal_recover(folder, why);

	if (rc < 0) {
		return rc;
	}
	if (count == 0 || count > VHD_SNAPSHOT_SET_MAX) {
		return why_set(why, -EINVAL, "name between 1 and %u disks", VHD_SNAPSHOT_SET_MAX);
	}
	*set = (struct vhd_set){.folder = folder};
	for (unsigned i = 0; !rc && i < count; i++) {
		struct vhd_set_disk *disk = &set->disks[set->count++];

		for (unsigned other = 0; other < i; other++) {
			if (strcmp(names[other], names[i]) == 0) {
				rc = why_set(why, -EINVAL, "%s is named twice", names[i]);
			}
		}
		disk->name = names[i];
		rc = rc ? rc : vhd_name_append(disk->name, ".new", &disk->made);
		rc = rc ? rc : look_at(folder, disk, why);
		rc = rc ? rc : lock(folder, disk, why);
	}
	if (rc < 0) {
		vhd_set_close(set);
	}
	return rc;
}

void vhd_set_close(struct vhd_set *set)
{
	for (unsigned i = 0; i < set->count; i++) {
		file_close(set->disks[i].lock);
	}
	set->count = 0;
}

#define STEPS_MAX ((1 + VHD_NAME_COMPANIONS) * VHD_SNAPSHOT_SET_MAX)

struct plan {
	struct vhd_journal_step undo[STEPS_MAX], redo[STEPS_MAX];
	unsigned undo_count, redo_count;
	struct {
		struct vhd_name now, made, old;
	} companions[VHD_SNAPSHOT_SET_MAX][VHD_NAME_COMPANIONS];
};

static void add_undo(struct plan *plan, enum vhd_journal_kind kind, const char *name,
		     const char *to)
{
	plan->undo[plan->undo_count++] =
		(struct vhd_journal_step){.kind = kind, .name = name, .to = to};
}

static void add_redo(struct plan *plan, enum vhd_journal_kind kind, const char *name,
		     const char *to, const char *from)
{
	plan->redo[plan->redo_count++] =
		(struct vhd_journal_step){.kind = kind, .name = name, .to = to, .from = from};
}

/* A manifest and its tree tell what a disk reads as: when that changes, they go with the file. What
 * an earlier file called `old` had is told of nothing any more. */
static int plan_companion(struct plan *plan, struct vhd_set *set, unsigned i, unsigned which,
			  bool exchange)
{
	const struct vhd_set_disk *disk = &set->disks[i];
	const char *end = vhd_name_companions[which];
	struct vhd_name *now_name = &plan->companions[i][which].now;
	struct vhd_name *made_name = &plan->companions[i][which].made;
	struct vhd_name *old_name = &plan->companions[i][which].old;
	const char *now = now_name->text, *made = made_name->text, *old = old_name->text;
	bool has_now, has_made;
	int rc = vhd_name_append(disk->name, end, now_name);

	rc = rc ? rc : vhd_name_append(disk->made.text, end, made_name);
	rc = rc ? rc : vhd_name_append(disk->old.text, end, old_name);
	if (rc < 0) {
		return rc;
	}
	has_now = folder_is_there(set->folder, now);
	has_made = exchange && folder_is_there(set->folder, old);
	if (has_made) {
		add_undo(plan, VHD_JOURNAL_BACK, made, old);
	}
	if (has_now && has_made) {
		add_redo(plan, VHD_JOURNAL_SWAP, now, old, made);
	} else if (has_now) {
		add_redo(plan, VHD_JOURNAL_REPLACE, now, old, NULL);
	} else if (has_made) {
		add_redo(plan, VHD_JOURNAL_REPLACE, made, now, NULL);
	} else {
		add_redo(plan, VHD_JOURNAL_REMOVE, old, NULL, NULL);
	}
	return 0;
}

static int plan_all(struct plan *plan, struct vhd_set *set, bool exchange)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < set->count; i++) {
		const struct vhd_set_disk *disk = &set->disks[i];

		add_undo(plan, exchange ? VHD_JOURNAL_BACK : VHD_JOURNAL_REMOVE, disk->made.text,
			 disk->old.text);
		add_redo(plan, VHD_JOURNAL_SWAP, disk->name, disk->old.text, disk->made.text);
		for (unsigned which = 0; !rc && which < VHD_NAME_COMPANIONS; which++) {
			rc = set->keeps_manifest ? 0
						 : plan_companion(plan, set, i, which, exchange);
		}
	}
	return rc;
}

/* Takes the names that are to be exchanged out of the way, as the undo list tells backwards. */
static int put_aside(struct vhd_set *set, const struct plan *plan)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < plan->undo_count; i++) {
		rc = folder_rename(set->folder, plan->undo[i].to, plan->undo[i].name);
	}
	return rc ? rc : folder_flush(set->folder);
}

static int change_names(struct vhd_set *set, struct plan *plan,
			int (*make)(void *context, const struct vhd_set_disk *disk,
				    struct why *why),
			void *context, struct why *why)
{
	struct vhd_journal *journal;
	int rc = plan_all(plan, set, !make);

	rc = rc ? rc
		: vhd_journal_begin(set->folder, plan->undo, plan->undo_count, plan->redo,
				    plan->redo_count, &journal, why);
	if (rc < 0) {
		return rc;
	}
	for (unsigned i = 0; make && !rc && i < set->count; i++) {
		(void)!folder_remove(set->folder, set->disks[i].made.text);
		rc = make(context, &set->disks[i], why);
	}
	if (!make) {
		rc = put_aside(set, plan);
	}
	if (rc < 0) {
		vhd_journal_abort(journal);
		return rc;
	}
	return vhd_journal_decide(journal, why);
}

static int with_plan(struct vhd_set *set,
		     int (*make)(void *context, const struct vhd_set_disk *disk, struct why *why),
		     void *context, struct why *why)
{
	struct plan *plan = calloc(1, sizeof(*plan)); /* names make it too large for a fiber */
	int rc = plan ? change_names(set, plan, make, context, why) : -ENOMEM;

	free(plan);
	return rc;
}

int vhd_set_swap(struct vhd_set *set,
		 int (*make)(void *context, const struct vhd_set_disk *disk, struct why *why),
		 void *context, struct why *why)
{
	return with_plan(set, make, context, why);
}

int vhd_set_exchange(struct vhd_set *set, struct why *why)
{
	return with_plan(set, NULL, NULL, why);
}
