/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk is in one of four states: unknown; known (checked, or hashed by us); dirty (written since
 * the manifest; hashed at the next sealing); believed (as dirty, but by a former session that ended
 * uncleanly). Unknown chunks become known by a check only: a write of a part of one is preceded by
 * the check, or the next sealing would sign what somebody else put into the rest.
 *
 *  A chunk is marked dirty before its write is passed on. So whoever reads it meanwhile for a check
 * and finds a wrong hash looks at that mark again before he believes it.
 */
#include "iov_cursor.h"
#include "verify_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXTENT_MAX (1ull << 30) /* bytes of claimed zeros that are looked at in one call */
#define AHEAD_MAX  8u /* pages marked together when the disk is written from front to end */

static struct verify *to_verify(struct layer *layer)
{
	return (struct verify *)layer;
}

static bool is_open_to(const struct verify *verify, uint64_t chunk)
{
	return verify_get_bit(verify->known, chunk) || verify_get_bit(verify->dirty, chunk);
}

static void set_known(struct verify *verify, uint64_t chunk)
{
	if (!verify_get_bit(verify->known, chunk)) {
		verify_set_bit(verify->known, chunk);
		verify->checked_count += !verify_get_bit(verify->dirty, chunk);
	}
}

static int fail_chunk(struct verify *verify, uint64_t chunk)
{
	if (verify->bad_count++ == 0) {
		verify->bad_offset = chunk * VERIFY_CHUNK;
	}
	return -EBADMSG;
}

/* Compares a chunk just read with its leaf, unless it was written meanwhile. */
static int check_chunk(struct verify *verify, uint64_t chunk, const uint8_t *bytes)
{
	uint8_t wanted[HASH_TREE_HASH], found[HASH_TREE_HASH];
	int rc = hash_tree_hash(bytes, verify_chunk_size(verify, chunk), found);

	rc = rc ? rc : hash_tree_get_leaf(verify->tree, chunk, wanted);
	if (is_open_to(verify, chunk)) {
		return 0;
	}
	if (rc == -EBADMSG || (!rc && memcmp(wanted, found, HASH_TREE_HASH) != 0)) {
		return fail_chunk(verify, chunk);
	}
	if (!rc) {
		set_known(verify, chunk);
	}
	return rc;
}

/* Reads a chunk whole into `buffer` of HASH_TREE_CHUNK bytes and checks it. */
static int read_chunk(struct verify *verify, uint64_t chunk, uint8_t *buffer)
{
	int rc = layer_read(verify->layer.below, buffer, verify_chunk_size(verify, chunk),
			    chunk * VERIFY_CHUNK);

	return rc || is_open_to(verify, chunk) ? rc : check_chunk(verify, chunk, buffer);
}

/* Bytes from `offset` on, at most `size`, in chunks that need no check. */
static size_t open_run(const struct verify *verify, uint64_t offset, size_t size)
{
	uint64_t end = offset + size, at = offset;

	while (at < end && is_open_to(verify, at / VERIFY_CHUNK)) {
		at = (at / VERIFY_CHUNK + 1) * VERIFY_CHUNK;
	}
	return (size_t)((at < end ? at : end) - offset);
}

/* The part of the chunk at `offset` that is asked for comes out of a buffer: nobody sees a byte of
 * a bad one. */
static int read_unknown(struct verify *verify, struct iov_cursor *to, size_t size, uint64_t offset,
			uint8_t *buffer)
{
	int rc = read_chunk(verify, offset / VERIFY_CHUNK, buffer);

	if (!rc) {
		iov_cursor_fill(to, buffer + offset % VERIFY_CHUNK, size);
	}
	return rc;
}

static int read_mixed(struct verify *verify, const struct iovec *iov, struct iovec *part,
		      uint8_t *buffer, size_t size, uint64_t offset)
{
	struct iov_cursor to = {iov, 0};
	int rc = 0;

	while (!rc && size > 0) {
		size_t run = open_run(verify, offset, size);

		if (run) {
			unsigned parts = iov_cursor_take(&to, run, part);

			rc = layer_readv(verify->layer.below, part, parts, run, offset);
		} else {
			run = (size_t)(VERIFY_CHUNK - offset % VERIFY_CHUNK);
			run = run < size ? run : size;
			rc = read_unknown(verify, &to, run, offset, buffer);
		}
		offset += run;
		size -= run;
	}
	return rc;
}

static int verify_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		       uint64_t offset)
{
	struct verify *verify = to_verify(layer);
	struct iovec *part;
	uint8_t *buffer;
	int rc = -ENOMEM;

	if (open_run(verify, offset, size) == size) {
		return layer_readv(layer->below, iov, count, size, offset);
	}
	part = malloc(count * sizeof(*part));
	buffer = malloc(HASH_TREE_CHUNK);
	if (part && buffer) {
		rc = read_mixed(verify, iov, part, buffer, size, offset);
	}
	free(buffer);
	free(part);
	return rc;
}

/* Checks the chunk at `offset` when a change from there to `end` leaves some of it as it is. */
static int check_partly(struct verify *verify, uint64_t chunk, uint64_t offset, uint64_t end)
{
	uint64_t start = chunk * VERIFY_CHUNK;
	uint8_t *buffer;
	int rc;

	if (is_open_to(verify, chunk) ||
	    (offset <= start && end >= start + verify_chunk_size(verify, chunk))) {
		return 0;
	}
	buffer = malloc(HASH_TREE_CHUNK);
	if (!buffer) {
		return -ENOMEM;
	}
	rc = read_chunk(verify, chunk, buffer);
	free(buffer);
	return rc;
}

static bool is_marked(const struct verify *verify, uint64_t first, uint64_t last, bool pinned)
{
	for (uint64_t page = first; page <= last; page++) {
		if (!verify_get_bit(verify->map.bits, page)) {
			return false;
		}
	}
	return !pinned || verify->map.pinned_dirty;
}

/* A page that goes into the map is believed after an unclean end: so it must be right now. Returns
 * the last page of [first, end] that may go, with those to `last` being a must. */
static int check_pages(struct verify *verify, uint64_t first, uint64_t last, uint64_t *end)
{
	struct hash_tree_page leaves;

	for (uint64_t page = first; page <= *end; page++) {
		int rc = verify_get_bit(verify->map.bits, page)
				 ? 0
				 : hash_tree_get_page(verify->tree, page, &leaves);

		if (rc < 0 && page <= last) {
			return rc == -EBADMSG ? fail_chunk(verify, page * HASH_TREE_FAN) : rc;
		}
		if (rc < 0) {
			*end = page - 1;
		}
	}
	return 0;
}

/* Who waited for the mutex finds his pages stored by the one before him, mostly. */
static int mark_pages(struct verify *verify, uint64_t first, uint64_t last, bool pinned)
{
	uint64_t count = verify->map.page_count, end = last;
	int rc;

	if (is_marked(verify, first, last, pinned)) {
		return 0;
	}
	if (first > 0 && verify_get_bit(verify->map.bits, first - 1)) {
		end = last + AHEAD_MAX < count ? last + AHEAD_MAX : count - 1;
	}
	rc = check_pages(verify, first, last, &end);
	if (rc < 0) {
		return rc;
	}
	for (uint64_t page = first; page <= end; page++) {
		verify_set_bit(verify->wanted, page);
	}
	verify->pinned_wanted = verify->pinned_wanted || pinned;
	fiber_mutex_lock(&verify->marking);
	if (!is_marked(verify, first, last, pinned)) {
		rc = dirty_map_store(&verify->map, verify->manifest.epoch, verify->wanted,
				     verify->pinned_wanted);
		verify->broken = verify->broken || verify->map.flush_failed;
	}
	fiber_mutex_unlock(&verify->marking);
	return rc;
}

static void mark_chunks(struct verify *verify, uint64_t first, uint64_t last)
{
	for (uint64_t chunk = first; chunk <= last; chunk++) {
		if (!verify_get_bit(verify->dirty, chunk)) {
			verify->checked_count += !verify_get_bit(verify->known, chunk);
			verify_set_bit(verify->dirty, chunk);
		}
	}
}

static int prepare_change(struct verify *verify, uint64_t offset, uint64_t size)
{
	uint64_t end = offset + size;
	uint64_t first = offset / VERIFY_CHUNK, last = (end - 1) / VERIFY_CHUNK;
	bool may = verify->session && !verify->broken;
	int rc = !may ? -EIO : check_partly(verify, first, offset, end);

	rc = rc ? rc : check_partly(verify, last, offset, end);
	rc = rc ? rc
		: mark_pages(verify, first / HASH_TREE_FAN, last / HASH_TREE_FAN,
			     offset < verify->manifest.pinned_size);
	if (!rc) {
		mark_chunks(verify, first, last);
	}
	return rc;
}

/* Sealing keeps changes out, and waits for those that are under way. */
static void enter_change(struct verify *verify)
{
	fiber_mutex_lock(&verify->gate);
	while (verify->sealing) {
		fiber_queue_wait(&verify->waiting, &verify->gate);
	}
	verify->in_flight++;
	fiber_mutex_unlock(&verify->gate);
}

static void leave_change(struct verify *verify)
{
	verify->in_flight--;
	if (verify->sealing && !verify->in_flight) {
		fiber_queue_wake_all(&verify->waiting);
	}
}

static int verify_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
			uint64_t offset)
{
	struct verify *verify = to_verify(layer);
	int rc;

	enter_change(verify);
	rc = prepare_change(verify, offset, size);
	rc = rc ? rc : layer_writev(layer->below, iov, count, size, offset);
	leave_change(verify);
	return rc;
}

static int verify_zero(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct verify *verify = to_verify(layer);
	int rc;

	enter_change(verify);
	rc = prepare_change(verify, offset, size);
	rc = rc ? rc : layer_zero(layer->below, offset, size);
	leave_change(verify);
	return rc;
}

static int verify_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct verify *verify = to_verify(layer);
	int rc;

	enter_change(verify);
	rc = prepare_change(verify, offset, size);
	rc = rc ? rc : layer_discard(layer->below, offset, size);
	leave_change(verify);
	return rc;
}

static int verify_flush(struct layer *layer)
{
	return to_verify(layer)->broken ? -EIO : layer_flush(layer->below);
}

/* Below may claim zeros where the manifest has data: then whoever asks must read, and meet the
 * error. */
static int verify_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
			 unsigned *ret_extent)
{
	static const uint8_t zeros[HASH_TREE_HASH];
	struct verify *verify = to_verify(layer);
	uint64_t size, end, at = offset;
	uint8_t leaf[HASH_TREE_HASH];
	unsigned extent;
	int rc = layer_extent(layer->below, offset, &size, &extent);

	if (rc < 0) {
		return rc;
	}
	size = size < EXTENT_MAX ? size : EXTENT_MAX;
	end = offset + size;
	while (extent & LAYER_ZERO && at < end) {
		uint64_t chunk = at / VERIFY_CHUNK;

		rc = verify_get_bit(verify->dirty, chunk)
			     ? 0
			     : hash_tree_get_leaf(verify->tree, chunk, leaf);
		if (rc < 0 || (!verify_get_bit(verify->dirty, chunk) &&
			       memcmp(leaf, zeros, sizeof(leaf)) != 0)) {
			break;
		}
		at = (chunk + 1) * VERIFY_CHUNK;
	}
	if (extent & LAYER_ZERO && at == offset) {
		extent = LAYER_DATA;
		at = (offset / VERIFY_CHUNK + 1) * VERIFY_CHUNK;
	}
	if (at > offset && at < end) {
		end = at;
	}
	*ret_size = end - offset;
	*ret_extent = extent;
	return 0;
}

const struct layer_ops verify_ops = {
	.name = "verify",
	.read = verify_read,
	.write = verify_write,
	.zero = verify_zero,
	.discard = verify_discard,
	.flush = verify_flush,
	.extent = verify_extent,
	.close = verify_close,
};

void layer_verify_get_status(const struct layer *layer, struct layer_verify_status *ret_status)
{
	const struct verify *verify = (const struct verify *)layer;

	*ret_status = (struct layer_verify_status){
		.chunk_count = hash_tree_chunk_count(verify->tree),
		.checked_count = verify->checked_count,
		.believed_count = verify->believed_count,
		.bad_count = verify->bad_count,
		.bad_offset = verify->bad_offset,
		.manifest = &verify->manifest,
	};
}

int layer_verify_all(struct layer *layer, const struct progress *progress,
		     void (*each_bad)(void *context, uint64_t offset), void *context)
{
	struct verify *verify = to_verify(layer);
	uint64_t count = hash_tree_chunk_count(verify->tree);
	uint8_t *buffer = malloc(HASH_TREE_CHUNK);
	bool bad = false;
	int rc = buffer ? 0 : -ENOMEM;

	for (uint64_t chunk = 0; !rc && chunk < count; chunk++) {
		if (chunk % HASH_TREE_FAN == 0) {
			rc = progress_step(progress, chunk * VERIFY_CHUNK, layer->size);
		}
		rc = rc || is_open_to(verify, chunk) ? rc : read_chunk(verify, chunk, buffer);
		if (rc == -EBADMSG) {
			if (each_bad) {
				each_bad(context, chunk * VERIFY_CHUNK);
			}
			bad = true;
			rc = 0;
		}
	}
	free(buffer);
	rc = rc ? rc : progress_step(progress, layer->size, layer->size);
	return rc ? rc : bad ? -EBADMSG : 0;
}
