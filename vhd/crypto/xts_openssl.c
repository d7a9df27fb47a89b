/* SPDX-License-Identifier: Apache-2.0 */
/* AES-XTS by OpenSSL's libcrypto. It keeps the round keys on its own heap, which it wipes and does
 * not lock: where libgcrypt is as fast it is the better choice. */
#include "locked.h"
#include "xts_backend.h"

#include <errno.h>
#include <openssl/evp.h>

struct openssl_xts {
	struct xts xts;
	EVP_CIPHER_CTX *encrypt, *decrypt;
};

static void openssl_close(struct xts *xts)
{
	struct openssl_xts *self = (struct openssl_xts *)xts;

	EVP_CIPHER_CTX_free(self->encrypt);
	EVP_CIPHER_CTX_free(self->decrypt);
	locked_free(self, sizeof(*self));
}

static int openssl_open(const uint8_t key[XTS_KEY_SIZE], struct xts **ret_xts)
{
	struct openssl_xts *self = locked_alloc(sizeof(*self));

	if (!self) {
		return -ENOMEM;
	}
	self->xts.ops = &xts_openssl_ops;
	self->encrypt = EVP_CIPHER_CTX_new();
	self->decrypt = EVP_CIPHER_CTX_new();
	if (!self->encrypt || !self->decrypt ||
	    EVP_EncryptInit_ex(self->encrypt, EVP_aes_256_xts(), NULL, key, NULL) != 1 ||
	    EVP_DecryptInit_ex(self->decrypt, EVP_aes_256_xts(), NULL, key, NULL) != 1) {
		openssl_close(&self->xts);
		return -EINVAL;
	}
	*ret_xts = &self->xts;
	return 0;
}

static int openssl_encrypt(struct xts *xts, void *out, const void *in, size_t size,
			   uint32_t sector_size, uint64_t unit)
{
	EVP_CIPHER_CTX *cipher = ((struct openssl_xts *)xts)->encrypt;
	uint8_t tweak[16];
	int n;

	for (size_t at = 0; at < size; at += sector_size, unit += sector_size / 512) {
		xts_put_tweak(tweak, unit);
		if (EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, tweak) != 1 ||
		    EVP_EncryptUpdate(cipher, (uint8_t *)out + at, &n, (const uint8_t *)in + at,
				      (int)sector_size) != 1) {
			return -EIO;
		}
	}
	return 0;
}

static int openssl_decrypt(struct xts *xts, void *out, const void *in, size_t size,
			   uint32_t sector_size, uint64_t unit)
{
	EVP_CIPHER_CTX *cipher = ((struct openssl_xts *)xts)->decrypt;
	uint8_t tweak[16];
	int n;

	for (size_t at = 0; at < size; at += sector_size, unit += sector_size / 512) {
		xts_put_tweak(tweak, unit);
		if (EVP_DecryptInit_ex(cipher, NULL, NULL, NULL, tweak) != 1 ||
		    EVP_DecryptUpdate(cipher, (uint8_t *)out + at, &n, (const uint8_t *)in + at,
				      (int)sector_size) != 1) {
			return -EIO;
		}
	}
	return 0;
}

const struct xts_ops xts_openssl_ops = {
	.name = "openssl",
	.open = openssl_open,
	.encrypt = openssl_encrypt,
	.decrypt = openssl_decrypt,
	.close = openssl_close,
};
