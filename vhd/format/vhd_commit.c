/* SPDX-License-Identifier: Apache-2.0 */
/* Owns merging a child into its parent. What is written to the parent lies under sectors that the
 * child itself holds, so the disk reads the same at every instant; the change of names ends it. */
#define _GNU_SOURCE

#include "vhd_commit.h"

#include "vhd_children.h"
#include "vhd_copy.h"
#include "vhd_disk.h"
#include "vhd_journal.h"
#include "vhd_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct merge {
	const char *name;
	struct vhd_name parent, companions[VHD_NAME_COMPANIONS];
	struct vhd_footer footer; /* of the child: what the merged image will say it is */
	uint8_t parent_uuid[16];
	struct file *lock, *parent_lock;
	struct layer *top, *base;
	/* The footer of the merged image and where it goes. */
	uint8_t bytes[VHD_FOOTER_SIZE];
	uint64_t places[2];
	unsigned place_count;
};

struct commit {
	struct folder *folder;
	const struct progress *progress;
	uint64_t done, total;
	uint8_t *buffer;
	unsigned count;
	struct merge merges[VHD_SNAPSHOT_SET_MAX];
	struct vhd_journal_step steps[(3 + VHD_NAME_COMPANIONS) * VHD_SNAPSHOT_SET_MAX];
};

/* Who its parent is, in whole. */
static int look_at(struct folder *folder, struct merge *merge, struct why *why)
{
	struct vhd_disk_info info, below;
	struct layer *layer;
	int rc = vhd_disk_open(folder, merge->name, 0, &layer, why);

	if (rc < 0) {
		return rc;
	}
	if (vhd_disk_get_info(layer, 0, &info) < 2) {
		rc = why_set(why, -EINVAL, "%s has no parent to be merged into", merge->name);
	} else {
		vhd_disk_get_info(layer, 1, &below);
		snprintf(merge->parent.text, sizeof(merge->parent.text), "%s", below.name);
		memcpy(merge->parent_uuid, below.footer.uuid, sizeof(merge->parent_uuid));
		merge->footer = info.footer;
	}
	(void)!layer_close(layer);
	for (unsigned i = 0; !rc && i < VHD_NAME_COMPANIONS; i++) {
		rc = vhd_name_append(merge->parent.text, vhd_name_companions[i],
				     &merge->companions[i]);
	}
	return rc ? rc
		  : vhd_children_refuse(folder, merge->parent.text, merge->parent_uuid, merge->name,
					why);
}

static int open_both(struct folder *folder, struct merge *merge, struct why *why)
{
	int rc = folder_open_file(folder, merge->name, FOLDER_WRITE, &merge->lock);

	rc = rc ? rc : file_lock(merge->lock, true);
	if (rc < 0) {
		return why_set(why, rc, "%s: %s", merge->name,
			       rc == -EAGAIN ? "in use; close it first" : strerror(-rc));
	}
	rc = vhd_disk_open(folder, merge->name, VHD_DISK_TOP_ONLY | VHD_DISK_NO_LOCK, &merge->top,
			   why);
	rc = rc ? rc : vhd_disk_open(folder, merge->parent.text, VHD_DISK_WRITE, &merge->base, why);
	if (!rc && merge->base->size < merge->top->size) {
		rc = vhd_disk_resize(merge->base, merge->top->size, why);
	}
	return rc;
}

static int copy_present(struct commit *commit, struct merge *merge)
{
	uint64_t at = 0, size;
	bool present;
	int rc = 0;

	while (!rc && at < merge->top->size) {
		rc = progress_step(commit->progress, commit->done + at, commit->total);
		rc = rc ? rc : vhd_disk_find(merge->top, at, &size, &present);
		if (!rc && present) {
			size = size < VHD_COPY_STEP ? size : VHD_COPY_STEP;
			rc = vhd_copy_range(merge->top, merge->base, at, (uint32_t)size,
					    commit->buffer);
		}
		at += rc ? 0 : size;
	}
	return rc;
}

/* Closing flushes what closing itself writes. */
static int close_both(struct merge *merge)
{
	int rc = layer_close(merge->top);
	int base_rc = layer_close(merge->base);

	merge->top = NULL;
	merge->base = NULL;
	return rc ? rc : base_rc;
}

static int merge_one(struct commit *commit, struct merge *merge, struct why *why)
{
	int rc = open_both(commit->folder, merge, why);

	if (rc < 0) {
		return rc;
	}
	rc = copy_present(commit, merge);
	if (!rc && merge->base->size > merge->top->size) {
		rc = vhd_disk_resize(merge->base, merge->top->size, why);
	}
	rc = rc ? rc : layer_flush(merge->base);
	commit->done += merge->top->size;
	if (rc == -ECANCELED) {
		return why_set(why, rc, "stopped; %s reads as before, and a second run goes on",
			       merge->name);
	}
	return rc < 0 ? why_set(why, rc, "merging %s into %s failed (%s); the disk reads as before",
				merge->name, merge->parent.text, strerror(-rc))
		      : 0;
}

/* The parent's footer with the child's identity: who stands on the child goes on to stand. */
static void make_footer(struct merge *merge)
{
	struct vhd_disk_info info;

	vhd_disk_get_info(merge->base, 0, &info);
	memcpy(info.footer.uuid, merge->footer.uuid, sizeof(info.footer.uuid));
	info.footer.timestamp = merge->footer.timestamp;
	vhd_footer_encode(&info.footer, merge->bytes);
	merge->place_count = info.footer.type == VHD_FIXED ? 1 : 2;
}

/* From here to the end nobody may open the parent, whose footer is about to change. */
static int hold_parent(struct folder *folder, struct merge *merge, struct why *why)
{
	uint64_t size = 0;
	int rc;

	make_footer(merge);
	rc = close_both(merge);
	rc = rc ? rc
		: folder_open_file(folder, merge->parent.text, FOLDER_WRITE, &merge->parent_lock);
	rc = rc ? rc : file_lock(merge->parent_lock, true);
	rc = rc ? rc : file_get_size(merge->parent_lock, &size);
	merge->places[0] = size - VHD_FOOTER_SIZE;
	merge->places[1] = 0;
	return rc < 0 ? why_set(why, rc, "%s: %s", merge->parent.text, strerror(-rc)) : 0;
}

static int change_names(struct commit *commit, struct why *why)
{
	struct vhd_journal *journal;
	unsigned count = 0;
	int rc = 0;

	for (unsigned i = 0; !rc && i < commit->count; i++) {
		struct merge *merge = &commit->merges[i];

		rc = hold_parent(commit->folder, merge, why);
		commit->steps[count++] = (struct vhd_journal_step){
			.kind = VHD_JOURNAL_REPLACE, .name = merge->parent.text, .to = merge->name};
		for (unsigned k = 0; k < VHD_NAME_COMPANIONS; k++) {
			commit->steps[count++] = (struct vhd_journal_step){
				.kind = VHD_JOURNAL_REMOVE, .name = merge->companions[k].text};
		}
		for (unsigned place = 0; !rc && place < merge->place_count; place++) {
			commit->steps[count++] =
				(struct vhd_journal_step){.kind = VHD_JOURNAL_WRITE,
							  .name = merge->name,
							  .offset = merge->places[place],
							  .bytes = merge->bytes,
							  .size = sizeof(merge->bytes)};
		}
	}
	rc = rc ? rc
		: vhd_journal_begin(commit->folder, NULL, 0, commit->steps, count, &journal, why);
	return rc ? rc : vhd_journal_decide(journal, why);
}

static int run(struct commit *commit, struct why *why)
{
	int rc = vhd_journal_recover(commit->folder, why);

	for (unsigned i = 0; !rc && i < commit->count; i++) {
		for (unsigned other = 0; !rc && other < i; other++) {
			if (strcmp(commit->merges[other].name, commit->merges[i].name) == 0) {
				rc = why_set(why, -EINVAL, "%s is named twice",
					     commit->merges[i].name);
			}
		}
		rc = rc ? rc : look_at(commit->folder, &commit->merges[i], why);
		commit->total += commit->merges[i].footer.size;
	}
	for (unsigned i = 0; !rc && i < commit->count; i++) {
		rc = merge_one(commit, &commit->merges[i], why);
	}
	rc = rc ? rc : progress_step(commit->progress, commit->total, commit->total);
	return rc ? rc : change_names(commit, why);
}

static void commit_free(struct commit *commit)
{
	for (unsigned i = 0; i < commit->count; i++) {
		struct merge *merge = &commit->merges[i];

		(void)!close_both(merge);
		file_close(merge->lock);
		file_close(merge->parent_lock);
	}
	free(commit->buffer);
	free(commit);
}

int vhd_commit_run(struct folder *folder, const char *const *names, unsigned count,
		   const struct progress *progress, struct why *why)
{
	struct commit *commit;
	int rc;

	if (count == 0 || count > VHD_SNAPSHOT_SET_MAX) {
		return why_set(why, -EINVAL, "name between 1 and %u disks", VHD_SNAPSHOT_SET_MAX);
	}
	commit = calloc(1, sizeof(*commit));
	if (!commit) {
		return -ENOMEM;
	}
	commit->folder = folder;
	commit->progress = progress;
	commit->buffer = malloc(VHD_COPY_STEP);
	commit->count = count;
	for (unsigned i = 0; i < count; i++) {
		commit->merges[i].name = names[i];
	}
	rc = commit->buffer ? run(commit, why) : -ENOMEM;
	commit_free(commit);
	return rc;
}
