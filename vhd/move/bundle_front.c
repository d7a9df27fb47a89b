/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of the front. Its hash is right before anything behind the head is looked at. */
#include "bundle_front.h"
#include "bundle_io.h"
#include "bundle_summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* Offsets in the head; docs/SPEC-bundle.md, "Head". */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_SUMMARY_SIZE = 12,
	AT_ID = 16,
	AT_SALT = 32,
	AT_SEAL = 64,
	AT_COST = 68,
	AT_LUKS_STORED = 80,
	AT_LUKS_SIZE = 84,
	AT_FRAME_MAX = 88,
	AT_ZERO = 92,
};

static const char magic[8] = "BHBUNDLE";

static void encode_head(const struct bundle_front *front, size_t summary_size, size_t luks_stored,
			uint8_t head[BUNDLE_HEAD_SIZE])
{
	memset(head, 0, BUNDLE_HEAD_SIZE);
	memcpy(head + AT_MAGIC, magic, sizeof(magic));
	bundle_put32(head + AT_VERSION, BUNDLE_VERSION);
	bundle_put32(head + AT_SUMMARY_SIZE, (uint32_t)summary_size);
	memcpy(head + AT_ID, front->id, sizeof(front->id));
	memcpy(head + AT_SALT, front->salt, sizeof(front->salt));
	bundle_put32(head + AT_SEAL, front->summary.seal);
	bundle_put32(head + AT_COST, front->cost.memory_kib);
	bundle_put32(head + AT_COST + 4, front->cost.passes);
	bundle_put32(head + AT_COST + 8, front->cost.lanes);
	bundle_put32(head + AT_LUKS_STORED, (uint32_t)luks_stored);
	bundle_put32(head + AT_LUKS_SIZE, front->luks_size);
	bundle_put32(head + AT_FRAME_MAX, BUNDLE_FRAME_MAX);
}

int bundle_front_encode(struct bundle_front *front, uint8_t **ret_bytes, size_t *ret_size)
{
	struct json_object *object = bundle_summary_to_json(&front->summary);
	const char *text = object ? json_object_to_json_string(object) : NULL;
	size_t summary_size = text ? strlen(text) : 0, bound, luks_stored = 0, size;
	uint8_t *bytes = NULL;
	int rc = -ENOMEM;

	bound = front->luks ? ZSTD_compressBound(front->luks_size) : 0;
	if (text && summary_size <= BUNDLE_SUMMARY_MAX) {
		bytes = malloc(BUNDLE_HEAD_SIZE + summary_size + bound + BUNDLE_HASH_SIZE);
	}
	if (bytes) {
		memcpy(bytes + BUNDLE_HEAD_SIZE, text, summary_size);
		size = BUNDLE_HEAD_SIZE + summary_size;
		if (front->luks) {
			luks_stored = ZSTD_compress(bytes + size, bound, front->luks,
						    front->luks_size, 3);
		}
		rc = ZSTD_isError(luks_stored) ? -EIO : 0;
	}
	if (!rc) {
		encode_head(front, summary_size, luks_stored, bytes);
		size += luks_stored;
		rc = bundle_hash(bytes, size, NULL, 0, NULL, 0, front->hash);
	}
	json_object_put(object);
	if (rc < 0) {
		free(bytes);
		return rc;
	}
	memcpy(bytes + size, front->hash, BUNDLE_HASH_SIZE);
	*ret_bytes = bytes;
	*ret_size = size + BUNDLE_HASH_SIZE;
	return 0;
}

void bundle_front_encode_signature(const struct bundle_front *front,
				   uint8_t ret_bytes[8 + BUNDLE_SIGNATURE_MAX], size_t *ret_size)
{
	memset(ret_bytes, 0, 8);
	bundle_put32(ret_bytes, front->signature_size);
	memcpy(ret_bytes + 8, front->signature, front->signature_size);
	*ret_size = 8 + front->signature_size;
}

static int check_head(const uint8_t *head, struct why *why)
{
	uint32_t seal = bundle_get32(head + AT_SEAL), luks = bundle_get32(head + AT_LUKS_SIZE);
	uint32_t stored = bundle_get32(head + AT_LUKS_STORED);
	uint32_t summary = bundle_get32(head + AT_SUMMARY_SIZE);

	if (memcmp(head + AT_MAGIC, magic, sizeof(magic)) != 0) {
		return why_set(why, -EINVAL, "this is no bundle");
	}
	if (bundle_get32(head + AT_VERSION) > BUNDLE_VERSION) {
		return -EOPNOTSUPP;
	}
	if (bundle_get32(head + AT_VERSION) < 1 || summary < 2 || summary > BUNDLE_SUMMARY_MAX ||
	    (seal != BUNDLE_SEAL_DISK && seal != BUNDLE_SEAL_PASSPHRASE) ||
	    (seal == BUNDLE_SEAL_DISK) != (luks != 0) || luks > BUNDLE_LUKS_MAX ||
	    luks % BUNDLE_SECTOR || stored > ZSTD_COMPRESSBOUND(BUNDLE_LUKS_MAX) ||
	    (stored && !luks) || bundle_get32(head + AT_FRAME_MAX) != BUNDLE_FRAME_MAX ||
	    !bundle_is_zero(head + AT_ZERO, BUNDLE_HEAD_SIZE - AT_ZERO)) {
		return -EBADMSG;
	}
	return 0;
}

static void decode_head(const uint8_t *head, struct bundle_front *front)
{
	memcpy(front->id, head + AT_ID, sizeof(front->id));
	memcpy(front->salt, head + AT_SALT, sizeof(front->salt));
	front->cost.memory_kib = bundle_get32(head + AT_COST);
	front->cost.passes = bundle_get32(head + AT_COST + 4);
	front->cost.lanes = bundle_get32(head + AT_COST + 8);
	front->luks_size = bundle_get32(head + AT_LUKS_SIZE);
	front->luks_in_base = front->luks_size && !bundle_get32(head + AT_LUKS_STORED);
}

static int unpack_luks(const void *stored, size_t stored_size, struct bundle_front *front)
{
	if (ZSTD_getFrameContentSize(stored, stored_size) != front->luks_size) {
		return -EBADMSG;
	}
	front->luks = malloc(front->luks_size);
	if (!front->luks) {
		return -ENOMEM;
	}
	return ZSTD_decompress(front->luks, front->luks_size, stored, stored_size) ==
			       front->luks_size
		       ? 0
		       : -EBADMSG;
}

static int read_signature(struct bundle_in *in, struct bundle_front *front, uint64_t *ret_size)
{
	uint8_t bytes[8];
	int rc = bundle_read(in, bytes, sizeof(bytes));

	if (rc < 0) {
		return rc;
	}
	front->signature_size = bundle_get32(bytes);
	if (front->signature_size > BUNDLE_SIGNATURE_MAX || !bundle_is_zero(bytes + 4, 4)) {
		return -EBADMSG;
	}
	*ret_size = 8 + front->signature_size;
	return bundle_read(in, front->signature, front->signature_size);
}

/* Reads what follows the head; its hash is right before anything in it is looked at. */
static int read_rest(struct bundle_in *in, const uint8_t *head, struct bundle_front *front,
		     uint64_t *ret_read, struct why *why)
{
	size_t summary_size = bundle_get32(head + AT_SUMMARY_SIZE);
	size_t stored = bundle_get32(head + AT_LUKS_STORED), size = summary_size + stored;
	uint8_t *rest = malloc(size + BUNDLE_HASH_SIZE);
	uint64_t signature_size = 0;
	int rc = rest ? bundle_read(in, rest, size + BUNDLE_HASH_SIZE) : -ENOMEM;

	rc = rc ? rc : bundle_hash(head, BUNDLE_HEAD_SIZE, rest, size, NULL, 0, front->hash);
	if (!rc && memcmp(front->hash, rest + size, BUNDLE_HASH_SIZE) != 0) {
		rc = -EBADMSG;
	}
	rc = rc ? rc : bundle_summary_decode(rest, summary_size, &front->summary, why);
	if (!rc && (front->summary.seal != bundle_get32(head + AT_SEAL) ||
		    (front->luks_in_base && front->summary.full))) {
		rc = -EBADMSG;
	}
	if (!rc && stored) {
		rc = unpack_luks(rest + summary_size, stored, front);
	}
	rc = rc ? rc : read_signature(in, front, &signature_size);
	free(rest);
	*ret_read = BUNDLE_HEAD_SIZE + size + BUNDLE_HASH_SIZE + signature_size;
	return rc;
}

int bundle_front_read(struct bundle_in *in, struct bundle_front *ret_front, uint64_t *ret_read,
		      struct why *why)
{
	uint8_t head[BUNDLE_HEAD_SIZE];
	uint64_t size = 0;
	int rc;

	memset(ret_front, 0, sizeof(*ret_front));
	rc = bundle_read(in, head, sizeof(head));
	if (rc == -ENODATA) {
		return why_set(why, -EINVAL, "this is no bundle: it is too short");
	}
	rc = rc ? rc : check_head(head, why);
	if (!rc) {
		decode_head(head, ret_front);
		rc = read_rest(in, head, ret_front, &size, why);
	}
	if (rc == -EBADMSG || rc == -ENODATA) {
		rc = why_set(why, -EBADMSG,
			     "the front of the bundle is %s: export it again, or read the stick on "
			     "another port",
			     rc == -ENODATA ? "cut off" : "damaged");
	}
	if (rc == -EOPNOTSUPP) {
		(void)why_set(why, rc, "the bundle needs a newer version here");
	}
	if (rc < 0) {
		bundle_front_free(ret_front);
		return rc;
	}
	*ret_read = size;
	return 0;
}

void bundle_front_free(struct bundle_front *front)
{
	free(front->luks);
	front->luks = NULL;
}
