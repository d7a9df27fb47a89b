/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic header's bytes. */
#define _GNU_SOURCE

#include "vhd_bytes.h"
#include "vhd_header.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct vhd_header sample(void)
{
	struct vhd_header header = {.table_offset = 4096,
				    .entry_count = 50,
				    .block_size = VHD_BLOCK_SIZE,
				    .parent_timestamp = 9};

	memset(header.parent_uuid, 0x5a, sizeof(header.parent_uuid));
	strcpy(header.parent_name, "base.vhd");
	header.locators[1] = (struct vhd_locator){VHD_LOCATOR_RELATIVE, 4096, 20, 8192};
	return header;
}

static void fix_checksum(uint8_t *bytes)
{
	vhd_store32(bytes + 36, vhd_checksum(bytes, VHD_HEADER_SIZE, 36));
}

/* An encoded header decodes to the same values. */
static void vhd_header_decode_reads_encoded(void **state)
{
	struct vhd_header header = sample(), back;
	uint8_t bytes[VHD_HEADER_SIZE];

	(void)state;
	assert_int_equal(vhd_header_encode(&header, bytes), 0);
	assert_int_equal(vhd_header_decode(bytes, &back), 0);
	assert_int_equal(back.table_offset, 4096);
	assert_int_equal(back.entry_count, 50);
	assert_int_equal(back.block_size, VHD_BLOCK_SIZE);
	assert_memory_equal(back.parent_uuid, header.parent_uuid, 16);
	assert_string_equal(back.parent_name, "base.vhd");
	assert_int_equal(back.locators[1].platform, VHD_LOCATOR_RELATIVE);
	assert_int_equal(back.locators[1].offset, 8192);
	assert_int_equal(back.locators[1].length, 20);
}

/* Any byte that changed is noticed. */
static void vhd_header_decode_checks_sum(void **state)
{
	struct vhd_header header = sample();
	uint8_t bytes[VHD_HEADER_SIZE];

	(void)state;
	for (unsigned i = 0; i < VHD_HEADER_SIZE; i++) {
		assert_int_equal(vhd_header_encode(&header, bytes), 0);
		bytes[i] ^= 0x10;
		assert_int_equal(vhd_header_decode(bytes, &header), -EBADMSG);
	}
}

/* Block sizes are powers of two that some writer uses. */
static void vhd_header_decode_checks_block_size(void **state)
{
	static const uint32_t bad[] = {0, 1, 512, 2048, 3u << 20, 512u << 20, 0x80000000u};
	struct vhd_header header = sample();
	uint8_t bytes[VHD_HEADER_SIZE];

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(vhd_header_encode(&header, bytes), 0);
		vhd_store32(bytes + 32, bad[i]);
		fix_checksum(bytes);
		assert_int_equal(vhd_header_decode(bytes, &header), -EOPNOTSUPP);
	}
}

/* A parent's name that is no text is as good as none: the locators may still know it. */
static void vhd_header_decode_drops_bad_name(void **state)
{
	struct vhd_header header = sample();
	uint8_t bytes[VHD_HEADER_SIZE];

	(void)state;
	assert_int_equal(vhd_header_encode(&header, bytes), 0);
	bytes[64] = 0xdc;
	fix_checksum(bytes);
	assert_int_equal(vhd_header_decode(bytes, &header), 0);
	assert_string_equal(header.parent_name, "");
}

/* Moving the table changes the first sector only, and the checksum fits. */
static void vhd_header_set_table_changes_one_sector(void **state)
{
	struct vhd_header header = sample();
	uint8_t before[VHD_HEADER_SIZE], after[VHD_HEADER_SIZE];

	(void)state;
	assert_int_equal(vhd_header_encode(&header, before), 0);
	memcpy(after, before, sizeof(after));
	vhd_header_set_table(after, 1 << 20, 70);
	assert_memory_equal(before + 512, after + 512, 512);
	assert_int_equal(vhd_header_decode(after, &header), 0);
	assert_int_equal(header.table_offset, 1 << 20);
	assert_int_equal(header.entry_count, 70);
}

/* A bitmap takes whole sectors. */
static void vhd_header_bitmap_size_rounds_up(void **state)
{
	(void)state;
	assert_int_equal(vhd_header_bitmap_size(512 << 10), 512);
	assert_int_equal(vhd_header_bitmap_size(2 << 20), 512);
	assert_int_equal(vhd_header_bitmap_size(4 << 20), 1024);
	assert_int_equal(vhd_header_bitmap_size(32 << 20), 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhd_header_decode_reads_encoded),
		cmocka_unit_test(vhd_header_decode_checks_sum),
		cmocka_unit_test(vhd_header_decode_checks_block_size),
		cmocka_unit_test(vhd_header_decode_drops_bad_name),
		cmocka_unit_test(vhd_header_set_table_changes_one_sector),
		cmocka_unit_test(vhd_header_bitmap_size_rounds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
