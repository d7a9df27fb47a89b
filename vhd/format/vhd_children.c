/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the search through a folder for images that stand on another one. A UUID decides, not a
 * name: names change with files, and a child of a parent that is called differently would be lost
 * too. */
#define _GNU_SOURCE

#include "vhd_children.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names are collected first: opening files while the folder is listed would be a second use of it.
 */
struct names {
	char **names;
	unsigned count, capacity;
};

#define NAME_COUNT_MAX 65536u

static int collect(void *context, const char *name)
{
	struct names *names = context;

	if (names->count == NAME_COUNT_MAX) {
		return -E2BIG;
	}
	if (names->count == names->capacity) {
		unsigned capacity = names->capacity ? 2 * names->capacity : 32;
		char **more = realloc(names->names, capacity * sizeof(*more));

		if (!more) {
			return -ENOMEM;
		}
		names->names = more;
		names->capacity = capacity;
	}
	names->names[names->count] = strdup(name);
	return names->names[names->count++] ? 0 : -ENOMEM;
}

static int look_at(struct folder *folder, const char *name,
		   int (*each)(void *context, const char *name, const struct vhd_disk_info *info),
		   void *context)
{
	struct vhd_disk_info info;
	struct layer *layer;
	int rc = vhd_disk_open(folder, name, VHD_DISK_NO_LOCK | VHD_DISK_TOP_ONLY, &layer, NULL);

	if (rc < 0) {
		return rc == -ENOMEM ? rc : 0; /* no VHD, or none that anybody could open */
	}
	vhd_disk_get_info(layer, 0, &info);
	rc = each(context, name, &info);
	(void)!layer_close(layer);
	return rc;
}

int vhd_children_list(struct folder *folder,
		      int (*each)(void *context, const char *name,
				  const struct vhd_disk_info *info),
		      void *context)
{
	struct names names = {0};
	int rc = folder_list(folder, collect, &names);

	for (unsigned i = 0; !rc && i < names.count; i++) {
		rc = look_at(folder, names.names[i], each, context);
	}
	while (names.count) {
		free(names.names[--names.count]);
	}
	free(names.names);
	return rc;
}

struct search {
	const uint8_t *uuid;
	const char *except;
	unsigned count;
	char found[200]; /* names, as many as fit */
};

static int note(void *context, const char *name, const struct vhd_disk_info *info)
{
	struct search *search = context;
	size_t used = strlen(search->found);
	char quoted[80];

	if (info->footer.type != VHD_DIFFERENCING || strcmp(name, search->except) == 0 ||
	    memcmp(info->parent_uuid, search->uuid, sizeof(info->parent_uuid)) != 0) {
		return 0;
	}
	if (used + strlen(name) + 3 < sizeof(search->found)) {
		snprintf(search->found + used, sizeof(search->found) - used, "%s%s",
			 search->count ? ", " : "", why_quote(quoted, sizeof(quoted), name));
	}
	search->count++;
	return 0;
}

int vhd_children_refuse(struct folder *folder, const char *parent, const uint8_t uuid[16],
			const char *except, struct why *why)
{
	struct search search = {.uuid = uuid, .except = except};
	int rc = vhd_children_list(folder, note, &search);

	if (rc < 0 || !search.count) {
		return rc;
	}
	return why_set(why, -EBUSY,
		       "%u other image%s on %s (%s); flatten, rebase or remove %s first",
		       search.count, search.count == 1 ? " stands" : "s stand", parent,
		       search.found, search.count == 1 ? "it" : "them");
}
