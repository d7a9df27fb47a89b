/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the room that an image's structures take in its file: that none lies over another or out of
 * the file, and where the last one ends. */
#define _GNU_SOURCE

#include "vhd_image.h"

#include <errno.h>

/* Keeps the lowest start behind the table, and the highest end, of what the file holds. */
static void account(struct vhd_image *image, uint64_t start, uint64_t end)
{
	image->end_used = end > image->end_used ? end : image->end_used;
	if (start >= image->header.table_offset && start < image->first_used) {
		image->first_used = start;
	}
}

static void account_locators(struct vhd_image *image)
{
	for (unsigned i = 0; i < VHD_LOCATOR_COUNT; i++) {
		const struct vhd_locator *locator = &image->header.locators[i];
		uint64_t room =
			locator->offset < image->file_size ? image->file_size - locator->offset : 0;
		uint64_t size = locator->space > locator->length ? locator->space : locator->length;

		/* Some writers claim more space than there is; the name itself counts all the same.
		 */
		size = size <= room ? size : locator->length;
		if (locator->platform && size && size <= room) {
			account(image, locator->offset, locator->offset + size);
		}
	}
}

/* The table may lie between blocks, after it was moved to make it longer. */
static int account_blocks(struct vhd_image *image, uint32_t block_sectors)
{
	uint64_t size = (uint64_t)block_sectors * VHD_SECTOR_SIZE;
	uint64_t start = image->header.table_offset;
	uint64_t end = start + 4ull * image->bat.count;

	for (uint32_t i = 0; i < image->bat.count; i++) {
		uint64_t at = vhd_image_block_offset(image, i);

		if (image->bat.entries[i] == VHD_BAT_UNUSED) {
			continue;
		}
		if (at < end && at + size > start) {
			return -EBADMSG;
		}
		account(image, at, at + size);
	}
	return 0;
}

/* Blocks must lie past the header, and before the footer; without a footer the last of them may be
 * cut off, for a file ends where it was last written. */
static int check_blocks(const struct vhd_image *image, const struct vhd_bat_room *room)
{
	uint64_t header_end = image->footer.data_offset + VHD_HEADER_SIZE;
	uint64_t limit = image->footer_offset != UINT64_MAX
				 ? image->footer_offset
				 : image->file_size + image->header.block_size;

	if (room->end_sector && (room->first_sector * VHD_SECTOR_SIZE < header_end ||
				 room->end_sector * VHD_SECTOR_SIZE > limit)) {
		return -EBADMSG;
	}
	return 0;
}

int vhd_image_measure(struct vhd_image *image, struct why *why)
{
	uint32_t block_sectors = (image->bitmap_size + image->header.block_size) / VHD_SECTOR_SIZE;
	uint64_t table_end = image->header.table_offset + 4ull * image->bat.count;
	uint64_t header_end = image->footer.data_offset + VHD_HEADER_SIZE;
	struct vhd_bat_room room;
	int rc = vhd_bat_check(&image->bat, block_sectors, &room);

	if (rc == -EBADMSG) {
		return vhd_image_damaged(why, "block table gives one place to two blocks");
	}
	if (rc < 0) {
		return rc;
	}
	if (check_blocks(image, &room) < 0) {
		return vhd_image_damaged(why, "block table leads out of the file");
	}
	image->first_used = UINT64_MAX;
	image->end_used = table_end > header_end ? table_end : header_end;
	account_locators(image);
	if (account_blocks(image, block_sectors) < 0) {
		return vhd_image_damaged(why, "block table lies under a block");
	}
	return 0;
}

/* Whether a name shares bytes with [start, start + size). */
static bool is_over(const struct vhd_locator *name, uint64_t start, uint64_t size)
{
	return start < name->offset + name->length && name->offset < start + size;
}

/* Whether writing changes bytes of a name: footers, header, table and blocks are written. */
static bool is_written_over(const struct vhd_image *image, const struct vhd_locator *name)
{
	uint64_t end =
		image->footer_offset < image->file_size ? image->footer_offset : image->file_size;

	if (name->offset + name->length > end || is_over(name, 0, VHD_FOOTER_SIZE) ||
	    is_over(name, image->footer.data_offset, VHD_HEADER_SIZE) ||
	    is_over(name, image->header.table_offset, 4ull * image->bat.count)) {
		return true;
	}
	for (uint32_t i = 0; i < image->bat.count; i++) {
		if (image->bat.entries[i] != VHD_BAT_UNUSED &&
		    is_over(name, vhd_image_block_offset(image, i),
			    (uint64_t)image->bitmap_size + image->header.block_size)) {
			return true;
		}
	}
	return false;
}

int vhd_image_check_names(const struct vhd_image *image, struct why *why)
{
	for (unsigned i = 0; image->footer.type == VHD_DIFFERENCING && i < VHD_LOCATOR_COUNT; i++) {
		const struct vhd_locator *locator = &image->header.locators[i];

		if ((locator->platform == VHD_LOCATOR_RELATIVE ||
		     locator->platform == VHD_LOCATOR_ABSOLUTE) &&
		    locator->offset < image->file_size && is_written_over(image, locator)) {
			return why_set(why, -EBADMSG,
				       "the name of its parent lies under other parts: flatten it, "
				       "writing would lose the name");
		}
	}
	return 0;
}
