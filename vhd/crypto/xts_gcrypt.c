/* SPDX-License-Identifier: Apache-2.0 */
/* AES-XTS by libgcrypt. Its contexts, and the round keys in them, lie in its own locked memory as
 * long as that lasts. */
#include "locked.h"
#include "xts_backend.h"

#include <errno.h>
#include <gcrypt.h>
#include <stdbool.h>

#define LOCKED_POOL (64 << 10)

struct gcrypt_xts {
	struct xts xts;
	gcry_cipher_hd_t cipher;
};

static bool start_library(void)
{
	if (!gcry_check_version("1.9.0")) {
		return false;
	}
	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		gcry_control(GCRYCTL_DISABLE_SECMEM_WARN);
		gcry_control(GCRYCTL_INIT_SECMEM, LOCKED_POOL, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	return true;
}

static void gcrypt_close(struct xts *xts)
{
	struct gcrypt_xts *self = (struct gcrypt_xts *)xts;

	gcry_cipher_close(self->cipher);
	locked_free(self, sizeof(*self));
}

static int gcrypt_open(const uint8_t key[XTS_KEY_SIZE], struct xts **ret_xts)
{
	struct gcrypt_xts *self;

	if (!start_library()) {
		return -ENOSYS;
	}
	self = locked_alloc(sizeof(*self));
	if (!self) {
		return -ENOMEM;
	}
	self->xts.ops = &xts_gcrypt_ops;
	if (gcry_cipher_open(&self->cipher, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_XTS,
			     GCRY_CIPHER_SECURE) &&
	    gcry_cipher_open(&self->cipher, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_XTS, 0)) {
		locked_free(self, sizeof(*self));
		return -ENOMEM;
	}
	if (gcry_cipher_setkey(self->cipher, key, XTS_KEY_SIZE)) {
		gcrypt_close(&self->xts);
		return -EINVAL;
	}
	*ret_xts = &self->xts;
	return 0;
}

typedef gcry_error_t (*crypt_fn)(gcry_cipher_hd_t, void *, size_t, const void *, size_t);

static int run(struct xts *xts, crypt_fn crypt, uint8_t *out, const uint8_t *in, size_t size,
	       uint32_t sector_size, uint64_t unit)
{
	gcry_cipher_hd_t cipher = ((struct gcrypt_xts *)xts)->cipher;
	uint8_t tweak[16];

	for (size_t at = 0; at < size; at += sector_size, unit += sector_size / 512) {
		xts_put_tweak(tweak, unit);
		if (gcry_cipher_setiv(cipher, tweak, sizeof(tweak)) ||
		    crypt(cipher, out + at, sector_size, out == in ? NULL : in + at,
			  out == in ? 0 : sector_size)) {
			return -EIO;
		}
	}
	return 0;
}

static int gcrypt_encrypt(struct xts *xts, void *out, const void *in, size_t size,
			  uint32_t sector_size, uint64_t unit)
{
	return run(xts, gcry_cipher_encrypt, out, in, size, sector_size, unit);
}

static int gcrypt_decrypt(struct xts *xts, void *out, const void *in, size_t size,
			  uint32_t sector_size, uint64_t unit)
{
	return run(xts, gcry_cipher_decrypt, out, in, size, sector_size, unit);
}

const struct xts_ops xts_gcrypt_ops = {
	.name = "gcrypt",
	.open = gcrypt_open,
	.encrypt = gcrypt_encrypt,
	.decrypt = gcrypt_decrypt,
	.close = gcrypt_close,
};
