/* SPDX-License-Identifier: Apache-2.0 */
/* The footer's bytes: fields, checksum, geometry. */
#define _GNU_SOURCE

#include "vhd_footer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define MIB (1ull << 20)
#define GIB (1ull << 30)

static void make(uint64_t size, uint8_t *bytes)
{
	const struct vhd_footer footer = {.type = VHD_FIXED, .size = size, .timestamp = 7};

	vhd_footer_encode(&footer, bytes);
}

/* Makes the checksum right again after a field was changed. */
static void fix_checksum(uint8_t *bytes)
{
	uint32_t sum = 0;

	memset(bytes + 64, 0, 4);
	for (unsigned i = 0; i < VHD_FOOTER_SIZE; i++) {
		sum += bytes[i];
	}
	sum = ~sum;
	for (unsigned i = 0; i < 4; i++) {
		bytes[64 + i] = (uint8_t)(sum >> (24 - 8 * i));
	}
}

/* An encoded footer decodes to the same values. */
static void vhd_footer_decode_reads_encoded(void **state)
{
	struct vhd_footer footer;
	uint8_t bytes[VHD_FOOTER_SIZE];

	make(100 * MIB, bytes);
	assert_int_equal(vhd_footer_decode(bytes, &footer), 0);
	assert_int_equal(footer.type, VHD_FIXED);
	assert_int_equal(footer.size, 100 * MIB);
	assert_int_equal(footer.timestamp, 7);
	assert_string_equal(footer.creator, "win ");
}

/* Without the cookie it is no footer. */
static void vhd_footer_decode_wants_cookie(void **state)
{
	struct vhd_footer footer;
	uint8_t bytes[VHD_FOOTER_SIZE];

	make(100 * MIB, bytes);
	bytes[0] ^= 1;
	assert_int_equal(vhd_footer_decode(bytes, &footer), -EINVAL);
}

/* Any byte that changed is noticed. */
static void vhd_footer_decode_checks_sum(void **state)
{
	struct vhd_footer footer;
	uint8_t bytes[VHD_FOOTER_SIZE];

	for (unsigned i = 8; i < VHD_FOOTER_SIZE; i++) {
		make(100 * MIB, bytes);
		bytes[i] ^= 0x10;
		assert_int_equal(vhd_footer_decode(bytes, &footer), -EBADMSG);
	}
}

/* Types that do not exist, and sizes that are none, are refused even with a right checksum. */
static void vhd_footer_decode_checks_type_and_size(void **state)
{
	struct vhd_footer footer;
	uint8_t bytes[VHD_FOOTER_SIZE];

	make(100 * MIB, bytes);
	bytes[63] = 5;
	fix_checksum(bytes);
	assert_int_equal(vhd_footer_decode(bytes, &footer), -EBADMSG);
	make(100 * MIB, bytes);
	bytes[55] = 1; /* size not a multiple of a sector */
	fix_checksum(bytes);
	assert_int_equal(vhd_footer_decode(bytes, &footer), -EBADMSG);
	make(100 * MIB, bytes);
	bytes[48] = 0x80; /* size beyond the format */
	fix_checksum(bytes);
	assert_int_equal(vhd_footer_decode(bytes, &footer), -EBADMSG);
	make(100 * MIB, bytes);
	memset(bytes + 48, 0, 8);
	fix_checksum(bytes);
	assert_int_equal(vhd_footer_decode(bytes, &footer), -EBADMSG);
}

/* Dynamic and differencing footers decode: the caller decides. */
static void vhd_footer_decode_knows_other_types(void **state)
{
	struct vhd_footer footer;
	uint8_t bytes[VHD_FOOTER_SIZE];

	make(100 * MIB, bytes);
	bytes[63] = VHD_DIFFERENCING;
	fix_checksum(bytes);
	assert_int_equal(vhd_footer_decode(bytes, &footer), 0);
	assert_int_equal(footer.type, VHD_DIFFERENCING);
}

static void expect_geometry(uint64_t size, unsigned cylinders, unsigned heads, unsigned sectors)
{
	uint8_t bytes[VHD_FOOTER_SIZE];

	make(size, bytes);
	assert_int_equal(bytes[56] << 8 | bytes[57], cylinders);
	assert_int_equal(bytes[58], heads);
	assert_int_equal(bytes[59], sectors);
}

/* The geometry follows the specification's calculation in each of its four cases. */
static void vhd_footer_encode_computes_geometry(void **state)
{
	expect_geometry(10 * MIB, 301, 4, 17);
	expect_geometry(100 * MIB, 1003, 12, 17);
	expect_geometry(200 * MIB, 825, 16, 31);
	expect_geometry(20 * GIB, 41610, 16, 63);
	expect_geometry(2000 * GIB, 65535, 16, 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhd_footer_decode_reads_encoded),
		cmocka_unit_test(vhd_footer_decode_wants_cookie),
		cmocka_unit_test(vhd_footer_decode_checks_sum),
		cmocka_unit_test(vhd_footer_decode_checks_type_and_size),
		cmocka_unit_test(vhd_footer_decode_knows_other_types),
		cmocka_unit_test(vhd_footer_encode_computes_geometry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
