/* SPDX-License-Identifier: Apache-2.0 */
/* The file that says how far an import came. */
#include "json_fields.h"
#include "move_check_front.h"
#include "move_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_HERE 4096u

static int decode(struct json_object *object, struct move_arriving *arriving)
{
	uint64_t sector = 0;
	int rc = json_fields_hex(object, "bundle", arriving->bundle_id, BUNDLE_ID_SIZE);

	rc = rc ? rc : json_fields_u64(object, "frames", BUNDLE_FRAME_COUNT_MAX, &arriving->frames);
	rc = rc ? rc : json_fields_u64(object, "sector", BUNDLE_SECTOR_COUNT_MAX, &sector);
	rc = rc ? rc : json_fields_hex(object, "chain", arriving->chain, BUNDLE_HASH_SIZE);
	rc = rc ? rc
		: json_fields_text(object, "state", arriving->state_name,
				   sizeof(arriving->state_name));
	rc = rc ? rc
		: json_fields_text(object, "old", arriving->old_name, sizeof(arriving->old_name));
	arriving->sector = (uint32_t)sector;
	return rc;
}

int move_arriving_read(struct folder *folder, const char *file, struct move_arriving *ret_arriving)
{
	struct move_arriving arriving = {.frames = 0};
	struct json_object *object;
	void *bytes;
	size_t size;
	int rc = folder_read_file(folder, file, SIZE_MAX_HERE, &bytes, &size);

	if (rc < 0) {
		return rc == -EFBIG ? -ENOENT : rc;
	}
	object = json_fields_parse(bytes, size);
	free(bytes);
	rc = object && decode(object, &arriving) == 0 ? 0 : -ENOENT;
	json_object_put(object);
	if (!rc) {
		*ret_arriving = arriving;
	}
	return rc;
}

int move_arriving_write(struct folder *folder, const char *file,
			const struct move_arriving *arriving)
{
	struct json_object *object = json_object_new_object();
	const char *text;
	int rc;

	if (!object) {
		return -ENOMEM;
	}
	json_fields_put_hex(object, "bundle", arriving->bundle_id, BUNDLE_ID_SIZE);
	json_fields_put_u64(object, "frames", arriving->frames);
	json_fields_put_u64(object, "sector", arriving->sector);
	json_fields_put_hex(object, "chain", arriving->chain, BUNDLE_HASH_SIZE);
	json_fields_put_text(object, "state", arriving->state_name);
	json_fields_put_text(object, "old", arriving->old_name);
	text = json_object_to_json_string(object);
	rc = text ? folder_replace_file(folder, file, text, strlen(text)) : -ENOMEM;
	json_object_put(object);
	return rc;
}

int move_import_have(struct folder *folder, const char *name, uint8_t ret_id[BUNDLE_ID_SIZE],
		     uint64_t *ret_frames, uint8_t ret_chain[BUNDLE_HASH_SIZE])
{
	struct move_arriving arriving;
	struct move_name names;
	int rc = move_name_make(name, &names);

	rc = rc ? rc : move_arriving_read(folder, names.progress, &arriving);
	if (!rc) {
		memcpy(ret_id, arriving.bundle_id, BUNDLE_ID_SIZE);
		memcpy(ret_chain, arriving.chain, BUNDLE_HASH_SIZE);
		*ret_frames = arriving.frames;
	}
	return rc;
}

int move_import_forget(struct folder *folder, const char *name, struct why *why)
{
	struct move_name names;
	int rc = move_name_make(name, &names);
	const char *const files[] = {names.progress, names.owner, names.child, names.incoming};

	for (unsigned i = 0; !rc && i < sizeof(files) / sizeof(*files); i++) {
		rc = folder_remove(folder, files[i]);
		rc = rc == -ENOENT ? 0 : rc;
	}
	rc = rc ? rc : folder_flush(folder);
	return rc ? why_set(why, rc, "cannot remove what was imported of %s: %s", name,
			    strerror(-rc))
		  : 0;
}
