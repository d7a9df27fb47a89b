/* SPDX-License-Identifier: Apache-2.0 */
/** The front of a bundle: all that can be read before any secret. */
#ifndef VHD_BUNDLE_FRONT_H
#define VHD_BUNDLE_FRONT_H

#include "bundle.h"
#include "bundle_seal.h"

#define BUNDLE_HEAD_SIZE     128u
#define BUNDLE_SIGNATURE_MAX 104u
#define BUNDLE_LUKS_MAX	     (16u << 20)

struct bundle_front {
	uint8_t id[BUNDLE_ID_SIZE];
	uint8_t salt[BUNDLE_SALT_SIZE];
	struct bundle_cost cost;
	uint32_t luks_size; /* bytes of the disk's LUKS2 header area; 0: a plain disk */
	bool luks_in_base;  /* the base has the same one: it is not carried */
	uint8_t *luks;	    /* the area, unless luks_in_base; bundle_front_free() */
	struct bundle_summary summary;
	uint8_t hash[BUNDLE_HASH_SIZE]; /* of all of it but the signature */
	uint8_t signature[BUNDLE_SIGNATURE_MAX];
	uint32_t signature_size; /* 0: not signed */
};

/** Bytes of the front up to its hash, with the hash; fills in front->hash. The signature over that
 * hash is set afterwards. The caller frees. */
VHD_MUST_CHECK int bundle_front_encode(struct bundle_front *front, uint8_t **ret_bytes,
				       size_t *ret_size);

/** The signature as it follows the hash: 8 + signature_size bytes. */
void bundle_front_encode_signature(const struct bundle_front *front,
				   uint8_t ret_bytes[8 + BUNDLE_SIGNATURE_MAX], size_t *ret_size);

/** Reads and checks it. ret_read: bytes of the stream that it took. Returns 0 (free the front);
 * -EINVAL no bundle; -EOPNOTSUPP of a newer version (front->summary has name and engine; nothing to
 * free); -EBADMSG; -errno. */
VHD_MUST_CHECK int bundle_front_read(struct bundle_in *in, struct bundle_front *ret_front,
				     uint64_t *ret_read, struct why *why);

void bundle_front_free(struct bundle_front *front);

#endif
