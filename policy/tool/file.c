/* SPDX-License-Identifier: Apache-2.0 */
/* Files as wholes: read with a limit, replaced so that a power cut leaves the old or the new one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

static int write_all(int fd, const void *bytes, size_t size)
{
	const char *next = bytes;

	while (size) {
		ssize_t done = write(fd, next, size);

		if (done < 0 && errno == EINTR) {
			continue;
		}
		if (done < 0) {
			return -errno;
		}
		next += done;
		size -= (size_t)done;
	}
	return 0;
}

static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, ret;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	ret = fsync(fd) ? -errno : 0;
	close(fd);
	return ret;
}

static int replace(const char *path, const void *bytes, size_t size)
{
	char beside[PATH_MAX];
	struct stat old;
	int fd, ret;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside)) {
		return -ENAMETOOLONG;
	}
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	ret = write_all(fd, bytes, size);
	if (!ret && fchmod(fd, stat(path, &old) == 0 ? old.st_mode & 07777 : 0644)) {
		ret = -errno;
	}
	if (!ret && fsync(fd)) {
		ret = -errno;
	}
	close(fd);
	if (!ret && rename(beside, path)) {
		ret = -errno;
	}
	if (ret) {
		unlink(beside);
		return ret;
	}
	return sync_folder(path);
}

int tool_write_file(struct tool *tool, const char *path, const void *bytes, size_t size)
{
	struct stat there;
	int ret;

	if (!strcmp(path, "-")) {
		ret = fwrite(bytes, 1, size, stdout) == size ? 0 : -EIO;
	} else if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
		ret = -EEXIST; /* a device or folder is nobody's to replace */
	} else {
		ret = replace(path, bytes, size);
	}
	if (ret) {
		tool_complain(tool, "%s: %s", path, strerror(-ret));
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

/* Returns 0 or -errno; grows by doubling up to the limit. */
static int read_all(int fd, size_t limit, char **ret_bytes, size_t *ret_size)
{
	size_t room = 0, size = 0;
	char *bytes = NULL;

	for (;;) {
		ssize_t got;

		if (size == room) {
			char *more;

			room = room ? 2 * room : 65536;
			more = realloc(bytes, room);
			if (!more) {
				free(bytes);
				return -ENOMEM;
			}
			bytes = more;
		}
		got = read(fd, bytes + size, room - size);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0 || size + (size_t)got > limit) {
			int ret = got < 0 ? -errno : -EFBIG;

			free(bytes);
			return ret;
		}
		if (!got) {
			*ret_bytes = bytes;
			*ret_size = size;
			return 0;
		}
		size += (size_t)got;
	}
}

int tool_read_file(struct tool *tool, const char *path, size_t limit, void **ret_bytes,
		   size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;
	char *bytes = NULL;
	size_t size = 0;

	if (!ret) {
		ret = read_all(fd, limit, &bytes, &size);
		close(fd);
	}
	if (ret) {
		tool_complain(tool, "%s: %s", path, strerror(-ret));
		return TOOL_FAILED;
	}
	*ret_bytes = bytes;
	*ret_size = size;
	return TOOL_OK;
}
