/* SPDX-License-Identifier: Apache-2.0 */
/* Owns an open VHD file: finding its structures and checking them against the file. The footer at
 * the end is asked first; the copy at the start only when there is none, for the start of a fixed
 * disk belongs to the guest. */
#define _GNU_SOURCE

#include "vhd_image.h"
#include "vhd_bytes.h"
#include "vhd_lost.h"

#include <errno.h>
#include <stdlib.h>

/* A footer of `size` bytes at `offset`. */
static int read_footer(struct vhd_image *image, uint64_t offset, unsigned size)
{
	uint8_t bytes[VHD_FOOTER_SIZE] = {0};
	struct vhd_footer footer;
	int rc = file_read(image->file, bytes, size, offset);

	rc = rc ? rc : vhd_footer_decode(bytes, &footer);
	if (!rc) {
		image->footer = footer;
		memcpy(image->footer_bytes, bytes, sizeof(bytes));
	}
	return rc;
}

static bool is_format_error(int rc)
{
	return rc == -EINVAL || rc == -EBADMSG;
}

static int read_end_footer(struct vhd_image *image)
{
	static const unsigned sizes[] = {VHD_FOOTER_SIZE, VHD_FOOTER_SIZE_SHORT};
	int worst = -EINVAL;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int rc;

		if (image->file_size < sizes[i]) {
			break;
		}
		rc = read_footer(image, image->file_size - sizes[i], sizes[i]);
		if (!is_format_error(rc)) {
			image->footer_offset = image->file_size - sizes[i];
			return rc;
		}
		worst = rc == -EBADMSG ? rc : worst;
	}
	return worst;
}

/* Compares the copy at the start with the footer that counts. */
static int check_copy(struct vhd_image *image)
{
	uint8_t bytes[VHD_FOOTER_SIZE];
	int rc = file_read(image->file, bytes, sizeof(bytes), 0);

	/* The last byte is reserved, and missing in a short footer. */
	if (!rc && memcmp(bytes, image->footer_bytes, VHD_FOOTER_SIZE_SHORT) != 0) {
		image->unclean = true;
	}
	return rc;
}

/* Of a fixed disk that was being made longer; see vhd_lost.h. */
static int find_lost_footer(struct vhd_image *image)
{
	uint64_t offset;
	int rc = vhd_lost_find(image->file, image->file_size, &offset);

	rc = rc ? rc : read_footer(image, offset, VHD_FOOTER_SIZE);
	if (!rc) {
		image->footer_offset = offset;
		image->unclean = true;
	}
	return rc;
}

static int find_footer(struct vhd_image *image, struct why *why)
{
	int rc = read_end_footer(image);
	int copy, lost;

	if (!is_format_error(rc)) {
		return rc || vhd_image_is_fixed(image) ? rc : check_copy(image);
	}
	copy = image->file_size < VHD_FOOTER_SIZE ? -EINVAL
						  : read_footer(image, 0, VHD_FOOTER_SIZE);
	if (!copy && !vhd_image_is_fixed(image)) {
		image->unclean = true;
		return 0;
	}
	lost = copy && !is_format_error(copy) ? copy : find_lost_footer(image);
	if (!is_format_error(lost)) {
		return lost;
	}
	if (rc == -EBADMSG || copy != -EINVAL) {
		return why_set(why, -EBADMSG,
			       "its footer is damaged: try \"bulkhead vhd repair\" on it");
	}
	return why_set(why, -EINVAL, "it is no VHD: convert it with \"bulkhead vhd convert\"");
}

/* A fixed disk that was being made longer when the power went: its old footer lies inside the disk
 * and counts as zeros. See vhd_resize.c. */
static int find_old_footer(struct vhd_image *image)
{
	uint64_t offset = image->footer.original_size;
	uint8_t bytes[VHD_FOOTER_SIZE];
	struct vhd_footer old;
	int rc;

	if (offset % VHD_SECTOR_SIZE || offset >= image->footer.size) {
		return 0;
	}
	rc = file_read(image->file, bytes, sizeof(bytes), offset);
	if (!rc && vhd_footer_decode(bytes, &old) == 0 && old.type == VHD_FIXED &&
	    old.size == offset && memcmp(old.uuid, image->footer.uuid, sizeof(old.uuid)) == 0) {
		image->wiped_offset = offset;
		image->unclean = true;
	}
	return rc;
}

int vhd_image_damaged(struct why *why, const char *what)
{
	return why_set(why, -EBADMSG, "its %s: try \"bulkhead vhd repair\" on it", what);
}

static int read_header(struct vhd_image *image, struct why *why)
{
	uint64_t offset = image->footer.data_offset;
	uint8_t bytes[VHD_HEADER_SIZE];
	int rc;

	if (offset < VHD_SECTOR_SIZE || offset % VHD_SECTOR_SIZE || offset > image->file_size ||
	    image->file_size - offset < VHD_HEADER_SIZE) {
		return vhd_image_damaged(why, "header lies outside of the file");
	}
	rc = file_read(image->file, bytes, sizeof(bytes), offset);
	if (rc < 0) {
		return rc;
	}
	rc = vhd_header_decode(bytes, &image->header);
	if (rc == -EOPNOTSUPP) {
		return why_set(why, rc,
			       "its block size is none that is in use: convert it elsewhere");
	}
	return rc ? vhd_image_damaged(why, "header is damaged") : 0;
}

/* The block table must lie in the file, past the footer's copy and not over the header. */
static int check_table_place(struct vhd_image *image, uint32_t count, struct why *why)
{
	const struct vhd_header *header = &image->header;
	uint64_t start = header->table_offset;
	uint64_t end = start + 4ull * count;
	uint64_t header_offset = image->footer.data_offset;

	if (count > header->entry_count) {
		return vhd_image_damaged(why, "block table is shorter than the disk");
	}
	if (count > vhd_bat_max(header->block_size)) {
		return why_set(why, -EOPNOTSUPP,
			       "its blocks are too small for its size: convert it elsewhere");
	}
	if (start < VHD_SECTOR_SIZE || end > image->file_size ||
	    (start < header_offset + VHD_HEADER_SIZE && end > header_offset)) {
		return vhd_image_damaged(why, "block table lies in a wrong place");
	}
	return 0;
}

static int open_sparse(struct vhd_image *image, struct why *why)
{
	uint64_t blocks;
	int rc = read_header(image, why);

	if (rc < 0) {
		return rc;
	}
	image->block_shift = (unsigned)__builtin_ctz(image->header.block_size);
	image->bitmap_size = vhd_header_bitmap_size(image->header.block_size);
	blocks = (image->footer.size + image->header.block_size - 1) >> image->block_shift;
	rc = check_table_place(image, (uint32_t)blocks, why);
	image->block_count = rc ? 0 : (uint32_t)blocks;
	return rc;
}

static int load_tables(struct vhd_image *image, struct why *why)
{
	int rc = vhd_bat_load(&image->bat, image->file, image->header.table_offset,
			      image->block_count);

	rc = rc ? rc : vhd_image_measure(image, why);
	rc = rc ? rc
		: vhd_bitmaps_init(&image->bitmaps, image->file, image->bat.count,
				   image->header.block_size);
	if (rc < 0) {
		return rc;
	}
	uint64_t end = image->footer_offset != UINT64_MAX ? image->footer_offset : image->end_used;

	image->room_next = image->room_end = vhd_align_up(end, VHD_FILE_STEP);
	/* Blocks that were never entered into the table, or no footer. */
	image->unclean = image->unclean || image->footer_offset == UINT64_MAX ||
			 end - image->end_used >= image->header.block_size;
	return 0;
}

static int open_fixed(struct vhd_image *image, struct why *why)
{
	if (image->footer.size > image->footer_offset) {
		return why_set(why, -EBADMSG,
			       "it is shorter than its disk: get a whole copy of it");
	}
	return find_old_footer(image);
}

static int open_file(struct vhd_image *image, struct folder *folder, unsigned flags,
		     struct why *why)
{
	int rc = folder_open_file(folder, image->name,
				  flags & VHD_IMAGE_WRITE ? FOLDER_WRITE : FOLDER_READ,
				  &image->file);

	if (rc < 0) {
		return why_set(why, rc, "cannot open it: %s", strerror(-rc));
	}
	rc = flags & VHD_IMAGE_NO_LOCK ? 0 : file_lock(image->file, flags & VHD_IMAGE_WRITE);
	if (rc == -EAGAIN) {
		return why_set(why, rc, "it is in use: stop the program that has it open");
	}
	rc = rc ? rc : file_get_size(image->file, &image->file_size);
	return rc;
}

/* Says that something failed, and in which file. */
static int explain(const struct vhd_image *image, int rc, struct why *why)
{
	char quoted[64];

	if (why && !why->text[0]) {
		why_set(why, rc, "cannot read it: %s", strerror(-rc));
	}
	return why_prefix(why, rc, why_quote(quoted, sizeof(quoted), image->name));
}

int vhd_image_load(struct vhd_image *image, struct why *why)
{
	int rc;

	if (vhd_image_is_fixed(image)) {
		return 0;
	}
	if (why) {
		why->text[0] = 0;
	}
	rc = load_tables(image, why);
	return rc ? explain(image, rc, why) : 0;
}

int vhd_image_open(struct folder *folder, const char *name, unsigned flags,
		   struct vhd_image **ret_image, struct why *why)
{
	struct vhd_image *image = calloc(1, sizeof(*image));
	int rc;

	if (!image) {
		return -ENOMEM;
	}
	image->name = strdup(name);
	if (!image->name) {
		free(image);
		return -ENOMEM;
	}
	if (why) {
		why->text[0] = 0;
	}
	image->writable = flags & VHD_IMAGE_WRITE;
	image->footer_offset = image->wiped_offset = UINT64_MAX;
	rc = open_file(image, folder, flags, why);
	rc = rc ? rc : find_footer(image, why);
	if (!rc) {
		rc = vhd_image_is_fixed(image) ? open_fixed(image, why) : open_sparse(image, why);
	}
	if (rc < 0) {
		rc = explain(image, rc, why);
		vhd_image_free(image);
		return rc;
	}
	*ret_image = image;
	return 0;
}

void vhd_image_free(struct vhd_image *image)
{
	if (!image) {
		return;
	}
	vhd_bitmaps_fini(&image->bitmaps);
	vhd_bat_fini(&image->bat);
	file_close(image->file);
	free(image->name);
	free(image);
}

static int find_fixed(struct vhd_image *image, uint64_t offset, uint64_t max,
		      struct vhd_extent *ret_extent)
{
	uint64_t wiped = image->wiped_offset;

	ret_extent->present = true;
	ret_extent->file_offset = offset;
	if (offset >= wiped && offset < wiped + VHD_SECTOR_SIZE) {
		ret_extent->present = false;
		max = wiped + VHD_SECTOR_SIZE - offset < max ? wiped + VHD_SECTOR_SIZE - offset
							     : max;
	} else if (offset < wiped && max > wiped - offset) {
		max = wiped - offset;
	}
	ret_extent->size = max;
	return 0;
}

/* Blocks that are not in the file are taken together. */
static void find_unused(const struct vhd_image *image, uint32_t block, uint64_t offset,
			uint64_t max, struct vhd_extent *ret_extent)
{
	uint64_t size = image->header.block_size - (offset & (image->header.block_size - 1));

	while (size < max && ++block < image->bat.count &&
	       image->bat.entries[block] == VHD_BAT_UNUSED) {
		size += image->header.block_size;
	}
	ret_extent->present = false;
	ret_extent->size = size < max ? size : max;
}

int vhd_image_find(struct vhd_image *image, uint64_t offset, uint64_t max,
		   struct vhd_extent *ret_extent)
{
	if (offset >= image->footer.size) {
		ret_extent->present = false;
		ret_extent->size = max;
		return 0;
	}
	if (max > image->footer.size - offset) {
		max = image->footer.size - offset;
	}
	if (vhd_image_is_fixed(image)) {
		return find_fixed(image, offset, max, ret_extent);
	}
	uint32_t block = vhd_image_block(image, offset);
	uint32_t within = (uint32_t)(offset & (image->header.block_size - 1));
	uint64_t at;

	if (image->bat.entries[block] == VHD_BAT_UNUSED) {
		find_unused(image, block, offset, max, ret_extent);
		return 0;
	}
	at = vhd_image_block_offset(image, block);
	if (max > image->header.block_size - within) {
		max = image->header.block_size - within;
	}
	ret_extent->file_offset = at + image->bitmap_size + within;
	ret_extent->present = true;
	if (!vhd_bitmaps_is_full(&image->bitmaps, block)) {
		struct vhd_bitmap *bitmap;
		int rc = vhd_bitmaps_get(&image->bitmaps, block, at, &bitmap);

		if (rc < 0) {
			return rc;
		}
		if (bitmap) {
			max = (uint64_t)VHD_SECTOR_SIZE *
			      vhd_bitmap_run(bitmap, within / VHD_SECTOR_SIZE,
					     (uint32_t)(max / VHD_SECTOR_SIZE),
					     &ret_extent->present);
		}
	}
	ret_extent->size = max;
	return 0;
}
