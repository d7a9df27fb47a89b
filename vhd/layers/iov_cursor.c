/* SPDX-License-Identifier: Apache-2.0 */
/* Copying in and out of the buffers of a request, piece by piece. */
#include "iov_cursor.h"

#include <string.h>

/* The next piece that lies in one buffer, at most `size` > 0 bytes. */
static uint8_t *next_piece(struct iov_cursor *cursor, size_t size, size_t *ret_size)
{
	uint8_t *at;

	while (cursor->done == cursor->iov->iov_len) {
		cursor->iov++;
		cursor->done = 0;
	}
	at = (uint8_t *)cursor->iov->iov_base + cursor->done;
	*ret_size = cursor->iov->iov_len - cursor->done;
	*ret_size = *ret_size < size ? *ret_size : size;
	cursor->done += *ret_size;
	return at;
}

void iov_cursor_fill(struct iov_cursor *cursor, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	size_t n;

	for (; size > 0; size -= n, from += n) {
		uint8_t *at = next_piece(cursor, size, &n);

		memcpy(at, from, n);
	}
}

void iov_cursor_zero(struct iov_cursor *cursor, size_t size)
{
	size_t n;

	for (; size > 0; size -= n) {
		uint8_t *at = next_piece(cursor, size, &n);

		memset(at, 0, n);
	}
}

void iov_cursor_copy(struct iov_cursor *cursor, void *ret_bytes, size_t size)
{
	uint8_t *to = ret_bytes;
	size_t n;

	for (; size > 0; size -= n, to += n) {
		const uint8_t *at = next_piece(cursor, size, &n);

		memcpy(to, at, n);
	}
}

unsigned iov_cursor_take(struct iov_cursor *cursor, size_t size, struct iovec *ret_part)
{
	unsigned count = 0;
	size_t n;

	for (; size > 0; size -= n) {
		uint8_t *at = next_piece(cursor, size, &n);

		ret_part[count++] = (struct iovec){at, n};
	}
	return count;
}
