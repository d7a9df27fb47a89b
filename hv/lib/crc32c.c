/* SPDX-License-Identifier: Apache-2.0 */
/** CRC-32C by the CRC32 instruction of SSE4.2, which works on general registers, else bit by bit.
 */
#include "lib/crc32c.h"

#include <cpuid.h>

#define CRC32C_POLY_REFLECTED 0x82f63b78u

static bool has_instruction(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2);
}

/** Boot modules are tens of megabytes, so the loop is four words long. */
static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t size)
{
	uint64_t wide = crc;

	for (; size >= 32; size -= 32, at += 32) {
		__asm__("crc32q %1, %0\n\t"
			"crc32q %2, %0\n\t"
			"crc32q %3, %0\n\t"
			"crc32q %4, %0"
			: "+&r"(wide)
			: "m"(*(const uint8_t(*)[8])at), "m"(*(const uint8_t(*)[8])(at + 8)),
			  "m"(*(const uint8_t(*)[8])(at + 16)),
			  "m"(*(const uint8_t(*)[8])(at + 24)));
	}
	crc = (uint32_t)wide;
	for (; size; size--, at++) {
		__asm__("crc32b %1, %0" : "+r"(crc) : "r"(*at));
	}
	return crc;
}

static uint32_t by_bits(uint32_t crc, const uint8_t *at, size_t size)
{
	for (; size; size--, at++) {
		crc ^= *at;
		for (int i = 0; i < 8; i++) {
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLY_REFLECTED : 0);
		}
	}
	return crc;
}

uint32_t crc32c_portable(uint32_t seed, const void *data, size_t size)
{
	return ~by_bits(~seed, data, size);
}

uint32_t crc32c(uint32_t seed, const void *data, size_t size)
{
	if (!has_instruction()) {
		return crc32c_portable(seed, data, size);
	}
	return ~by_instruction(~seed, data, size);
}
