/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the inner loop of flatten and commit. */
#include "vhd_copy.h"

#include <string.h>

/* What is found zero or not, as a whole. */
#define GRAIN 4096u

bool vhd_copy_is_zero(const uint8_t *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

int vhd_copy_skip(struct layer *layer, uint64_t offset, uint64_t max, uint64_t *ret_size)
{
	uint64_t skipped = 0, size;
	unsigned extent;
	int rc;

	while (skipped < max && offset + skipped < layer->size) {
		rc = layer_extent(layer, offset + skipped, &size, &extent);
		if (rc < 0) {
			return rc;
		}
		if (!(extent & LAYER_ZERO)) {
			*ret_size = skipped;
			return 0;
		}
		skipped += size < max - skipped ? size : max - skipped;
	}
	*ret_size = max;
	return 0;
}

/* One run of zeros or of data. */
static int put_run(struct layer *to, const uint8_t *bytes, uint64_t offset, uint32_t size,
		   bool zero)
{
	uint64_t skip;
	int rc;

	if (!zero) {
		return layer_write(to, bytes, size, offset);
	}
	rc = vhd_copy_skip(to, offset, size, &skip);
	return rc || skip >= size ? rc : layer_zero(to, offset, size);
}

int vhd_copy_range(struct layer *from, struct layer *to, uint64_t offset, uint32_t size,
		   uint8_t *buffer)
{
	uint32_t start = 0;
	int rc = layer_read(from, buffer, size, offset);

	while (!rc && start < size) {
		uint32_t end = start, grain = 0;
		bool zero = false, next;

		do {
			end += grain;
			grain = GRAIN < size - end ? GRAIN : size - end;
			next = vhd_copy_is_zero(buffer + end, grain);
			zero = end == start ? next : zero;
		} while (grain && next == zero);
		rc = put_run(to, buffer + start, offset + start, end - start, zero);
		start = end;
	}
	return rc;
}
