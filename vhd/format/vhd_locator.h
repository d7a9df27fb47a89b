/* SPDX-License-Identifier: Apache-2.0 */
/** Parent locators: up to eight places in a differencing image that name its parent, each in the
 * way of one platform.
 *
 *  Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0, "Parent Locator Entry".
 */
#ifndef VHD_LOCATOR_H
#define VHD_LOCATOR_H

#include "file.h"
#include "vhd_text.h"

#define VHD_LOCATOR_COUNT 8u
#define VHD_LOCATOR_SIZE  24u /* bytes of an entry in the header */
/** Bytes that a new image sets apart for each of its locators. */
#define VHD_LOCATOR_SPACE 4096u

enum vhd_locator_platform {
	VHD_LOCATOR_NONE = 0,
	VHD_LOCATOR_RELATIVE = 0x57327275, /* "W2ru": a relative Windows path */
	VHD_LOCATOR_ABSOLUTE = 0x57326b75, /* "W2ku": an absolute one, or the same relative one */
};

struct vhd_locator {
	uint32_t platform;
	uint32_t space;	 /* bytes; sectors by the specification, and nobody writes that */
	uint32_t length; /* bytes */
	uint64_t offset; /* in the file */
};

void vhd_locator_decode(const uint8_t *untrusted, struct vhd_locator *ret_locator);
void vhd_locator_encode(const struct vhd_locator *locator, uint8_t *bytes);

/** Reads the plain file name that a W2ru or W2ku locator ends in. -EINVAL: another platform, or
 * nonsense; -EILSEQ, -ENAMETOOLONG, -errno. */
VHD_MUST_CHECK int vhd_locator_read_name(struct file *file, const struct vhd_locator *locator,
					 char ret_name[VHD_NAME_SIZE]);

/** Puts ".\NAME" into `ret_bytes`, the rest of it zeros. Returns its length in bytes, -EILSEQ,
 * -ENAMETOOLONG. */
VHD_MUST_CHECK int vhd_locator_encode_name(const char *name, uint8_t ret_bytes[VHD_LOCATOR_SPACE]);

/** Writes ".\NAME" to the place of the locator and sets its length. */
VHD_MUST_CHECK int vhd_locator_write_name(struct file *file, struct vhd_locator *locator,
					  const char *name);

#endif
