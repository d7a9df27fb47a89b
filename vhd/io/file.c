/* SPDX-License-Identifier: Apache-2.0 */
/* Files by system calls. */
#define _GNU_SOURCE

#include "file.h"
#include "iov.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZERO_CHUNK (64u << 10)

struct fd_file {
	struct file file;
	int fd;
};

int file_readv(struct file *file, const struct iovec *iov, unsigned count, size_t size,
	       uint64_t offset)
{
	return file->ops->read(file, iov, count, size, offset);
}

int file_writev(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		uint64_t offset)
{
	return file->read_only ? -EROFS : file->ops->write(file, iov, count, size, offset);
}

int file_read(struct file *file, void *ret_bytes, size_t size, uint64_t offset)
{
	struct iovec iov = {ret_bytes, size};

	return file_readv(file, &iov, 1, size, offset);
}

int file_write(struct file *file, const void *bytes, size_t size, uint64_t offset)
{
	struct iovec iov = {(void *)bytes, size};

	return file_writev(file, &iov, 1, size, offset);
}

int file_zero(struct file *file, uint64_t offset, uint64_t size)
{
	return file->read_only ? -EROFS : file->ops->zero(file, offset, size);
}

int file_resize(struct file *file, uint64_t size)
{
	return file->read_only ? -EROFS : file->ops->resize(file, size);
}

int file_flush(struct file *file)
{
	return file->read_only ? 0 : file->ops->flush(file);
}

int file_get_size(struct file *file, uint64_t *ret_size)
{
	return file->ops->get_size(file, ret_size);
}

int file_find_data(struct file *file, uint64_t offset, uint64_t *ret_offset, uint64_t *ret_size)
{
	uint64_t size;
	int rc;

	if (file->ops->find_data) {
		return file->ops->find_data(file, offset, ret_offset, ret_size);
	}
	rc = file_get_size(file, &size);
	if (!rc) {
		*ret_offset = offset;
		*ret_size = offset < size ? size - offset : 0;
	}
	return rc;
}

int file_lock(struct file *file, bool exclusive)
{
	return file->ops->lock ? file->ops->lock(file, exclusive) : 0;
}

void file_close(struct file *file)
{
	if (file) {
		file->ops->close(file);
	}
}

static int fd_of(const struct file *file)
{
	return ((const struct fd_file *)file)->fd;
}

static int fd_read(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		   uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		struct iovec rest[IOV_REST_MAX];
		int used = iov_rest(rest, iov, count, done);
		ssize_t n = preadv(fd_of(file), rest, used, (off_t)(offset + done));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			iov_zero_rest(iov, count, done);
			return 0;
		}
		done += (size_t)n;
	}
	return 0;
}

static int fd_write(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		struct iovec rest[IOV_REST_MAX];
		int used = iov_rest(rest, iov, count, done);
		ssize_t n = pwritev(fd_of(file), rest, used, (off_t)(offset + done));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	return 0;
}

static int fd_get_size(struct file *file, uint64_t *ret_size)
{
	struct stat st;

	if (fstat(fd_of(file), &st) < 0) {
		return -errno;
	}
	if (S_ISREG(st.st_mode)) {
		*ret_size = (uint64_t)st.st_size;
		return 0;
	}
	off_t end = lseek(fd_of(file), 0, SEEK_END); /* a block device */

	if (end < 0) {
		return -errno;
	}
	*ret_size = (uint64_t)end;
	return 0;
}

/* File systems without holes (exFAT) get real zeros. */
static int fd_zero(struct file *file, uint64_t offset, uint64_t size)
{
	static const uint8_t zeros[ZERO_CHUNK];
	uint64_t end;
	int rc = fd_get_size(file, &end);

	if (rc < 0 || offset >= end) {
		return rc;
	}
	size = size < end - offset ? size : end - offset;
	if (size == 0 || fallocate(fd_of(file), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   (off_t)offset, (off_t)size) == 0) {
		return 0;
	}
	if (errno != EOPNOTSUPP && errno != ENOSYS) {
		return -errno;
	}
	while (size > 0) {
		size_t n = size < sizeof(zeros) ? (size_t)size : sizeof(zeros);

		rc = file_write(file, zeros, n, offset);
		if (rc < 0) {
			return rc;
		}
		offset += n;
		size -= n;
	}
	return 0;
}

static int fd_resize(struct file *file, uint64_t size)
{
	return ftruncate(fd_of(file), (off_t)size) < 0 ? -errno : 0;
}

static int fd_flush(struct file *file)
{
	return fdatasync(fd_of(file)) < 0 ? -errno : 0;
}

static int fd_find_data(struct file *file, uint64_t offset, uint64_t *ret_offset,
			uint64_t *ret_size)
{
	uint64_t end;
	int rc = fd_get_size(file, &end);
	off_t data, hole;

	if (rc < 0) {
		return rc;
	}
	*ret_offset = offset;
	*ret_size = 0;
	if (offset >= end) {
		return 0;
	}
	data = lseek(fd_of(file), (off_t)offset, SEEK_DATA);
	if (data < 0) {
		*ret_size = errno == ENXIO ? 0 : end - offset;
		return 0;
	}
	hole = lseek(fd_of(file), data, SEEK_HOLE);
	*ret_offset = (uint64_t)data;
	*ret_size = (hole < 0 ? end : (uint64_t)hole) - (uint64_t)data;
	return 0;
}

static int fd_lock(struct file *file, bool exclusive)
{
	struct flock lock = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

	if (fcntl(fd_of(file), F_OFD_SETLK, &lock) == 0) {
		return 0;
	}
	return errno == EACCES ? -EAGAIN : -errno;
}

static void fd_close(struct file *file)
{
	close(fd_of(file));
	free(file);
}

static const struct file_ops fd_ops = {
	.read = fd_read,
	.write = fd_write,
	.zero = fd_zero,
	.resize = fd_resize,
	.flush = fd_flush,
	.get_size = fd_get_size,
	.find_data = fd_find_data,
	.lock = fd_lock,
	.close = fd_close,
};

int file_from_fd(int fd, struct file **ret_file)
{
	int flags = fcntl(fd, F_GETFL);
	struct fd_file *file;

	if (flags < 0) {
		return -errno;
	}
	if ((flags & O_ACCMODE) == O_WRONLY) {
		return -EACCES;
	}
	file = calloc(1, sizeof(*file));
	if (!file) {
		return -ENOMEM;
	}
	file->file.ops = &fd_ops;
	file->file.read_only = (flags & O_ACCMODE) == O_RDONLY;
	file->fd = fd;
	*ret_file = &file->file;
	return 0;
}

int file_fd(const struct file *file)
{
	return file->ops == &fd_ops ? fd_of(file) : -1;
}
