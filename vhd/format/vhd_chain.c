/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the requests of a disk. Reading walks the chain by runs, as long as they get, and moves each
 * between the guest's buffers and one file in one call. Only the top image is written. */
#define _GNU_SOURCE

#include "vhd_chain.h"
#include "vhd_room.h"
#include "vhd_vector.h"

#include <errno.h>
#include <stdlib.h>

int vhd_chain_find(struct vhd_chain *chain, unsigned from, uint64_t offset, uint64_t max,
		   struct vhd_image **ret_image, struct vhd_extent *ret_extent)
{
	*ret_image = NULL;
	for (unsigned i = from; i < chain->depth; i++) {
		int rc = vhd_image_find(chain->images[i], offset, max, ret_extent);

		if (rc < 0) {
			return rc;
		}
		if (ret_extent->present) {
			*ret_image = chain->images[i];
			return 0;
		}
		max = ret_extent->size;
	}
	*ret_extent = (struct vhd_extent){.size = max};
	return 0;
}

/* The run that is being gathered: pieces that follow each other in one file. */
struct run {
	struct vhd_image *image; /* NULL: zeros */
	uint64_t file_offset, size;
};

static int read_run(struct vhd_vector *vector, const struct run *run)
{
	if (!run->size) {
		return 0;
	}
	if (!run->image) {
		vhd_vector_zero(vector, run->size);
		return 0;
	}
	return vhd_vector_read(vector, run->image->file, run->size, run->file_offset);
}

static bool follows(const struct run *run, const struct vhd_image *image,
		    const struct vhd_extent *extent)
{
	return run->image == image &&
	       (!image || run->file_offset + run->size == extent->file_offset);
}

/* Found places stay true while the file is read: blocks do not move, and bits are only set. */
static int read_from(struct vhd_chain *chain, unsigned from, struct vhd_vector *vector,
		     uint64_t size, uint64_t offset)
{
	struct run run = {0};
	int rc = 0;

	while (!rc && size) {
		struct vhd_image *image;
		struct vhd_extent extent;

		rc = vhd_chain_find(chain, from, offset, size, &image, &extent);
		if (rc < 0) {
			return rc;
		}
		if (!follows(&run, image, &extent)) {
			rc = read_run(vector, &run);
			run = (struct run){image, extent.file_offset, 0};
		}
		run.size += extent.size;
		offset += extent.size;
		size -= extent.size;
	}
	return rc ? rc : read_run(vector, &run);
}

static int chain_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	struct vhd_chain *chain = vhd_chain_of(layer);
	struct vhd_vector vector = {iov, count, 0};
	struct vhd_image *image;
	struct vhd_extent extent;
	int rc = vhd_chain_find(chain, 0, offset, size, &image, &extent);

	if (rc < 0) {
		return rc;
	}
	if (image && extent.size == size) { /* nearly always */
		return file_readv(image->file, iov, count, size, extent.file_offset);
	}
	return read_from(chain, 0, &vector, size, offset);
}

static bool is_set(const struct vhd_bitmap *bitmap, uint64_t within, uint64_t size)
{
	uint32_t count = (uint32_t)(size / VHD_SECTOR_SIZE);
	bool set;

	return vhd_bitmap_run(bitmap, (uint32_t)(within / VHD_SECTOR_SIZE), count, &set) == count &&
	       set;
}

/* Copies [offset, offset + size), a part of a grain, into the block as it reads now; past the end
 * of the disk, zeros, even when a parent is longer. */
static int copy_up(struct vhd_chain *chain, uint64_t offset, uint64_t size, uint64_t file_offset)
{
	uint64_t end = chain->images[0]->footer.size;
	uint64_t left = offset < end ? end - offset : 0;
	uint8_t bytes[VHD_BITMAP_GRAIN] = {0};
	struct iovec iov = {bytes, size};
	struct vhd_vector vector = {&iov, 1, 0};
	int rc;

	if (!size) {
		return 0;
	}
	rc = read_from(chain, 0, &vector, size < left ? size : left, offset);
	return rc ? rc : file_write(chain->images[0]->file, bytes, size, file_offset);
}

/* One request's part that lies in one block of the top image. */
struct part {
	struct vhd_vector *vector; /* NULL: zeros */
	uint64_t offset, size;
	uint32_t block;
	uint64_t data; /* offset of the block's data in the file */
	uint64_t within;
};

static int put(struct vhd_image *image, const struct part *part)
{
	uint64_t at = part->data + part->within;

	return part->vector ? vhd_vector_write(part->vector, image->file, part->size, at)
			    : file_zero(image->file, at, part->size);
}

/* Writes sectors that the image did not hold, with whole grains around them, and then sets their
 * bits: until then they are as they were, for readers and after a power cut. A grain at an edge
 * that is held already is left alone: others may write to it now. */
static int put_new(struct vhd_chain *chain, const struct part *part, struct vhd_bitmap *bitmap,
		   uint64_t start, uint64_t end)
{
	struct vhd_image *image = chain->images[0];
	uint64_t base = part->offset - part->within;
	uint64_t behind = part->within + part->size;
	int rc = 0;

	if (!is_set(bitmap, start, VHD_BITMAP_GRAIN)) {
		rc = copy_up(chain, base + start, part->within - start, part->data + start);
	}
	if (!rc && !is_set(bitmap, end - VHD_BITMAP_GRAIN, VHD_BITMAP_GRAIN)) {
		rc = copy_up(chain, base + behind, end - behind, part->data + behind);
	}
	rc = rc ? rc : put(image, part);
	if (!rc) {
		vhd_bitmaps_set(&image->bitmaps, bitmap, (uint32_t)(start / VHD_SECTOR_SIZE),
				(uint32_t)((end - start) / VHD_SECTOR_SIZE));
	}
	return rc;
}

/* A part of a block whose bitmap is not all ones. */
static int put_with_bitmap(struct vhd_chain *chain, const struct part *part)
{
	struct vhd_image *image = chain->images[0];
	uint64_t start = part->within & ~(uint64_t)(VHD_BITMAP_GRAIN - 1);
	uint64_t end = (part->within + part->size + VHD_BITMAP_GRAIN - 1) &
		       ~(uint64_t)(VHD_BITMAP_GRAIN - 1);
	uint64_t at = part->data - image->bitmap_size;
	uint64_t base = part->offset - part->within;
	struct vhd_bitmap *bitmap;
	struct vhd_range range;
	int rc = vhd_bitmaps_get(&image->bitmaps, part->block, at, &bitmap);

	if (rc < 0) {
		return rc;
	}
	if (!bitmap || is_set(bitmap, start, end - start)) {
		return put(image, part);
	}
	vhd_range_lock(&chain->setting, &range, base + start, base + end);
	rc = vhd_bitmaps_get(&image->bitmaps, part->block, at, &bitmap);
	if (rc || !bitmap || is_set(bitmap, start, end - start)) {
		rc = rc ? rc : put(image, part);
	} else {
		vhd_bitmap_pin(bitmap);
		rc = put_new(chain, part, bitmap, start, end);
		vhd_bitmap_unpin(bitmap);
	}
	vhd_range_unlock(&chain->setting, &range);
	return rc;
}

/* The part of [offset, offset + size) in the block of `offset`. */
static struct part part_of(struct vhd_image *image, uint64_t offset, uint64_t size)
{
	struct part part = {.offset = offset, .block = vhd_image_block(image, offset)};
	uint64_t left;

	part.within = offset & (image->header.block_size - 1);
	left = image->header.block_size - part.within;
	part.size = size < left ? size : left;
	return part;
}

static int put_part(struct vhd_chain *chain, struct part *part)
{
	struct vhd_image *image = chain->images[0];
	int rc = 0;

	if (image->bat.entries[part->block] == VHD_BAT_UNUSED) {
		rc = vhd_room_allocate(image, part->block);
	}
	if (!rc && image->bitmaps.dirty_bytes > VHD_BITMAP_DIRTY_MAX) {
		rc = vhd_image_flush(image);
	}
	if (rc < 0) {
		return rc;
	}
	part->data = vhd_image_block_offset(image, part->block) + image->bitmap_size;
	rc = vhd_bitmaps_is_full(&image->bitmaps, part->block) ? put(image, part)
							       : put_with_bitmap(chain, part);
	/* Who opens the file after this program was killed must find what was acknowledged; a power
	 * cut before the data are there shows zeros, as before. */
	return rc || image->footer.type != VHD_DYNAMIC ? rc : vhd_image_store_table(image);
}

/* A resize left its last step undone: it must be done before the sector that it wipes is written.
 */
static int prepare_fixed(struct vhd_image *image)
{
	int rc = 0;

	if (image->wiped_offset != UINT64_MAX) {
		fiber_mutex_lock(&image->growing);
		rc = image->wiped_offset != UINT64_MAX ? vhd_room_settle_fixed(image) : 0;
		fiber_mutex_unlock(&image->growing);
	}
	return rc;
}

static int chain_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		       uint64_t offset)
{
	struct vhd_chain *chain = vhd_chain_of(layer);
	struct vhd_image *image = chain->images[0];
	struct vhd_vector vector = {iov, count, 0};
	uint64_t left = size;
	int rc = 0;

	if (image->poisoned) {
		return -EIO;
	}
	if (vhd_image_is_fixed(image)) {
		rc = prepare_fixed(image);
		return rc ? rc : file_writev(image->file, iov, count, size, offset);
	}
	while (!rc && left) {
		struct part part = part_of(image, offset, left);

		part.vector = &vector;
		rc = put_part(chain, &part);
		offset += part.size;
		left -= part.size;
	}
	return rc;
}

static int put_zeros(struct vhd_chain *chain, const struct part *part)
{
	static const uint8_t zeros[VHD_BITMAP_GRAIN];
	struct iovec iov = {(void *)zeros, part->size};
	struct vhd_vector vector = {&iov, 1, 0};
	struct part copy = *part;

	copy.vector = &vector;
	return put_part(chain, &copy);
}

/* Zeros a part of one block. Edges of grains are written, the rest is given back to the file
 * system. */
static int zero_part(struct vhd_chain *chain, struct part *part)
{
	uint64_t to_grain = -part->within & (VHD_BITMAP_GRAIN - 1);

	if (to_grain || part->size < VHD_BITMAP_GRAIN) {
		part->size = to_grain && to_grain < part->size ? to_grain : part->size;
		return put_zeros(chain, part);
	}
	part->size -= part->size % VHD_BITMAP_GRAIN;
	return put_part(chain, part);
}

int vhd_chain_zero(struct vhd_chain *chain, uint64_t offset, uint64_t size)
{
	struct vhd_image *image = chain->images[0];
	int rc = 0;

	while (!rc && size) {
		struct part part = part_of(image, offset, size);
		struct vhd_image *holder;
		struct vhd_extent extent;

		rc = vhd_chain_find(chain, 0, offset, part.size, &holder, &extent);
		if (rc < 0) {
			return rc;
		}
		part.size = extent.size;
		if (holder || (image->footer.type == VHD_DIFFERENCING && chain->depth == 1)) {
			rc = zero_part(chain, &part);
		}
		offset += part.size;
		size -= part.size;
	}
	return rc;
}

static int chain_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct vhd_chain *chain = vhd_chain_of(layer);
	struct vhd_image *image = chain->images[0];
	int rc = image->poisoned ? -EIO : 0;

	if (rc || !vhd_image_is_fixed(image)) {
		return rc ? rc : vhd_chain_zero(chain, offset, size);
	}
	rc = prepare_fixed(image);
	return rc ? rc : file_zero(image->file, offset, size);
}

/* Only what the top image holds is given back: where it shows its parent, a discarded range may go
 * on to show it. */
static int chain_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct vhd_chain *chain = vhd_chain_of(layer);
	struct vhd_image *image = chain->images[0];
	int rc = image->poisoned ? -EIO : 0;

	while (!rc && size) {
		struct vhd_extent extent;

		rc = vhd_image_find(image, offset, size, &extent);
		if (!rc && extent.present) {
			rc = file_zero(image->file, extent.file_offset, extent.size);
		}
		if (!rc) {
			offset += extent.size;
			size -= extent.size;
		}
	}
	return rc;
}

static int chain_flush(struct layer *layer)
{
	return vhd_image_flush(vhd_chain_of(layer)->images[0]);
}

static int chain_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
			unsigned *ret_extent)
{
	struct vhd_chain *chain = vhd_chain_of(layer);
	struct vhd_image *image;
	struct vhd_extent extent;
	uint64_t data, size;
	int rc = vhd_chain_find(chain, 0, offset, layer->size - offset, &image, &extent);

	if (rc < 0) {
		return rc;
	}
	if (!image) {
		*ret_extent = LAYER_ZERO | LAYER_HOLE;
		*ret_size = extent.size;
		return 0;
	}
	rc = file_find_data(image->file, extent.file_offset, &data, &size);
	if (rc < 0) {
		return rc;
	}
	*ret_extent = image != chain->images[0] ? LAYER_HOLE : LAYER_DATA;
	*ret_size = extent.size;
	if (!size || data > extent.file_offset) { /* a hole of the file */
		uint64_t hole = size ? data - extent.file_offset : extent.size;

		*ret_extent |= LAYER_ZERO | LAYER_HOLE;
		*ret_size = hole < extent.size ? hole : extent.size;
	} else if (size < extent.size) {
		*ret_size = size;
	}
	*ret_size &= ~(uint64_t)(LAYER_SECTOR - 1);
	if (!*ret_size) { /* a hole that starts or ends within a sector */
		*ret_extent &= ~(unsigned)LAYER_ZERO;
		*ret_size = LAYER_SECTOR;
	}
	return 0;
}

static int chain_close(struct layer *layer)
{
	struct vhd_chain *chain = vhd_chain_of(layer);
	struct vhd_image *top = chain->images[0];
	int rc = 0;

	if (top->writable && !top->poisoned && !vhd_image_is_fixed(top)) {
		if (top->bat.dirty_count || top->bitmaps.dirty) {
			rc = vhd_image_flush(top);
		}
		rc = rc ? rc : vhd_room_trim(top);
	}
	for (unsigned i = 0; i < chain->depth; i++) {
		vhd_image_free(chain->images[i]);
	}
	free(chain);
	return rc;
}

const struct layer_ops vhd_chain_ops = {
	.name = "vhd",
	.read = chain_read,
	.write = chain_write,
	.zero = chain_zero,
	.discard = chain_discard,
	.flush = chain_flush,
	.extent = chain_extent,
	.close = chain_close,
};
