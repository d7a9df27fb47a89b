/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the entries of parent locators and the names that they point to. Only the last part of a
 * name is ever used: a parent lies beside its child. */
#define _GNU_SOURCE

#include "vhd_locator.h"
#include "vhd_bytes.h"

#include <errno.h>

/* The end of a path that is read; longer than any plain file name. */
#define TAIL_SIZE 1024u

enum {
	OFFSET_PLATFORM = 0,
	OFFSET_SPACE = 4,
	OFFSET_LENGTH = 8,
	OFFSET_OFFSET = 16,
};

void vhd_locator_decode(const uint8_t *untrusted, struct vhd_locator *ret_locator)
{
	ret_locator->platform = vhd_load32(untrusted + OFFSET_PLATFORM);
	ret_locator->space = vhd_load32(untrusted + OFFSET_SPACE);
	ret_locator->length = vhd_load32(untrusted + OFFSET_LENGTH);
	ret_locator->offset = vhd_load64(untrusted + OFFSET_OFFSET);
}

void vhd_locator_encode(const struct vhd_locator *locator, uint8_t *bytes)
{
	memset(bytes, 0, VHD_LOCATOR_SIZE);
	vhd_store32(bytes + OFFSET_PLATFORM, locator->platform);
	vhd_store32(bytes + OFFSET_SPACE, locator->space);
	vhd_store32(bytes + OFFSET_LENGTH, locator->length);
	vhd_store64(bytes + OFFSET_OFFSET, locator->offset);
}

int vhd_locator_read_name(struct file *file, const struct vhd_locator *locator,
			  char ret_name[VHD_NAME_SIZE])
{
	uint32_t length = locator->length & ~1u;
	uint32_t tail = length < TAIL_SIZE ? length : TAIL_SIZE;
	uint8_t bytes[TAIL_SIZE];
	char path[VHD_NAME_SIZE];
	int rc;

	if ((locator->platform != VHD_LOCATOR_RELATIVE &&
	     locator->platform != VHD_LOCATOR_ABSOLUTE) ||
	    !length || locator->offset > (uint64_t)INT64_MAX - length) {
		return -EINVAL;
	}
	rc = file_read(file, bytes, tail, locator->offset + length - tail);
	if (rc < 0) {
		return rc;
	}
	/* Cut at the last separator before decoding: a path may be longer than a name. */
	for (uint32_t i = tail; i >= 2; i -= 2) {
		if ((bytes[i - 2] == '\\' || bytes[i - 2] == '/') && !bytes[i - 1]) {
			memmove(bytes, bytes + i, tail - i);
			tail -= i;
			break;
		}
	}
	rc = vhd_text_from_utf16(bytes, tail, false, path);
	if (rc < 0) {
		return rc;
	}
	if (!path[0]) {
		return -EINVAL;
	}
	memcpy(ret_name, path, VHD_NAME_SIZE);
	return 0;
}

int vhd_locator_encode_name(const char *name, uint8_t ret_bytes[VHD_LOCATOR_SPACE])
{
	static const uint8_t here[4] = {'.', 0, '\\', 0};
	int length;

	memset(ret_bytes, 0, VHD_LOCATOR_SPACE);
	memcpy(ret_bytes, here, sizeof(here));
	length = vhd_text_to_utf16(name, false, ret_bytes + sizeof(here),
				   VHD_LOCATOR_SPACE - sizeof(here));
	return length < 0 ? length : length + (int)sizeof(here);
}

int vhd_locator_write_name(struct file *file, struct vhd_locator *locator, const char *name)
{
	uint8_t bytes[VHD_LOCATOR_SPACE];
	int length = vhd_locator_encode_name(name, bytes);
	int rc;

	if (length < 0) {
		return length;
	}
	rc = file_write(file, bytes, sizeof(bytes), locator->offset);
	if (rc < 0) {
		return rc;
	}
	locator->length = (uint32_t)length;
	return 0;
}
