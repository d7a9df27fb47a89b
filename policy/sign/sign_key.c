/* SPDX-License-Identifier: Apache-2.0 */
/* Keys over mbedTLS; see sign_key.h. The kind of the key decides the algorithm, never the input. */
#define _GNU_SOURCE
#include "sign_key.h"

#include "whole_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEM_MAX	     16384u
#define KEYS_MAX     64u /* of one layer */
#define RSA_BITS_MIN 2048u
#define RSA_BITS_MAX 4096u
#define DER_MAX	     1024u

static bool kind_of(const mbedtls_pk_context *pk, enum sign_algorithm *ret_algorithm)
{
	size_t bits = mbedtls_pk_get_bitlen(pk);

	switch (mbedtls_pk_get_type(pk)) {
	case MBEDTLS_PK_ECKEY:
		*ret_algorithm = SIGN_ECDSA_P256;
		return mbedtls_pk_ec(*pk)->grp.id == MBEDTLS_ECP_DP_SECP256R1;
	case MBEDTLS_PK_RSA:
		*ret_algorithm = SIGN_RSA_PSS;
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && bits % 8 == 0;
	default:
		return false;
	}
}

/* The library writes DER to the end of the buffer. */
static int set_id(struct sign_key *key)
{
	uint8_t der[DER_MAX];
	int size = mbedtls_pk_write_pubkey_der(&key->pk, der, sizeof(der));

	if (size <= 0 ||
	    mbedtls_sha256_ret(der + sizeof(der) - size, (size_t)size, key->id, 0) != 0) {
		return -EINVAL;
	}
	return 0;
}

void sign_key_free(struct sign_key *key)
{
	mbedtls_pk_free(&key->pk);
}

/* The library wants the size of a PEM text with its 0. */
static int parse(const char *pem, size_t size, bool is_private, struct sign_key *ret_key)
{
	struct sign_key key = {.algorithm = SIGN_ECDSA_P256};
	int rc;

	mbedtls_pk_init(&key.pk);
	if (is_private) {
		rc = mbedtls_pk_parse_key(&key.pk, (const uint8_t *)pem, size + 1, NULL, 0);
	} else {
		rc = mbedtls_pk_parse_public_key(&key.pk, (const uint8_t *)pem, size + 1);
	}
	if (rc || !kind_of(&key.pk, &key.algorithm) || set_id(&key) < 0) {
		sign_key_free(&key);
		return -EINVAL;
	}
	*ret_key = key;
	return 0;
}

static int read_key(int dir_fd, const char *path, bool is_private, struct sign_key *ret_key)
{
	char *pem;
	size_t size;
	int rc = whole_file_read(dir_fd, path, 0, PEM_MAX, &pem, &size);

	if (rc < 0) {
		return rc;
	}
	rc = parse(pem, size, is_private, ret_key);
	mbedtls_platform_zeroize(pem, size);
	free(pem);
	return rc;
}

int sign_key_read_private(const char *path, struct sign_key *ret_key, char why[SIGN_WHY_SIZE])
{
	int rc = read_key(AT_FDCWD, path, true, ret_key);

	if (rc == -EINVAL) {
		snprintf(why, SIGN_WHY_SIZE,
			 "the signing key must be a private PEM key without passphrase, EC P-256 "
			 "or RSA of 2048 to 4096 bits: %.48s",
			 path);
	} else if (rc < 0) {
		snprintf(why, SIGN_WHY_SIZE, "the signing key %.80s cannot be read: %s", path,
			 strerror(-rc));
	}
	return rc;
}

static int find_in_folder(int dir_fd, const uint8_t id[SIGN_HASH_SIZE], struct sign_key *ret_key)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;
	unsigned count = 0;
	int rc = -EKEYREJECTED;

	if (!dir) {
		rc = -errno;
		close(dir_fd);
		return rc;
	}
	while (rc && count < KEYS_MAX && (entry = readdir(dir))) {
		size_t size = strlen(entry->d_name);
		struct sign_key key;

		/* A file that holds no key trusts nobody; it takes no trust from the others. */
		if (size < 5 || strcmp(entry->d_name + size - 4, ".pem") != 0 ||
		    entry->d_name[0] == '.' || ++count > KEYS_MAX ||
		    read_key(dirfd(dir), entry->d_name, false, &key) < 0) {
			continue;
		}
		if (memcmp(key.id, id, SIGN_HASH_SIZE) == 0) {
			*ret_key = key;
			rc = 0;
		} else {
			sign_key_free(&key);
		}
	}
	closedir(dir);
	return rc;
}

static int find_in_file(const char *path, const uint8_t id[SIGN_HASH_SIZE],
			struct sign_key *ret_key)
{
	struct sign_key key;
	int rc = read_key(AT_FDCWD, path, false, &key);

	if (rc < 0) {
		return rc;
	}
	if (memcmp(key.id, id, SIGN_HASH_SIZE) != 0) {
		sign_key_free(&key);
		return -EKEYREJECTED;
	}
	*ret_key = key;
	return 0;
}

int sign_key_find(const char *keys_path, enum text_layer layer, const uint8_t id[SIGN_HASH_SIZE],
		  struct sign_key *ret_key, char why[SIGN_WHY_SIZE])
{
	const char *word = sign_text_layer(layer);
	char path[PATH_MAX], hex[17];
	int dir_fd = open(keys_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool folder = dir_fd >= 0;
	int rc = -EINVAL;

	if (folder) {
		close(dir_fd);
		snprintf(path, sizeof(path), "%s/%s", keys_path, word);
		dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = dir_fd < 0 ? -errno : find_in_folder(dir_fd, id, ret_key);
	} else {
		snprintf(path, sizeof(path), "%s", keys_path);
		rc = find_in_file(path, id, ret_key);
	}
	sign_text_hex(id, 8, hex);
	if (rc == -EKEYREJECTED) {
		snprintf(why, SIGN_WHY_SIZE,
			 "it is signed with key %s, which is not trusted for layer %s; trusted "
			 "keys are in %.60s",
			 hex, word, path);
	} else if (rc == -EINVAL) {
		snprintf(
			why, SIGN_WHY_SIZE,
			"the trusted key must be a public PEM key, EC P-256 or RSA of 2048 to 4096 "
			"bits: %.64s",
			path);
	} else if (rc < 0) {
		snprintf(why, SIGN_WHY_SIZE,
			 "the trusted keys of layer %s cannot be read from "
			 "%.64s: %s",
			 word, path, strerror(-rc));
	}
	return rc;
}

struct random {
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
};

static int sign_hash(struct sign_key *key, struct random *random, const uint8_t *hash,
		     uint8_t *ret_signature, size_t *ret_size)
{
	mbedtls_rsa_context *rsa;

	if (key->algorithm == SIGN_ECDSA_P256) {
		return mbedtls_pk_sign(&key->pk, MBEDTLS_MD_SHA256, hash, SIGN_HASH_SIZE,
				       ret_signature, ret_size, mbedtls_ctr_drbg_random,
				       &random->drbg);
	}
	rsa = mbedtls_pk_rsa(key->pk);
	mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
	*ret_size = mbedtls_rsa_get_len(rsa);
	return mbedtls_rsa_rsassa_pss_sign(rsa, mbedtls_ctr_drbg_random, &random->drbg,
					   MBEDTLS_RSA_PRIVATE, MBEDTLS_MD_SHA256, SIGN_HASH_SIZE,
					   hash, ret_signature);
}

int sign_key_sign(struct sign_key *key, const uint8_t hash[SIGN_HASH_SIZE], struct sign_text *text,
		  char why[SIGN_WHY_SIZE])
{
	uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	struct random random;
	size_t size = 0;
	int rc;

	mbedtls_entropy_init(&random.entropy);
	mbedtls_ctr_drbg_init(&random.drbg);
	rc = mbedtls_ctr_drbg_seed(&random.drbg, mbedtls_entropy_func, &random.entropy, NULL, 0);
	rc = rc ? rc : sign_hash(key, &random, hash, signature, &size);
	if (rc || size == 0 || size > SIGN_TEXT_BYTES_MAX) {
		snprintf(why, SIGN_WHY_SIZE, "signing failed: error -0x%x of mbedTLS",
			 (unsigned)-rc);
		rc = -EIO;
	} else {
		memcpy(text->signature, signature, size);
		text->signature_size = size;
	}
	mbedtls_ctr_drbg_free(&random.drbg);
	mbedtls_entropy_free(&random.entropy);
	return rc;
}

int sign_key_verify(struct sign_key *key, const uint8_t hash[SIGN_HASH_SIZE],
		    const struct sign_text *text, char why[SIGN_WHY_SIZE])
{
	mbedtls_rsa_context *rsa;
	int rc = -1;

	if (text->algorithm != key->algorithm) {
		snprintf(why, SIGN_WHY_SIZE, "it names another algorithm than that of its key");
		return -EKEYREJECTED;
	}
	if (key->algorithm == SIGN_ECDSA_P256) {
		rc = mbedtls_pk_verify(&key->pk, MBEDTLS_MD_SHA256, hash, SIGN_HASH_SIZE,
				       text->signature, text->signature_size);
	} else {
		rsa = mbedtls_pk_rsa(key->pk);
		mbedtls_rsa_set_padding(rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
		if (text->signature_size == mbedtls_rsa_get_len(rsa)) {
			rc = mbedtls_rsa_rsassa_pss_verify_ext(rsa, NULL, NULL, MBEDTLS_RSA_PUBLIC,
							       MBEDTLS_MD_SHA256, SIGN_HASH_SIZE,
							       hash, MBEDTLS_MD_SHA256,
							       SIGN_HASH_SIZE, text->signature);
		}
	}
	if (rc) {
		snprintf(why, SIGN_WHY_SIZE,
			 "it was changed after it was signed; get it anew or sign it again");
		return -EKEYREJECTED;
	}
	return 0;
}
