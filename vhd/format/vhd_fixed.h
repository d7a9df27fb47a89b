/* SPDX-License-Identifier: Apache-2.0 */
/** Makes a fixed VHD of a raw disk that lies in a file already: only a footer is added. For builds
 * of images; all else makes disks by vhd_disk_create().
 */
#ifndef VHD_FIXED_H
#define VHD_FIXED_H

#include "vhd_footer.h"

/** Makes the open, writable file a fixed VHD: sets its length and writes the footer; what it has
 * before `size` stays, the rest is zero. size: bytes, > 0, rounded up to VHD_SIZE_STEP. Returns 0;
 * -EINVAL, -EFBIG, or -errno of writing. The file was flushed to its medium on success. */
VHD_MUST_CHECK int vhd_fixed_make(int fd, uint64_t size, const uint8_t uuid[16],
				  uint32_t timestamp);

#endif
