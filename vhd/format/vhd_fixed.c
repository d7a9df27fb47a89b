/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the footer that turns a raw file into a fixed VHD. */
#define _GNU_SOURCE

#include "vhd_fixed.h"

#include <errno.h>
#include <unistd.h>

static int write_at(int fd, uint64_t offset, const uint8_t *from, size_t size)
{
	while (size) {
		ssize_t put = pwrite(fd, from, size, (off_t)offset);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0) {
			return -errno;
		}
		from += put;
		offset += (uint64_t)put;
		size -= (size_t)put;
	}
	return 0;
}

int vhd_fixed_make(int fd, uint64_t size, const uint8_t uuid[16], uint32_t timestamp)
{
	struct vhd_footer footer = {.type = VHD_FIXED, .timestamp = timestamp};
	uint8_t bytes[VHD_FOOTER_SIZE];
	int rc;

	if (!size) {
		return -EINVAL;
	}
	if (size > VHD_SIZE_MAX - VHD_SIZE_STEP) {
		return -EFBIG;
	}
	footer.size = (size + VHD_SIZE_STEP - 1) / VHD_SIZE_STEP * VHD_SIZE_STEP;
	for (unsigned i = 0; i < sizeof(footer.uuid); i++) {
		footer.uuid[i] = uuid[i];
	}
	/* Cut first: bytes beyond `size` must read as zero, whatever the file had there. */
	if (ftruncate(fd, (off_t)size) < 0 ||
	    ftruncate(fd, (off_t)(footer.size + VHD_FOOTER_SIZE)) < 0) {
		return -errno;
	}
	vhd_footer_encode(&footer, bytes);
	rc = write_at(fd, footer.size, bytes, sizeof(bytes));
	if (rc < 0) {
		return rc;
	}
	return fsync(fd) < 0 ? -errno : 0;
}
