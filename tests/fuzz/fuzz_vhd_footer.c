/* SPDX-License-Identifier: Apache-2.0 */
/* A footer of any content: decoded, or refused; what is decoded has a size that a disk can have. */
#define _GNU_SOURCE

#include "vhd_footer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The last bytes of the input, as those of a file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used = size < VHD_FOOTER_SIZE ? size : VHD_FOOTER_SIZE;
	uint8_t bytes[VHD_FOOTER_SIZE] = {0};
	struct vhd_footer footer;

	memcpy(bytes, data + size - used, used);
	if (vhd_footer_decode(bytes, &footer) == 0 &&
	    (!footer.size || footer.size > VHD_SIZE_MAX || footer.size % VHD_SECTOR_SIZE ||
	     footer.type < VHD_FIXED || footer.type > VHD_DIFFERENCING)) {
		abort();
	}
	return 0;
}
