/* SPDX-License-Identifier: Apache-2.0 */
/* Thin over mbedTLS: which curve, which hash, and nothing of it decided by the input. */
#define _GNU_SOURCE

#include "signature.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/sha256.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_SIZE 32u

struct signer {
	mbedtls_pk_context key;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
};

static bool is_p256(const mbedtls_pk_context *key)
{
	return mbedtls_pk_get_type(key) == MBEDTLS_PK_ECKEY &&
	       mbedtls_pk_ec(*key)->grp.id == MBEDTLS_ECP_DP_SECP256R1;
}

void signer_destroy(struct signer *signer)
{
	if (signer) {
		mbedtls_pk_free(&signer->key);
		mbedtls_ctr_drbg_free(&signer->random);
		mbedtls_entropy_free(&signer->entropy);
		free(signer);
	}
}

/* The library wants the size of a text with its NUL. */
static int parse_private(struct signer *signer, const char *pem)
{
	if (strnlen(pem, SIGNATURE_KEY_MAX) == SIGNATURE_KEY_MAX ||
	    mbedtls_pk_parse_key(&signer->key, (const uint8_t *)pem, strlen(pem) + 1, NULL, 0) ||
	    !is_p256(&signer->key)) {
		return -EINVAL;
	}
	return 0;
}

int signer_create(const char *private_pem, struct signer **ret_signer, struct why *why)
{
	struct signer *signer = calloc(1, sizeof(*signer));

	if (!signer) {
		return -ENOMEM;
	}
	mbedtls_pk_init(&signer->key);
	mbedtls_entropy_init(&signer->entropy);
	mbedtls_ctr_drbg_init(&signer->random);
	if (mbedtls_ctr_drbg_seed(&signer->random, mbedtls_entropy_func, &signer->entropy, NULL,
				  0)) {
		signer_destroy(signer);
		return why_set(why, -EIO, "this system gives no random numbers to sign with");
	}
	if (parse_private(signer, private_pem)) {
		signer_destroy(signer);
		return why_set(why, -EINVAL,
			       "the signing key must be a private ECDSA key on P-256 as PEM text "
			       "without passphrase");
	}
	*ret_signer = signer;
	return 0;
}

int signer_sign(struct signer *signer, const void *bytes, size_t size,
		uint8_t ret_signature[SIGNATURE_MAX], size_t *ret_size)
{
	uint8_t hash[HASH_SIZE], signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	size_t length = 0;

	if (mbedtls_sha256_ret(bytes, size, hash, 0) ||
	    mbedtls_pk_sign(&signer->key, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature, &length,
			    mbedtls_ctr_drbg_random, &signer->random) ||
	    length > SIGNATURE_MAX) {
		return -EIO;
	}
	memcpy(ret_signature, signature, length);
	*ret_size = length;
	return 0;
}

int signer_derive(struct signer *signer, const char *label, uint8_t ret_secret[32])
{
	mbedtls_sha256_context sha;
	uint8_t secret[HASH_SIZE];
	int rc;

	if (mbedtls_mpi_write_binary(&mbedtls_pk_ec(signer->key)->d, secret, sizeof(secret))) {
		return -EIO;
	}
	mbedtls_sha256_init(&sha);
	rc = mbedtls_sha256_starts_ret(&sha, 0);
	rc = rc ? rc : mbedtls_sha256_update_ret(&sha, secret, sizeof(secret));
	rc = rc ? rc : mbedtls_sha256_update_ret(&sha, (const uint8_t *)label, strlen(label));
	rc = rc ? rc : mbedtls_sha256_finish_ret(&sha, ret_secret);
	mbedtls_sha256_free(&sha);
	mbedtls_platform_zeroize(secret, sizeof(secret));
	return rc ? -EIO : 0;
}

int signer_get_public(struct signer *signer, char *ret_pem, size_t size)
{
	return mbedtls_pk_write_pubkey_pem(&signer->key, (uint8_t *)ret_pem, size) ? -ENOSPC : 0;
}

int signature_check(const char *public_pem, const void *bytes, size_t size,
		    const uint8_t *signature, size_t signature_size, struct why *why)
{
	mbedtls_pk_context key;
	uint8_t hash[HASH_SIZE];
	int rc = 0;

	mbedtls_pk_init(&key);
	if (strnlen(public_pem, SIGNATURE_KEY_MAX) == SIGNATURE_KEY_MAX ||
	    mbedtls_pk_parse_public_key(&key, (const uint8_t *)public_pem,
					strlen(public_pem) + 1) ||
	    !is_p256(&key)) {
		rc = why_set(why, -EINVAL,
			     "the trusted key must be a public ECDSA key on P-256 as PEM text");
	} else if (signature_size == 0 || mbedtls_sha256_ret(bytes, size, hash, 0) ||
		   mbedtls_pk_verify(&key, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature,
				     signature_size)) {
		rc = why_set(why, -EKEYREJECTED, "it is not signed with the trusted key");
	}
	mbedtls_pk_free(&key);
	return rc;
}
