/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's memory may be a guest's: it can change under us and be looked at at any time. So it
 * only ever receives finished plaintext, copied out of a buffer of ours, and is read once, by the
 * cipher or by a copy into that buffer.
 *
 *  A write that covers part of a cipher sector reads the rest of it first. While it does, no other
 * write may touch that sector, or one of the two would be lost: struct span. */
#include "layer_crypt.h"

#include "bounce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A change in flight, of whole cipher sectors, on the stack of its request. */
struct span {
	uint64_t start, end;
	bool merges; /* reads what it does not cover */
	struct span *next;
};

struct layer_crypt {
	struct layer layer;
	struct xts *xts;
	uint64_t start; /* of the area in the layer below */
	uint32_t sector_size;
	bool pass_discards;
	struct bounce bounce;
	struct span *spans;
	struct fiber_mutex mutex; /* of the queue only */
	struct fiber_queue waiting;
};

/* A place in the caller's vector; without a vector: endless zeros. */
struct cursor {
	const struct iovec *iov;
	unsigned count;
	size_t done; /* bytes of *iov that are behind us */
};

static struct layer_crypt *to_crypt(struct layer *layer)
{
	return (struct layer_crypt *)layer;
}

/* Bytes at the cursor that lie in one piece; 0 only at the end. */
static size_t piece(struct cursor *cursor)
{
	while (cursor->count && cursor->done == cursor->iov->iov_len) {
		cursor->iov++;
		cursor->count--;
		cursor->done = 0;
	}
	return cursor->count ? cursor->iov->iov_len - cursor->done : 0;
}

static void copy_out(struct cursor *cursor, const uint8_t *from, size_t size)
{
	while (size) {
		size_t n = piece(cursor);

		n = n < size ? n : size;
		memcpy((uint8_t *)cursor->iov->iov_base + cursor->done, from, n);
		cursor->done += n;
		from += n;
		size -= n;
	}
}

static void copy_in(struct cursor *cursor, uint8_t *to, size_t size)
{
	if (!cursor->iov) {
		memset(to, 0, size);
		return;
	}
	while (size) {
		size_t n = piece(cursor);

		n = n < size ? n : size;
		memcpy(to, (uint8_t *)cursor->iov->iov_base + cursor->done, n);
		cursor->done += n;
		to += n;
		size -= n;
	}
}

static bool clash(const struct span *a, const struct span *b)
{
	return a->start < b->end && b->start < a->end && (a->merges || b->merges);
}

static bool clashes(const struct layer_crypt *crypt, const struct span *span)
{
	for (const struct span *s = crypt->spans; s; s = s->next) {
		if (clash(s, span)) {
			return true;
		}
	}
	return false;
}

static void span_take(struct layer_crypt *crypt, struct span *span, uint64_t offset, uint64_t size)
{
	uint64_t mask = crypt->sector_size - 1;

	span->start = offset & ~mask;
	span->end = (offset + size + mask) & ~mask;
	span->merges = span->start != offset || span->end != offset + size;
	while (clashes(crypt, span)) {
		fiber_mutex_lock(&crypt->mutex);
		fiber_queue_wait(&crypt->waiting, &crypt->mutex);
		fiber_mutex_unlock(&crypt->mutex);
	}
	span->next = crypt->spans;
	crypt->spans = span;
}

static void span_release(struct layer_crypt *crypt, struct span *span)
{
	struct span **at = &crypt->spans;

	while (*at != span) {
		at = &(*at)->next;
	}
	*at = span->next;
	if (crypt->waiting.first) {
		fiber_queue_wake_all(&crypt->waiting);
	}
}

/* Reads whole cipher sectors and decrypts them where they lie. */
static int read_plain(struct layer_crypt *crypt, uint8_t *buffer, size_t size, uint64_t offset)
{
	int rc = layer_read(crypt->layer.below, buffer, size, crypt->start + offset);

	return rc ? rc
		  : crypt->xts->ops->decrypt(crypt->xts, buffer, buffer, size, crypt->sector_size,
					     offset / 512);
}

static int crypt_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	struct layer_crypt *crypt = to_crypt(layer);
	struct cursor cursor = {iov, count, 0};
	uint64_t mask = crypt->sector_size - 1, end = offset + size;
	uint8_t *buffer = bounce_get(&crypt->bounce);
	int rc = buffer ? 0 : -ENOMEM;

	while (!rc && offset < end) {
		uint64_t from = offset & ~mask, to = (end + mask) & ~mask;
		size_t skip = (size_t)(offset - from), n;

		to = to - from > BOUNCE_SIZE ? from + BOUNCE_SIZE : to;
		rc = read_plain(crypt, buffer, (size_t)(to - from), from);
		if (!rc) {
			n = (size_t)((to < end ? to : end) - offset);
			copy_out(&cursor, buffer + skip, n);
			offset += n;
		}
	}
	if (buffer) {
		bounce_put(&crypt->bounce, buffer);
	}
	return rc;
}

/* Puts ciphertext of `size` bytes (whole sectors) into the buffer: straight from the caller's
 * memory in runs as long as it has them, a sector in several pieces through the buffer. */
static int encrypt_from(struct layer_crypt *crypt, struct cursor *cursor, uint8_t *buffer,
			size_t size, uint64_t offset)
{
	const struct xts_ops *ops = crypt->xts->ops;
	size_t done = 0;
	int rc = 0;

	while (!rc && done < size) {
		size_t n = cursor->iov ? piece(cursor) & ~(size_t)(crypt->sector_size - 1) : 0;
		uint64_t unit = (offset + done) / 512;

		if (n) {
			n = n < size - done ? n : size - done;
			rc = ops->encrypt(crypt->xts, buffer + done,
					  (uint8_t *)cursor->iov->iov_base + cursor->done, n,
					  crypt->sector_size, unit);
			cursor->done += n;
		} else {
			n = cursor->iov ? crypt->sector_size : size - done;
			copy_in(cursor, buffer + done, n);
			rc = ops->encrypt(crypt->xts, buffer + done, buffer + done, n,
					  crypt->sector_size, unit);
		}
		done += n;
	}
	return rc;
}

static int write_whole(struct layer_crypt *crypt, struct cursor *cursor, uint8_t *buffer,
		       uint64_t size, uint64_t offset)
{
	int rc = 0;

	while (!rc && size) {
		size_t n = size < BOUNCE_SIZE ? (size_t)size : BOUNCE_SIZE;

		rc = encrypt_from(crypt, cursor, buffer, n, offset);
		rc = rc ? rc : layer_write(crypt->layer.below, buffer, n, crypt->start + offset);
		offset += n;
		size -= n;
	}
	return rc;
}

/* Part of one cipher sector. The whole of it is written, though XTS works by 16 bytes and the rest
 * comes out as it was: so the layer below need not merge once more, and a torn write is harmless.
 */
static int write_part(struct layer_crypt *crypt, struct cursor *cursor, uint8_t *buffer,
		      size_t size, uint64_t offset)
{
	uint64_t from = offset & ~(uint64_t)(crypt->sector_size - 1);
	size_t skip = (size_t)(offset - from);
	int rc = read_plain(crypt, buffer, crypt->sector_size, from);

	if (rc) {
		return rc;
	}
	copy_in(cursor, buffer + skip, size);
	rc = crypt->xts->ops->encrypt(crypt->xts, buffer, buffer, crypt->sector_size,
				      crypt->sector_size, from / 512);
	return rc ? rc
		  : layer_write(crypt->layer.below, buffer, crypt->sector_size,
				crypt->start + from);
}

static int change(struct layer_crypt *crypt, struct cursor *cursor, uint64_t size, uint64_t offset)
{
	uint64_t mask = crypt->sector_size - 1;
	uint8_t *buffer;
	struct span span;
	int rc = 0;

	span_take(crypt, &span, offset, size);
	buffer = bounce_get(&crypt->bounce);
	rc = buffer ? 0 : -ENOMEM;
	while (!rc && size) {
		uint64_t n = size & ~mask;

		if (offset & mask || !n) {
			n = crypt->sector_size - (offset & mask);
			n = n < size ? n : size;
			rc = write_part(crypt, cursor, buffer, (size_t)n, offset);
		} else {
			rc = write_whole(crypt, cursor, buffer, n, offset);
		}
		offset += n;
		size -= n;
	}
	if (buffer) {
		bounce_put(&crypt->bounce, buffer);
	}
	span_release(crypt, &span);
	return rc;
}

static int crypt_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		       uint64_t offset)
{
	struct cursor cursor = {iov, count, 0};

	return change(to_crypt(layer), &cursor, size, offset);
}

static int crypt_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct cursor cursor = {NULL, 0, 0};

	return change(to_crypt(layer), &cursor, size, offset);
}

static int crypt_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct layer_crypt *crypt = to_crypt(layer);
	uint64_t mask = crypt->sector_size - 1;
	uint64_t from = (offset + mask) & ~mask, to = (offset + size) & ~mask;
	struct span span;
	int rc;

	if (!crypt->pass_discards || from >= to) {
		return 0;
	}
	span_take(crypt, &span, from, to - from);
	rc = layer_discard(layer->below, crypt->start + from, to - from);
	span_release(crypt, &span);
	return rc;
}

static int crypt_flush(struct layer *layer)
{
	return layer_flush(layer->below);
}

/* What is zero below is noise here. */
static int crypt_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
			unsigned *ret_extent)
{
	struct layer_crypt *crypt = to_crypt(layer);
	uint64_t left = layer->size - offset, size;
	unsigned extent;
	int rc = layer_extent(layer->below, crypt->start + offset, &size, &extent);

	if (!rc) {
		*ret_size = size < left ? size : left;
		*ret_extent = extent & ~(unsigned)LAYER_ZERO;
	}
	return rc;
}

static int crypt_close(struct layer *layer)
{
	struct layer_crypt *crypt = to_crypt(layer);

	xts_close(crypt->xts);
	bounce_fini(&crypt->bounce);
	free(crypt);
	return 0;
}

static const struct layer_ops crypt_ops = {
	.name = "crypt",
	.read = crypt_read,
	.write = crypt_write,
	.zero = crypt_zero,
	.discard = crypt_discard,
	.flush = crypt_flush,
	.extent = crypt_extent,
	.close = crypt_close,
};

static bool segment_fits(const struct luks_segment *segment, const struct layer *below)
{
	return (segment->sector_size == 512 || segment->sector_size == XTS_SECTOR) &&
	       segment->offset % XTS_SECTOR == 0 && segment->offset <= below->size &&
	       segment->size <= below->size - segment->offset &&
	       segment->size % segment->sector_size == 0;
}

int layer_crypt_open(struct layer *below, const struct luks_segment *segment,
		     const uint8_t key[XTS_KEY_SIZE], const char *library, bool pass_discards,
		     struct layer **ret_layer)
{
	struct layer_crypt *crypt;
	int rc;

	if (!segment_fits(segment, below)) {
		return -EINVAL;
	}
	crypt = calloc(1, sizeof(*crypt));
	if (!crypt) {
		return -ENOMEM;
	}
	rc = xts_open(library, key, &crypt->xts);
	if (rc < 0) {
		free(crypt);
		return rc;
	}
	crypt->layer.ops = &crypt_ops;
	crypt->layer.below = below;
	crypt->layer.size = segment->size;
	crypt->layer.block_size =
		below->block_size > segment->sector_size ? below->block_size : segment->sector_size;
	crypt->layer.read_only = below->read_only;
	crypt->start = segment->offset;
	crypt->sector_size = segment->sector_size;
	crypt->pass_discards = pass_discards;
	*ret_layer = &crypt->layer;
	return 0;
}
