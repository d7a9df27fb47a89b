/* SPDX-License-Identifier: Apache-2.0 */
/* A table in two steps leads from a block to its entry: 0, nothing was written; else the number of
 * a slot in the store, plus a mark when the block reads as zeros. A slot belongs to one block for
 * ever, so a reader that waits for the file can never see another block's bytes. An entry is set
 * only after its slot holds the bytes. */
#include "layer_cow.h"

#include "fiber.h"
#include "iov_cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK	    LAYER_COW_BLOCK
#define LEAF_COUNT  512u /* entries: 2 MiB of disk */
#define CHUNK_SLOTS 256u /* slots that memory grows by: 1 MiB */
#define SIZE_LIMIT  (8ull << 40)
#define SLOT_MASK   0x7fffffffu
#define ENTRY_ZERO  0x80000000u

struct leaf {
	uint32_t entries[LEAF_COUNT];
};

struct cow {
	struct layer layer;
	struct file *store; /* NULL: memory */
	uint8_t **chunks;   /* memory: CHUNK_SLOTS slots each */
	uint32_t chunk_count;
	uint32_t slot_count; /* used so far; slot n is number n + 1 in an entry */
	uint32_t slot_max;
	uint32_t spare; /* number of a slot whose first write failed, or 0 */
	uint64_t leaf_count;
	struct leaf **leaves;
	struct fiber_mutex writer;
};

static struct cow *cow_of(struct layer *layer)
{
	return (struct cow *)layer;
}

static uint32_t entry_of(const struct cow *cow, uint64_t block)
{
	const struct leaf *leaf = cow->leaves[block / LEAF_COUNT];

	return leaf ? leaf->entries[block % LEAF_COUNT] : 0;
}

static int set_entry(struct cow *cow, uint64_t block, uint32_t entry)
{
	struct leaf **leaf = &cow->leaves[block / LEAF_COUNT];

	if (!*leaf) {
		*leaf = calloc(1, sizeof(**leaf));
	}
	if (!*leaf) {
		return -ENOMEM;
	}
	(*leaf)->entries[block % LEAF_COUNT] = entry;
	return 0;
}

static uint8_t *memory_of(const struct cow *cow, uint32_t slot)
{
	return cow->chunks[(slot - 1) / CHUNK_SLOTS] + (size_t)((slot - 1) % CHUNK_SLOTS) * BLOCK;
}

static uint64_t store_offset(uint32_t slot)
{
	return (uint64_t)(slot - 1) * BLOCK;
}

static int grow_memory(struct cow *cow)
{
	uint8_t **chunks = realloc(cow->chunks, (cow->chunk_count + 1ul) * sizeof(*chunks));

	if (!chunks) {
		return -ENOMEM;
	}
	cow->chunks = chunks;
	chunks[cow->chunk_count] = malloc((size_t)CHUNK_SLOTS * BLOCK);
	if (!chunks[cow->chunk_count]) {
		return -ENOMEM;
	}
	cow->chunk_count++;
	return 0;
}

static int take_slot(struct cow *cow, uint32_t *ret_slot)
{
	int rc = 0;

	if (cow->spare) {
		*ret_slot = cow->spare;
		cow->spare = 0;
		return 0;
	}
	if (cow->slot_count >= cow->slot_max) {
		return -ENOSPC;
	}
	if (!cow->store && cow->slot_count == cow->chunk_count * CHUNK_SLOTS) {
		rc = grow_memory(cow);
	}
	if (!rc) {
		*ret_slot = ++cow->slot_count;
	}
	return rc;
}

static int read_slot(struct cow *cow, uint32_t slot, void *ret_bytes, size_t size, size_t skip)
{
	if (!cow->store) {
		memcpy(ret_bytes, memory_of(cow, slot) + skip, size);
		return 0;
	}
	return file_read(cow->store, ret_bytes, size, store_offset(slot) + skip);
}

static int write_slot(struct cow *cow, uint32_t slot, const void *bytes, size_t size, size_t skip)
{
	if (!cow->store) {
		memcpy(memory_of(cow, slot) + skip, bytes, size);
		return 0;
	}
	return file_write(cow->store, bytes, size, store_offset(slot) + skip);
}

/* Bytes of [offset, offset + max) before the first block whose being written differs from that of
 * the block at `offset`. */
static uint64_t run_size(const struct cow *cow, uint64_t offset, uint64_t max)
{
	bool written = entry_of(cow, offset / BLOCK) != 0;
	uint64_t end = offset + max;
	uint64_t at = offset - offset % BLOCK;

	do {
		at += cow->leaves[at / BLOCK / LEAF_COUNT] || written
			      ? BLOCK
			      : (uint64_t)BLOCK * (LEAF_COUNT - at / BLOCK % LEAF_COUNT);
	} while (at < end && (entry_of(cow, at / BLOCK) != 0) == written);
	return (at < end ? at : end) - offset;
}

/* The part of [offset, offset + max) in the block at `offset`. */
static size_t in_block(uint64_t offset, uint64_t max)
{
	uint64_t room = BLOCK - offset % BLOCK;

	return (size_t)(room < max ? room : max);
}

static int read_written(struct cow *cow, struct iov_cursor *to, size_t size, uint64_t offset)
{
	while (size > 0) {
		uint32_t entry = entry_of(cow, offset / BLOCK);
		size_t n = in_block(offset, size);
		uint8_t bytes[BLOCK];

		if (entry & ENTRY_ZERO) {
			iov_cursor_zero(to, n);
		} else {
			int rc = read_slot(cow, entry, bytes, n, offset % BLOCK);

			if (rc < 0) {
				return rc;
			}
			iov_cursor_fill(to, bytes, n);
		}
		offset += n;
		size -= n;
	}
	return 0;
}

static int cow_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset)
{
	struct cow *cow = cow_of(layer);
	struct iov_cursor to = {iov, 0};
	struct iovec *part;
	int rc = 0;

	if (run_size(cow, offset, size) == size && !entry_of(cow, offset / BLOCK)) {
		return layer_readv(layer->below, iov, count, size, offset);
	}
	part = malloc(count * sizeof(*part));
	if (!part) {
		return -ENOMEM;
	}
	while (!rc && size > 0) {
		size_t n = (size_t)run_size(cow, offset, size);

		if (entry_of(cow, offset / BLOCK)) {
			rc = read_written(cow, &to, n, offset);
		} else {
			unsigned parts = iov_cursor_take(&to, n, part);

			rc = layer_readv(layer->below, part, parts, n, offset);
		}
		offset += n;
		size -= n;
	}
	free(part);
	return rc;
}

/* What the block at `offset` (its start) holds now. */
static int read_block(struct cow *cow, uint64_t offset, uint8_t bytes[BLOCK])
{
	uint32_t entry = entry_of(cow, offset / BLOCK);

	if (entry & ENTRY_ZERO) {
		memset(bytes, 0, BLOCK);
		return 0;
	}
	if (entry) {
		return read_slot(cow, entry, bytes, BLOCK, 0);
	}
	memset(bytes, 0, BLOCK);
	return layer_read(cow->layer.below, bytes, in_block(offset, cow->layer.size - offset),
			  offset);
}

/* Gives the block, which has no bytes in a slot yet, a slot with the whole of its new content. */
static int write_fresh(struct cow *cow, uint64_t block, const uint8_t bytes[BLOCK])
{
	uint32_t slot = entry_of(cow, block) & SLOT_MASK;
	int rc = slot ? 0 : take_slot(cow, &slot);

	if (rc < 0) {
		return rc;
	}
	rc = write_slot(cow, slot, bytes, BLOCK, 0);
	rc = rc ? rc : set_entry(cow, block, slot);
	if (rc < 0 && !(entry_of(cow, block) & SLOT_MASK)) {
		cow->spare = slot;
	}
	return rc;
}

static int write_block(struct cow *cow, struct iov_cursor *from, size_t size, uint64_t offset)
{
	uint64_t block = offset / BLOCK;
	uint32_t entry = entry_of(cow, block);
	uint8_t bytes[BLOCK];
	int rc;

	if (entry && !(entry & ENTRY_ZERO)) {
		iov_cursor_copy(from, bytes, size);
		return write_slot(cow, entry, bytes, size, offset % BLOCK);
	}
	if (size < BLOCK) {
		rc = read_block(cow, block * BLOCK, bytes);
		if (rc < 0) {
			return rc;
		}
	}
	iov_cursor_copy(from, bytes + offset % BLOCK, size);
	return write_fresh(cow, block, bytes);
}

static int cow_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	struct cow *cow = cow_of(layer);
	struct iov_cursor from = {iov, 0};
	int rc = 0;

	fiber_mutex_lock(&cow->writer);
	while (!rc && size > 0) {
		size_t n = in_block(offset, size);

		rc = write_block(cow, &from, n, offset);
		offset += n;
		size -= n;
	}
	fiber_mutex_unlock(&cow->writer);
	return rc;
}

static int zero_block(struct cow *cow, size_t size, uint64_t offset)
{
	static uint8_t zeros[BLOCK];
	struct iovec iov = {zeros, size};
	struct iov_cursor from = {&iov, 0};
	uint64_t block = offset / BLOCK;

	if (size == BLOCK || offset + size == cow->layer.size) {
		size_t whole = in_block(block * BLOCK, cow->layer.size - block * BLOCK);

		if (size == whole) {
			return set_entry(cow, block, entry_of(cow, block) | ENTRY_ZERO);
		}
	}
	return write_block(cow, &from, size, offset);
}

static int cow_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct cow *cow = cow_of(layer);
	int rc = 0;

	fiber_mutex_lock(&cow->writer);
	while (!rc && size > 0) {
		size_t n = in_block(offset, size);

		rc = zero_block(cow, n, offset);
		offset += n;
		size -= n;
	}
	fiber_mutex_unlock(&cow->writer);
	return rc;
}

static int cow_flush(struct layer *layer)
{
	return 0;
}

static int cow_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
		      unsigned *ret_extent)
{
	const struct cow *cow = cow_of(layer);
	uint64_t run = run_size(cow, offset, layer->size - offset);
	uint32_t entry = entry_of(cow, offset / BLOCK);
	uint64_t size;
	int rc = 0;

	if (entry) {
		*ret_size = in_block(offset, layer->size - offset);
		*ret_extent = entry & ENTRY_ZERO ? LAYER_ZERO | LAYER_HOLE : LAYER_DATA;
		return 0;
	}
	rc = layer_extent(layer->below, offset, &size, ret_extent);
	if (!rc) {
		*ret_size = size < run ? size : run;
	}
	return rc;
}

static int cow_close(struct layer *layer)
{
	struct cow *cow = cow_of(layer);

	for (uint64_t i = 0; i < cow->leaf_count; i++) {
		free(cow->leaves[i]);
	}
	for (uint32_t i = 0; i < cow->chunk_count; i++) {
		free(cow->chunks[i]);
	}
	free(cow->leaves);
	free(cow->chunks);
	file_close(cow->store);
	free(cow);
	return 0;
}

static const struct layer_ops cow_ops = {
	.name = "cow",
	.read = cow_read,
	.write = cow_write,
	.zero = cow_zero,
	.flush = cow_flush,
	.extent = cow_extent,
	.close = cow_close,
};

static uint32_t slots_of(uint64_t bound)
{
	uint64_t slots = bound ? bound / BLOCK : SLOT_MASK;

	return slots < SLOT_MASK ? (uint32_t)slots : SLOT_MASK;
}

int layer_cow_open(struct layer *below, struct file *store, uint64_t bound,
		   struct layer **ret_layer)
{
	uint64_t leaf_size = (uint64_t)LEAF_COUNT * BLOCK;
	struct cow *cow;

	if (below->size > SIZE_LIMIT) {
		return -EFBIG;
	}
	cow = calloc(1, sizeof(*cow));
	if (!cow) {
		return -ENOMEM;
	}
	layer_init_over(&cow->layer, &cow_ops, below);
	cow->layer.read_only = false;
	cow->layer.block_size = below->block_size > BLOCK ? below->block_size : BLOCK;
	cow->slot_max = slots_of(bound);
	cow->leaf_count = (below->size + leaf_size - 1) / leaf_size;
	cow->leaves = calloc(cow->leaf_count + 1, sizeof(struct leaf *));
	if (!cow->leaves) {
		free(cow);
		return -ENOMEM;
	}
	cow->store = store;
	*ret_layer = &cow->layer;
	return 0;
}

uint64_t layer_cow_get_used(const struct layer *layer)
{
	const struct cow *cow = (const struct cow *)layer;

	return (uint64_t)cow->slot_count * BLOCK;
}
