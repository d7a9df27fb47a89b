/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a scene's disk: made once, then obeyed at each opening, as stack_open() does. */
#include "scene_verify.h"

#include "layer_verify.h"
#include "manifest_seal.h"
#include "vhd_disk.h"

#include <errno.h>
#include <string.h>

static void get_subject(const struct layer *bottom, const char *name,
			struct manifest_subject *ret_subject)
{
	struct vhd_disk_info info;
	unsigned depth = strcmp(bottom->ops->name, "vhd") == 0;

	*ret_subject = (struct manifest_subject){.image = name, .size = bottom->size};
	for (unsigned i = 0; i < depth; i++) {
		depth = vhd_disk_get_info(bottom, i, &info);
		memcpy(ret_subject->uuids[i], info.footer.uuid, 16);
		ret_subject->uuid_count++;
	}
}

int scene_seal(struct disk_memory *disk, const char *name, struct layer *bottom)
{
	struct manifest_subject subject;
	struct manifest_seal options = {.subject = &subject};
	struct manifest manifest;
	int rc, closed;

	get_subject(bottom, name, &subject);
	rc = manifest_seal(disk_memory_folder(disk), bottom, &options, &manifest, NULL);
	closed = layer_close(bottom);
	return rc ? rc : closed;
}

int scene_put_verify(struct disk_memory *disk, const char *name, struct layer **top)
{
	struct manifest_subject subject;
	struct manifest manifest;
	struct layer_verify_options options = {.folder = disk_memory_folder(disk),
					       .manifest = &manifest,
					       .subject = &subject,
					       .write = !(*top)->read_only};
	int rc = manifest_read(options.folder, name, NULL, &manifest, NULL);

	if (rc) {
		return rc == -ENOENT ? 0 : rc;
	}
	get_subject(*top, name, &subject);
	rc = manifest_check_fits(&manifest, &subject, NULL);
	rc = rc ? rc : layer_verify_open(*top, &options, top, NULL);
	return rc ? rc : layer_verify_begin(*top, NULL);
}
