/* SPDX-License-Identifier: Apache-2.0 */
/** Big-endian fields, checksums and alignment of the structures in a VHD. */
#ifndef VHD_BYTES_H
#define VHD_BYTES_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t vhd_load32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return be32toh(value);
}

static inline uint64_t vhd_load64(const uint8_t *from)
{
	return (uint64_t)vhd_load32(from) << 32 | vhd_load32(from + 4);
}

static inline void vhd_store16(uint8_t *to, uint16_t value)
{
	value = htobe16(value);
	memcpy(to, &value, sizeof(value));
}

static inline void vhd_store32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static inline void vhd_store64(uint8_t *to, uint64_t value)
{
	vhd_store32(to, (uint32_t)(value >> 32));
	vhd_store32(to + 4, (uint32_t)value);
}

/** One's complement of the sum of all bytes but those of the checksum itself, which lies at
 * `field`. */
static inline uint32_t vhd_checksum(const uint8_t *bytes, size_t size, size_t field)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++) {
		sum += i < field || i >= field + 4 ? bytes[i] : 0;
	}
	return ~sum;
}

/** to: a power of two. */
static inline uint64_t vhd_align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

#endif
