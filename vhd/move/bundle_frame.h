/* SPDX-License-Identifier: Apache-2.0 */
/** Records of a bundle: frames of changed sectors, and the manifest.
 *
 *  A frame lists runs of 4 KiB sectors of the disk, in rising order, each sector in one frame only:
 * data that follows, zeros, or a copy of sectors that came earlier. Data is compressed with what
 * the base holds at the same sectors as a dictionary ("before"), so that a sector in which little
 * changed costs little, and a base with other contents is found out.
 *
 *  Source: RFC 8878 (Zstandard).
 */
#ifndef VHD_BUNDLE_FRAME_H
#define VHD_BUNDLE_FRAME_H

#include "bundle.h"
#include "bundle_seal.h"

#define BUNDLE_RECORD_SIZE 32u /* bytes before what is sealed */
#define BUNDLE_RUN_MAX	   4096u
#define BUNDLE_SEALED_MAX  (5u << 20)

#define BUNDLE_KIND_MANIFEST 0x464e414du /* "MANF" */
#define BUNDLE_KIND_FRAME    0x4d415246u /* "FRAM" */
#define BUNDLE_KIND_INDEX    0x58444e49u /* "INDX" */

#define BUNDLE_RUN_DATA 0xffffffffu
#define BUNDLE_RUN_ZERO 0xfffffffeu
#define BUNDLE_LEVEL	3

struct bundle_run {
	uint32_t sector, count;
	uint32_t source; /* BUNDLE_RUN_DATA, _ZERO, or the first sector to copy, below `sector` */
};

struct bundle_frame {
	struct bundle_run runs[BUNDLE_RUN_MAX];
	unsigned run_count;
	uint32_t data_size; /* bytes of all data runs */
	bool has_before;    /* `before` counts */
	_Alignas(64) uint8_t data[BUNDLE_FRAME_MAX];
	_Alignas(64) uint8_t before[BUNDLE_FRAME_MAX]; /* the same runs in the base */
};

/** Head of a record. */
struct bundle_record {
	uint32_t kind;
	uint32_t size; /* bytes that follow */
	uint64_t number;
	uint8_t nonce[BUNDLE_NONCE_SIZE];
};

struct bundle_codec; /* keys, contexts and buffers of one bundle: some 40 MiB */

VHD_MUST_CHECK int bundle_codec_open(const struct bundle_keys *keys, int level,
				     struct bundle_codec **ret_codec);
void bundle_codec_close(struct bundle_codec *codec);

/** The record of a frame, in the codec's buffer until the next call. */
VHD_MUST_CHECK int bundle_codec_pack(struct bundle_codec *codec, uint64_t number,
				     const struct bundle_frame *frame, const uint8_t **ret_bytes,
				     size_t *ret_size);

/** The record of the manifest, of at most BUNDLE_MANIFEST_MAX bytes of text. */
VHD_MUST_CHECK int bundle_codec_pack_manifest(struct bundle_codec *codec, const void *text,
					      size_t size, const uint8_t **ret_bytes,
					      size_t *ret_size);

/** Opens a record that was read and decodes its runs, checked against a disk of `sector_count` and
 * `*sector`, the first one that no frame had yet, which moves on. data_size is known then, data
 * not. -EBADMSG. */
VHD_MUST_CHECK int bundle_codec_open_frame(struct bundle_codec *codec,
					   const struct bundle_record *record,
					   const uint8_t *sealed, uint32_t sector_count,
					   uint32_t *sector, struct bundle_frame *ret_frame);

/** Then, with `before` filled in when has_before: data. -ESTALE: `before` is not what it was at the
 * sender: the base has other contents. */
VHD_MUST_CHECK int bundle_codec_get_data(struct bundle_codec *codec, struct bundle_frame *frame);

/** The caller frees the text, which has a NUL after it. */
VHD_MUST_CHECK int bundle_codec_open_manifest(struct bundle_codec *codec,
					      const struct bundle_record *record,
					      const uint8_t *sealed, char **ret_text,
					      size_t *ret_size);

/** Reads a record's head, and what follows it into `sealed` of BUNDLE_SEALED_MAX bytes, unless it
 * is the index, whose bytes are left in the stream. ret_hash: of both. -ENODATA cut off; -EBADMSG
 * no record. */
VHD_MUST_CHECK int bundle_record_read(struct bundle_in *in, struct bundle_record *ret_record,
				      uint8_t *sealed, uint8_t ret_hash[BUNDLE_HASH_SIZE]);

void bundle_record_encode(const struct bundle_record *record,
			  uint8_t ret_bytes[BUNDLE_RECORD_SIZE]);

#endif
