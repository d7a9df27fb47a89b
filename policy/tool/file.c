/* SPDX-License-Identifier: Apache-2.0 */
/* Files that the command line names, with a message for people where one fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tool.h"
#include "whole_file.h"

/* A file that is there keeps its permissions. */
static int replace(const char *path, const void *bytes, size_t size)
{
	struct stat there;
	mode_t mode = 0644;

	if (stat(path, &there) == 0) {
		if (!S_ISREG(there.st_mode)) {
			return -EEXIST; /* a device or folder is nobody's to replace */
		}
		mode = there.st_mode & 07777;
	}
	return whole_file_replace(path, mode, bytes, size);
}

int tool_write_file(struct tool *tool, const char *path, const void *bytes, size_t size)
{
	int ret;

	if (!strcmp(path, "-")) {
		ret = fwrite(bytes, 1, size, stdout) == size ? 0 : -EIO;
	} else {
		ret = replace(path, bytes, size);
	}
	if (ret) {
		tool_complain(tool, "%s: %s", path, strerror(-ret));
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

int tool_read_file(struct tool *tool, const char *path, size_t limit, char **ret_bytes,
		   size_t *ret_size)
{
	int ret = whole_file_read(AT_FDCWD, path, 0, limit, ret_bytes, ret_size);

	if (ret) {
		tool_complain(tool, "%s: %s", path,
			      ret == -EINVAL ? "Not a plain file" : strerror(-ret));
		return TOOL_FAILED;
	}
	return TOOL_OK;
}
