/* SPDX-License-Identifier: Apache-2.0 */
/** Bulk copies from disk to disk: zeros are not copied where there are zeros already. */
#ifndef VHD_COPY_H
#define VHD_COPY_H

#include "layer.h"

#include <stdint.h>

/** Bytes at a time, between two calls of a progress. */
#define VHD_COPY_STEP (1u << 20)

/** Writes [offset, offset + size) of `from` to the same place of `to`; both disks hold the range.
 * `buffer` has VHD_COPY_STEP bytes and is left with the last bytes; size: at most VHD_COPY_STEP. */
VHD_MUST_CHECK int vhd_copy_range(struct layer *from, struct layer *to, uint64_t offset,
				  uint32_t size, uint8_t *buffer);

/** How many of `max` bytes at `offset` of the disk surely read as zeros; 0: none of the first. Past
 * the end of the disk everything does. */
VHD_MUST_CHECK int vhd_copy_skip(struct layer *layer, uint64_t offset, uint64_t max,
				 uint64_t *ret_size);

bool vhd_copy_is_zero(const uint8_t *bytes, size_t size);

#endif
