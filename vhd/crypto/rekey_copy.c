/* SPDX-License-Identifier: Apache-2.0 */
/* Chunk by chunk: what should be there is made in one buffer, what is there read into another. */
#include "rekey_copy.h"

#include "locked.h"

#include <stdbool.h>
#include <string.h>

#define CHUNK	    (1u << 20)
#define UNIT	    XTS_SECTOR
#define FLUSH_EVERY (64u << 20) /* bytes written: work that a power cut can cost */

struct buffers {
	uint8_t want[CHUNK], have[CHUNK];
	bool unwritten[CHUNK / UNIT];
};

static const uint8_t zeros[CHUNK];

/* Zeros where the layer says so, without reading. */
static int read_chunk(const struct rekey_area *area, uint8_t *buffer, size_t size, uint64_t offset)
{
	uint64_t at = area->offset + offset, known = 0;
	unsigned extent = LAYER_DATA;
	int rc = layer_extent(area->layer, at, &known, &extent);

	if (rc == 0 && extent & LAYER_ZERO && known >= size) {
		memset(buffer, 0, size);
		return 0;
	}
	return rc ? rc : layer_read(area->layer, buffer, size, at);
}

static int make_want(const struct rekey_area *from, const struct rekey_area *to, struct buffers *b,
		     size_t size, uint64_t offset)
{
	bool some = false;
	int rc = read_chunk(from, b->want, size, offset);

	if (rc) {
		return rc;
	}
	for (size_t at = 0; at < size; at += UNIT) {
		b->unwritten[at / UNIT] = from->xts && memcmp(b->want + at, zeros, UNIT) == 0;
		some = some || !b->unwritten[at / UNIT];
	}
	if (!some) {
		return 0;
	}
	if (from->xts) {
		rc = from->xts->ops->decrypt(from->xts, b->want, b->want, size, from->sector_size,
					     offset / 512);
	}
	if (!rc && to->xts) {
		rc = to->xts->ops->encrypt(to->xts, b->want, b->want, size, to->sector_size,
					   offset / 512);
	}
	for (size_t at = 0; !rc && at < size; at += UNIT) {
		if (b->unwritten[at / UNIT]) {
			memset(b->want + at, 0, UNIT);
		}
	}
	return rc;
}

static bool differs(const struct buffers *b, size_t at)
{
	return memcmp(b->want + at, b->have + at, UNIT) != 0;
}

static int write_differences(const struct rekey_area *to, const struct buffers *b, size_t size,
			     uint64_t offset, uint64_t *written)
{
	size_t at = 0;

	while (at < size) {
		size_t end = at;
		int rc;

		while (end < size && differs(b, end)) {
			end += UNIT;
		}
		if (end == at) {
			at += UNIT;
			continue;
		}
		rc = layer_write(to->layer, b->want + at, end - at, to->offset + offset + at);
		if (rc) {
			return rc;
		}
		*written += end - at;
		at = end;
	}
	return 0;
}

static int copy_all(const struct rekey_area *from, const struct rekey_area *to, uint64_t size,
		    const struct progress *progress, struct buffers *b)
{
	uint64_t written = 0;
	int rc = progress_step(progress, 0, size);

	for (uint64_t at = 0; !rc && at < size;) {
		size_t n = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

		rc = make_want(from, to, b, n, at);
		rc = rc ? rc : read_chunk(to, b->have, n, at);
		rc = rc ? rc : write_differences(to, b, n, at, &written);
		if (!rc && written >= FLUSH_EVERY) {
			written = 0;
			rc = layer_flush(to->layer);
		}
		at += n;
		rc = rc ? rc : progress_step(progress, at, size);
	}
	return rc ? rc : layer_flush(to->layer);
}

int rekey_copy(const struct rekey_area *from, const struct rekey_area *to, uint64_t size,
	       const struct progress *progress)
{
	struct buffers *b;
	int rc;

	if (size % UNIT) {
		return -EINVAL;
	}
	b = locked_alloc(sizeof(*b));
	rc = b ? copy_all(from, to, size, progress, b) : -ENOMEM;
	locked_free(b, sizeof(*b));
	return rc;
}
