/* SPDX-License-Identifier: Apache-2.0 */
/** Signatures on manifests, bundles and receipts: ECDSA on P-256 over the SHA-256 of the bytes,
 * DER, by mbedTLS. Keys are PEM texts as `openssl ecparam -name prime256v1 -genkey` writes them.
 *
 *  Source: FIPS 186-4, "The Elliptic Curve Digital Signature Algorithm"; RFC 5480, "Subject Public
 * Key".
 */
#ifndef VHD_SIGNATURE_H
#define VHD_SIGNATURE_H

#include "why.h"

#include <stddef.h>
#include <stdint.h>

/** Bytes of the longest signature. */
#define SIGNATURE_MAX 72u
/** Bytes of the longest PEM text that is taken. */
#define SIGNATURE_KEY_MAX 4096u

/** A private key that is ready to sign: it needs no system calls afterwards. */
struct signer;

/** -EINVAL: no private key of P-256; -ENOMEM; -EIO: no random numbers. */
VHD_MUST_CHECK int signer_create(const char *private_pem, struct signer **ret_signer,
				 struct why *why);
/** Wipes the key. NULL is fine. */
void signer_destroy(struct signer *signer);

VHD_MUST_CHECK int signer_sign(struct signer *signer, const void *bytes, size_t size,
			       uint8_t ret_signature[SIGNATURE_MAX], size_t *ret_size);

/** A secret that only who has the private key knows, for MACs: a hash of the key and `label`. */
VHD_MUST_CHECK int signer_derive(struct signer *signer, const char *label, uint8_t ret_secret[32]);

/** The public half as PEM text. */
VHD_MUST_CHECK int signer_get_public(struct signer *signer, char *ret_pem, size_t size);

/** 0: the signature is right; -EKEYREJECTED: it is not; -EINVAL: no public key of P-256. */
VHD_MUST_CHECK int signature_check(const char *public_pem, const void *bytes, size_t size,
				   const uint8_t *signature, size_t signature_size,
				   struct why *why);

#endif
