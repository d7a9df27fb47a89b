/* SPDX-License-Identifier: Apache-2.0 */
/** The footer of a VHD: the last 512 bytes of the file (511 in files of old versions of Virtual
 * PC).
 *
 *  Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0, "Hard Disk Footer Format"
 * and "CHS Calculation".
 */
#ifndef VHD_FOOTER_H
#define VHD_FOOTER_H

#include <stdint.h>

#define VHD_MUST_CHECK __attribute__((warn_unused_result))

#define VHD_SECTOR_SIZE	      512u
#define VHD_FOOTER_SIZE	      512u
#define VHD_FOOTER_SIZE_SHORT 511u
/** Virtual sizes of new disks are multiples of this, so that each reader's rounding leaves them
 * alone. */
#define VHD_SIZE_STEP (2ull << 20)
/** Largest virtual size in bytes that the format's readers agree on. */
#define VHD_SIZE_MAX (0xff000000ull * VHD_SECTOR_SIZE)

enum vhd_type {
	VHD_FIXED = 2,
	VHD_DYNAMIC = 3,
	VHD_DIFFERENCING = 4,
};

struct vhd_footer {
	enum vhd_type type;
	uint64_t size;		/* bytes of the virtual disk */
	uint64_t original_size; /* when it was made; 0 in vhd_footer_encode(): as `size` */
	uint64_t data_offset;	/* of the header of a dynamic or differencing disk, bytes */
	uint32_t timestamp;	/* seconds since 2000-01-01 00:00 UTC */
	uint8_t uuid[16];
	char creator[5]; /* four characters and a NUL */
};

/** Decodes an untrusted footer of VHD_FOOTER_SIZE bytes; of a short one, give 0 for the last byte.
 * Returns 0; -EINVAL when it is no footer (cookie); -EBADMSG when it is damaged (checksum, version,
 * type, size). */
VHD_MUST_CHECK int vhd_footer_decode(const uint8_t *untrusted, struct vhd_footer *ret_footer);

/** Writes the footer of a disk as VHD_FOOTER_SIZE bytes. size: multiple of VHD_SECTOR_SIZE,
 * at most VHD_SIZE_MAX. */
void vhd_footer_encode(const struct vhd_footer *footer, uint8_t *bytes);

#endif
