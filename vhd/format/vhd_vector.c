/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the pieces of a vector. A piece of many buffers goes to the file in a few calls. */
#include "vhd_vector.h"

#include <string.h>

#define PART_MAX 64u

/* The next at most `size` bytes as a vector of their own. Returns how many. */
static size_t take(struct vhd_vector *vector, uint64_t size, struct iovec part[PART_MAX],
		   unsigned *ret_count)
{
	unsigned count = 0;
	size_t done = 0;

	while (done < size && count < PART_MAX) {
		size_t left = vector->iov->iov_len - vector->skip;
		size_t n = left < size - done ? left : (size_t)(size - done);

		if (n) {
			part[count].iov_base = (char *)vector->iov->iov_base + vector->skip;
			part[count].iov_len = n;
			count++;
		}
		done += n;
		vector->skip += n;
		if (vector->skip == vector->iov->iov_len) {
			vector->iov++;
			vector->count--;
			vector->skip = 0;
		}
	}
	*ret_count = count;
	return done;
}

typedef int transfer(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset);

/* After an error the rest is still gone past. */
static int move(struct vhd_vector *vector, struct file *file, uint64_t size, uint64_t offset,
		transfer *way)
{
	int rc = 0;

	while (size) {
		struct iovec part[PART_MAX];
		unsigned count;
		size_t n = take(vector, size, part, &count);

		rc = rc ? rc : way(file, part, count, n, offset);
		offset += n;
		size -= n;
	}
	return rc;
}

int vhd_vector_read(struct vhd_vector *vector, struct file *file, uint64_t size, uint64_t offset)
{
	return move(vector, file, size, offset, file_readv);
}

int vhd_vector_write(struct vhd_vector *vector, struct file *file, uint64_t size, uint64_t offset)
{
	return move(vector, file, size, offset, file_writev);
}

void vhd_vector_zero(struct vhd_vector *vector, uint64_t size)
{
	while (size) {
		struct iovec part[PART_MAX];
		unsigned count;

		size -= take(vector, size, part, &count);
		for (unsigned i = 0; i < count; i++) {
			memset(part[i].iov_base, 0, part[i].iov_len);
		}
	}
}
