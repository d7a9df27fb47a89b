/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the names; no other file of vhd/move makes one up. */
#include "move_name.h"
#include "bundle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRY_MAX	    1000u
#define NAME_LENGTH 200 /* leaves room for what is added */

static int stem_of(const char *name)
{
	size_t length = strlen(name);

	return (int)(length > 4 && strcmp(name + length - 4, ".vhd") == 0 ? length - 4 : length);
}

int move_name_make(const char *name, struct move_name *ret_name)
{
	int stem = stem_of(name);

	if (!folder_is_name(name)) {
		return -EINVAL;
	}
	if (strlen(name) > NAME_LENGTH) {
		return -ENAMETOOLONG;
	}
	(void)snprintf(ret_name->bundle, MOVE_NAME_SIZE, "%.*s" BUNDLE_SUFFIX, stem, name);
	(void)snprintf(ret_name->part, MOVE_NAME_SIZE, "%.*s" BUNDLE_PART_SUFFIX, stem, name);
	(void)snprintf(ret_name->incoming, MOVE_NAME_SIZE, "%.*s.incoming", NAME_LENGTH, name);
	(void)snprintf(ret_name->child, MOVE_NAME_SIZE, "%.*s.child", NAME_LENGTH, name);
	(void)snprintf(ret_name->owner, MOVE_NAME_SIZE, "%.*s.owner-to-be", NAME_LENGTH, name);
	(void)snprintf(ret_name->progress, MOVE_NAME_SIZE, "%.*s.arriving", NAME_LENGTH, name);
	return 0;
}

int move_name_exists(struct folder *folder, const char *name)
{
	struct file *file;
	int rc = folder_open_file(folder, name, FOLDER_READ, &file);

	if (rc < 0) {
		return rc == -ENOENT ? 0 : rc;
	}
	file_close(file);
	return 1;
}

int move_name_of_state(struct folder *folder, const char *name, uint64_t epoch,
		       char ret_name[MOVE_NAME_SIZE])
{
	char text[MOVE_NAME_SIZE];
	int stem = stem_of(name), rc = 1;

	for (unsigned i = 1; rc > 0 && i <= TRY_MAX; i++) {
		if (i == 1) {
			(void)snprintf(text, sizeof(text), "%.*s.e%llu.vhd",
				       stem < NAME_LENGTH ? stem : NAME_LENGTH, name,
				       (unsigned long long)epoch);
		} else {
			(void)snprintf(text, sizeof(text), "%.*s.e%llu-%u.vhd",
				       stem < NAME_LENGTH ? stem : NAME_LENGTH, name,
				       (unsigned long long)epoch, i);
		}
		rc = move_name_exists(folder, text);
	}
	if (rc) {
		return rc < 0 ? rc : -EEXIST;
	}
	memcpy(ret_name, text, sizeof(text));
	return 0;
}
