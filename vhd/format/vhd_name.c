/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the rule by which files around a disk are named. */
#define _GNU_SOURCE

#include "vhd_name.h"

#include "folder.h"
#include "vhd_snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char suffix[] = ".vhd";

const char *const vhd_name_companions[VHD_NAME_COMPANIONS] = {".manifest", ".tree"};

/* Bytes of the name before ".vhd", in either case; all of them when there is no suffix. */
static size_t stem_size(const char *name)
{
	size_t size = strlen(name);
	size_t tail = sizeof(suffix) - 1;

	return size > tail && strcasecmp(name + size - tail, suffix) == 0 ? size - tail : size;
}

static int finish(int printed, const char *name)
{
	if (!folder_is_name(name)) {
		return -EINVAL;
	}
	return printed < 0 || printed > NAME_MAX ? -ENAMETOOLONG : 0;
}

int vhd_name_tag(const char *name, const char *tag, struct vhd_name *ret_name)
{
	size_t stem = stem_size(name);
	struct vhd_name made;
	int rc;

	if (stem > NAME_MAX) {
		return -ENAMETOOLONG;
	}
	rc = finish(snprintf(made.text, sizeof(made.text), "%.*s.%s%s", (int)stem, name, tag,
			     name + stem),
		    name);
	if (!rc) {
		*ret_name = made;
	}
	return rc;
}

int vhd_name_append(const char *name, const char *end, struct vhd_name *ret_name)
{
	struct vhd_name made;
	int rc = finish(snprintf(made.text, sizeof(made.text), "%s%s", name, end), name);

	if (!rc) {
		*ret_name = made;
	}
	return rc;
}

bool vhd_name_is_tag(const char *tag)
{
	size_t size = strlen(tag);

	return size > 0 && size <= VHD_SNAPSHOT_TAG_MAX && tag[0] != '.' && tag[size - 1] != '.' &&
	       strcasecmp(tag, VHD_NAME_REVERTED) != 0 &&
	       strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       size;
}

bool vhd_name_get_tag(const char *name, const char *other, struct vhd_name *ret_tag)
{
	size_t stem = stem_size(name);
	size_t end = strlen(name) - stem;
	size_t size = strlen(other);

	if (size > NAME_MAX || size < stem + 2 + end || strncmp(other, name, stem) != 0 ||
	    other[stem] != '.' || strcmp(other + size - end, name + stem) != 0) {
		return false;
	}
	size -= stem + 1 + end;
	memcpy(ret_tag->text, other + stem + 1, size);
	ret_tag->text[size] = 0;
	return true;
}
