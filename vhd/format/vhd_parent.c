/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the order in which an image's names for its parent are tried. */
#define _GNU_SOURCE

#include "vhd_parent.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static void add(struct vhd_parent_names *names, const char *name)
{
	if (!folder_is_name(name)) {
		return;
	}
	for (unsigned i = 0; i < names->count; i++) {
		if (strcmp(names->names[i], name) == 0) {
			return;
		}
	}
	if (names->count < VHD_PARENT_NAMES_MAX) {
		strcpy(names->names[names->count++], name);
	}
}

static void add_locators(struct vhd_parent_names *names, struct file *file,
			 const struct vhd_header *header, uint32_t platform)
{
	for (unsigned i = 0; i < VHD_LOCATOR_COUNT; i++) {
		char name[VHD_NAME_SIZE];

		if (header->locators[i].platform == platform &&
		    vhd_locator_read_name(file, &header->locators[i], name) == 0) {
			add(names, name);
		}
	}
}

void vhd_parent_list_names(struct file *file, const struct vhd_header *header,
			   struct vhd_parent_names *ret_names)
{
	ret_names->count = 0;
	add_locators(ret_names, file, header, VHD_LOCATOR_RELATIVE);
	add_locators(ret_names, file, header, VHD_LOCATOR_ABSOLUTE);
	add(ret_names, vhd_text_base_name(header->parent_name));
}

struct search {
	const struct vhd_parent_names *names;
	char found[VHD_NAME_SIZE];
};

static int compare(void *context, const char *name)
{
	struct search *search = context;

	for (unsigned i = 0; i < search->names->count; i++) {
		if (strcasecmp(search->names->names[i], name) == 0) {
			strcpy(search->found, name); /* as long as a name that fits */
			return 1;
		}
	}
	return 0;
}

int vhd_parent_find_spelling(struct folder *folder, const struct vhd_parent_names *names,
			     char ret_name[VHD_NAME_SIZE])
{
	struct search search = {.names = names};
	int rc = folder_list(folder, compare, &search);

	if (rc < 0) {
		return rc;
	}
	if (!rc) {
		return -ENOENT;
	}
	memcpy(ret_name, search.found, VHD_NAME_SIZE);
	return 0;
}
