/* SPDX-License-Identifier: Apache-2.0 */
/** Fixed VHD files: the disk's bytes from offset 0, then a footer. Reading and writing the disk is
 * plain pread() and pwrite() on the same fd, within [0, size).
 */
#ifndef VHD_H
#define VHD_H

#include "vhd_footer.h"

struct vhd {
	uint64_t size; /* bytes of the virtual disk */
	struct vhd_footer footer;
};

/** Reads and checks the footer of an open file; the fd stays the caller's. Returns 0; -EINVAL when
 * there is no footer, -EBADMSG when it is damaged or the file too short for its disk, -EOPNOTSUPP
 * for a dynamic or differencing VHD, or -errno of reading. */
VHD_MUST_CHECK int vhd_open(int fd, struct vhd *ret_vhd);

/** Makes the open, writable file a fixed VHD: sets its length and writes the footer; what it has
 * before `size` stays, the rest is zero. size: bytes, > 0, rounded up to VHD_SIZE_STEP. Returns 0;
 * -EINVAL, -EFBIG, or -errno of writing. The file was flushed to its medium on success. */
VHD_MUST_CHECK int vhd_create_fixed(int fd, uint64_t size, const uint8_t uuid[16],
				    uint32_t timestamp);

#endif
