/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the steps of the polynomial 0x1edc6f41, reflected. The step of a byte is the sum of those of
 * its bits, so that eight constants make the whole table. */
#include "checksum.h"

#define BIT(i, bit, value) (((i) >> (bit)&1u) * (value))
#define STEP(i)                                                                                    \
	(BIT(i, 0, 0xf26b8303u) ^ BIT(i, 1, 0xe13b70f7u) ^ BIT(i, 2, 0xc79a971fu) ^                \
	 BIT(i, 3, 0x8ad958cfu) ^ BIT(i, 4, 0x105ec76fu) ^ BIT(i, 5, 0x20bd8edeu) ^                \
	 BIT(i, 6, 0x417b1dbcu) ^ BIT(i, 7, 0x82f63b78u))
#define STEPS_4(i)  STEP(i), STEP((i) + 1u), STEP((i) + 2u), STEP((i) + 3u)
#define STEPS_16(i) STEPS_4(i), STEPS_4((i) + 4u), STEPS_4((i) + 8u), STEPS_4((i) + 12u)
#define STEPS_64(i) STEPS_16(i), STEPS_16((i) + 16u), STEPS_16((i) + 32u), STEPS_16((i) + 48u)

static const uint32_t step[256] = {STEPS_64(0u), STEPS_64(64u), STEPS_64(128u), STEPS_64(192u)};

uint32_t checksum_crc32c(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *byte = data;

	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc = (crc >> 8) ^ step[(crc ^ byte[i]) & 0xff];
	}
	return ~crc;
}
