/* SPDX-License-Identifier: Apache-2.0 */
/** A folder of images. Files of a chain, manifests and journals are opened, made, renamed and
 * removed here by plain names: a name with '/' in it, "." or ".." is refused with -EINVAL, so an
 * image can only ever name its neighbours.
 *
 *  create(), rename() and remove() are lasting after flush() returned 0. rename() replaces an
 * existing file in one step. Functions return 0 or -errno.
 */
#ifndef VHD_FOLDER_H
#define VHD_FOLDER_H

#include "file.h"

struct folder;

enum folder_flags {
	FOLDER_READ = 0,
	FOLDER_WRITE = 1u << 0,
	FOLDER_CREATE = 1u << 1, /* must not exist yet; implies FOLDER_WRITE */
};

struct folder_ops {
	int (*open)(struct folder *folder, const char *name, unsigned flags,
		    struct file **ret_file);
	int (*rename)(struct folder *folder, const char *from, const char *to);
	int (*remove)(struct folder *folder, const char *name);
	int (*flush)(struct folder *folder);
	/** Calls `each` with every plain file's name until it returns non-zero; returns that. */
	int (*list)(struct folder *folder, int (*each)(void *context, const char *name),
		    void *context);
	void (*close)(struct folder *folder);
};

struct folder {
	const struct folder_ops *ops;
};

/** -ENOENT, -EEXIST, -EACCES ... as open(2). A file opened without FOLDER_WRITE is read-only. */
VHD_MUST_CHECK int folder_open_file(struct folder *folder, const char *name, unsigned flags,
				    struct file **ret_file);
VHD_MUST_CHECK int folder_rename(struct folder *folder, const char *from, const char *to);
VHD_MUST_CHECK int folder_remove(struct folder *folder, const char *name);
VHD_MUST_CHECK int folder_flush(struct folder *folder);
VHD_MUST_CHECK int folder_list(struct folder *folder, int (*each)(void *context, const char *name),
			       void *context);
/** NULL is fine. */
void folder_close(struct folder *folder);

/** True for a name that folder functions take. */
bool folder_is_name(const char *name);

/** 0 when nothing has the name; -EEXIST; or -errno of looking. */
VHD_MUST_CHECK int folder_check_free(struct folder *folder, const char *name);

/** False when nothing has the name; what cannot be looked at is there. */
bool folder_is_there(struct folder *folder, const char *name);

/** Opens the folder that holds `path` and returns the last part of the path in *ret_name, which
 * points into `path`. */
VHD_MUST_CHECK int folder_of_path(const char *path, struct folder **ret_folder,
				  const char **ret_name);

/** Writes a small file as a whole: under a temporary name, flushed, renamed, the folder flushed. A
 * power cut leaves the old file or the new one. */
VHD_MUST_CHECK int folder_replace_file(struct folder *folder, const char *name, const void *bytes,
				       size_t size);

/** Reads a small file of at most `max` bytes whole, and a NUL behind it; the caller frees. -EFBIG
 * when it is longer. */
VHD_MUST_CHECK int folder_read_file(struct folder *folder, const char *name, size_t max,
				    void **ret_bytes, size_t *ret_size);

#endif
