/* SPDX-License-Identifier: Apache-2.0 */
/** Keys of one bundle, and sealing and opening with them.
 *
 *  Everything sealed in a bundle hangs on its clear part: the keys are derived with the hash of the
 * front, so a front that was changed opens nothing. The nonce of a record is a keyed hash of its
 * number and contents: the same contents give the same bytes (an export that goes on after a cut
 * continues them), other contents never share a nonce.
 *
 *  Source: RFC 5869 (HKDF), RFC 9106 (Argon2), NIST SP 800-38D (GCM), RFC 2104 (HMAC).
 */
#ifndef VHD_BUNDLE_SEAL_H
#define VHD_BUNDLE_SEAL_H

#include "bundle.h"

#define BUNDLE_SALT_SIZE  32u
#define BUNDLE_NONCE_SIZE 12u
#define BUNDLE_TAG_SIZE	  16u
#define BUNDLE_SECRET_MAX 64u /* bytes of what the keys are derived from */

/** Cost of a passphrase of the bundle; zeros when the disk's key seals it. */
struct bundle_cost {
	uint32_t memory_kib, passes, lanes;
};

#define BUNDLE_COST_MEMORY_MAX (256u << 10)
#define BUNDLE_COST_PASSES_MAX 16u
#define BUNDLE_COST_LANES_MAX  4u

struct bundle_keys {
	uint8_t frame[32], nonce[32], tail[32], receipt[32];
};

/** Argon2id. -EINVAL: a cost that is not allowed; -ENOMEM. */
VHD_MUST_CHECK int bundle_seal_stretch(const void *passphrase, size_t size,
				       const uint8_t salt[BUNDLE_SALT_SIZE],
				       const struct bundle_cost *cost, uint8_t ret_secret[32]);

/** secret: the disk's volume key, or a stretched passphrase. */
VHD_MUST_CHECK int bundle_seal_derive(const void *secret, size_t size,
				      const uint8_t salt[BUNDLE_SALT_SIZE],
				      const uint8_t front_hash[BUNDLE_HASH_SIZE],
				      struct bundle_keys *ret_keys);

void bundle_seal_wipe(void *bytes, size_t size);

/** Seals `size` bytes into size + BUNDLE_TAG_SIZE; `aad` names the record. */
VHD_MUST_CHECK int bundle_seal_close(const struct bundle_keys *keys, const void *aad,
				     size_t aad_size, const void *plain, size_t size,
				     uint8_t ret_nonce[BUNDLE_NONCE_SIZE], void *ret_sealed);

/** The other way; -EBADMSG: not sealed with these keys, or changed. */
VHD_MUST_CHECK int bundle_seal_open(const struct bundle_keys *keys, const void *aad,
				    size_t aad_size, const uint8_t nonce[BUNDLE_NONCE_SIZE],
				    const void *sealed, size_t sealed_size, void *ret_plain);

/** HMAC-SHA256. */
VHD_MUST_CHECK int bundle_seal_mac(const uint8_t key[32], const void *bytes, size_t size,
				   uint8_t ret_mac[32]);

VHD_MUST_CHECK int bundle_seal_random(void *ret_bytes, size_t size);

/** SHA-256 of up to three pieces, NULL and 0 for none. */
VHD_MUST_CHECK int bundle_hash(const void *a, size_t a_size, const void *b, size_t b_size,
			       const void *c, size_t c_size, uint8_t ret_hash[BUNDLE_HASH_SIZE]);

#endif
