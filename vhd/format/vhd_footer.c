/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of a VHD footer. Invariant: a decoded footer is whole: checksum, version, type and
 * size were checked on the same private copy. All fields are big-endian. */
#define _GNU_SOURCE

#include "vhd_footer.h"
#include "vhd_bytes.h"

#include <errno.h>

enum {
	OFFSET_COOKIE = 0,
	OFFSET_FEATURES = 8,
	OFFSET_VERSION = 12,
	OFFSET_DATA = 16,
	OFFSET_TIMESTAMP = 24,
	OFFSET_CREATOR = 28,
	OFFSET_CREATOR_VERSION = 32,
	OFFSET_CREATOR_HOST = 36,
	OFFSET_ORIGINAL_SIZE = 40,
	OFFSET_SIZE = 48,
	OFFSET_CYLINDERS = 56,
	OFFSET_HEADS = 58,
	OFFSET_SECTORS = 59,
	OFFSET_TYPE = 60,
	OFFSET_CHECKSUM = 64,
	OFFSET_UUID = 68,
};

static const char cookie[8] = "conectix";

#define FEATURES_RESERVED 2u /* always set */
#define VERSION		  0x00010000u

int vhd_footer_decode(const uint8_t *untrusted, struct vhd_footer *ret_footer)
{
	struct vhd_footer footer = {0};
	uint32_t type = vhd_load32(untrusted + OFFSET_TYPE);

	if (memcmp(untrusted + OFFSET_COOKIE, cookie, sizeof(cookie)) != 0) {
		return -EINVAL;
	}
	if (vhd_load32(untrusted + OFFSET_CHECKSUM) !=
		    vhd_checksum(untrusted, VHD_FOOTER_SIZE, OFFSET_CHECKSUM) ||
	    vhd_load32(untrusted + OFFSET_VERSION) >> 16 != VERSION >> 16 || type < VHD_FIXED ||
	    type > VHD_DIFFERENCING) {
		return -EBADMSG;
	}
	footer.type = (enum vhd_type)type;
	footer.size = vhd_load64(untrusted + OFFSET_SIZE);
	if (!footer.size || footer.size > VHD_SIZE_MAX || footer.size % VHD_SECTOR_SIZE) {
		return -EBADMSG;
	}
	footer.original_size = vhd_load64(untrusted + OFFSET_ORIGINAL_SIZE);
	footer.data_offset = vhd_load64(untrusted + OFFSET_DATA);
	footer.timestamp = vhd_load32(untrusted + OFFSET_TIMESTAMP);
	memcpy(footer.uuid, untrusted + OFFSET_UUID, sizeof(footer.uuid));
	memcpy(footer.creator, untrusted + OFFSET_CREATOR, 4);
	*ret_footer = footer;
	return 0;
}

/* "CHS Calculation": the geometry that holds most of the disk. */
static void store_geometry(uint8_t *bytes, uint64_t size)
{
	uint64_t total = size / VHD_SECTOR_SIZE;
	uint32_t sectors, heads, tracks;

	if (total > 65535u * 16 * 255) {
		total = 65535u * 16 * 255;
	}
	if (total >= 65535u * 16 * 63) {
		sectors = 255;
		heads = 16;
		tracks = (uint32_t)total / sectors;
	} else {
		sectors = 17;
		tracks = (uint32_t)total / sectors;
		heads = (tracks + 1023) / 1024;
		if (heads < 4) {
			heads = 4;
		}
		if (tracks >= heads * 1024 || heads > 16) {
			sectors = 31;
			heads = 16;
			tracks = (uint32_t)total / sectors;
		}
		if (tracks >= heads * 1024) {
			sectors = 63;
			heads = 16;
			tracks = (uint32_t)total / sectors;
		}
	}
	vhd_store16(bytes + OFFSET_CYLINDERS, (uint16_t)(tracks / heads));
	bytes[OFFSET_HEADS] = (uint8_t)heads;
	bytes[OFFSET_SECTORS] = (uint8_t)sectors;
}

void vhd_footer_encode(const struct vhd_footer *footer, uint8_t *bytes)
{
	memset(bytes, 0, VHD_FOOTER_SIZE);
	memcpy(bytes + OFFSET_COOKIE, cookie, sizeof(cookie));
	vhd_store32(bytes + OFFSET_FEATURES, FEATURES_RESERVED);
	vhd_store32(bytes + OFFSET_VERSION, VERSION);
	vhd_store64(bytes + OFFSET_DATA,
		    footer->type == VHD_FIXED ? UINT64_MAX : footer->data_offset);
	vhd_store32(bytes + OFFSET_TIMESTAMP, footer->timestamp);
	/* Readers take the size from its own field, not from the geometry, for creators that they
	 * know to write it right: "win " is one for all of them. */
	memcpy(bytes + OFFSET_CREATOR, "win ", 4);
	vhd_store32(bytes + OFFSET_CREATOR_VERSION, 0x000a0000);
	memcpy(bytes + OFFSET_CREATOR_HOST, "Wi2k", 4);
	vhd_store64(bytes + OFFSET_ORIGINAL_SIZE,
		    footer->original_size ? footer->original_size : footer->size);
	vhd_store64(bytes + OFFSET_SIZE, footer->size);
	store_geometry(bytes, footer->size);
	vhd_store32(bytes + OFFSET_TYPE, (uint32_t)footer->type);
	memcpy(bytes + OFFSET_UUID, footer->uuid, sizeof(footer->uuid));
	vhd_store32(bytes + OFFSET_CHECKSUM, vhd_checksum(bytes, VHD_FOOTER_SIZE, OFFSET_CHECKSUM));
}
