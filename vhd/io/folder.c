/* SPDX-License-Identifier: Apache-2.0 */
/* Folders by system calls. */
#define _GNU_SOURCE

#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fd_folder {
	struct folder folder;
	int fd;
};

bool folder_is_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

int folder_open_file(struct folder *folder, const char *name, unsigned flags,
		     struct file **ret_file)
{
	return folder_is_name(name) ? folder->ops->open(folder, name, flags, ret_file) : -EINVAL;
}

int folder_rename(struct folder *folder, const char *from, const char *to)
{
	return folder_is_name(from) && folder_is_name(to) ? folder->ops->rename(folder, from, to)
							  : -EINVAL;
}

int folder_remove(struct folder *folder, const char *name)
{
	return folder_is_name(name) ? folder->ops->remove(folder, name) : -EINVAL;
}

int folder_flush(struct folder *folder)
{
	return folder->ops->flush(folder);
}

int folder_list(struct folder *folder, int (*each)(void *context, const char *name), void *context)
{
	return folder->ops->list(folder, each, context);
}

void folder_close(struct folder *folder)
{
	if (folder) {
		folder->ops->close(folder);
	}
}

static int fd_of(const struct folder *folder)
{
	return ((const struct fd_folder *)folder)->fd;
}

/* Only regular files and block devices: a FIFO or a link to elsewhere is no image. */
static int fd_open(struct folder *folder, const char *name, unsigned flags, struct file **ret_file)
{
	int mode = flags & (FOLDER_WRITE | FOLDER_CREATE) ? O_RDWR : O_RDONLY;
	int fd = openat(fd_of(folder), name,
			mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
				(flags & FOLDER_CREATE ? O_CREAT | O_EXCL : 0),
			0600);
	struct stat st;
	int rc;

	if (fd < 0) {
		return -errno;
	}
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (!rc && !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		rc = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	}
	rc = rc ? rc : file_from_fd(fd, ret_file);
	if (rc < 0) {
		close(fd);
	}
	return rc;
}

static int fd_rename(struct folder *folder, const char *from, const char *to)
{
	return renameat(fd_of(folder), from, fd_of(folder), to) < 0 ? -errno : 0;
}

static int fd_remove(struct folder *folder, const char *name)
{
	return unlinkat(fd_of(folder), name, 0) < 0 ? -errno : 0;
}

static int fd_flush(struct folder *folder)
{
	return fsync(fd_of(folder)) < 0 ? -errno : 0;
}

static int fd_list(struct folder *folder, int (*each)(void *context, const char *name),
		   void *context)
{
	int fd = openat(fd_of(folder), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!dir) {
		rc = -errno;
		if (fd >= 0) {
			close(fd);
		}
		return rc;
	}
	while (!rc && (entry = readdir(dir))) {
		struct stat st;

		if (fstatat(fd, entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode)) {
			rc = each(context, entry->d_name);
		}
	}
	closedir(dir);
	return rc;
}

static void fd_close(struct folder *folder)
{
	close(fd_of(folder));
	free(folder);
}

static const struct folder_ops fd_ops = {
	.open = fd_open,
	.rename = fd_rename,
	.remove = fd_remove,
	.flush = fd_flush,
	.list = fd_list,
	.close = fd_close,
};

int folder_of_path(const char *path, struct folder **ret_folder, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char parent[PATH_MAX] = ".";
	struct fd_folder *folder;

	if (!folder_is_name(name)) {
		return -EINVAL;
	}
	if (slash) {
		int n = snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path + 1), path);

		if (n < 0 || (size_t)n >= sizeof(parent)) {
			return -ENAMETOOLONG;
		}
	}
	folder = calloc(1, sizeof(*folder));
	if (!folder) {
		return -ENOMEM;
	}
	folder->folder.ops = &fd_ops;
	folder->fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0) {
		int rc = -errno;

		free(folder);
		return rc;
	}
	*ret_folder = &folder->folder;
	*ret_name = name;
	return 0;
}

int folder_replace_file(struct folder *folder, const char *name, const void *bytes, size_t size)
{
	char temporary[NAME_MAX + 1];
	struct file *file;
	int n = snprintf(temporary, sizeof(temporary), "%s.tmp", name);
	int rc;

	if (n < 0 || (size_t)n >= sizeof(temporary)) {
		return -ENAMETOOLONG;
	}
	rc = folder_remove(folder, temporary); /* left by a power cut */
	if (rc < 0 && rc != -ENOENT) {
		return rc;
	}
	rc = folder_open_file(folder, temporary, FOLDER_CREATE, &file);
	if (rc < 0) {
		return rc;
	}
	rc = file_write(file, bytes, size, 0);
	rc = rc ? rc : file_flush(file);
	file_close(file);
	rc = rc ? rc : folder_rename(folder, temporary, name);
	if (rc < 0) {
		(void)!folder_remove(folder, temporary);
		return rc;
	}
	return folder_flush(folder);
}

int folder_check_free(struct folder *folder, const char *name)
{
	struct file *file;
	int rc = folder_open_file(folder, name, FOLDER_READ, &file);

	if (rc == -ENOENT) {
		return 0;
	}
	if (rc < 0) {
		return rc;
	}
	file_close(file);
	return -EEXIST;
}

bool folder_is_there(struct folder *folder, const char *name)
{
	return folder_check_free(folder, name) != 0;
}

int folder_read_file(struct folder *folder, const char *name, size_t max, void **ret_bytes,
		     size_t *ret_size)
{
	struct file *file;
	uint64_t size;
	void *bytes = NULL;
	int rc = folder_open_file(folder, name, FOLDER_READ, &file);

	if (rc < 0) {
		return rc;
	}
	rc = file_get_size(file, &size);
	if (!rc && size > max) {
		rc = -EFBIG;
	}
	if (!rc) {
		bytes = calloc(1, (size_t)size + 1);
		rc = bytes ? file_read(file, bytes, (size_t)size, 0) : -ENOMEM;
	}
	file_close(file);
	if (rc < 0) {
		free(bytes);
		return rc;
	}
	*ret_bytes = bytes;
	*ret_size = (size_t)size;
	return 0;
}
