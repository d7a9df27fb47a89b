/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bitmaps in memory: a slot for each block, a ring of those that are loaded, a list of
 * those that are dirty. Invariant: one that is pinned, loading or dirty is not removed. Bit 7 of
 * byte 0 is the first sector. */
#define _GNU_SOURCE

#include "vhd_bitmap.h"
#include "vhd_bytes.h"
#include "vhd_header.h"
#include "vhd_footer.h"

#include <errno.h>
#include <stdlib.h>

int vhd_bitmaps_init(struct vhd_bitmaps *bitmaps, struct file *file, uint32_t block_count,
		     uint32_t block_size)
{
	memset(bitmaps, 0, sizeof(*bitmaps));
	bitmaps->file = file;
	bitmaps->block_count = block_count;
	bitmaps->size = vhd_header_bitmap_size(block_size);
	bitmaps->used = block_size / VHD_SECTOR_SIZE / 8;
	bitmaps->full = calloc(1, block_count / 8 + 1);
	return bitmaps->full ? 0 : -ENOMEM;
}

void vhd_bitmaps_fini(struct vhd_bitmaps *bitmaps)
{
	struct vhd_bitmap *first = bitmaps->hand, *at = first;

	while (at) {
		struct vhd_bitmap *next = at->next != first ? at->next : NULL;

		free(at);
		at = next;
	}
	free(bitmaps->slots);
	free(bitmaps->full);
	memset(bitmaps, 0, sizeof(*bitmaps));
}

static void remove_from_ring(struct vhd_bitmaps *bitmaps, struct vhd_bitmap *bitmap)
{
	bitmap->next->previous = bitmap->previous;
	bitmap->previous->next = bitmap->next;
	if (bitmaps->hand == bitmap) {
		bitmaps->hand = bitmap->next != bitmap ? bitmap->next : NULL;
	}
	bitmaps->slots[bitmap->block] = NULL;
	bitmaps->loaded_bytes -= bitmaps->size;
	free(bitmap);
}

static bool can_go(const struct vhd_bitmap *bitmap)
{
	return !bitmap->pins && !bitmap->loading && !bitmap->dirty;
}

/* Goes round the ring, past what was used since the last round. */
static void make_room(struct vhd_bitmaps *bitmaps)
{
	size_t tries = 2 * (bitmaps->loaded_bytes / bitmaps->size);

	while (bitmaps->hand && bitmaps->loaded_bytes >= VHD_BITMAP_KEPT && tries-- > 0) {
		struct vhd_bitmap *victim = bitmaps->hand;

		bitmaps->hand = victim->next;
		if (victim->recent || !can_go(victim)) {
			victim->recent = false;
			continue;
		}
		remove_from_ring(bitmaps, victim);
	}
}

static int add(struct vhd_bitmaps *bitmaps, uint32_t block, struct vhd_bitmap **ret_bitmap)
{
	struct vhd_bitmap *bitmap;

	if (!bitmaps->slots) {
		bitmaps->slots = calloc(bitmaps->block_count, sizeof(struct vhd_bitmap *));
		if (!bitmaps->slots) {
			return -ENOMEM;
		}
	}
	make_room(bitmaps);
	bitmap = calloc(1, sizeof(*bitmap) + bitmaps->size);
	if (!bitmap) {
		return -ENOMEM;
	}
	bitmap->block = block;
	if (bitmaps->hand) {
		bitmap->next = bitmaps->hand;
		bitmap->previous = bitmaps->hand->previous;
		bitmap->previous->next = bitmap;
		bitmaps->hand->previous = bitmap;
	} else {
		bitmap->next = bitmap->previous = bitmap;
		bitmaps->hand = bitmap;
	}
	bitmaps->loaded_bytes += bitmaps->size;
	bitmaps->slots[block] = bitmap;
	*ret_bitmap = bitmap;
	return 0;
}

int vhd_bitmaps_resize(struct vhd_bitmaps *bitmaps, uint32_t count)
{
	size_t old_size = bitmaps->block_count / 8 + 1, size = count / 8 + 1;
	size_t keep = count < bitmaps->block_count ? count : bitmaps->block_count;
	struct vhd_bitmap **slots = NULL;
	uint8_t *full = calloc(1, size);

	if (bitmaps->slots) {
		slots = calloc(count, sizeof(struct vhd_bitmap *));
	}
	if (!full || (bitmaps->slots && !slots)) {
		free(full);
		free(slots);
		return -ENOMEM;
	}
	memcpy(full, bitmaps->full, size < old_size ? size : old_size);
	for (uint32_t i = (uint32_t)keep; bitmaps->slots && i < bitmaps->block_count; i++) {
		if (bitmaps->slots[i]) {
			remove_from_ring(bitmaps, bitmaps->slots[i]);
		}
	}
	for (uint32_t i = (uint32_t)keep; i < size * 8; i++) {
		full[i / 8] &= (uint8_t) ~(1u << i % 8);
	}
	if (slots) {
		memcpy(slots, bitmaps->slots, keep * sizeof(struct vhd_bitmap *));
		free(bitmaps->slots);
		bitmaps->slots = slots;
	}
	free(bitmaps->full);
	bitmaps->full = full;
	bitmaps->block_count = count;
	return 0;
}

void vhd_bitmaps_set_full(struct vhd_bitmaps *bitmaps, uint32_t block)
{
	bitmaps->full[block / 8] |= (uint8_t)(1u << block % 8);
}

static bool is_all_ones(const uint8_t *bits, uint32_t size)
{
	return bits[0] == 0xff && memcmp(bits, bits + 1, size - 1) == 0;
}

/* Forgets the bits of a block that is full, when nobody needs them any more. */
static bool drop_if_full(struct vhd_bitmaps *bitmaps, struct vhd_bitmap *bitmap)
{
	if (!can_go(bitmap) || !is_all_ones(bitmap->bits, bitmaps->used)) {
		return false;
	}
	vhd_bitmaps_set_full(bitmaps, bitmap->block);
	remove_from_ring(bitmaps, bitmap);
	return true;
}

static int load(struct vhd_bitmaps *bitmaps, uint32_t block, uint64_t offset,
		struct vhd_bitmap **ret_bitmap)
{
	struct vhd_bitmap *bitmap;
	int rc = add(bitmaps, block, &bitmap);

	if (rc < 0) {
		return rc;
	}
	bitmap->loading = true;
	rc = file_read(bitmaps->file, bitmap->bits, bitmaps->size, offset);
	bitmap->loading = false;
	if (rc < 0) {
		remove_from_ring(bitmaps, bitmap);
	} else if (drop_if_full(bitmaps, bitmap)) {
		bitmap = NULL;
	} else {
		vhd_bitmap_pin(bitmap);
	}
	fiber_queue_wake_all(&bitmaps->loaded); /* may run them at once */
	if (!rc && bitmap) {
		vhd_bitmap_unpin(bitmap);
	}
	if (!rc) {
		*ret_bitmap = bitmap;
	}
	return rc;
}

static void wait_until_loaded(struct vhd_bitmaps *bitmaps)
{
	fiber_mutex_lock(&bitmaps->mutex);
	fiber_queue_wait(&bitmaps->loaded, &bitmaps->mutex);
	fiber_mutex_unlock(&bitmaps->mutex);
}

int vhd_bitmaps_get(struct vhd_bitmaps *bitmaps, uint32_t block, uint64_t offset,
		    struct vhd_bitmap **ret_bitmap)
{
	for (;;) {
		struct vhd_bitmap *bitmap = bitmaps->slots ? bitmaps->slots[block] : NULL;

		if (vhd_bitmaps_is_full(bitmaps, block)) {
			*ret_bitmap = NULL;
			return 0;
		}
		if (!bitmap) {
			return load(bitmaps, block, offset, ret_bitmap);
		}
		if (!bitmap->loading) {
			bitmap->recent = true;
			*ret_bitmap = bitmap;
			return 0;
		}
		wait_until_loaded(bitmaps);
	}
}

int vhd_bitmaps_add(struct vhd_bitmaps *bitmaps, uint32_t block)
{
	struct vhd_bitmap *bitmap;

	return add(bitmaps, block, &bitmap);
}

static void mark_dirty(struct vhd_bitmaps *bitmaps, struct vhd_bitmap *bitmap)
{
	if (!bitmap->dirty) {
		bitmap->dirty = true;
		bitmap->next_dirty = bitmaps->dirty;
		bitmaps->dirty = bitmap;
		bitmaps->dirty_bytes += bitmaps->size;
	}
}

void vhd_bitmaps_set(struct vhd_bitmaps *bitmaps, struct vhd_bitmap *bitmap, uint32_t first,
		     uint32_t count)
{
	for (; count && first % 8; first++, count--) {
		bitmap->bits[first / 8] |= (uint8_t)(0x80u >> first % 8);
	}
	memset(bitmap->bits + first / 8, 0xff, count / 8);
	for (first += count / 8 * 8, count %= 8; count; first++, count--) {
		bitmap->bits[first / 8] |= (uint8_t)(0x80u >> first % 8);
	}
	mark_dirty(bitmaps, bitmap);
}

static bool is_set(const struct vhd_bitmap *bitmap, uint32_t sector)
{
	return bitmap->bits[sector / 8] & 0x80u >> sector % 8;
}

uint32_t vhd_bitmap_run(const struct vhd_bitmap *bitmap, uint32_t first, uint32_t max,
			bool *ret_set)
{
	bool set = is_set(bitmap, first);
	uint8_t alike = set ? 0xff : 0;
	uint32_t at = first + 1, end = first + max;

	while (at < end && at % 8 && is_set(bitmap, at) == set) {
		at++;
	}
	if (at % 8 == 0) {
		while (at + 8 <= end && bitmap->bits[at / 8] == alike) {
			at += 8;
		}
		while (at < end && is_set(bitmap, at) == set) {
			at++;
		}
	}
	*ret_set = set;
	return at - first;
}

int vhd_bitmaps_take(struct vhd_bitmaps *bitmaps, struct vhd_bitmaps_taken *ret_taken)
{
	size_t count = bitmaps->dirty_bytes / bitmaps->size;
	struct vhd_bitmaps_taken taken = {
		.list = malloc((count + 1) * sizeof(struct vhd_bitmap *)),
		.bits = malloc(bitmaps->dirty_bytes + 1),
	};

	if (!taken.list || !taken.bits) {
		free(taken.list);
		free(taken.bits);
		return -ENOMEM;
	}
	while (bitmaps->dirty) {
		struct vhd_bitmap *bitmap = bitmaps->dirty;

		bitmaps->dirty = bitmap->next_dirty;
		bitmap->dirty = false;
		vhd_bitmap_pin(bitmap);
		memcpy(taken.bits + (size_t)taken.count * bitmaps->size, bitmap->bits,
		       bitmaps->size);
		taken.list[taken.count++] = bitmap;
	}
	bitmaps->dirty_bytes = 0;
	*ret_taken = taken;
	return 0;
}

int vhd_bitmaps_store(struct vhd_bitmaps *bitmaps, struct vhd_bitmaps_taken *taken,
		      const uint32_t *entries, int failed)
{
	for (uint32_t i = 0; i < taken->count; i++) {
		struct vhd_bitmap *bitmap = taken->list[i];
		int rc = failed;

		if (!rc) {
			rc = file_write(bitmaps->file, taken->bits + (size_t)i * bitmaps->size,
					bitmaps->size,
					(uint64_t)entries[bitmap->block] * VHD_SECTOR_SIZE);
		}
		vhd_bitmap_unpin(bitmap);
		if (rc < 0) {
			mark_dirty(bitmaps, bitmap);
			failed = rc;
		} else {
			drop_if_full(bitmaps, bitmap);
		}
	}
	free(taken->list);
	free(taken->bits);
	return failed;
}
