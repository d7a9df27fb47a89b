/* SPDX-License-Identifier: Apache-2.0 */
/* A disk copied to another, sparse. */
#define _GNU_SOURCE

#include "tool_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (2ull << 20)
#define GRAIN (64u << 10) /* runs of zeros below it are not looked for */

struct copy {
	struct layer *from, *to;
	bool to_is_zero;
	uint8_t *buffer;
	struct tool_copy_counts counts;
	struct why *why;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

static int put_zeros(struct copy *copy, uint64_t offset, uint64_t size)
{
	copy->counts.zero += size;
	return copy->to_is_zero ? 0 : layer_zero(copy->to, offset, size);
}

/* Writes the chunk in the buffer; runs of grains that are all zero are left out. */
static int put_chunk(struct copy *copy, uint64_t offset, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t grain = least(GRAIN, size - at), end = at + grain;
		bool zero = is_zero(copy->buffer + at, grain);
		int rc;

		while (end < size &&
		       is_zero(copy->buffer + end, least(GRAIN, size - end)) == zero) {
			end += least(GRAIN, size - end);
		}
		rc = zero ? put_zeros(copy, offset + at, end - at)
			  : layer_write(copy->to, copy->buffer + at, end - at, offset + at);
		if (rc < 0) {
			return why_set(copy->why, rc, "cannot write: %s", strerror(-rc));
		}
		copy->counts.data += zero ? 0 : end - at;
		at = end;
	}
	return 0;
}

/* Copies what lies at `offset`, at most a chunk of data or any run of zeros; *ret_size bytes. */
static int copy_some(struct copy *copy, uint64_t offset, uint64_t *ret_size)
{
	uint64_t size = copy->from->size - offset;
	unsigned extent = LAYER_DATA;
	int rc = layer_extent(copy->from, offset, &size, &extent);

	size = least(size, copy->from->size - offset);
	if (rc == 0 && extent & LAYER_ZERO) {
		*ret_size = least(size, 64 * CHUNK);
		return put_zeros(copy, offset, *ret_size);
	}
	*ret_size = least(size, CHUNK);
	if (rc == 0) {
		rc = layer_read(copy->from, copy->buffer, *ret_size, offset);
	}
	if (rc < 0) {
		return why_set(copy->why, rc, "cannot read at byte %llu of the disk: %s",
			       (unsigned long long)offset, strerror(-rc));
	}
	return put_chunk(copy, offset, *ret_size);
}

int tool_copy(struct layer *from, struct layer *to, bool to_is_zero,
	      const struct progress *progress, struct tool_copy_counts *ret_counts, struct why *why)
{
	struct copy copy = {.from = from, .to = to, .to_is_zero = to_is_zero, .why = why};
	uint64_t offset = 0, size = 0;
	int rc = progress_step(progress, 0, from->size);

	copy.buffer = aligned_alloc(4096, CHUNK);
	if (!copy.buffer) {
		return -ENOMEM;
	}
	while (!rc && offset < from->size) {
		rc = copy_some(&copy, offset, &size);
		offset += size;
		rc = rc ? rc : progress_step(progress, offset, from->size);
	}
	rc = rc ? rc : layer_flush(to);
	explicit_bzero(copy.buffer, CHUNK);
	free(copy.buffer);
	if (!rc) {
		*ret_counts = copy.counts;
	}
	return rc;
}
