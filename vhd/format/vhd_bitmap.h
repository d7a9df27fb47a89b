/* SPDX-License-Identifier: Apache-2.0 */
/** The sector bitmaps in front of the blocks: which sectors the image itself holds.
 *
 *  They are read when first asked for, and a bounded number is kept. A block known to be all ones
 * costs one bit and is never looked up again.
 *
 *  Context: as fiber.h says.
 */
#ifndef VHD_BITMAP_H
#define VHD_BITMAP_H

#include "fiber.h"
#include "file.h"

/** Sectors are set by whole bytes of the bitmap: a popular reader errs on others. */
#define VHD_BITMAP_GRAIN 4096u

/** Clean bitmaps kept for one image, and dirty ones from which on a flush is due; bytes. */
#define VHD_BITMAP_KEPT	     (4u << 20)
#define VHD_BITMAP_DIRTY_MAX (2u << 20)

struct vhd_bitmap {
	struct vhd_bitmap *next, *previous; /* ring of all in memory */
	struct vhd_bitmap *next_dirty;
	uint32_t block;
	unsigned pins;
	bool loading, dirty, recent;
	uint8_t bits[];
};

struct vhd_bitmaps {
	struct file *file;
	uint32_t block_count;
	uint32_t size; /* bytes of one in the file */
	uint32_t used; /* bytes of one that stand for sectors */
	uint8_t *full; /* a bit for each block */
	struct vhd_bitmap **slots;
	struct vhd_bitmap *hand; /* in the ring: the next one to consider for removal */
	struct vhd_bitmap *dirty;
	size_t loaded_bytes, dirty_bytes;
	struct fiber_mutex mutex; /* only for the queue */
	struct fiber_queue loaded;
};

VHD_MUST_CHECK int vhd_bitmaps_init(struct vhd_bitmaps *bitmaps, struct file *file,
				    uint32_t block_count, uint32_t block_size);
/** All zero is fine. */
void vhd_bitmaps_fini(struct vhd_bitmaps *bitmaps);

/** For `count` blocks from now on. -ENOMEM: nothing changed. No other request in flight. */
VHD_MUST_CHECK int vhd_bitmaps_resize(struct vhd_bitmaps *bitmaps, uint32_t count);

static inline bool vhd_bitmaps_is_full(const struct vhd_bitmaps *bitmaps, uint32_t block)
{
	return bitmaps->full[block / 8] & 1u << block % 8;
}

void vhd_bitmaps_set_full(struct vhd_bitmaps *bitmaps, uint32_t block);

/** The bitmap of a block that lies at `offset` of the file, or NULL when all of it is set. Valid
 * until the next call that may let others run, unless pinned. -ENOMEM, -errno. */
VHD_MUST_CHECK int vhd_bitmaps_get(struct vhd_bitmaps *bitmaps, uint32_t block, uint64_t offset,
				   struct vhd_bitmap **ret_bitmap);

/** An empty one for a new block; others cannot run. -ENOMEM. */
VHD_MUST_CHECK int vhd_bitmaps_add(struct vhd_bitmaps *bitmaps, uint32_t block);

/** Keeps it in memory, by number of calls. */
static inline void vhd_bitmap_pin(struct vhd_bitmap *bitmap)
{
	bitmap->pins++;
}

static inline void vhd_bitmap_unpin(struct vhd_bitmap *bitmap)
{
	bitmap->pins--;
}

/** Sets the bits of [first, first + count), sectors of the block, in memory. */
void vhd_bitmaps_set(struct vhd_bitmaps *bitmaps, struct vhd_bitmap *bitmap, uint32_t first,
		     uint32_t count);

/** The number of sectors from `first` on, at most `max`, that are alike, and what they are. */
uint32_t vhd_bitmap_run(const struct vhd_bitmap *bitmap, uint32_t first, uint32_t max,
			bool *ret_set);

/** What was dirty when it was taken; the bits may change while it waits to be written. */
struct vhd_bitmaps_taken {
	struct vhd_bitmap **list;
	uint8_t *bits;
	uint32_t count;
};

/** Takes all dirty bitmaps. -ENOMEM: nothing changed. */
VHD_MUST_CHECK int vhd_bitmaps_take(struct vhd_bitmaps *bitmaps,
				    struct vhd_bitmaps_taken *ret_taken);

/** Writes what was taken, unless `failed` already has an error; what is not written is dirty again.
 * entries: the block table. Frees `taken`. Returns the first error. */
VHD_MUST_CHECK int vhd_bitmaps_store(struct vhd_bitmaps *bitmaps, struct vhd_bitmaps_taken *taken,
				     const uint32_t *entries, int failed);

#endif
