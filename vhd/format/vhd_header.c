/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of the dynamic header. Invariant: a decoded header is whole: cookie, checksum,
 * version and block size were checked on the same private copy. */
#define _GNU_SOURCE

#include "vhd_header.h"
#include "vhd_bytes.h"
#include "vhd_footer.h"

#include <errno.h>

enum {
	OFFSET_COOKIE = 0,
	OFFSET_DATA = 8,
	OFFSET_TABLE = 16,
	OFFSET_VERSION = 24,
	OFFSET_ENTRIES = 28,
	OFFSET_BLOCK_SIZE = 32,
	OFFSET_CHECKSUM = 36,
	OFFSET_PARENT_UUID = 40,
	OFFSET_PARENT_TIMESTAMP = 56,
	OFFSET_PARENT_NAME = 64,
	PARENT_NAME_SIZE = 512,
	OFFSET_LOCATORS = 576,
};

static const char cookie[8] = "cxsparse";

#define VERSION 0x00010000u

static int check_block_size(uint32_t size)
{
	if (size < VHD_BLOCK_SIZE_MIN || size > VHD_BLOCK_SIZE_MAX || (size & (size - 1))) {
		return -EOPNOTSUPP;
	}
	return 0;
}

int vhd_header_decode(const uint8_t *untrusted, struct vhd_header *ret_header)
{
	struct vhd_header header = {0};

	if (memcmp(untrusted + OFFSET_COOKIE, cookie, sizeof(cookie)) != 0 ||
	    vhd_load32(untrusted + OFFSET_CHECKSUM) !=
		    vhd_checksum(untrusted, VHD_HEADER_SIZE, OFFSET_CHECKSUM) ||
	    vhd_load32(untrusted + OFFSET_VERSION) >> 16 != VERSION >> 16) {
		return -EBADMSG;
	}
	header.table_offset = vhd_load64(untrusted + OFFSET_TABLE);
	header.entry_count = vhd_load32(untrusted + OFFSET_ENTRIES);
	header.block_size = vhd_load32(untrusted + OFFSET_BLOCK_SIZE);
	if (check_block_size(header.block_size) < 0) {
		return -EOPNOTSUPP;
	}
	if (header.table_offset % VHD_SECTOR_SIZE || header.table_offset > INT64_MAX) {
		return -EBADMSG;
	}
	memcpy(header.parent_uuid, untrusted + OFFSET_PARENT_UUID, sizeof(header.parent_uuid));
	header.parent_timestamp = vhd_load32(untrusted + OFFSET_PARENT_TIMESTAMP);
	if (vhd_text_from_utf16(untrusted + OFFSET_PARENT_NAME, PARENT_NAME_SIZE, true,
				header.parent_name) < 0) {
		header.parent_name[0] = 0;
	}
	for (unsigned i = 0; i < VHD_LOCATOR_COUNT; i++) {
		vhd_locator_decode(untrusted + OFFSET_LOCATORS + (size_t)i * VHD_LOCATOR_SIZE,
				   &header.locators[i]);
	}
	*ret_header = header;
	return 0;
}

int vhd_header_encode(const struct vhd_header *header, uint8_t *bytes)
{
	int rc;

	memset(bytes, 0, VHD_HEADER_SIZE);
	memcpy(bytes + OFFSET_COOKIE, cookie, sizeof(cookie));
	vhd_store64(bytes + OFFSET_DATA, UINT64_MAX);
	vhd_store64(bytes + OFFSET_TABLE, header->table_offset);
	vhd_store32(bytes + OFFSET_VERSION, VERSION);
	vhd_store32(bytes + OFFSET_ENTRIES, header->entry_count);
	vhd_store32(bytes + OFFSET_BLOCK_SIZE, header->block_size);
	memcpy(bytes + OFFSET_PARENT_UUID, header->parent_uuid, sizeof(header->parent_uuid));
	vhd_store32(bytes + OFFSET_PARENT_TIMESTAMP, header->parent_timestamp);
	/* Two bytes fewer than there is room for: some readers want a NUL. */
	rc = vhd_text_to_utf16(header->parent_name, true, bytes + OFFSET_PARENT_NAME,
			       PARENT_NAME_SIZE - 2);
	if (rc < 0) {
		return rc;
	}
	for (unsigned i = 0; i < VHD_LOCATOR_COUNT; i++) {
		vhd_locator_encode(&header->locators[i],
				   bytes + OFFSET_LOCATORS + (size_t)i * VHD_LOCATOR_SIZE);
	}
	vhd_store32(bytes + OFFSET_CHECKSUM, vhd_checksum(bytes, VHD_HEADER_SIZE, OFFSET_CHECKSUM));
	return 0;
}

void vhd_header_set_table(uint8_t *bytes, uint64_t table_offset, uint32_t entry_count)
{
	vhd_store64(bytes + OFFSET_TABLE, table_offset);
	vhd_store32(bytes + OFFSET_ENTRIES, entry_count);
	vhd_store32(bytes + OFFSET_CHECKSUM, vhd_checksum(bytes, VHD_HEADER_SIZE, OFFSET_CHECKSUM));
}

uint32_t vhd_header_bitmap_size(uint32_t block_size)
{
	return (uint32_t)vhd_align_up(block_size / VHD_SECTOR_SIZE / 8, VHD_SECTOR_SIZE);
}
