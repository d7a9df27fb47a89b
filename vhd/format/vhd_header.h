/* SPDX-License-Identifier: Apache-2.0 */
/** The header of a dynamic or differencing VHD: where the block table lies, how large blocks are,
 * and who the parent is.
 *
 *  Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0, "Dynamic Disk Header
 * Format".
 */
#ifndef VHD_HEADER_H
#define VHD_HEADER_H

#include "vhd_locator.h"

#define VHD_HEADER_SIZE	   1024u
#define VHD_BLOCK_SIZE	   (2u << 20) /* of new images */
#define VHD_BLOCK_SIZE_MIN (4u << 10)
#define VHD_BLOCK_SIZE_MAX (256u << 20)

struct vhd_header {
	uint64_t table_offset; /* in the file, bytes; a multiple of 512 */
	uint32_t entry_count;  /* of the block table */
	uint32_t block_size;   /* bytes; a power of two, VHD_BLOCK_SIZE_MIN to _MAX */
	uint8_t parent_uuid[16];
	uint32_t parent_timestamp;
	char parent_name[VHD_NAME_SIZE]; /* "" when it has none, or one that is no text */
	struct vhd_locator locators[VHD_LOCATOR_COUNT];
};

/** Decodes an untrusted header of VHD_HEADER_SIZE bytes. -EBADMSG: damaged; -EOPNOTSUPP: a block
 * size that no writer uses. Locators are not checked here. */
VHD_MUST_CHECK int vhd_header_decode(const uint8_t *untrusted, struct vhd_header *ret_header);

/** Writes VHD_HEADER_SIZE bytes. -EILSEQ, -ENAMETOOLONG: the parent's name. */
VHD_MUST_CHECK int vhd_header_encode(const struct vhd_header *header, uint8_t *bytes);

/** Changes the place and length of the table in an encoded header; only bytes of its first sector.
 */
void vhd_header_set_table(uint8_t *bytes, uint64_t table_offset, uint32_t entry_count);

/** Bytes of the sector bitmap in front of each block: whole sectors. */
uint32_t vhd_header_bitmap_size(uint32_t block_size);

#endif
