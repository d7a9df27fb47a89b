/* SPDX-License-Identifier: Apache-2.0 */
/** The end of a bundle: the index of the frames' hashes, and the tail that makes it whole. */
#ifndef VHD_BUNDLE_TAIL_H
#define VHD_BUNDLE_TAIL_H

#include "bundle.h"
#include "bundle_front.h"

#define BUNDLE_TAIL_SIZE 256u

/** Hashes of the frames' records in order, and their chain: a running hash that says in 32 bytes
 * which frames came so far. */
struct bundle_index {
	uint8_t *hashes;
	uint64_t count, room;
	uint8_t chain[BUNDLE_HASH_SIZE];
};

/** The chain starts with the hashes of the front and of the manifest's record. */
VHD_MUST_CHECK int bundle_index_init(struct bundle_index *index,
				     const uint8_t front_hash[BUNDLE_HASH_SIZE],
				     const uint8_t manifest_hash[BUNDLE_HASH_SIZE]);
void bundle_index_fini(struct bundle_index *index);
VHD_MUST_CHECK int bundle_index_add(struct bundle_index *index,
				    const uint8_t hash[BUNDLE_HASH_SIZE]);

/** Writes the index record. */
VHD_MUST_CHECK int bundle_index_write(const struct bundle_index *index, struct bundle_out *out);

/** Reads what follows the index record's head. The chain is worked out anew. *ret_index is made by
 * this. -EBADMSG; -ENODATA cut off. */
VHD_MUST_CHECK int bundle_index_read(struct bundle_in *in, uint32_t size, uint64_t number,
				     struct bundle_index *ret_index,
				     const uint8_t front_hash[BUNDLE_HASH_SIZE],
				     const uint8_t manifest_hash[BUNDLE_HASH_SIZE]);

struct bundle_tail {
	uint64_t frame_count;
	uint8_t chain[BUNDLE_HASH_SIZE];	 /* of all frames: commits to the whole bundle */
	uint8_t mac[32];			 /* of the chain, with the bundle's tail key */
	uint8_t signature[BUNDLE_SIGNATURE_MAX]; /* of the chain */
	uint32_t signature_size;
};

void bundle_tail_encode(const struct bundle_tail *tail, uint8_t ret_bytes[BUNDLE_TAIL_SIZE]);

/** Reads the tail and makes sure that nothing follows. -ENODATA cut off; -EBADMSG. */
VHD_MUST_CHECK int bundle_tail_read(struct bundle_in *in, struct bundle_tail *ret_tail);

#endif
