/* SPDX-License-Identifier: Apache-2.0 */
/** Requests of any alignment on a disk that knows whole sectors only: NBD clients, and what writes
 * through nbdfuse, may ask for any bytes. One request at a time: a sector that is changed in part
 * is read and written back.
 *
 *  Ranges lie within the disk. Functions return 0 or -errno.
 */
#ifndef VHD_PLUGIN_RANGE_H
#define VHD_PLUGIN_RANGE_H

#include "layer.h"

VHD_MUST_CHECK int plugin_read(struct layer *disk, void *ret_bytes, size_t size, uint64_t offset);
VHD_MUST_CHECK int plugin_write(struct layer *disk, const void *bytes, size_t size,
				uint64_t offset);
VHD_MUST_CHECK int plugin_zero(struct layer *disk, uint64_t size, uint64_t offset);
/** Only the whole sectors of the range. */
VHD_MUST_CHECK int plugin_trim(struct layer *disk, uint64_t size, uint64_t offset);

#endif
