/* SPDX-License-Identifier: Apache-2.0 */
/* Owns nothing but the number of the descriptor: each file of the folder is a duplicate of it, with
 * the same lock. */
#define _GNU_SOURCE

#include "blk_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct blk_folder {
	struct folder folder;
	int fd;
};

static int open_file(struct folder *folder, const char *name, unsigned flags,
		     struct file **ret_file)
{
	int fd;
	int rc;

	if (flags & FOLDER_CREATE) {
		return -EROFS;
	}
	if (strcmp(name, BLK_FOLDER_NAME) != 0) {
		return -ENOENT;
	}
	fd = fcntl(((struct blk_folder *)folder)->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	rc = fcntl(fd, F_GETFL);
	if (rc >= 0 && flags & FOLDER_WRITE && (rc & O_ACCMODE) != O_RDWR) {
		close(fd);
		return -EACCES;
	}
	rc = rc < 0 ? -errno : file_from_fd(fd, ret_file);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	(*ret_file)->read_only = !(flags & FOLDER_WRITE);
	return 0;
}

static int refuse_rename(struct folder *folder, const char *from, const char *to)
{
	return -EROFS;
}

static int refuse_remove(struct folder *folder, const char *name)
{
	return -EROFS;
}

static int flush(struct folder *folder)
{
	return 0;
}

static int list(struct folder *folder, int (*each)(void *context, const char *name), void *context)
{
	return each(context, BLK_FOLDER_NAME);
}

static void close_folder(struct folder *folder)
{
	free(folder);
}

static const struct folder_ops ops = {
	.open = open_file,
	.rename = refuse_rename,
	.remove = refuse_remove,
	.flush = flush,
	.list = list,
	.close = close_folder,
};

int blk_folder_create(int fd, struct folder **ret_folder)
{
	struct blk_folder *self = calloc(1, sizeof(*self));

	if (!self) {
		return -ENOMEM;
	}
	self->folder.ops = &ops;
	self->fd = fd;
	*ret_folder = &self->folder;
	return 0;
}
