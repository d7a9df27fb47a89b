/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files by system calls; see whole_file.h. */
#define _GNU_SOURCE
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"

/* Asks for one byte more than there should be: who says 0 and has more is found out. */
static int read_all(int fd, char *bytes, size_t size)
{
	ssize_t got = bytes_read(fd, bytes, size + 1, 0);

	return got < 0 ? (int)got : (size_t)got == size ? 0 : -EIO;
}

int whole_file_read_fd(int fd, size_t max, char **ret_bytes, size_t *ret_size)
{
	struct stat st;
	char *bytes;
	int rc;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode)) {
		return -EINVAL;
	}
	if ((uint64_t)st.st_size > max) {
		return -EFBIG;
	}
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes) {
		return -ENOMEM;
	}
	rc = read_all(fd, bytes, (size_t)st.st_size);
	if (rc < 0) {
		free(bytes);
		return rc;
	}
	bytes[st.st_size] = 0;
	*ret_bytes = bytes;
	*ret_size = (size_t)st.st_size;
	return 0;
}

int whole_file_read(int dir_fd, const char *path, int flags, size_t max, char **ret_bytes,
		    size_t *ret_size)
{
	int fd = openat(dir_fd, path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0) {
		return -errno;
	}
	rc = whole_file_read_fd(fd, max, ret_bytes, ret_size);
	close(fd);
	return rc;
}

static int write_new(int dir_fd, const char *name, mode_t mode, const void *bytes, size_t size)
{
	int fd, rc;

	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT) { /* left by a power cut */
		return -errno;
	}
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	rc = fchmod(fd, mode) < 0 ? -errno : bytes_write(fd, bytes, size, 0);
	rc = rc ? rc : fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int whole_file_replace(const char *path, mode_t mode, const void *bytes, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char parent[PATH_MAX] = ".", temporary[NAME_MAX + 1];
	int dir_fd, rc;

	if (!*name) {
		return -EISDIR;
	}
	if (snprintf(temporary, sizeof(temporary), "%s.%d.tmp", name, getpid()) >= NAME_MAX ||
	    (slash &&
	     snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path + 1), path) >= PATH_MAX)) {
		return -ENAMETOOLONG;
	}
	dir_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0) {
		return -errno;
	}
	rc = write_new(dir_fd, temporary, mode, bytes, size);
	if (!rc && renameat(dir_fd, temporary, dir_fd, name) < 0) {
		rc = -errno;
	}
	if (rc < 0) {
		(void)!unlinkat(dir_fd, temporary, 0);
	} else if (fsync(dir_fd) < 0) {
		rc = -errno;
	}
	close(dir_fd);
	return rc;
}
