/* SPDX-License-Identifier: Apache-2.0 */
/* Owns folders whose files go through the ring. Names are changed by plain calls: that happens when
 * a disk is opened, not while it is served. */
#include "uring_file.h"

#include <errno.h>
#include <stdlib.h>

struct uring_folder {
	struct folder folder;
	struct folder *inner;
	struct uring *ring;
};

static struct uring_folder *self_of(struct folder *folder)
{
	return (struct uring_folder *)folder;
}

static int open_file(struct folder *folder, const char *name, unsigned flags,
		     struct file **ret_file)
{
	struct uring_folder *self = self_of(folder);
	struct file *inner;
	int rc = folder_open_file(self->inner, name, flags, &inner);

	if (rc < 0) {
		return rc;
	}
	rc = uring_file_wrap(self->ring, inner, ret_file);
	if (rc < 0) {
		file_close(inner);
	}
	return rc;
}

static int rename_file(struct folder *folder, const char *from, const char *to)
{
	return folder_rename(self_of(folder)->inner, from, to);
}

static int remove_file(struct folder *folder, const char *name)
{
	return folder_remove(self_of(folder)->inner, name);
}

static int flush(struct folder *folder)
{
	return folder_flush(self_of(folder)->inner);
}

static int list(struct folder *folder, int (*each)(void *context, const char *name), void *context)
{
	return folder_list(self_of(folder)->inner, each, context);
}

static void close_folder(struct folder *folder)
{
	folder_close(self_of(folder)->inner);
	free(folder);
}

static const struct folder_ops ops = {
	.open = open_file,
	.rename = rename_file,
	.remove = remove_file,
	.flush = flush,
	.list = list,
	.close = close_folder,
};

int uring_folder_wrap(struct uring *ring, struct folder *inner, struct folder **ret_folder)
{
	struct uring_folder *self = calloc(1, sizeof(*self));

	if (!self) {
		return -ENOMEM;
	}
	self->folder.ops = &ops;
	self->inner = inner;
	self->ring = ring;
	*ret_folder = &self->folder;
	return 0;
}
