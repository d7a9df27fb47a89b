/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the making of images. Layout of a sparse one: footer copy, header, locators of the parent at
 * the next 4 KiB, block table at the 4 KiB after them, room for a longer table, footer. */
#define _GNU_SOURCE

#include "vhd_bytes.h"
#include "vhd_disk.h"
#include "vhd_image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

/* 2000-01-01 00:00 UTC in seconds since 1970. */
#define VHD_EPOCH 946684800ll

/* What is to be written. */
struct plan {
	struct vhd_footer footer;
	struct vhd_header header; /* not for VHD_FIXED */
	uint64_t footer_offset;
};

static uint32_t blocks_of(uint64_t size)
{
	return (uint32_t)((size + VHD_BLOCK_SIZE - 1) / VHD_BLOCK_SIZE);
}

static int plan_parent(struct plan *plan, struct folder *folder,
		       const struct vhd_disk_create *create, struct why *why)
{
	const char *name = create->parent_name ? create->parent_name : create->parent;
	struct vhd_image *parent;
	int rc;

	if (!create->parent || !folder_is_name(name) || strchr(name, '\\')) {
		return why_set(why, -EINVAL, "a parent is a plain file name in the same folder");
	}
	if (strlen(name) >= sizeof(plan->header.parent_name)) {
		return why_set(why, -ENAMETOOLONG, "the name of the parent is too long");
	}
	rc = vhd_image_open(folder, create->parent, VHD_IMAGE_NO_LOCK, &parent, why);
	if (rc < 0) {
		return rc;
	}
	plan->footer.size = parent->footer.size;
	memcpy(plan->header.parent_uuid, parent->footer.uuid, 16);
	plan->header.parent_timestamp = parent->footer.timestamp;
	strcpy(plan->header.parent_name, name);
	plan->header.locators[0] =
		(struct vhd_locator){VHD_LOCATOR_RELATIVE, VHD_LOCATOR_SPACE, 0, VHD_FILE_STEP};
	plan->header.locators[1] = (struct vhd_locator){VHD_LOCATOR_ABSOLUTE, VHD_LOCATOR_SPACE, 0,
							VHD_FILE_STEP + VHD_LOCATOR_SPACE};
	vhd_image_free(parent);
	return 0;
}

static int plan_size(struct plan *plan, uint64_t size, struct why *why)
{
	if (!size) {
		return why_set(why, -EINVAL, "a disk has at least one byte: give a size");
	}
	if (size > VHD_SIZE_MAX / VHD_SIZE_STEP * VHD_SIZE_STEP) {
		return why_set(why, -EFBIG, "a VHD has at most 2040 GiB: give a smaller size");
	}
	plan->footer.size = (size + VHD_SIZE_STEP - 1) / VHD_SIZE_STEP * VHD_SIZE_STEP;
	return 0;
}

static int plan_identity(struct plan *plan, const struct vhd_disk_create *create)
{
	static const uint8_t none[16];

	plan->footer.type = create->type;
	plan->footer.timestamp =
		create->timestamp ? create->timestamp : (uint32_t)(time(NULL) - VHD_EPOCH);
	memcpy(plan->footer.uuid, create->uuid, 16);
	if (memcmp(create->uuid, none, 16) != 0) {
		return 0;
	}
	if (getrandom(plan->footer.uuid, 16, 0) != 16) {
		return -errno;
	}
	plan->footer.uuid[6] = (plan->footer.uuid[6] & 0x0f) | 0x40;
	plan->footer.uuid[8] = (plan->footer.uuid[8] & 0x3f) | 0x80;
	return 0;
}

static void plan_layout(struct plan *plan, const struct vhd_disk_create *create)
{
	uint64_t reserve =
		create->reserve > plan->footer.size ? create->reserve : plan->footer.size;

	if (create->type == VHD_FIXED) {
		plan->footer_offset = plan->footer.size;
		return;
	}
	reserve = reserve < VHD_SIZE_MAX ? reserve : VHD_SIZE_MAX;
	plan->footer.data_offset = VHD_FOOTER_SIZE;
	plan->header.block_size = VHD_BLOCK_SIZE;
	plan->header.entry_count = blocks_of(plan->footer.size);
	plan->header.table_offset =
		VHD_FILE_STEP + (create->type == VHD_DIFFERENCING ? 2 * VHD_LOCATOR_SPACE : 0);
	plan->footer_offset =
		vhd_align_up(plan->header.table_offset + 4ull * blocks_of(reserve), VHD_FILE_STEP);
}

static int make_plan(struct plan *plan, struct folder *folder, const struct vhd_disk_create *create,
		     struct why *why)
{
	int rc;

	memset(plan, 0, sizeof(*plan));
	if (create->type != VHD_FIXED && create->type != VHD_DYNAMIC &&
	    create->type != VHD_DIFFERENCING) {
		return why_set(why, -EINVAL, "a VHD is fixed, dynamic or differencing");
	}
	rc = create->type == VHD_DIFFERENCING ? plan_parent(plan, folder, create, why)
					      : plan_size(plan, create->size, why);
	rc = rc ? rc : plan_identity(plan, create);
	plan_layout(plan, create);
	return rc;
}

static int write_sparse(struct file *file, struct plan *plan, const uint8_t *footer)
{
	uint64_t end = vhd_align_up(plan->header.table_offset + 4ull * plan->header.entry_count,
				    VHD_SECTOR_SIZE);
	uint8_t header[VHD_HEADER_SIZE], unused[VHD_FILE_STEP];
	int rc = 0;

	memset(unused, 0xff, sizeof(unused));
	for (unsigned i = 0; !rc && i < VHD_LOCATOR_COUNT; i++) {
		if (plan->header.locators[i].platform) {
			rc = vhd_locator_write_name(file, &plan->header.locators[i],
						    plan->header.parent_name);
		}
	}
	rc = rc ? rc : vhd_header_encode(&plan->header, header);
	rc = rc ? rc : file_write(file, footer, VHD_FOOTER_SIZE, 0);
	rc = rc ? rc : file_write(file, header, sizeof(header), plan->footer.data_offset);
	for (uint64_t at = plan->header.table_offset; !rc && at < end; at += sizeof(unused)) {
		size_t n = end - at < sizeof(unused) ? (size_t)(end - at) : sizeof(unused);

		rc = file_write(file, unused, n, at);
	}
	return rc;
}

static int write_file(struct file *file, struct plan *plan)
{
	uint8_t footer[VHD_FOOTER_SIZE];
	int rc = 0;

	vhd_footer_encode(&plan->footer, footer);
	if (plan->footer.type != VHD_FIXED) {
		rc = write_sparse(file, plan, footer);
	}
	rc = rc ? rc : file_write(file, footer, sizeof(footer), plan->footer_offset);
	return rc ? rc : file_flush(file);
}

static int check_free(struct folder *folder, const char *name, struct why *why)
{
	int rc = folder_check_free(folder, name);

	if (!rc) {
		return 0;
	}
	return why_set(why, rc,
		       rc == -EEXIST ? "it is there already: choose another name"
				     : "it cannot be made: choose another name");
}

/* Under a temporary name first. One of an attempt that was cut off is replaced. */
static int create_file(struct folder *folder, const char *name, struct plan *plan)
{
	char temporary[VHD_NAME_SIZE];
	struct file *file;
	int rc;

	if (snprintf(temporary, sizeof(temporary), ".%s.new", name) >= (int)sizeof(temporary)) {
		return -ENAMETOOLONG;
	}
	rc = folder_open_file(folder, temporary, FOLDER_CREATE, &file);
	if (rc == -EEXIST) {
		rc = folder_remove(folder, temporary);
		rc = rc ? rc : folder_open_file(folder, temporary, FOLDER_CREATE, &file);
	}
	if (rc < 0) {
		return rc;
	}
	rc = write_file(file, plan);
	file_close(file);
	rc = rc ? rc : folder_rename(folder, temporary, name);
	if (rc < 0) {
		(void)!folder_remove(folder, temporary);
		return rc;
	}
	return folder_flush(folder);
}

int vhd_disk_create(struct folder *folder, const char *name, const struct vhd_disk_create *create,
		    struct why *why)
{
	struct plan plan;
	char quoted[64];
	int rc;

	if (why) {
		why->text[0] = 0;
	}
	rc = check_free(folder, name, why);
	rc = rc ? rc : make_plan(&plan, folder, create, why);
	rc = rc ? rc : create_file(folder, name, &plan);
	if (rc < 0) {
		if (why && !why->text[0]) {
			why_set(why, rc, "it cannot be made: %s", strerror(-rc));
		}
		return why_prefix(why, rc, why_quote(quoted, sizeof(quoted), name));
	}
	return 0;
}
