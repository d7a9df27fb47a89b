/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of index and tail. */
#include "bundle_tail.h"
#include "bundle_frame.h"
#include "bundle_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Offsets in the tail; docs/SPEC-bundle.md, "Tail". */
enum {
	AT_MAGIC = 0,
	AT_COUNT = 8,
	AT_CHAIN = 16,
	AT_MAC = 48,
	AT_SIGNATURE_SIZE = 80,
	AT_SIGNATURE = 84,
	AT_ZERO = AT_SIGNATURE + BUNDLE_SIGNATURE_MAX,
	AT_HASH = BUNDLE_TAIL_SIZE - BUNDLE_HASH_SIZE,
};

#define READ_STEP (32u << 10)

_Static_assert(AT_ZERO <= AT_HASH, "the tail's parts do not overlap");

static const char magic[8] = "BHBUNEND";

int bundle_index_init(struct bundle_index *index, const uint8_t front_hash[BUNDLE_HASH_SIZE],
		      const uint8_t manifest_hash[BUNDLE_HASH_SIZE])
{
	memset(index, 0, sizeof(*index));
	return bundle_hash(front_hash, BUNDLE_HASH_SIZE, manifest_hash, BUNDLE_HASH_SIZE, NULL, 0,
			   index->chain);
}

void bundle_index_fini(struct bundle_index *index)
{
	free(index->hashes);
	index->hashes = NULL;
}

int bundle_index_add(struct bundle_index *index, const uint8_t hash[BUNDLE_HASH_SIZE])
{
	if (index->count == BUNDLE_FRAME_COUNT_MAX) {
		return -EFBIG;
	}
	if (index->count == index->room) {
		uint64_t room = index->room ? 2 * index->room : 64;
		uint8_t *hashes = realloc(index->hashes, room * BUNDLE_HASH_SIZE);

		if (!hashes) {
			return -ENOMEM;
		}
		index->hashes = hashes;
		index->room = room;
	}
	memcpy(index->hashes + index->count * BUNDLE_HASH_SIZE, hash, BUNDLE_HASH_SIZE);
	index->count++;
	return bundle_hash(index->chain, BUNDLE_HASH_SIZE, hash, BUNDLE_HASH_SIZE, NULL, 0,
			   index->chain);
}

int bundle_index_write(const struct bundle_index *index, struct bundle_out *out)
{
	struct bundle_record record = {
		.kind = BUNDLE_KIND_INDEX,
		.size = (uint32_t)(index->count * BUNDLE_HASH_SIZE),
		.number = index->count,
	};
	uint8_t head[BUNDLE_RECORD_SIZE];
	int rc;

	bundle_record_encode(&record, head);
	rc = out->write(out, head, sizeof(head));
	return rc || !record.size ? rc : out->write(out, index->hashes, record.size);
}

int bundle_index_read(struct bundle_in *in, uint32_t size, uint64_t number,
		      struct bundle_index *ret_index, const uint8_t front_hash[BUNDLE_HASH_SIZE],
		      const uint8_t manifest_hash[BUNDLE_HASH_SIZE])
{
	struct bundle_index index;
	uint8_t *step;
	int rc;

	if (number > BUNDLE_FRAME_COUNT_MAX || size != number * BUNDLE_HASH_SIZE) {
		return -EBADMSG;
	}
	step = malloc(READ_STEP);
	rc = bundle_index_init(&index, front_hash, manifest_hash);
	rc = step ? rc : -ENOMEM;
	/* In steps: what a hostile size costs must really be in the stream. */
	while (!rc && size) {
		size_t n = size < READ_STEP ? size : READ_STEP;

		rc = bundle_read(in, step, n);
		for (size_t at = 0; !rc && at < n; at += BUNDLE_HASH_SIZE) {
			rc = bundle_index_add(&index, step + at);
		}
		size -= (uint32_t)n;
	}
	free(step);
	if (rc < 0) {
		bundle_index_fini(&index);
		return rc;
	}
	*ret_index = index;
	return 0;
}

void bundle_tail_encode(const struct bundle_tail *tail, uint8_t ret_bytes[BUNDLE_TAIL_SIZE])
{
	memset(ret_bytes, 0, BUNDLE_TAIL_SIZE);
	memcpy(ret_bytes + AT_MAGIC, magic, sizeof(magic));
	bundle_put64(ret_bytes + AT_COUNT, tail->frame_count);
	memcpy(ret_bytes + AT_CHAIN, tail->chain, sizeof(tail->chain));
	memcpy(ret_bytes + AT_MAC, tail->mac, sizeof(tail->mac));
	bundle_put32(ret_bytes + AT_SIGNATURE_SIZE, tail->signature_size);
	memcpy(ret_bytes + AT_SIGNATURE, tail->signature, tail->signature_size);
	(void)!bundle_hash(ret_bytes, AT_HASH, NULL, 0, NULL, 0, ret_bytes + AT_HASH);
}

int bundle_tail_read(struct bundle_in *in, struct bundle_tail *ret_tail)
{
	uint8_t bytes[BUNDLE_TAIL_SIZE], hash[BUNDLE_HASH_SIZE], more;
	size_t n;
	int rc = bundle_read(in, bytes, sizeof(bytes));

	rc = rc ? rc : bundle_hash(bytes, AT_HASH, NULL, 0, NULL, 0, hash);
	if (!rc && (memcmp(hash, bytes + AT_HASH, sizeof(hash)) != 0 ||
		    memcmp(bytes, magic, sizeof(magic)) != 0 ||
		    bundle_get32(bytes + AT_SIGNATURE_SIZE) > BUNDLE_SIGNATURE_MAX)) {
		rc = -EBADMSG;
	}
	rc = rc ? rc : in->read(in, &more, 1, &n);
	if (rc < 0 || n) {
		return rc ? rc : -EBADMSG;
	}
	ret_tail->frame_count = bundle_get64(bytes + AT_COUNT);
	memcpy(ret_tail->chain, bytes + AT_CHAIN, sizeof(ret_tail->chain));
	memcpy(ret_tail->mac, bytes + AT_MAC, sizeof(ret_tail->mac));
	ret_tail->signature_size = bundle_get32(bytes + AT_SIGNATURE_SIZE);
	memcpy(ret_tail->signature, bytes + AT_SIGNATURE, sizeof(ret_tail->signature));
	return 0;
}
