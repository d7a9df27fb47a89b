/* SPDX-License-Identifier: Apache-2.0 */
/* Owns writing a chain of images as one. The new image gets its name when all of it is durable. */
#define _GNU_SOURCE

#include "vhd_flatten.h"

#include "vhd_copy.h"
#include "vhd_disk.h"
#include "vhd_journal.h"
#include "vhd_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy(struct layer *from, struct layer *to, const struct progress *progress)
{
	uint8_t *buffer = malloc(VHD_COPY_STEP);
	uint64_t at = 0, skip = 0;
	int rc = buffer ? 0 : -ENOMEM;

	while (!rc && at < from->size) {
		uint64_t left = from->size - at;

		rc = progress_step(progress, at, from->size);
		rc = rc ? rc : vhd_copy_skip(from, at, left, &skip);
		if (!rc && skip) {
			at += skip;
		} else if (!rc) {
			uint32_t size = left < VHD_COPY_STEP ? (uint32_t)left : VHD_COPY_STEP;

			rc = vhd_copy_range(from, to, at, size, buffer);
			at += size;
		}
	}
	free(buffer);
	return rc ? rc : progress_step(progress, at, from->size);
}

static int fill(struct layer *from, struct folder *folder, const char *name,
		const struct progress *progress, struct why *why)
{
	struct layer *to;
	int rc = vhd_disk_open(folder, name, VHD_DISK_WRITE, &to, why);
	int closed;

	if (rc < 0) {
		return rc;
	}
	rc = copy(from, to, progress);
	rc = rc ? rc : layer_flush(to);
	closed = layer_close(to);
	rc = rc ? rc : closed;
	return rc == -ECANCELED ? why_set(why, rc, "stopped; nothing was made")
	       : rc < 0		? why_set(why, rc, "copying failed: %s", strerror(-rc))
				: 0;
}

/* What a run before left when it was cut off; somebody who writes it just now keeps it. */
static int remove_left(struct folder *folder, const char *name)
{
	struct file *file;
	int rc = folder_open_file(folder, name, FOLDER_WRITE, &file);

	if (rc < 0) {
		return rc == -ENOENT ? 0 : rc;
	}
	rc = file_lock(file, true);
	file_close(file);
	return rc ? rc : folder_remove(folder, name);
}

static int check_free(struct folder *folder, const char *name, struct why *why)
{
	int rc = folder_check_free(folder, name);

	return rc ? why_set(why, rc, "%s: %s", name, strerror(-rc)) : 0;
}

int vhd_flatten_run(struct folder *folder, const char *name, struct folder *to_folder,
		    const char *to_name, enum vhd_type type, const struct progress *progress,
		    struct why *why)
{
	struct vhd_disk_create create = {.type = type};
	struct vhd_name made;
	struct layer *from;
	int rc = vhd_name_append(to_name, ".new", &made);

	if (rc < 0 || type == VHD_DIFFERENCING) {
		return why_set(why, rc ? rc : -EINVAL,
			       "a new name in one folder, and a type that "
			       "stands alone, are needed");
	}
	rc = vhd_journal_recover(folder, why);
	rc = rc ? rc : check_free(to_folder, to_name, why);
	rc = rc ? rc : vhd_disk_open(folder, name, 0, &from, why);
	if (rc < 0) {
		return rc;
	}
	create.size = from->size;
	rc = remove_left(to_folder, made.text);
	rc = rc ? rc : vhd_disk_create(to_folder, made.text, &create, why);
	if (!rc) {
		rc = fill(from, to_folder, made.text, progress, why);
		/* Once more: somebody may have taken the name meanwhile. */
		rc = rc ? rc : check_free(to_folder, to_name, why);
		rc = rc ? rc : folder_rename(to_folder, made.text, to_name);
		rc = rc ? rc : folder_flush(to_folder);
		if (rc < 0) {
			(void)!folder_remove(to_folder, made.text);
		}
	}
	(void)!layer_close(from);
	return rc;
}
