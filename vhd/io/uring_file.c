/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the choice between a plain call and the ring. Processor time of a 4 KiB request, measured on
 * Linux 6.18 with 32 at a time: cached reads 0.9 us either way on ext4, 1.0 (plain) against 2.1 us
 * on tmpfs; buffered writes 1.3 against 5 to 8 us on ext4, 1.2 against 2.3 us on tmpfs, because the
 * ring gives what cannot promise not to wait to a worker thread. So the plain call comes first, and
 * the ring takes what would have waited for the medium. */
#define _GNU_SOURCE

#include "uring_file.h"
#include "fiber.h"
#include "iov.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PAGE 4096u

struct uring_file {
	struct file file;
	struct file *inner;
	struct uring *ring;
	int fd;
	bool memory;	   /* lies in memory: no call waits */
	bool read_nowait;  /* the file system knows RWF_NOWAIT */
	bool write_nowait; /* the same, for buffered writes */
};

static struct uring_file *self_of(struct file *file)
{
	return (struct uring_file *)file;
}

static bool is_transient(ssize_t rc)
{
	return rc == -EINTR || rc == -EAGAIN;
}

static ssize_t read_some(struct uring_file *self, const struct iovec *iov, unsigned count,
			 uint64_t offset)
{
	ssize_t n;

	if (self->memory || self->read_nowait) {
		n = preadv2(self->fd, iov, (int)count, (off_t)offset,
			    self->memory ? 0 : RWF_NOWAIT);
		if (n >= 0 || (errno != EAGAIN && errno != EOPNOTSUPP)) {
			return n < 0 ? -errno : n;
		}
		self->read_nowait = errno == EAGAIN;
	}
	return uring_readv(self->ring, self->fd, iov, count, offset);
}

static int read_all(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset)
{
	struct uring_file *self = self_of(file);
	struct iovec rest[IOV_REST_MAX];
	const struct iovec *part = iov;
	unsigned part_count = count;
	size_t done = 0;

	if (!fiber_self()) {
		return file_readv(self->inner, iov, count, size, offset);
	}
	while (done < size) {
		ssize_t n;

		if (done || count > IOV_REST_MAX) {
			part_count = (unsigned)iov_rest(rest, iov, count, done);
			part = rest;
		}
		n = read_some(self, part, part_count, offset + done);
		if (n < 0 && !is_transient(n)) {
			return (int)n;
		}
		if (n == 0) {
			iov_zero_rest(iov, count, done);
			return 0;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* A page that is overwritten in part may have to be read first. */
static bool covers_pages(uint64_t offset, size_t size)
{
	return (offset | size) % PAGE == 0;
}

static ssize_t write_some(struct uring_file *self, const struct iovec *iov, unsigned count,
			  uint64_t offset, bool whole)
{
	ssize_t n;

	if (self->write_nowait) {
		n = pwritev2(self->fd, iov, (int)count, (off_t)offset, RWF_NOWAIT);
		if (n >= 0 || (errno != EAGAIN && errno != EOPNOTSUPP)) {
			return n < 0 ? -errno : n;
		}
		if (errno == EAGAIN) {
			return uring_writev(self->ring, self->fd, iov, count, offset);
		}
		self->write_nowait = false;
	}
	if (self->memory || whole) {
		n = pwritev(self->fd, iov, (int)count, (off_t)offset);
		return n < 0 ? -errno : n;
	}
	return uring_writev(self->ring, self->fd, iov, count, offset);
}

static int write_all(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	struct uring_file *self = self_of(file);
	struct iovec rest[IOV_REST_MAX];
	const struct iovec *part = iov;
	unsigned part_count = count;
	bool whole = covers_pages(offset, size);
	size_t done = 0;

	if (!fiber_self()) {
		return file_writev(self->inner, iov, count, size, offset);
	}
	while (done < size) {
		ssize_t n;

		if (done || count > IOV_REST_MAX) {
			part_count = (unsigned)iov_rest(rest, iov, count, done);
			part = rest;
		}
		n = write_some(self, part, part_count, offset + done, whole);
		if (n == 0) {
			return -EIO;
		}
		if (n < 0 && !is_transient(n)) {
			return (int)n;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Without holes (exFAT) the plain way writes zeros. */
static int zero(struct file *file, uint64_t offset, uint64_t size)
{
	struct uring_file *self = self_of(file);
	uint64_t end;
	int rc;

	if (!fiber_self() || self->memory) {
		return file_zero(self->inner, offset, size);
	}
	rc = file_get_size(self->inner, &end);
	if (rc < 0 || offset >= end || !size) {
		return rc;
	}
	size = size < end - offset ? size : end - offset;
	do {
		rc = uring_fallocate(self->ring, self->fd,
				     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size);
	} while (is_transient(rc));
	return rc == -EOPNOTSUPP || rc == -ENOSYS ? file_zero(self->inner, offset, size) : rc;
}

static int resize(struct file *file, uint64_t size)
{
	return file_resize(self_of(file)->inner, size);
}

static int flush(struct file *file)
{
	struct uring_file *self = self_of(file);
	int rc;

	if (!fiber_self() || self->memory) {
		return file_flush(self->inner);
	}
	do {
		rc = uring_datasync(self->ring, self->fd);
	} while (rc == -EINTR);
	return rc;
}

static int get_size(struct file *file, uint64_t *ret_size)
{
	return file_get_size(self_of(file)->inner, ret_size);
}

static int find_data(struct file *file, uint64_t offset, uint64_t *ret_offset, uint64_t *ret_size)
{
	return file_find_data(self_of(file)->inner, offset, ret_offset, ret_size);
}

static int lock(struct file *file, bool exclusive)
{
	return file_lock(self_of(file)->inner, exclusive);
}

static void close_file(struct file *file)
{
	file_close(self_of(file)->inner);
	free(file);
}

static const struct file_ops ops = {
	.read = read_all,
	.write = write_all,
	.zero = zero,
	.resize = resize,
	.flush = flush,
	.get_size = get_size,
	.find_data = find_data,
	.lock = lock,
	.close = close_file,
};

int uring_file_wrap(struct uring *ring, struct file *inner, struct file **ret_file)
{
	int fd = file_fd(inner);
	struct uring_file *self;
	struct statfs fs;
	int flags;

	if (fd < 0) {
		*ret_file = inner;
		return 0;
	}
	/* The ring would pass -EAGAIN on instead of waiting. */
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 || fstatfs(fd, &fs) < 0) {
		return -errno;
	}
	self = calloc(1, sizeof(*self));
	if (!self) {
		return -ENOMEM;
	}
	self->file.ops = &ops;
	self->file.read_only = inner->read_only;
	self->inner = inner;
	self->ring = ring;
	self->fd = fd;
	self->memory = fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
	self->read_nowait = true;
	self->write_nowait = !self->memory;
	*ret_file = &self->file;
	return 0;
}
