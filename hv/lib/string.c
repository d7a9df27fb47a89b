/* SPDX-License-Identifier: Apache-2.0 */
/** String functions for root mode. Built for the target alone: host tests use the C library's. */
#include "lib/string.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t size)
{
	void *to = dst;
	size_t words = size / 8;
	size_t rest = size % 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(src), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(rest) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t size)
{
	const char *from = (const char *)src + size - 1;
	char *to = (char *)dst + size - 1;

	if ((size_t)((char *)dst - (const char *)src) >= size) {
		return memcpy(dst, src, size);
	}
	__asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return dst;
}

void *memset(void *dst, int byte, size_t size)
{
	void *to = dst;
	uint64_t pattern = 0x0101010101010101ull * (uint8_t)byte;
	size_t words = size / 8;
	size_t rest = size % 8;

	__asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < size; i++) {
		if (x[i] != y[i]) {
			return x[i] < y[i] ? -1 : 1;
		}
	}
	return 0;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len]) {
		len++;
	}
	return len;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, (size_t)-1);
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i] || !a[i]) {
			return (unsigned char)a[i] - (unsigned char)b[i];
		}
	}
	return 0;
}
