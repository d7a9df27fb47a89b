/* SPDX-License-Identifier: Apache-2.0 */
/** Rows of pixels to the screen's memory by 16-byte stores, 64 bytes a turn.
 *
 *  Not memcpy(): for rows of 4 KiB glibc uses `rep movsb`, which costs an emulated CPU an
 * instruction for each byte; this loop costs one for six, and fills a write-combining buffer at
 * each turn on a real one.
 */
#ifndef BH_COPY_H
#define BH_COPY_H

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

/** size: bytes, a multiple of 4. Areas do not overlap; any alignment. */
static inline void copy_pixels(uint8_t *to, const uint8_t *from, size_t size)
{
	size_t at = 0;

	for (; at + 64 <= size; at += 64) {
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(from + at + 16));
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(from + at + 32));
		__m128i d = _mm_loadu_si128((const __m128i *)(const void *)(from + at + 48));

		_mm_storeu_si128((__m128i *)(void *)(to + at), a);
		_mm_storeu_si128((__m128i *)(void *)(to + at + 16), b);
		_mm_storeu_si128((__m128i *)(void *)(to + at + 32), c);
		_mm_storeu_si128((__m128i *)(void *)(to + at + 48), d);
	}
	for (; at + 4 <= size; at += 4) {
		__builtin_memcpy(to + at, from + at, 4);
	}
}

/** count: pixels. */
static inline void copy_colour(uint32_t *to, uint32_t colour, size_t count)
{
	const __m128i four = _mm_set1_epi32((int)colour);
	size_t at = 0;

	for (; at + 16 <= count; at += 16) {
		_mm_storeu_si128((__m128i *)(void *)(to + at), four);
		_mm_storeu_si128((__m128i *)(void *)(to + at + 4), four);
		_mm_storeu_si128((__m128i *)(void *)(to + at + 8), four);
		_mm_storeu_si128((__m128i *)(void *)(to + at + 12), four);
	}
	for (; at < count; at++) {
		to[at] = colour;
	}
}

#endif
