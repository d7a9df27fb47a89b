/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the bytes of NAME.owner. A damaged record refuses the disk. */
#include "owner.h"
#include "json_fields.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 8192u
#define VERSION	 1u

static const char *const state_names[] = {
	[OWNER_HERE] = "here",
	[OWNER_LEAVING] = "leaving",
	[OWNER_MOVED] = "moved",
};

static int name_of(const char *image, char ret_name[OWNER_NAME_MAX])
{
	int n = snprintf(ret_name, OWNER_NAME_MAX, "%s" OWNER_SUFFIX, image);

	return n < 0 || n >= (int)OWNER_NAME_MAX ? -ENAMETOOLONG : 0;
}

static int decode_state(struct json_object *object, enum owner_state *ret_state)
{
	char text[16];
	int rc = json_fields_text(object, "state", text, sizeof(text));

	if (rc < 0) {
		return rc;
	}
	for (unsigned i = 0; i < sizeof(state_names) / sizeof(*state_names); i++) {
		if (strcmp(text, state_names[i]) == 0) {
			*ret_state = (enum owner_state)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int decode(struct json_object *object, struct owner *owner)
{
	uint64_t version, when;
	int rc = json_fields_u64(object, "version", VERSION, &version);

	rc = rc ? rc : decode_state(object, &owner->state);
	rc = rc ? rc : json_fields_hex(object, "disk", owner->disk_id, sizeof(owner->disk_id));
	rc = rc ? rc : json_fields_u64(object, "epoch", INT64_MAX, &owner->epoch);
	rc = rc ? rc : json_fields_hex(object, "bundle", owner->bundle_id, 16);
	rc = rc ? rc : json_fields_hex(object, "salt", owner->salt, sizeof(owner->salt));
	rc = rc ? rc : json_fields_u64(object, "time", INT64_MAX, &when);
	rc = rc ? rc : json_fields_text(object, "to", owner->to, sizeof(owner->to));
	rc = rc ? rc : json_fields_hex(object, "common", owner->common_uuid, 16);
	rc = rc ? rc
		: json_fields_text(object, "common_image", owner->common_name,
				   sizeof(owner->common_name));
	rc = rc ? rc : json_fields_hex(object, "before", owner->before_uuid, 16);
	rc = rc ? rc
		: json_fields_text(object, "before_image", owner->before_name,
				   sizeof(owner->before_name));
	rc = rc ? rc : json_fields_hex(object, "receipt", owner->receipt_hash, OWNER_HASH_SIZE);
	rc = rc ? rc : json_fields_bool(object, "received", &owner->received);
	if (!rc) {
		owner->time = (int64_t)when;
	}
	return rc;
}

static int read_named(struct folder *folder, const char *file, struct owner *ret_owner)
{
	struct owner owner = {0};
	struct json_object *object;
	size_t size;
	void *bytes;
	int rc = folder_read_file(folder, file, FILE_MAX, &bytes, &size);

	if (rc < 0) {
		return rc == -EFBIG ? -EBADMSG : rc;
	}
	object = json_fields_parse(bytes, size);
	free(bytes);
	rc = object && decode(object, &owner) == 0 ? 0 : -EBADMSG;
	json_object_put(object);
	if (!rc) {
		*ret_owner = owner;
	}
	return rc;
}

int owner_read(struct folder *folder, const char *image, struct owner *ret_owner, struct why *why)
{
	char file[OWNER_NAME_MAX];
	int rc = name_of(image, file);

	rc = rc ? rc : read_named(folder, file, ret_owner);
	if (rc == -EBADMSG) {
		return why_set(why, rc,
			       "the owner's record %s is damaged: restore it from a backup, or "
			       "remove it when no other PC has this disk",
			       file);
	}
	return rc < 0 && rc != -ENOENT ? why_set(why, rc, "cannot read %s: %s", file, strerror(-rc))
				       : rc;
}

static struct json_object *encode(const struct owner *owner)
{
	struct json_object *object = json_object_new_object();

	if (!object) {
		return NULL;
	}
	json_fields_put_u64(object, "version", VERSION);
	json_fields_put_text(object, "state", state_names[owner->state]);
	json_fields_put_hex(object, "disk", owner->disk_id, sizeof(owner->disk_id));
	json_fields_put_u64(object, "epoch", owner->epoch);
	json_fields_put_hex(object, "bundle", owner->bundle_id, sizeof(owner->bundle_id));
	json_fields_put_hex(object, "salt", owner->salt, sizeof(owner->salt));
	json_fields_put_u64(object, "time", owner->time < 0 ? 0 : (uint64_t)owner->time);
	json_fields_put_text(object, "to", owner->to);
	json_fields_put_hex(object, "common", owner->common_uuid, sizeof(owner->common_uuid));
	json_fields_put_text(object, "common_image", owner->common_name);
	json_fields_put_hex(object, "before", owner->before_uuid, sizeof(owner->before_uuid));
	json_fields_put_text(object, "before_image", owner->before_name);
	json_fields_put_hex(object, "receipt", owner->receipt_hash, sizeof(owner->receipt_hash));
	json_object_object_add(object, "received", json_object_new_boolean(owner->received));
	return object;
}

int owner_write_file(struct folder *folder, const char *file, const struct owner *owner,
		     struct why *why)
{
	struct json_object *object = encode(owner);
	const char *text;
	int rc = -ENOMEM;

	text = object ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY) : NULL;
	if (text) {
		rc = folder_replace_file(folder, file, text, strlen(text));
	}
	json_object_put(object);
	return rc ? why_set(why, rc, "cannot write the owner's record %s: %s", file, strerror(-rc))
		  : 0;
}

int owner_write(struct folder *folder, const char *image, const struct owner *owner,
		struct why *why)
{
	char file[OWNER_NAME_MAX];
	int rc = name_of(image, file);

	return rc ? why_set(why, rc, "the name %.200s is too long", image)
		  : owner_write_file(folder, file, owner, why);
}

int owner_remove(struct folder *folder, const char *image)
{
	char file[OWNER_NAME_MAX];
	int rc = name_of(image, file);

	rc = rc ? rc : folder_remove(folder, file);
	return rc ? rc : folder_flush(folder);
}

int owner_check_write(struct folder *folder, const char *image, struct why *why)
{
	struct owner owner;
	int rc = owner_read(folder, image, &owner, why);

	if (rc == -ENOENT) {
		return 0;
	}
	if (!rc && owner.state == OWNER_MOVED) {
		rc = why_set(why, -EREMOTE,
			     "%s has moved to %s (epoch %llu): use it there, bring it back by "
			     "export and import, or take an unreceived move back with undo",
			     image, *owner.to ? owner.to : "another PC",
			     (unsigned long long)owner.epoch);
	}
	return rc;
}

struct search {
	struct folder *folder;
	const uint8_t *id;
	uint64_t epoch;
	char image[OWNER_NAME_MAX];
};

/* Reads the record in a file of that name, if it is one; gives the name of its image. */
static bool read_record(struct folder *folder, const char *name, struct owner *ret_owner,
			char ret_image[OWNER_NAME_MAX])
{
	size_t length = strlen(name), suffix = strlen(OWNER_SUFFIX);

	if (length <= suffix || length >= OWNER_NAME_MAX ||
	    strcmp(name + length - suffix, OWNER_SUFFIX) != 0 ||
	    read_named(folder, name, ret_owner) < 0) {
		return false;
	}
	memcpy(ret_image, name, length - suffix);
	ret_image[length - suffix] = '\0';
	return true;
}

static int look_for_disk(void *context, const char *name)
{
	struct search *search = context;
	char image[OWNER_NAME_MAX];
	struct owner owner;

	if (read_record(search->folder, name, &owner, image) &&
	    memcmp(owner.disk_id, search->id, sizeof(owner.disk_id)) == 0 &&
	    owner.epoch >= search->epoch) {
		search->epoch = owner.epoch;
		memcpy(search->image, image, sizeof(image));
	}
	return 0;
}

int owner_find(struct folder *folder, const uint8_t disk_id[16], uint64_t *ret_epoch,
	       char ret_image[OWNER_NAME_MAX])
{
	struct search search = {.folder = folder, .id = disk_id};
	int rc = folder_list(folder, look_for_disk, &search);

	if (!rc) {
		*ret_epoch = search.epoch;
		if (ret_image) {
			memcpy(ret_image, search.image, sizeof(search.image));
		}
	}
	return rc;
}

static int look_for_common(void *context, const char *name)
{
	struct search *search = context;
	char image[OWNER_NAME_MAX];
	struct owner owner;

	if (!read_record(search->folder, name, &owner, image) ||
	    memcmp(owner.common_uuid, search->id, sizeof(owner.common_uuid)) != 0) {
		return 0;
	}
	memcpy(search->image, owner.common_name, sizeof(search->image));
	return 1;
}

int owner_find_common(struct folder *folder, const uint8_t uuid[16], char ret_image[OWNER_NAME_MAX])
{
	struct search search = {.folder = folder, .id = uuid};
	int rc = folder_list(folder, look_for_common, &search);

	if (rc <= 0 || !*search.image) {
		return rc < 0 ? rc : -ENOENT;
	}
	memcpy(ret_image, search.image, sizeof(search.image));
	return 0;
}
