/* SPDX-License-Identifier: Apache-2.0 */
/** CRC-32C by the vectors of RFC 3720, appendix B.4, in both implementations. */
#include "lib/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(const uint8_t *data, size_t size, uint32_t expected)
{
	assert_int_equal(crc32c(0, data, size), expected);
	assert_int_equal(crc32c_portable(0, data, size), expected);
}

/* The four vectors of 32 bytes, and a read command PDU. */
static void crc32c_matches_rfc3720(void **state)
{
	static const uint8_t pdu[48] = {0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18,
					[32] = 0x28, [40] = 0x02};
	uint8_t data[32];

	(void)state;
	memset(data, 0, sizeof(data));
	check(data, sizeof(data), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	check(data, sizeof(data), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++) {
		data[i] = (uint8_t)i;
	}
	check(data, sizeof(data), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++) {
		data[i] = (uint8_t)(31 - i);
	}
	check(data, sizeof(data), 0x113fdb5c);
	check(pdu, sizeof(pdu), 0xd9963a56);
}

/* A checksum taken in pieces of any size is the checksum of the whole. */
static void crc32c_continues(void **state)
{
	uint8_t data[100];
	uint32_t whole;

	(void)state;
	for (unsigned i = 0; i < sizeof(data); i++) {
		data[i] = (uint8_t)(i * 7);
	}
	whole = crc32c(0, data, sizeof(data));
	for (unsigned cut = 0; cut <= sizeof(data); cut++) {
		uint32_t first = crc32c(0, data, cut);

		assert_int_equal(crc32c(first, data + cut, sizeof(data) - cut), whole);
		assert_int_equal(crc32c_portable(first, data + cut, sizeof(data) - cut), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_matches_rfc3720),
		cmocka_unit_test(crc32c_continues),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
