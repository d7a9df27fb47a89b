/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the split of a request into sectors in part and whole ones. Invariant: bytes outside of the
 * request are written back as they were read. */
#include "plugin_range.h"

#include <string.h>

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How many bytes of the request lie in its first sector when that is not taken as a whole; 0: the
 * request begins with whole sectors. */
static size_t partial(uint64_t offset, uint64_t size)
{
	uint64_t within = offset % LAYER_SECTOR;

	if (!within && size >= LAYER_SECTOR) {
		return 0;
	}
	return (size_t)min_u64(size, LAYER_SECTOR - within);
}

int plugin_read(struct layer *disk, void *ret_bytes, size_t size, uint64_t offset)
{
	uint8_t sector[LAYER_SECTOR];
	uint8_t *to = ret_bytes;
	int rc = 0;

	while (size && !rc) {
		size_t n = partial(offset, size);

		if (n) {
			rc = layer_read(disk, sector, sizeof(sector),
					offset - offset % LAYER_SECTOR);
			memcpy(to, sector + offset % LAYER_SECTOR, n);
		} else {
			n = size - size % LAYER_SECTOR;
			rc = layer_read(disk, to, n, offset);
		}
		to += n;
		offset += n;
		size -= n;
	}
	return rc;
}

/* bytes NULL: zeros. */
static int write_part(struct layer *disk, const uint8_t *bytes, size_t size, uint64_t offset)
{
	const uint64_t start = offset - offset % LAYER_SECTOR;
	uint8_t sector[LAYER_SECTOR];
	int rc = layer_read(disk, sector, sizeof(sector), start);

	if (rc < 0) {
		return rc;
	}
	if (bytes) {
		memcpy(sector + (offset - start), bytes, size);
	} else {
		memset(sector + (offset - start), 0, size);
	}
	return layer_write(disk, sector, sizeof(sector), start);
}

int plugin_write(struct layer *disk, const void *bytes, size_t size, uint64_t offset)
{
	const uint8_t *from = bytes;
	int rc = 0;

	while (size && !rc) {
		size_t n = partial(offset, size);

		if (n) {
			rc = write_part(disk, from, n, offset);
		} else {
			n = size - size % LAYER_SECTOR;
			rc = layer_write(disk, from, n, offset);
		}
		from += n;
		offset += n;
		size -= n;
	}
	return rc;
}

int plugin_zero(struct layer *disk, uint64_t size, uint64_t offset)
{
	int rc = 0;

	while (size && !rc) {
		uint64_t n = partial(offset, size);

		if (n) {
			rc = write_part(disk, NULL, (size_t)n, offset);
		} else {
			n = size - size % LAYER_SECTOR;
			rc = layer_zero(disk, offset, n);
		}
		offset += n;
		size -= n;
	}
	return rc;
}

int plugin_trim(struct layer *disk, uint64_t size, uint64_t offset)
{
	uint64_t skip = (LAYER_SECTOR - offset % LAYER_SECTOR) % LAYER_SECTOR;

	if (size <= skip) {
		return 0;
	}
	size -= skip;
	return layer_discard(disk, offset + skip, size - size % LAYER_SECTOR);
}
