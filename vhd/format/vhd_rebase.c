/* SPDX-License-Identifier: Apache-2.0 */
/* Owns giving an image another parent. Sectors that the image gets on the way are those that it
 * shows anyway; the header and the names in it then change by the journal, all at once. */
#define _GNU_SOURCE

#include "vhd_rebase.h"

#include "vhd_copy.h"
#include "vhd_disk.h"
#include "vhd_journal.h"
#include "vhd_survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rebase {
	struct folder *folder;
	const char *name, *parent;
	const struct progress *progress;
	struct layer *top, *base;
	uint8_t *old_bytes, *new_bytes;
	struct vhd_disk_info parent_info;

	/* The new header, and the new names for the parent. */
	uint8_t header[VHD_HEADER_SIZE];
	uint8_t names[VHD_LOCATOR_COUNT][VHD_LOCATOR_SPACE];
	struct vhd_journal_step steps[VHD_LOCATOR_COUNT + 1];
	unsigned step_count;
};

/* Copying. */

/* Past its end the new parent shows zeros. */
static int read_base(struct layer *base, uint8_t *bytes, uint32_t size, uint64_t offset)
{
	uint64_t left = offset < base->size ? base->size - offset : 0;
	uint32_t there = left < size ? (uint32_t)left : size;

	memset(bytes + there, 0, size - there);
	return there ? layer_read(base, bytes, there, offset) : 0;
}

/* Writes what differs, by whole grains of the file. */
static int copy_differences(struct rebase *rebase, uint64_t offset, uint32_t size)
{
	uint32_t grain = rebase->top->block_size, at = 0;
	int rc = layer_read(rebase->top, rebase->old_bytes, size, offset);

	rc = rc ? rc : read_base(rebase->base, rebase->new_bytes, size, offset);
	while (!rc && at < size) {
		uint32_t n = grain - (uint32_t)((offset + at) % grain);

		n = n < size - at ? n : size - at;
		if (memcmp(rebase->old_bytes + at, rebase->new_bytes + at, n) != 0) {
			rc = layer_write(rebase->top, rebase->old_bytes + at, n, offset + at);
		}
		at += n;
	}
	return rc;
}

/* How far both parents show zeros, or the image itself has what it shows. */
static int skip(struct rebase *rebase, uint64_t offset, uint64_t *ret_size, bool *ret_copy)
{
	uint64_t size, old_zeros, new_zeros = 0;
	bool present;
	int rc = vhd_disk_find(rebase->top, offset, &size, &present);

	*ret_copy = false;
	*ret_size = size;
	if (rc || present) {
		return rc;
	}
	rc = vhd_copy_skip(rebase->top, offset, size, &old_zeros);
	rc = rc || !old_zeros ? rc : vhd_copy_skip(rebase->base, offset, old_zeros, &new_zeros);
	if (!rc && new_zeros) {
		*ret_size = new_zeros;
	} else if (!rc) {
		*ret_copy = true;
		*ret_size = size < VHD_COPY_STEP ? size : VHD_COPY_STEP;
	}
	return rc;
}

static int copy_all(struct rebase *rebase)
{
	uint64_t at = 0, size = 0, end = rebase->top->size;
	bool copy;
	int rc = 0;

	while (!rc && at < end) {
		rc = progress_step(rebase->progress, at, end);
		rc = rc ? rc : skip(rebase, at, &size, &copy);
		if (!rc && copy) {
			rc = copy_differences(rebase, at, (uint32_t)size);
		}
		at += size;
	}
	rc = rc ? rc : progress_step(rebase->progress, end, end);
	return rc ? rc : layer_flush(rebase->top);
}

/* The header. */

static void add_step(struct rebase *rebase, uint64_t offset, const void *bytes, size_t size)
{
	rebase->steps[rebase->step_count++] = (struct vhd_journal_step){.kind = VHD_JOURNAL_WRITE,
									.name = rebase->name,
									.offset = offset,
									.bytes = bytes,
									.size = size};
}

/* The room of a name, as far as nothing else lies in it. */
static uint64_t room_of(const struct vhd_survey *survey, const struct vhd_locator *locator)
{
	/* The specification counts sectors, writers count bytes. */
	uint64_t size = locator->space < VHD_SECTOR_SIZE
				? (uint64_t)locator->space * VHD_SECTOR_SIZE
				: locator->space;
	uint64_t start = locator->offset, table = survey->header.table_offset;

	size = size < VHD_LOCATOR_SPACE ? size : VHD_LOCATOR_SPACE;
	if (start < VHD_FOOTER_SIZE || start > survey->limit || size > survey->limit - start ||
	    (start < survey->header_offset + VHD_HEADER_SIZE &&
	     start + size > survey->header_offset) ||
	    (start < table + 4ull * survey->block_count && start + size > table)) {
		return 0;
	}
	for (uint32_t i = 0; i < survey->bat.count; i++) {
		uint64_t place = vhd_survey_place(survey, i);

		if (survey->blocks[i] != VHD_SURVEY_UNUSED && start + size > place &&
		    start < place + vhd_survey_block_bytes(survey)) {
			return 0;
		}
	}
	return size;
}

/* Names that cannot hold the new one would lead to the old parent: they go. */
static int plan_names(struct rebase *rebase, const struct vhd_survey *survey,
		      struct vhd_header *header)
{
	uint8_t bytes[VHD_LOCATOR_SPACE];
	int length = vhd_locator_encode_name(rebase->parent, bytes);
	unsigned kept = 0;

	for (unsigned i = 0; length >= 0 && i < VHD_LOCATOR_COUNT; i++) {
		struct vhd_locator *locator = &header->locators[i];
		uint64_t room = locator->platform == VHD_LOCATOR_RELATIVE ||
						locator->platform == VHD_LOCATOR_ABSOLUTE
					? room_of(survey, locator)
					: 0;

		if (room < (uint64_t)length) {
			*locator = (struct vhd_locator){0};
			continue;
		}
		locator->length = (uint32_t)length;
		memcpy(rebase->names[i], bytes, room);
		add_step(rebase, locator->offset, rebase->names[i], room);
		kept++;
	}
	return length < 0 ? length : kept ? 0 : -ENOSPC;
}

static int plan_header(struct rebase *rebase, const struct vhd_survey *survey)
{
	struct vhd_header header = survey->header;
	int rc;

	memcpy(header.parent_uuid, rebase->parent_info.footer.uuid, sizeof(header.parent_uuid));
	header.parent_timestamp = rebase->parent_info.footer.timestamp;
	if (strlen(rebase->parent) >= sizeof(header.parent_name)) {
		return -ENAMETOOLONG;
	}
	strcpy(header.parent_name, rebase->parent);
	rc = plan_names(rebase, survey, &header);
	rc = rc ? rc : vhd_header_encode(&header, rebase->header);
	add_step(rebase, survey->header_offset, rebase->header, sizeof(rebase->header));
	return rc;
}

static int write_header(struct rebase *rebase, struct file *file, struct why *why)
{
	struct vhd_journal *journal;
	struct vhd_survey survey;
	int rc = file_lock(file, true);

	rc = rc ? rc : vhd_survey_make(file, &survey);
	if (rc < 0) {
		return why_set(why, rc, "%s: %s", rebase->name, strerror(-rc));
	}
	rc = !survey.footer || survey.header_rc || survey.table_rc ? -EBADMSG
								   : plan_header(rebase, &survey);
	vhd_survey_fini(&survey);
	if (rc < 0) {
		return why_set(why, rc, "%s has no room for the name %s; flatten it instead",
			       rebase->name, rebase->parent);
	}
	rc = vhd_journal_begin(rebase->folder, NULL, 0, rebase->steps, rebase->step_count, &journal,
			       why);
	return rc ? rc : vhd_journal_decide(journal, why);
}

/* Both. */

static int check_chains(struct rebase *rebase, bool name_only, struct why *why)
{
	struct vhd_disk_info top, info;
	unsigned depth;

	vhd_disk_get_info(rebase->top, 0, &top);
	if (top.footer.type != VHD_DIFFERENCING) {
		return why_set(why, -EINVAL, "%s stands on no other image", rebase->name);
	}
	depth = vhd_disk_get_info(rebase->base, 0, &rebase->parent_info);
	if (depth >= VHD_DEPTH_MAX) {
		return why_set(why, -ELOOP, "%s stands on too many images", rebase->parent);
	}
	for (unsigned i = 0; i < depth; i++) {
		vhd_disk_get_info(rebase->base, i, &info);
		if (memcmp(info.footer.uuid, top.footer.uuid, sizeof(top.footer.uuid)) == 0) {
			return why_set(why, -EINVAL, "%s stands on %s itself", rebase->parent,
				       rebase->name);
		}
	}
	if (name_only && memcmp(top.parent_uuid, rebase->parent_info.footer.uuid,
				sizeof(top.parent_uuid)) != 0) {
		return why_set(why, -ESTALE,
			       "%s is not the parent of %s under another name; rebase with copying",
			       rebase->parent, rebase->name);
	}
	return 0;
}

/* Without locks first: a parent that stands on the image could not be opened beside it. */
static int check_first(struct rebase *rebase, bool name_only, struct why *why)
{
	int rc = vhd_disk_open(rebase->folder, rebase->name, VHD_DISK_TOP_ONLY | VHD_DISK_NO_LOCK,
			       &rebase->top, why);

	rc = rc ? rc
		: vhd_disk_open(rebase->folder, rebase->parent, VHD_DISK_NO_LOCK, &rebase->base,
				why);
	rc = rc ? rc : check_chains(rebase, name_only, why);
	(void)!layer_close(rebase->top);
	(void)!layer_close(rebase->base);
	rebase->top = rebase->base = NULL;
	return rc;
}

static int copy_and_close(struct rebase *rebase, bool name_only, struct why *why)
{
	int rc = check_chains(rebase, name_only, why);
	int closed;

	if (!rc && !name_only) {
		rebase->old_bytes = malloc(VHD_COPY_STEP);
		rebase->new_bytes = malloc(VHD_COPY_STEP);
		rc = rebase->old_bytes && rebase->new_bytes ? copy_all(rebase) : -ENOMEM;
		if (rc < 0) {
			why_set(why, rc, "%s: %s; it still stands on its old parent", rebase->name,
				rc == -ECANCELED ? "stopped" : strerror(-rc));
		}
	}
	closed = layer_close(rebase->top);
	rebase->top = NULL;
	return rc ? rc : closed;
}

static int run(struct rebase *rebase, bool name_only, struct why *why)
{
	struct file *file;
	int rc = vhd_journal_recover(rebase->folder, why);

	rc = rc ? rc : check_first(rebase, name_only, why);
	rc = rc ? rc
		: vhd_disk_open(rebase->folder, rebase->name,
				VHD_DISK_WRITE | (name_only ? VHD_DISK_TOP_ONLY : 0), &rebase->top,
				why);
	rc = rc ? rc : vhd_disk_open(rebase->folder, rebase->parent, 0, &rebase->base, why);
	rc = rc ? rc : copy_and_close(rebase, name_only, why);
	rc = rc ? rc : folder_open_file(rebase->folder, rebase->name, FOLDER_WRITE, &file);
	if (!rc) {
		rc = write_header(rebase, file, why);
		file_close(file);
	}
	return rc;
}

int vhd_rebase_run(struct folder *folder, const char *name, const char *parent, bool name_only,
		   const struct progress *progress, struct why *why)
{
	struct rebase *rebase;
	int rc;

	if (!folder_is_name(parent) || strcmp(name, parent) == 0) {
		return why_set(why, -EINVAL, "the parent is another file of the same folder");
	}
	rebase = calloc(1, sizeof(*rebase));
	if (!rebase) {
		return -ENOMEM;
	}
	rebase->folder = folder;
	rebase->name = name;
	rebase->parent = parent;
	rebase->progress = progress;
	rc = run(rebase, name_only, why);
	(void)!layer_close(rebase->top);
	(void)!layer_close(rebase->base);
	free(rebase->old_bytes);
	free(rebase->new_bytes);
	free(rebase);
	return rc;
}
