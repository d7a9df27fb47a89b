/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the change of a disk's size. At every instant of a power cut the file has its old size or
 * its new one:
 *
 *  * sparse, longer: entries of the table (in the room behind it, else in a copy of the table at
 * the end of the file), lasting; header, lasting; zeros where the parent or an old block would
 * show, lasting; footers.
 *  * sparse, shorter: footers, lasting; then the blocks behind are given up; then the header tells
 * the shorter table.
 *  * fixed, longer: a footer at the new end, whose "original size" says where the old footer is;
 *    the old one goes; then the note about it. vhd_image.c reads it as zeros in between.
 *  * fixed, shorter: a footer at the new end, lasting; then the file is cut.
 */
#define _GNU_SOURCE

#include "vhd_bytes.h"
#include "vhd_chain.h"
#include "vhd_room.h"

#include <errno.h>

#define SECTOR_ENTRIES (VHD_SECTOR_SIZE / 4)

/* Puts the footer with another size to both of its places. */
static int write_footers(struct vhd_image *image, uint64_t size)
{
	struct vhd_footer footer = image->footer;
	uint8_t bytes[VHD_FOOTER_SIZE];
	int rc;

	footer.size = footer.original_size = size;
	vhd_footer_encode(&footer, bytes);
	rc = file_write(image->file, bytes, sizeof(bytes), image->footer_offset);
	if (!rc) {
		rc = file_write(image->file, bytes, sizeof(bytes), 0);
	}
	if (rc < 0) { /* the old size again, as far as that works */
		(void)!file_write(image->file, image->footer_bytes, sizeof(bytes),
				  image->footer_offset);
		return rc;
	}
	rc = vhd_image_flush_file(image);
	if (!rc) {
		image->footer = footer;
		memcpy(image->footer_bytes, bytes, sizeof(bytes));
	}
	return rc;
}

/* Whether [start, end) of the file holds nothing: zeros, or unused entries. */
static int is_blank(struct vhd_image *image, uint64_t start, uint64_t end, bool *ret_blank)
{
	uint8_t bytes[4096];

	*ret_blank = true;
	while (start < end && *ret_blank) {
		size_t n = end - start < sizeof(bytes) ? (size_t)(end - start) : sizeof(bytes);
		int rc = file_read(image->file, bytes, n, start);

		if (rc < 0) {
			return rc;
		}
		for (size_t i = 0; i < n; i++) {
			*ret_blank = *ret_blank && (bytes[i] == 0 || bytes[i] == 0xff);
		}
		start += n;
	}
	return 0;
}

/* Where a table of `count` entries goes: it stays when nothing lies behind it. */
static int find_table_place(struct vhd_image *image, uint32_t count, uint64_t *ret_offset)
{
	uint64_t start = image->header.table_offset;
	uint64_t size = vhd_align_up(4ull * count, VHD_SECTOR_SIZE);
	uint64_t old_end = start + vhd_align_up(4ull * image->bat.count, VHD_SECTOR_SIZE);
	uint64_t limit =
		image->first_used < image->footer_offset ? image->first_used : image->footer_offset;
	bool blank = false;
	int rc = 0;

	if (start + size <= limit) {
		rc = is_blank(image, old_end, start + size, &blank);
	}
	if (rc < 0) {
		return rc;
	}
	if (blank) {
		*ret_offset = start;
		return 0;
	}
	return vhd_room_reserve(image, size, ret_offset);
}

/* All that changes lies in the first sector of the header. Who does not know which table the file
 * names must not write any more. */
static int write_header(struct vhd_image *image, uint64_t table_offset, uint32_t count)
{
	uint8_t bytes[VHD_HEADER_SIZE], before[VHD_SECTOR_SIZE];
	uint64_t at = image->footer.data_offset;
	int rc = file_read(image->file, bytes, sizeof(bytes), at);

	if (rc < 0) {
		return rc;
	}
	memcpy(before, bytes, sizeof(before));
	vhd_header_set_table(bytes, table_offset, count);
	rc = file_write(image->file, bytes, VHD_SECTOR_SIZE, at);
	if (rc < 0) {
		if (file_write(image->file, before, sizeof(before), at) < 0) {
			image->poisoned = true;
		}
		return rc;
	}
	return vhd_image_flush_file(image);
}

static int lengthen_table(struct vhd_image *image, uint32_t count)
{
	struct vhd_bat bat = {0};
	uint64_t offset;
	int rc = find_table_place(image, count, &offset);

	rc = rc ? rc : vhd_bat_copy(&image->bat, offset, count, &bat);
	if (rc < 0) {
		return rc;
	}
	if (offset != image->header.table_offset) {
		vhd_bat_mark_all(&bat);
	}
	rc = vhd_bitmaps_resize(&image->bitmaps, count);
	rc = rc ? rc : vhd_bat_store(&bat, image->file);
	rc = rc ? rc : vhd_image_flush_file(image);
	rc = rc ? rc : write_header(image, offset, count);
	if (rc < 0) {
		vhd_bat_fini(&bat);
		return rc;
	}
	vhd_bat_fini(&image->bat);
	image->bat = bat;
	image->header.table_offset = offset;
	image->header.entry_count = count;
	return vhd_image_measure(image, NULL);
}

static int lengthen_sparse(struct vhd_chain *chain, uint64_t size, struct why *why)
{
	struct vhd_image *image = chain->images[0];
	uint64_t old = image->footer.size;
	uint64_t count = (size + image->header.block_size - 1) >> image->block_shift;
	int rc = 0;

	if (image->footer.type == VHD_DIFFERENCING && chain->depth == 1) {
		return why_set(why, -EINVAL, "a disk whose parent is not open cannot grow");
	}
	if (count > vhd_bat_max(image->header.block_size)) {
		return why_set(why, -EFBIG, "its blocks are too small for that size: convert it");
	}
	if (count > image->bat.count) {
		rc = lengthen_table(image, (uint32_t)count);
	}
	if (rc < 0) {
		return rc;
	}
	image->footer.size = size; /* so that what lies there is found */
	rc = vhd_chain_zero(chain, old, size - old);
	rc = rc ? rc : vhd_image_flush(image);
	image->footer.size = old;
	rc = rc ? rc : vhd_room_trim(image);
	return rc ? rc : write_footers(image, size);
}

/* The disk is shorter already: what fails here only wastes room. */
static int give_up_blocks(struct vhd_image *image, uint32_t count)
{
	uint64_t size = image->bitmap_size + image->header.block_size;
	struct vhd_bat old = {0}, bat = {0};
	int rc = vhd_bat_copy(&image->bat, image->bat.offset, image->bat.count, &old);

	for (uint32_t i = count; !rc && i < image->bat.count; i++) {
		if (image->bat.entries[i] != VHD_BAT_UNUSED) {
			vhd_bat_set(&image->bat, i, VHD_BAT_UNUSED);
		}
	}
	rc = rc ? rc : vhd_bat_store(&image->bat, image->file);
	rc = rc ? rc : vhd_image_flush_file(image);
	for (uint32_t i = count; !rc && i < old.count; i++) {
		if (old.entries[i] != VHD_BAT_UNUSED) {
			rc = file_zero(image->file, (uint64_t)old.entries[i] * VHD_SECTOR_SIZE,
				       size);
		}
	}
	vhd_bat_fini(&old);
	rc = rc ? rc : vhd_bat_copy(&image->bat, image->bat.offset, count, &bat);
	rc = rc ? rc : vhd_bitmaps_resize(&image->bitmaps, count);
	if (rc < 0) {
		vhd_bat_fini(&bat);
		return rc;
	}
	vhd_bat_fini(&image->bat);
	image->bat = bat;
	return vhd_image_measure(image, NULL);
}

static int shorten_sparse(struct vhd_image *image, uint64_t size)
{
	uint64_t count = (size + image->header.block_size - 1) >> image->block_shift;
	int rc = write_footers(image, size);

	if (rc || count == image->bat.count) {
		return rc;
	}
	rc = give_up_blocks(image, (uint32_t)count);
	if (!rc) { /* 7-Zip wants as many entries as the disk has blocks */
		rc = write_header(image, image->bat.offset, (uint32_t)count);
		image->header.entry_count = rc ? image->header.entry_count : (uint32_t)count;
	}
	if (!rc && image->footer_offset >= image->end_used + image->header.block_size) {
		uint64_t end = vhd_align_up(image->end_used, VHD_FILE_STEP);

		rc = vhd_room_end_at(image, end);
		image->room_next = image->room_end = rc ? image->room_next : end;
	}
	return image->poisoned ? rc : 0;
}

static int lengthen_fixed(struct vhd_image *image, uint64_t size)
{
	struct vhd_image before = *image;
	int rc;

	image->footer.original_size = image->footer.size;
	image->footer.size = size;
	vhd_footer_encode(&image->footer, image->footer_bytes);
	rc = file_write(image->file, image->footer_bytes, VHD_FOOTER_SIZE, size);
	if (rc < 0) {
		image->footer = before.footer;
		memcpy(image->footer_bytes, before.footer_bytes, VHD_FOOTER_SIZE);
		(void)!file_resize(image->file, image->footer_offset + VHD_FOOTER_SIZE);
		return rc;
	}
	rc = vhd_image_flush_file(image);
	image->footer_offset = size;
	image->wiped_offset = before.footer.size;
	return rc ? rc : vhd_room_settle_fixed(image);
}

static int shorten_fixed(struct vhd_image *image, uint64_t size)
{
	struct vhd_footer footer = image->footer;
	uint8_t before[VHD_FOOTER_SIZE];
	int rc;

	memcpy(before, image->footer_bytes, sizeof(before));
	footer.size = footer.original_size = size;
	vhd_footer_encode(&footer, image->footer_bytes);
	rc = vhd_room_end_at(image, size);
	if (rc < 0) {
		memcpy(image->footer_bytes, before, sizeof(before));
		return rc;
	}
	image->footer = footer;
	return 0;
}

static int resize(struct vhd_chain *chain, uint64_t size, struct why *why)
{
	struct vhd_image *image = chain->images[0];
	bool longer = size > image->footer.size;

	if (vhd_image_is_fixed(image)) {
		return longer ? lengthen_fixed(image, size) : shorten_fixed(image, size);
	}
	return longer ? lengthen_sparse(chain, size, why) : shorten_sparse(image, size);
}

int vhd_disk_resize(struct layer *layer, uint64_t size, struct why *why)
{
	struct vhd_chain *chain = vhd_chain_of(layer);
	struct vhd_image *image = chain->images[0];
	int rc;

	if (layer->read_only) {
		return why_set(why, -EROFS, "the disk is open for reading only");
	}
	if (!size || size > VHD_SIZE_MAX / VHD_SIZE_STEP * VHD_SIZE_STEP) {
		return why_set(why, size ? -EFBIG : -EINVAL,
			       "a disk has from one byte to 2040 GiB: give such a size");
	}
	if (size == layer->size) {
		return 0;
	}
	size = (size + VHD_SIZE_STEP - 1) / VHD_SIZE_STEP * VHD_SIZE_STEP;
	if (why) {
		why->text[0] = 0;
	}
	rc = vhd_image_flush(image);
	rc = rc || size == layer->size ? rc : vhd_room_trim(image);
	rc = rc || size == layer->size ? rc : resize(chain, size, why);
	layer->size = image->footer.size;
	if (rc < 0 && why && !why->text[0]) {
		why_set(why, rc, "the size cannot be changed: %s", strerror(-rc));
	}
	return rc;
}
