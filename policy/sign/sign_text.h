/* SPDX-License-Identifier: Apache-2.0 */
/** The text of a signature file. There is one form for one content: what sign_text_encode() writes,
 * so what was signed is what was understood, and nothing else can be in it. Format in
 * docs/SPEC-policy.md.
 */
#ifndef POLICY_SIGN_TEXT_H
#define POLICY_SIGN_TEXT_H

#include "sign.h"

#include <stdbool.h>

#define SIGN_TEXT_BYTES_MAX 512u /* of the longest signature: RSA of 4096 bits */

enum sign_algorithm { SIGN_ECDSA_P256, SIGN_RSA_PSS };

struct sign_text {
	struct sign_head head; /* its digest is not read by encode */
	enum sign_algorithm algorithm;
	uint8_t key_id[SIGN_HASH_SIZE]; /* SHA-256 of the SubjectPublicKeyInfo in DER */
	uint8_t signature[SIGN_TEXT_BYTES_MAX];
	size_t signature_size; /* 0: encode leaves the last line out */
};

/** The word of a layer in signatures and on disk; NULL when out of range. */
const char *sign_text_layer(enum text_layer layer);
void sign_text_hex(const uint8_t *bytes, size_t size, char *ret_hex);
/** 2 * size lower-case digits. Returns false when they are not. */
bool sign_text_unhex(const char *hex, uint8_t *ret_bytes, size_t size);

/** Bytes of the text; *ret_head of them are the head (what the digest is of), *ret_signed are
 * covered by the signature. */
size_t sign_text_encode(const struct sign_text *text, char ret_bytes[SIGN_SIZE_MAX],
			size_t *ret_head, size_t *ret_signed);
/** Hostile bytes. Returns 0 or -EBADMSG; works out the digest. *ret_signed as above. */
int sign_text_decode(const uint8_t *bytes, size_t size, struct sign_text *ret_text,
		     size_t *ret_signed);

#endif
