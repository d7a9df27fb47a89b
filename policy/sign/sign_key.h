/* SPDX-License-Identifier: Apache-2.0 */
/** Keys for signatures: ECDSA on P-256, or RSA of 2048 to 4096 bits with PSS, SHA-256 and a salt of
 * 32 bytes. PEM files as openssl writes them, without passphrase.
 *
 *  Functions return 0, or -errno and a sentence in `why`.
 *  Source: FIPS 186-4, "The Elliptic Curve Digital Signature Algorithm"; RFC 8017, "RSASSA-PSS".
 */
#ifndef POLICY_SIGN_KEY_H
#define POLICY_SIGN_KEY_H

#include "sign_text.h"

#include <mbedtls/pk.h>

struct sign_key {
	mbedtls_pk_context pk;
	enum sign_algorithm algorithm;
	uint8_t id[SIGN_HASH_SIZE];
};

int sign_key_read_private(const char *path, struct sign_key *ret_key, char why[SIGN_WHY_SIZE]);
/** The public key with this id among those that are trusted for the layer: keys_path as in sign.h.
 * -EKEYREJECTED: it is not there. */
int sign_key_find(const char *keys_path, enum text_layer layer, const uint8_t id[SIGN_HASH_SIZE],
		  struct sign_key *ret_key, char why[SIGN_WHY_SIZE]);
/** Wipes it. */
void sign_key_free(struct sign_key *key);

/** Fills the signature of a text, over `hash`. */
int sign_key_sign(struct sign_key *key, const uint8_t hash[SIGN_HASH_SIZE], struct sign_text *text,
		  char why[SIGN_WHY_SIZE]);
int sign_key_verify(struct sign_key *key, const uint8_t hash[SIGN_HASH_SIZE],
		    const struct sign_text *text, char why[SIGN_WHY_SIZE]);

#endif
