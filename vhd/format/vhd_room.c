/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the end of the file. Invariant: a lasting footer lies at footer_offset, and nothing between
 * room_next and it is named by a lasting block table. */
#define _GNU_SOURCE

#include "vhd_room.h"
#include "vhd_bytes.h"

#include <errno.h>

#define ROOM_BLOCKS_MIN 4u

/* Bytes from one block of the room to the next. */
static uint64_t stride_of(const struct vhd_image *image)
{
	return vhd_align_up(image->bitmap_size, VHD_FILE_STEP) + image->header.block_size;
}

/* Where the bitmap of the room's block at `base` lies: right before its data. */
static uint64_t bitmap_offset(const struct vhd_image *image, uint64_t base)
{
	return base + vhd_align_up(image->bitmap_size, VHD_FILE_STEP) - image->bitmap_size;
}

static int write_filled(struct vhd_image *image, uint8_t value, uint64_t offset, uint64_t size)
{
	uint8_t bytes[4096];
	int rc = 0;

	memset(bytes, value, sizeof(bytes));
	while (!rc && size) {
		size_t n = size < sizeof(bytes) ? (size_t)size : sizeof(bytes);

		rc = file_write(image->file, bytes, n, offset);
		offset += n;
		size -= n;
	}
	return rc;
}

/* A new footer further on. The old one stays until it is lasting. When it fails, the end of the
 * file goes back to where it was, as far as that works; opening copes with what it finds. */
static int move_footer_up(struct vhd_image *image, uint64_t offset)
{
	uint64_t old_end = image->footer_offset + VHD_FOOTER_SIZE;
	int rc = file_write(image->file, image->footer_bytes, VHD_FOOTER_SIZE, offset);

	if (rc < 0) {
		(void)!file_resize(image->file, old_end);
		return rc;
	}
	rc = vhd_image_flush_file(image);
	if (!rc) {
		image->footer_offset = offset;
	}
	return rc;
}

/* Bitmaps must be lasting before any table names their blocks. Those of a differencing image are
 * the zeros that the file grew by, save where the old footer was. */
static int prepare_bitmaps(struct vhd_image *image, uint64_t base, uint32_t count,
			   uint64_t old_footer)
{
	bool ones = image->footer.type == VHD_DYNAMIC;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < (ones ? count : 1); i++) {
		uint64_t offset = bitmap_offset(image, base + i * stride_of(image));

		if (ones || old_footer + VHD_FOOTER_SIZE > offset) {
			rc = write_filled(image, ones ? 0xff : 0, offset, image->bitmap_size);
		}
	}
	return rc || !ones ? rc : vhd_image_flush_file(image);
}

/* More each time, so that a disk that fills up seldom waits for it. */
static uint32_t blocks_to_grow(struct vhd_image *image, uint64_t base)
{
	uint64_t left = image->bat.count - image->bat.used_count;
	uint64_t most = VHD_ROOM_GROW_MAX / image->header.block_size;
	uint64_t count = image->room_blocks ? 2ull * image->room_blocks : ROOM_BLOCKS_MIN;
	uint64_t last = (uint64_t)VHD_BAT_UNUSED * VHD_SECTOR_SIZE;

	count = count < most ? count : most;
	count = count < left ? count : left;
	count = count ? count : 1;
	while (count && base + count * stride_of(image) > last) {
		count--;
	}
	return (uint32_t)count;
}

static int grow(struct vhd_image *image)
{
	uint64_t base = image->room_next;
	uint64_t old_footer = image->footer_offset;
	uint32_t count = blocks_to_grow(image, base);
	uint64_t end = base + count * stride_of(image);
	int rc;

	if (!count) {
		return -EFBIG;
	}
	rc = end > image->footer_offset ? move_footer_up(image, end) : 0;
	rc = rc ? rc : prepare_bitmaps(image, base, count, old_footer);
	if (!rc) {
		image->room_blocks = count;
		image->room_end = end;
	}
	return rc;
}

/* Nothing here may let others run. */
static int take(struct vhd_image *image, uint32_t block)
{
	uint64_t base = image->room_next;
	int rc = 0;

	if (image->footer.type == VHD_DYNAMIC) {
		vhd_bitmaps_set_full(&image->bitmaps, block);
	} else {
		rc = vhd_bitmaps_add(&image->bitmaps, block);
	}
	if (!rc) {
		image->room_next = base + stride_of(image);
		vhd_bat_set(&image->bat, block,
			    (uint32_t)(bitmap_offset(image, base) / VHD_SECTOR_SIZE));
	}
	return rc;
}

int vhd_room_allocate(struct vhd_image *image, uint32_t block)
{
	while (image->bat.entries[block] == VHD_BAT_UNUSED) {
		int rc = 0;

		if (image->poisoned) {
			return -EIO;
		}
		if (image->room_next < image->room_end) {
			return take(image, block);
		}
		fiber_mutex_lock(&image->growing);
		if (image->bat.entries[block] == VHD_BAT_UNUSED &&
		    image->room_next >= image->room_end) {
			rc = grow(image);
		}
		fiber_mutex_unlock(&image->growing);
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

int vhd_room_end_at(struct vhd_image *image, uint64_t offset)
{
	int rc = file_write(image->file, image->footer_bytes, VHD_FOOTER_SIZE, offset);

	rc = rc ? rc : vhd_image_flush_file(image);
	rc = rc ? rc : file_resize(image->file, offset + VHD_FOOTER_SIZE);
	rc = rc ? rc : vhd_image_flush_file(image);
	if (!rc) {
		image->footer_offset = offset;
	}
	return rc;
}

static int settle_end(struct vhd_image *image)
{
	uint64_t end = vhd_align_up(image->end_used, VHD_FILE_STEP);
	int rc;

	if (image->footer_offset != UINT64_MAX &&
	    image->footer_offset - image->end_used < image->header.block_size) {
		return 0;
	}
	rc = vhd_room_end_at(image, end);
	if (!rc) {
		image->room_next = image->room_end = end;
	}
	return rc;
}

static int settle_copy(struct vhd_image *image)
{
	uint8_t bytes[VHD_FOOTER_SIZE];
	int rc = file_read(image->file, bytes, sizeof(bytes), 0);

	if (rc || memcmp(bytes, image->footer_bytes, VHD_FOOTER_SIZE_SHORT) == 0) {
		return rc;
	}
	rc = file_write(image->file, image->footer_bytes, VHD_FOOTER_SIZE, 0);
	return rc ? rc : vhd_image_flush_file(image);
}

int vhd_room_settle_fixed(struct vhd_image *image)
{
	int rc = write_filled(image, 0, image->wiped_offset, VHD_FOOTER_SIZE);

	rc = rc ? rc : vhd_image_flush_file(image);
	if (rc < 0) {
		return rc;
	}
	image->wiped_offset = UINT64_MAX;
	image->footer.original_size = image->footer.size;
	vhd_footer_encode(&image->footer, image->footer_bytes);
	return vhd_room_end_at(image, image->footer_offset);
}

int vhd_room_settle(struct vhd_image *image)
{
	int rc;

	if (!image->unclean) {
		return 0;
	}
	if (vhd_image_is_fixed(image)) {
		return image->wiped_offset != UINT64_MAX
			       ? vhd_room_settle_fixed(image)
			       : vhd_room_end_at(image, image->footer_offset);
	}
	rc = settle_end(image);
	return rc ? rc : settle_copy(image);
}

int vhd_room_trim(struct vhd_image *image)
{
	int rc;

	if (vhd_image_is_fixed(image) || image->room_next >= image->footer_offset) {
		return 0;
	}
	rc = vhd_room_end_at(image, image->room_next);
	image->room_end = rc ? image->room_end : image->room_next;
	return rc;
}

int vhd_room_reserve(struct vhd_image *image, uint64_t size, uint64_t *ret_offset)
{
	uint64_t base = image->room_next;
	uint64_t end = base + vhd_align_up(size, VHD_FILE_STEP);
	int rc = move_footer_up(image, end);

	if (rc < 0) {
		return rc;
	}
	/* The old footer may lie there. */
	rc = write_filled(image, 0, base, VHD_FOOTER_SIZE);
	if (!rc) {
		image->room_next = image->room_end = end;
		*ret_offset = base;
	}
	return rc;
}
