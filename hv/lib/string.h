/* SPDX-License-Identifier: Apache-2.0 */
/** The few string functions root mode uses; same contracts as in the C library.
 *  memcpy, memset and memmove are string instructions: one instruction per unit, no unrolling. */
#ifndef BH_LIB_STRING_H
#define BH_LIB_STRING_H

#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

/** A little-endian number of `size` bytes, at most 8, at any address. */
static inline uint64_t load_le(const void *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

/** Copies at most size - 1 bytes and always terminates (size > 0). Returns strlen(src). */
static inline size_t string_copy(char *dst, const char *src, size_t size)
{
	size_t len = strlen(src);
	size_t take = len < size ? len : size - 1;

	memcpy(dst, src, take);
	dst[take] = 0;
	return len;
}
#define strlcpy string_copy /* the C library of the host tests may or may not have the name */

#endif
