/* SPDX-License-Identifier: Apache-2.0 */
/* Looks for a state in the records of the folder, then in its images. */
#include "move_base.h"
#include "move_volume.h"
#include "owner.h"
#include "vhd_disk.h"

#include <errno.h>
#include <string.h>

#define OPEN_MAX_HERE 4096u /* images looked at in one folder */

struct search {
	struct folder *folder;
	const uint8_t *uuid, *probe;
	unsigned looked;
	bool found, wrong;
	char name[MOVE_NAME_SIZE];
};

static bool has_contents(struct search *search, const char *name)
{
	uint8_t probe[BUNDLE_HASH_SIZE];
	struct layer *layer;
	int rc = vhd_disk_open(search->folder, name, VHD_DISK_NO_LOCK, &layer, NULL);

	if (rc < 0) {
		return false;
	}
	rc = move_volume_probe(layer, search->uuid, probe);
	(void)!layer_close(layer);
	return !rc && memcmp(probe, search->probe, sizeof(probe)) == 0;
}

static bool take(struct search *search, const char *name)
{
	bool right = has_contents(search, name);

	if (strlen(name) < sizeof(search->name)) {
		strcpy(search->name, name);
		search->found = right;
		search->wrong = !right;
	}
	return search->found;
}

static int look_at(void *context, const char *name)
{
	struct search *search = context;
	struct vhd_disk_info info;
	size_t length = strlen(name);
	struct layer *layer;
	bool same;

	if (length < 5 || strcmp(name + length - 4, ".vhd") != 0 ||
	    search->looked == OPEN_MAX_HERE) {
		return 0;
	}
	search->looked++;
	if (vhd_disk_open(search->folder, name, VHD_DISK_TOP_ONLY | VHD_DISK_NO_LOCK, &layer,
			  NULL) < 0) {
		return 0;
	}
	(void)vhd_disk_get_info(layer, 0, &info);
	same = memcmp(info.footer.uuid, search->uuid, sizeof(info.footer.uuid)) == 0;
	(void)!layer_close(layer);
	return same && take(search, name);
}

int move_base_find(struct folder *folder, const uint8_t uuid[16],
		   const uint8_t probe[BUNDLE_HASH_SIZE], char ret_name[MOVE_NAME_SIZE])
{
	struct search search = {.folder = folder, .uuid = uuid, .probe = probe};
	char name[OWNER_NAME_MAX];
	int rc = owner_find_common(folder, uuid, name);

	if (rc < 0 && rc != -ENOENT) {
		return rc;
	}
	if (rc || !take(&search, name)) {
		rc = folder_list(folder, look_at, &search);
		if (rc < 0) {
			return rc;
		}
	}
	if (!search.found && !search.wrong) {
		return -ENOENT;
	}
	strcpy(ret_name, search.name);
	return search.found ? 0 : -ESTALE;
}
