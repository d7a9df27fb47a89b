/* SPDX-License-Identifier: Apache-2.0 */
/** Small things that all parts of a bundle are read and written with. */
#ifndef VHD_BUNDLE_IO_H
#define VHD_BUNDLE_IO_H

#include "bundle.h"

#include <string.h>

/** Exactly `size` bytes. -ENODATA: the stream ends before. */
VHD_MUST_CHECK int bundle_read(struct bundle_in *in, void *ret_bytes, size_t size);

static inline void bundle_put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

static inline void bundle_put64(uint8_t *at, uint64_t value)
{
	bundle_put32(at, (uint32_t)value);
	bundle_put32(at + 4, (uint32_t)(value >> 32));
}

static inline uint32_t bundle_get32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static inline uint64_t bundle_get64(const uint8_t *at)
{
	return bundle_get32(at) | (uint64_t)bundle_get32(at + 4) << 32;
}

static inline bool bundle_is_zero(const void *bytes, size_t size)
{
	const char *at = bytes;

	return size == 0 || (at[0] == 0 && memcmp(at, at + 1, size - 1) == 0);
}

#endif
