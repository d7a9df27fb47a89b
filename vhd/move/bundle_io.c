/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that bundles go to and come from. */
#define _GNU_SOURCE

#include "bundle.h"
#include "bundle_io.h"
#include "file.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define SELF(type, member, pointer) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static int wait_for(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	return poll(&poll_fd, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int fd_write(struct bundle_out *out, const void *bytes, size_t size)
{
	int fd = SELF(struct bundle_fd, out, out)->fd, rc;

	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		if (n < 0 && errno == EAGAIN) {
			rc = wait_for(fd, POLLOUT);
			if (rc < 0) {
				return rc;
			}
			continue;
		}
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		bytes = (const char *)bytes + n;
		size -= (size_t)n;
	}
	return 0;
}

static int fd_read(struct bundle_in *in, void *ret_bytes, size_t size, size_t *ret_size)
{
	int fd = SELF(struct bundle_fd, in, in)->fd, rc;

	for (;;) {
		ssize_t n = read(fd, ret_bytes, size);

		if (n >= 0) {
			*ret_size = (size_t)n;
			return 0;
		}
		if (errno == EAGAIN) {
			rc = wait_for(fd, POLLIN);
			if (rc < 0) {
				return rc;
			}
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

void bundle_fd_init(struct bundle_fd *stream, int fd)
{
	stream->out.write = fd_write;
	stream->in.read = fd_read;
	stream->fd = fd;
}

static int append(struct bundle_out *out, const void *bytes, size_t size)
{
	struct bundle_file *stream = SELF(struct bundle_file, out, out);
	int rc = file_write(stream->file, bytes, size, stream->offset);

	if (!rc) {
		stream->offset += size;
	}
	return rc;
}

static int take(struct bundle_in *in, void *ret_bytes, size_t size, size_t *ret_size)
{
	struct bundle_file *stream = SELF(struct bundle_file, in, in);
	uint64_t end;
	int rc = file_get_size(stream->file, &end);

	if (rc < 0) {
		return rc;
	}
	if (stream->offset >= end) {
		*ret_size = 0;
		return 0;
	}
	if (size > end - stream->offset) {
		size = (size_t)(end - stream->offset);
	}
	rc = file_read(stream->file, ret_bytes, size, stream->offset);
	if (!rc) {
		stream->offset += size;
		*ret_size = size;
	}
	return rc;
}

void bundle_file_init(struct bundle_file *stream, struct file *file, uint64_t offset)
{
	stream->out.write = append;
	stream->in.read = take;
	stream->file = file;
	stream->offset = offset;
}

int bundle_read(struct bundle_in *in, void *ret_bytes, size_t size)
{
	while (size > 0) {
		size_t n;
		int rc = in->read(in, ret_bytes, size, &n);

		if (rc < 0) {
			return rc;
		}
		if (n == 0) {
			return -ENODATA;
		}
		ret_bytes = (char *)ret_bytes + n;
		size -= n;
	}
	return 0;
}
