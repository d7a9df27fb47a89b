/* SPDX-License-Identifier: Apache-2.0 */
/** Walks a request's vector of buffers piece by piece, without copying. */
#ifndef VHD_VECTOR_H
#define VHD_VECTOR_H

#include "file.h"

struct vhd_vector {
	const struct iovec *iov;
	unsigned count;
	size_t skip; /* bytes of the first buffer that are done */
};

/** Fills, writes or zeroes the next `size` bytes of the vector, which must have them, and goes on
 * past them, whether it works or not. */
VHD_MUST_CHECK int vhd_vector_read(struct vhd_vector *vector, struct file *file, uint64_t size,
				   uint64_t offset);
VHD_MUST_CHECK int vhd_vector_write(struct vhd_vector *vector, struct file *file, uint64_t size,
				    uint64_t offset);
void vhd_vector_zero(struct vhd_vector *vector, uint64_t size);

#endif
