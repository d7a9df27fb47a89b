/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a disk by blocks of 2 MiB: bitmaps first, then contents. */
#include "move_delta.h"
#include "bundle_io.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK	      (2u << 20)
#define BLOCK_SECTORS (BLOCK / BUNDLE_SECTOR)

struct search {
	struct layer *top, *base;
	struct layer *images[VHD_DEPTH_MAX]; /* those above the base, each alone */
	unsigned image_count;
	uint32_t first;
	bool may[BLOCK_SECTORS]; /* of the block that is looked at */
	uint8_t mine[BLOCK], its[BLOCK];
	struct move_delta *delta;
	uint32_t last_block;
};

static int add(struct search *search, uint32_t sector)
{
	struct move_delta *delta = search->delta;
	struct move_delta_run *last = delta->count ? &delta->runs[delta->count - 1] : NULL;

	delta->sectors++;
	if (!delta->blocks || sector / BLOCK_SECTORS != search->last_block) {
		delta->blocks++;
		search->last_block = sector / BLOCK_SECTORS;
	}
	if (last && last->sector + last->count == sector) {
		last->count++;
		return 0;
	}
	if (delta->count == delta->room) {
		size_t room = delta->room ? 2 * delta->room : 256;
		struct move_delta_run *runs = realloc(delta->runs, room * sizeof(*runs));

		if (!runs) {
			return -ENOMEM;
		}
		delta->runs = runs;
		delta->room = room;
	}
	delta->runs[delta->count++] = (struct move_delta_run){sector, 1};
	return 0;
}

static void mark(struct search *search, uint64_t start, uint64_t offset, uint64_t size)
{
	uint64_t end = offset + size;

	for (uint64_t at = offset - offset % BUNDLE_SECTOR; at < end; at += BUNDLE_SECTOR) {
		search->may[(at - start) / BUNDLE_SECTOR] = true;
	}
}

/* What one image holds of the block [start, end). */
static int mark_image(struct search *search, struct layer *image, uint64_t start, uint64_t end)
{
	uint64_t size;
	bool present;
	int rc = 0;

	end = end < image->size ? end : image->size;
	for (uint64_t at = start; !rc && at < end; at += size) {
		rc = vhd_disk_find(image, at, &size, &present);
		if (rc < 0) {
			break;
		}
		size = size && size < end - at ? size : end - at;
		if (present) {
			mark(search, start, at, size);
		}
	}
	return rc;
}

/* Without a base: what does not read as zeros for sure. */
static int mark_extents(struct search *search, uint64_t start, uint64_t end)
{
	uint64_t size;
	unsigned extent;
	int rc = 0;

	for (uint64_t at = start; !rc && at < end; at += size) {
		rc = layer_extent(search->top, at, &size, &extent);
		if (rc < 0) {
			break;
		}
		size = size && size < end - at ? size : end - at;
		if (!(extent & LAYER_ZERO)) {
			mark(search, start, at, size);
		}
	}
	return rc;
}

static int read_part(struct layer *layer, uint64_t offset, size_t size, uint8_t *ret_bytes)
{
	uint64_t left = layer && offset < layer->size ? layer->size - offset : 0;
	size_t there = size < left ? size : (size_t)left;

	memset(ret_bytes + there, 0, size - there);
	return there ? layer_read(layer, ret_bytes, there, offset) : 0;
}

/* Compares the sectors that may differ, run by run. */
static int compare(struct search *search, uint64_t start, unsigned count)
{
	uint32_t base = (uint32_t)(start / BUNDLE_SECTOR);
	unsigned i = base < search->first ? search->first - base : 0;
	int rc = 0;

	for (unsigned next; !rc && i < count; i = next) {
		size_t size;

		for (next = i; next < count && search->may[next]; next++) {
		}
		if (next == i) {
			next++;
			continue;
		}
		size = (size_t)(next - i) * BUNDLE_SECTOR;
		rc = read_part(search->top, start + (uint64_t)i * BUNDLE_SECTOR, size,
			       search->mine);
		rc = rc ? rc
			: read_part(search->base, start + (uint64_t)i * BUNDLE_SECTOR, size,
				    search->its);
		for (unsigned j = i; !rc && j < next; j++) {
			size_t at = (size_t)(j - i) * BUNDLE_SECTOR;

			if (memcmp(search->mine + at, search->its + at, BUNDLE_SECTOR) != 0) {
				rc = add(search, base + j);
			}
		}
	}
	return rc;
}

static int look_at_block(struct search *search, uint64_t start, uint64_t end)
{
	unsigned count = (unsigned)((end - start + BUNDLE_SECTOR - 1) / BUNDLE_SECTOR);
	int rc = 0;

	memset(search->may, 0, sizeof(search->may));
	if (!search->image_count) {
		rc = mark_extents(search, start, end);
	}
	for (unsigned i = 0; !rc && i < search->image_count; i++) {
		rc = mark_image(search, search->images[i], start, end);
	}
	/* What the disk has past the end of its base. */
	if (!rc && search->base && end > search->base->size) {
		uint64_t from = start > search->base->size ? start : search->base->size;

		from -= from % BUNDLE_SECTOR;
		mark(search, start, from > start ? from : start, end - from);
	}
	return rc ? rc : compare(search, start, count);
}

static int open_images(struct folder *folder, struct search *search, unsigned depth,
		       struct why *why)
{
	struct vhd_disk_info info;
	int rc = 0;

	for (unsigned i = 0; !rc && i < depth; i++) {
		(void)vhd_disk_get_info(search->top, i, &info);
		rc = vhd_disk_open(folder, info.name, VHD_DISK_TOP_ONLY | VHD_DISK_NO_LOCK,
				   &search->images[i], why);
		search->image_count += !rc;
	}
	return rc;
}

int move_delta_find(struct folder *folder, struct layer *top, struct layer *base, unsigned depth,
		    uint32_t first, const struct progress *progress, struct move_delta *ret_delta,
		    struct why *why)
{
	struct search *search = calloc(1, sizeof(*search));
	int rc = search ? 0 : -ENOMEM;

	memset(ret_delta, 0, sizeof(*ret_delta));
	if (!rc) {
		search->top = top;
		search->base = base;
		search->first = first;
		search->delta = ret_delta;
		rc = open_images(folder, search, base ? depth : 0, why);
	}
	for (uint64_t at = 0; !rc && at < top->size; at += BLOCK) {
		rc = look_at_block(search, at, top->size - at < BLOCK ? top->size : at + BLOCK);
		rc = rc ? rc : progress_step(progress, 0, top->size);
	}
	for (unsigned i = 0; search && i < search->image_count; i++) {
		(void)!layer_close(search->images[i]);
	}
	free(search);
	return rc;
}

void move_delta_free(struct move_delta *delta)
{
	free(delta->runs);
	memset(delta, 0, sizeof(*delta));
}
