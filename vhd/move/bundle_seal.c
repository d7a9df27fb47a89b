/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and seals by OpenSSL, passphrases by libargon2. */
#include "bundle_seal.h"

#include <argon2.h>
#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#define LABEL "bulkhead bundle 1 "

int bundle_seal_stretch(const void *passphrase, size_t size, const uint8_t salt[BUNDLE_SALT_SIZE],
			const struct bundle_cost *cost, uint8_t ret_secret[32])
{
	int rc;

	if (cost->memory_kib < 8 * cost->lanes || cost->memory_kib > BUNDLE_COST_MEMORY_MAX ||
	    cost->passes < 1 || cost->passes > BUNDLE_COST_PASSES_MAX || cost->lanes < 1 ||
	    cost->lanes > BUNDLE_COST_LANES_MAX) {
		return -EINVAL;
	}
	rc = argon2id_hash_raw(cost->passes, cost->memory_kib, cost->lanes, passphrase, size, salt,
			       BUNDLE_SALT_SIZE, ret_secret, 32);
	return rc == ARGON2_OK ? 0 : rc == ARGON2_MEMORY_ALLOCATION_ERROR ? -ENOMEM : -EINVAL;
}

static int derive_one(EVP_KDF_CTX *ctx, const void *secret, size_t size, const uint8_t *salt,
		      const char *purpose, const uint8_t *front_hash, uint8_t ret_key[32])
{
	uint8_t info[sizeof(LABEL) + 16 + BUNDLE_HASH_SIZE];
	size_t length = sizeof(LABEL) - 1, word = strlen(purpose);
	OSSL_PARAM params[5];

	memcpy(info, LABEL, length);
	memcpy(info + length, purpose, word);
	length += word;
	memcpy(info + length, front_hash, BUNDLE_HASH_SIZE);
	length += BUNDLE_HASH_SIZE;
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, size);
	params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt,
						      BUNDLE_SALT_SIZE);
	params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, length);
	params[4] = OSSL_PARAM_construct_end();
	EVP_KDF_CTX_reset(ctx);
	return EVP_KDF_derive(ctx, ret_key, 32, params) == 1 ? 0 : -EIO;
}

int bundle_seal_derive(const void *secret, size_t size, const uint8_t salt[BUNDLE_SALT_SIZE],
		       const uint8_t front_hash[BUNDLE_HASH_SIZE], struct bundle_keys *ret_keys)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	struct bundle_keys keys;
	int rc = ctx ? 0 : -ENOMEM;

	rc = rc ? rc : derive_one(ctx, secret, size, salt, "frame", front_hash, keys.frame);
	rc = rc ? rc : derive_one(ctx, secret, size, salt, "nonce", front_hash, keys.nonce);
	rc = rc ? rc : derive_one(ctx, secret, size, salt, "tail", front_hash, keys.tail);
	rc = rc ? rc : derive_one(ctx, secret, size, salt, "receipt", front_hash, keys.receipt);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (!rc) {
		*ret_keys = keys;
	}
	bundle_seal_wipe(&keys, sizeof(keys));
	return rc;
}

void bundle_seal_wipe(void *bytes, size_t size)
{
	OPENSSL_cleanse(bytes, size);
}

static int mac_parts(const uint8_t key[32], const void *a, size_t a_size, const void *b,
		     size_t b_size, uint8_t ret_mac[32])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	uint8_t out[32];
	size_t length;
	int good = ctx && EVP_MAC_init(ctx, key, 32, params) && EVP_MAC_update(ctx, a, a_size) &&
		   (!b_size || EVP_MAC_update(ctx, b, b_size)) &&
		   EVP_MAC_final(ctx, out, &length, sizeof(out)) && length == sizeof(out);

	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	if (!good) {
		return -ENOMEM;
	}
	memcpy(ret_mac, out, sizeof(out));
	return 0;
}

int bundle_seal_mac(const uint8_t key[32], const void *bytes, size_t size, uint8_t ret_mac[32])
{
	return mac_parts(key, bytes, size, NULL, 0, ret_mac);
}

int bundle_seal_close(const struct bundle_keys *keys, const void *aad, size_t aad_size,
		      const void *plain, size_t size, uint8_t ret_nonce[BUNDLE_NONCE_SIZE],
		      void *ret_sealed)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t mac[32];
	uint8_t *out = ret_sealed;
	int n, good, rc;

	if (size > INT_MAX - BUNDLE_TAG_SIZE || aad_size > INT_MAX) {
		return -EINVAL;
	}
	rc = mac_parts(keys->nonce, aad, aad_size, plain, size, mac);
	ctx = rc ? NULL : EVP_CIPHER_CTX_new();
	if (!ctx) {
		return rc ? rc : -ENOMEM;
	}
	good = EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, keys->frame, mac) &&
	       EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_size) &&
	       EVP_EncryptUpdate(ctx, out, &n, plain, (int)size) &&
	       EVP_EncryptFinal_ex(ctx, out + size, &n) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, BUNDLE_TAG_SIZE, out + size);
	EVP_CIPHER_CTX_free(ctx);
	if (!good) {
		return -EIO;
	}
	memcpy(ret_nonce, mac, BUNDLE_NONCE_SIZE);
	return 0;
}

int bundle_seal_open(const struct bundle_keys *keys, const void *aad, size_t aad_size,
		     const uint8_t nonce[BUNDLE_NONCE_SIZE], const void *sealed, size_t sealed_size,
		     void *ret_plain)
{
	const uint8_t *in = sealed;
	size_t size = sealed_size - BUNDLE_TAG_SIZE;
	EVP_CIPHER_CTX *ctx;
	int n, good, right = 0;

	if (sealed_size < BUNDLE_TAG_SIZE || sealed_size > INT_MAX || aad_size > INT_MAX) {
		return -EBADMSG;
	}
	ctx = EVP_CIPHER_CTX_new();
	if (!ctx) {
		return -ENOMEM;
	}
	good = EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, keys->frame, nonce) &&
	       EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_size) &&
	       EVP_DecryptUpdate(ctx, ret_plain, &n, in, (int)size) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, BUNDLE_TAG_SIZE,
				   (void *)(uintptr_t)(in + size));
	if (good) {
		right = EVP_DecryptFinal_ex(ctx, (uint8_t *)ret_plain + size, &n) > 0;
	}
	EVP_CIPHER_CTX_free(ctx);
	if (!right) {
		bundle_seal_wipe(ret_plain, size);
	}
	return !good ? -EIO : right ? 0 : -EBADMSG;
}

int bundle_seal_random(void *ret_bytes, size_t size)
{
	return size <= INT_MAX && RAND_bytes(ret_bytes, (int)size) == 1 ? 0 : -EIO;
}

int bundle_hash(const void *a, size_t a_size, const void *b, size_t b_size, const void *c,
		size_t c_size, uint8_t ret_hash[BUNDLE_HASH_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
		   EVP_DigestUpdate(ctx, a, a_size) &&
		   (!b_size || EVP_DigestUpdate(ctx, b, b_size)) &&
		   (!c_size || EVP_DigestUpdate(ctx, c, c_size)) &&
		   EVP_DigestFinal_ex(ctx, ret_hash, NULL);

	EVP_MD_CTX_free(ctx);
	return good ? 0 : -ENOMEM;
}
