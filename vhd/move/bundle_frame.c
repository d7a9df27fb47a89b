/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of manifest and frame records: runs, compression, seal. */
#include "bundle_frame.h"
#include "bundle_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define WINDOW_LOG     23 /* 8 MiB: `before` and `data` together */
#define AAD_SIZE       16u
#define RUN_SIZE       12u
#define RUNS_SIZE_MAX  (BUNDLE_RUN_MAX * RUN_SIZE)
#define FLAG_BEFORE    1u
#define BODY_HEAD_SIZE 48u

/* Offsets in an opened frame; docs/SPEC-bundle.md, "Frames". */
enum {
	BODY_RUN_COUNT = 0,
	BODY_RUNS_STORED = 4,
	BODY_DATA_SIZE = 8,
	BODY_FLAGS = 12,
	BODY_DATA_HASH = 16, /* SHA-256 */
};

struct bundle_codec {
	struct bundle_keys keys;
	int level;
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
	uint32_t data_at, data_stored; /* in `plain`, of the frame that is open */
	uint8_t runs[RUNS_SIZE_MAX];
	uint8_t plain[BUNDLE_SEALED_MAX];
	uint8_t record[BUNDLE_RECORD_SIZE + BUNDLE_SEALED_MAX];
};

_Static_assert(BODY_HEAD_SIZE + ZSTD_COMPRESSBOUND(RUNS_SIZE_MAX) +
			       ZSTD_COMPRESSBOUND(BUNDLE_FRAME_MAX) + BUNDLE_TAG_SIZE <
		       BUNDLE_SEALED_MAX,
	       "a frame fits");

int bundle_codec_open(const struct bundle_keys *keys, int level, struct bundle_codec **ret_codec)
{
	struct bundle_codec *codec = malloc(sizeof(*codec)); /* its buffers stay untouched */

	if (!codec) {
		return -ENOMEM;
	}
	codec->keys = *keys;
	codec->level = level ? level : BUNDLE_LEVEL;
	codec->pack = ZSTD_createCCtx();
	codec->unpack = ZSTD_createDCtx();
	if (!codec->pack || !codec->unpack) {
		bundle_codec_close(codec);
		return -ENOMEM;
	}
	*ret_codec = codec;
	return 0;
}

void bundle_codec_close(struct bundle_codec *codec)
{
	if (codec) {
		ZSTD_freeCCtx(codec->pack);
		ZSTD_freeDCtx(codec->unpack);
		bundle_seal_wipe(codec, sizeof(*codec));
		free(codec);
	}
}

void bundle_record_encode(const struct bundle_record *record, uint8_t ret_bytes[BUNDLE_RECORD_SIZE])
{
	memset(ret_bytes, 0, BUNDLE_RECORD_SIZE);
	bundle_put32(ret_bytes, record->kind);
	bundle_put32(ret_bytes + 4, record->size);
	bundle_put64(ret_bytes + 8, record->number);
	memcpy(ret_bytes + AAD_SIZE, record->nonce, BUNDLE_NONCE_SIZE);
}

static int seal(struct bundle_codec *codec, uint32_t kind, uint64_t number, size_t size,
		const uint8_t **ret_bytes, size_t *ret_size)
{
	struct bundle_record record = {kind, (uint32_t)size + BUNDLE_TAG_SIZE, number, {0}};
	int rc;

	bundle_record_encode(&record, codec->record);
	rc = bundle_seal_close(&codec->keys, codec->record, AAD_SIZE, codec->plain, size,
			       record.nonce, codec->record + BUNDLE_RECORD_SIZE);
	if (rc < 0) {
		return rc;
	}
	bundle_record_encode(&record, codec->record);
	*ret_bytes = codec->record;
	*ret_size = BUNDLE_RECORD_SIZE + record.size;
	return 0;
}

static int open_record(struct bundle_codec *codec, const struct bundle_record *record,
		       uint32_t kind, const uint8_t *sealed, size_t *ret_size)
{
	uint8_t head[BUNDLE_RECORD_SIZE];
	int rc;

	if (record->kind != kind || record->size < BUNDLE_TAG_SIZE ||
	    record->size > BUNDLE_SEALED_MAX) {
		return -EBADMSG;
	}
	bundle_record_encode(record, head);
	rc = bundle_seal_open(&codec->keys, head, AAD_SIZE, record->nonce, sealed, record->size,
			      codec->plain);
	if (!rc) {
		*ret_size = record->size - BUNDLE_TAG_SIZE;
	}
	return rc;
}

/* Bytes written, or 0. */
static size_t pack_data(struct bundle_codec *codec, const struct bundle_frame *frame, uint8_t *out,
			size_t room)
{
	size_t size;

	ZSTD_CCtx_reset(codec->pack, ZSTD_reset_session_and_parameters);
	ZSTD_CCtx_setParameter(codec->pack, ZSTD_c_compressionLevel, codec->level);
	ZSTD_CCtx_setParameter(codec->pack, ZSTD_c_windowLog, WINDOW_LOG);
	if (frame->has_before && frame->data_size) {
		ZSTD_CCtx_refPrefix(codec->pack, frame->before, frame->data_size);
	}
	size = ZSTD_compress2(codec->pack, out, room, frame->data, frame->data_size);
	return ZSTD_isError(size) ? 0 : size;
}

int bundle_codec_pack(struct bundle_codec *codec, uint64_t number, const struct bundle_frame *frame,
		      const uint8_t **ret_bytes, size_t *ret_size)
{
	size_t runs_size = frame->run_count * RUN_SIZE, runs_stored, data_stored;
	uint8_t *body = codec->plain;
	int rc;

	if (!frame->run_count || frame->run_count > BUNDLE_RUN_MAX ||
	    frame->data_size > BUNDLE_FRAME_MAX) {
		return -EINVAL;
	}
	for (unsigned i = 0; i < frame->run_count; i++) {
		bundle_put32(codec->runs + i * RUN_SIZE, frame->runs[i].sector);
		bundle_put32(codec->runs + i * RUN_SIZE + 4, frame->runs[i].count);
		bundle_put32(codec->runs + i * RUN_SIZE + 8, frame->runs[i].source);
	}
	runs_stored = ZSTD_compress(body + BODY_HEAD_SIZE, ZSTD_compressBound(runs_size),
				    codec->runs, runs_size, 9);
	if (ZSTD_isError(runs_stored)) {
		return -EIO;
	}
	data_stored = pack_data(codec, frame, body + BODY_HEAD_SIZE + runs_stored,
				ZSTD_compressBound(frame->data_size));
	if (!data_stored) {
		return -EIO;
	}
	bundle_put32(body + BODY_RUN_COUNT, frame->run_count);
	bundle_put32(body + BODY_RUNS_STORED, (uint32_t)runs_stored);
	bundle_put32(body + BODY_DATA_SIZE, frame->data_size);
	bundle_put32(body + BODY_FLAGS, frame->has_before ? FLAG_BEFORE : 0);
	rc = bundle_hash(frame->data, frame->data_size, NULL, 0, NULL, 0, body + BODY_DATA_HASH);
	return rc ? rc
		  : seal(codec, BUNDLE_KIND_FRAME, number,
			 BODY_HEAD_SIZE + runs_stored + data_stored, ret_bytes, ret_size);
}

int bundle_codec_pack_manifest(struct bundle_codec *codec, const void *text, size_t size,
			       const uint8_t **ret_bytes, size_t *ret_size)
{
	if (!size || size > BUNDLE_MANIFEST_MAX) {
		return -EFBIG;
	}
	memcpy(codec->plain, text, size);
	return seal(codec, BUNDLE_KIND_MANIFEST, 0, size, ret_bytes, ret_size);
}

static int check_run(const struct bundle_run *run, uint32_t sector_count, uint32_t next,
		     uint64_t *data)
{
	if (!run->count || run->sector < next || run->sector >= sector_count ||
	    run->count > sector_count - run->sector) {
		return -EBADMSG;
	}
	if (run->source == BUNDLE_RUN_DATA) {
		*data += (uint64_t)run->count * BUNDLE_SECTOR;
	} else if (run->source != BUNDLE_RUN_ZERO &&
		   (run->source >= run->sector || run->count > run->sector - run->source)) {
		return -EBADMSG;
	}
	return 0;
}

static int decode_runs(struct bundle_codec *codec, unsigned count, uint32_t sector_count,
		       uint32_t *sector, struct bundle_frame *frame)
{
	uint32_t next = *sector;
	uint64_t data = 0;

	for (unsigned i = 0; i < count; i++) {
		struct bundle_run *run = &frame->runs[i];
		const uint8_t *at = codec->runs + i * RUN_SIZE;

		run->sector = bundle_get32(at);
		run->count = bundle_get32(at + 4);
		run->source = bundle_get32(at + 8);
		if (check_run(run, sector_count, next, &data) < 0) {
			return -EBADMSG;
		}
		next = run->sector + run->count;
	}
	if (data != frame->data_size) {
		return -EBADMSG;
	}
	frame->run_count = count;
	*sector = next;
	return 0;
}

int bundle_codec_open_frame(struct bundle_codec *codec, const struct bundle_record *record,
			    const uint8_t *sealed, uint32_t sector_count, uint32_t *sector,
			    struct bundle_frame *ret_frame)
{
	uint32_t count, stored;
	size_t size, n;
	int rc = open_record(codec, record, BUNDLE_KIND_FRAME, sealed, &size);

	if (rc < 0 || size < BODY_HEAD_SIZE) {
		return rc ? rc : -EBADMSG;
	}
	count = bundle_get32(codec->plain + BODY_RUN_COUNT);
	stored = bundle_get32(codec->plain + BODY_RUNS_STORED);
	ret_frame->data_size = bundle_get32(codec->plain + BODY_DATA_SIZE);
	ret_frame->has_before = bundle_get32(codec->plain + BODY_FLAGS) & FLAG_BEFORE;
	if (!count || count > BUNDLE_RUN_MAX || stored > size - BODY_HEAD_SIZE ||
	    ret_frame->data_size > BUNDLE_FRAME_MAX ||
	    bundle_get32(codec->plain + BODY_FLAGS) & ~FLAG_BEFORE) {
		return -EBADMSG;
	}
	n = ZSTD_decompress(codec->runs, sizeof(codec->runs), codec->plain + BODY_HEAD_SIZE,
			    stored);
	if (ZSTD_isError(n) || n != count * RUN_SIZE) {
		return -EBADMSG;
	}
	codec->data_at = BODY_HEAD_SIZE + stored;
	codec->data_stored = (uint32_t)size - codec->data_at;
	return decode_runs(codec, count, sector_count, sector, ret_frame);
}

int bundle_codec_get_data(struct bundle_codec *codec, struct bundle_frame *frame)
{
	uint8_t hash[BUNDLE_HASH_SIZE];
	size_t n;
	int rc;

	ZSTD_DCtx_reset(codec->unpack, ZSTD_reset_session_and_parameters);
	ZSTD_DCtx_setParameter(codec->unpack, ZSTD_d_windowLogMax, WINDOW_LOG);
	if (frame->has_before && frame->data_size) {
		ZSTD_DCtx_refPrefix(codec->unpack, frame->before, frame->data_size);
	}
	n = ZSTD_decompressDCtx(codec->unpack, frame->data, sizeof(frame->data),
				codec->plain + codec->data_at, codec->data_stored);
	if (ZSTD_isError(n) || n != frame->data_size) {
		return -EBADMSG;
	}
	rc = bundle_hash(frame->data, frame->data_size, NULL, 0, NULL, 0, hash);
	if (!rc && memcmp(hash, codec->plain + BODY_DATA_HASH, sizeof(hash)) != 0) {
		rc = frame->has_before ? -ESTALE : -EBADMSG;
	}
	return rc;
}

int bundle_codec_open_manifest(struct bundle_codec *codec, const struct bundle_record *record,
			       const uint8_t *sealed, char **ret_text, size_t *ret_size)
{
	size_t size;
	char *text;
	int rc = open_record(codec, record, BUNDLE_KIND_MANIFEST, sealed, &size);

	if (rc < 0) {
		return rc;
	}
	text = malloc(size + 1);
	if (!text) {
		return -ENOMEM;
	}
	memcpy(text, codec->plain, size);
	text[size] = '\0';
	*ret_text = text;
	*ret_size = size;
	return 0;
}

int bundle_record_read(struct bundle_in *in, struct bundle_record *ret_record, uint8_t *sealed,
		       uint8_t ret_hash[BUNDLE_HASH_SIZE])
{
	uint8_t head[BUNDLE_RECORD_SIZE];
	int rc = bundle_read(in, head, sizeof(head));

	if (rc < 0) {
		return rc;
	}
	ret_record->kind = bundle_get32(head);
	ret_record->size = bundle_get32(head + 4);
	ret_record->number = bundle_get64(head + 8);
	memcpy(ret_record->nonce, head + AAD_SIZE, BUNDLE_NONCE_SIZE);
	if (!bundle_is_zero(head + AAD_SIZE + BUNDLE_NONCE_SIZE, 4)) {
		return -EBADMSG;
	}
	if (ret_record->kind == BUNDLE_KIND_INDEX) {
		return bundle_is_zero(ret_record->nonce, BUNDLE_NONCE_SIZE) ? 0 : -EBADMSG;
	}
	if ((ret_record->kind != BUNDLE_KIND_FRAME && ret_record->kind != BUNDLE_KIND_MANIFEST) ||
	    ret_record->size > BUNDLE_SEALED_MAX) {
		return -EBADMSG;
	}
	rc = bundle_read(in, sealed, ret_record->size);
	return rc ? rc
		  : bundle_hash(head, sizeof(head), sealed, ret_record->size, NULL, 0, ret_hash);
}
