/* SPDX-License-Identifier: Apache-2.0 */
/** The few string functions root mode uses; same contracts as in the C library.
 *  memcpy, memset and memmove are string instructions: one instruction per unit, no unrolling. */
#ifndef BH_LIB_STRING_H
#define BH_LIB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t size);
void *memmove(void *dst, const void *src, size_t size);
void *memset(void *dst, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

#if __STDC_HOSTED__ /* host tests link the C library, which has none of this name everywhere */
#define strlcpy bh_strlcpy
#endif
/** Copies at most size - 1 bytes and always terminates (size > 0). Returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);

#endif
