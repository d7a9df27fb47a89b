/* SPDX-License-Identifier: Apache-2.0 */
/* Small files whole. */
#define _GNU_SOURCE

#include "tool_key_file.h"

#include "folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tool_key_file_read(struct tool *tool, const char *path, size_t max, char **ret_text)
{
	struct folder *folder;
	const char *name;
	void *bytes = NULL;
	size_t size = 0;
	char *text;
	int rc;

	if (!path) {
		*ret_text = NULL;
		return TOOL_OK;
	}
	rc = folder_of_path(path, &folder, &name);
	if (!rc) {
		rc = folder_read_file(folder, name, max, &bytes, &size);
		folder_close(folder);
	}
	text = rc ? NULL : calloc(1, size + 1);
	rc = rc || text ? rc : -ENOMEM;
	if (rc < 0) {
		free(bytes);
		return tool_fail(tool, rc, path);
	}
	memcpy(text, bytes, size);
	explicit_bzero(bytes, size);
	free(bytes);
	*ret_text = text;
	return TOOL_OK;
}

int tool_key_file_write(struct tool *tool, const char *path, const char *text)
{
	struct folder *folder;
	const char *name;
	int rc = folder_of_path(path, &folder, &name);

	if (!rc) {
		rc = folder_replace_file(folder, name, text, strlen(text));
		folder_close(folder);
	}
	return rc < 0 ? tool_fail(tool, rc, path) : TOOL_OK;
}
