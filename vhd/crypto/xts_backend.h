/* SPDX-License-Identifier: Apache-2.0 */
/** The libraries that xts.c chooses from. */
#ifndef VHD_XTS_BACKEND_H
#define VHD_XTS_BACKEND_H

#include "xts.h"

extern const struct xts_ops xts_gcrypt_ops;
extern const struct xts_ops xts_openssl_ops;

/** The 16 bytes of a tweak: the unit number, little endian. */
static inline void xts_put_tweak(uint8_t tweak[16], uint64_t unit)
{
	for (unsigned i = 0; i < 16; i++) {
		tweak[i] = i < 8 ? (uint8_t)(unit >> 8 * i) : 0;
	}
}

#endif
