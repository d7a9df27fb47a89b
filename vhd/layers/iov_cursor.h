/* SPDX-License-Identifier: Apache-2.0 */
/** A position in the buffers of a request, for layers that treat its parts differently. Moving past
 * the end of the vector is the caller's mistake: the sizes of a request are checked before. */
#ifndef VHD_IOV_CURSOR_H
#define VHD_IOV_CURSOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct iov_cursor {
	const struct iovec *iov;
	size_t done; /* bytes of *iov that are behind */
};

/** Each of them moves on by `size`. */
void iov_cursor_fill(struct iov_cursor *cursor, const void *bytes, size_t size);
void iov_cursor_zero(struct iov_cursor *cursor, size_t size);
void iov_cursor_copy(struct iov_cursor *cursor, void *ret_bytes, size_t size);
/** Writes the next `size` bytes as a vector of their own to `ret_part`, which has room for as many
 * parts as the whole vector. Returns their number. */
unsigned iov_cursor_take(struct iov_cursor *cursor, size_t size, struct iovec *ret_part);

#endif
