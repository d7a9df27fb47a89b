/* SPDX-License-Identifier: Apache-2.0 */
/* The one form of a manifest's text, and back. */
#include "json_fields.h"
#include "manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1u

static const char *const state_names[] = {
	[MANIFEST_SEALED] = "sealed",
	[MANIFEST_OPEN] = "open",
	[MANIFEST_MOVED] = "moved",
};

#define STATE_COUNT (sizeof(state_names) / sizeof(*state_names))

struct text {
	char *at;
	size_t length;
	bool overflow;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	size_t room = MANIFEST_FILE_MAX - text->length;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->at + text->length, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		text->overflow = true;
		text->length = 0;
	} else {
		text->length += (size_t)n;
	}
}

/* Quotes and backslashes are all that needs care: other control characters are refused. */
static void add_string(struct text *text, const char *string)
{
	add(text, "\"");
	for (; *string; string++) {
		add(text, "%s%c", *string == '"' || *string == '\\' ? "\\" : "", *string);
	}
	add(text, "\"");
}

static void add_hex(struct text *text, const void *bytes, size_t size)
{
	add(text, "\"");
	for (size_t i = 0; i < size; i++) {
		add(text, "%02x", ((const uint8_t *)bytes)[i]);
	}
	add(text, "\"");
}

static void add_text_field(struct text *text, const char *key, const char *value)
{
	add(text, "  \"%s\": ", key);
	add_string(text, value);
	add(text, ",\n");
}

static void add_number_field(struct text *text, const char *key, uint64_t value)
{
	add(text, "  \"%s\": %" PRIu64 ",\n", key, value);
}

static void add_hex_field(struct text *text, const char *key, const void *bytes, size_t size)
{
	add(text, "  \"%s\": ", key);
	add_hex(text, bytes, size);
	add(text, ",\n");
}

static void add_lists(struct text *text, const struct manifest *manifest)
{
	add(text, "  \"parents\": [");
	for (unsigned i = 0; i < manifest->parent_count; i++) {
		add(text, "%s", i ? ", " : "");
		add_hex(text, manifest->parents[i], 16);
	}
	add(text, "],\n  \"roles\": [");
	for (unsigned i = 0; i < manifest->role_count; i++) {
		add(text, "%s", i ? ", " : "");
		add_string(text, manifest->roles[i]);
	}
	add(text, "],\n");
}

static void add_signed(struct text *text, const struct manifest *manifest)
{
	add(text, "{\n");
	add_number_field(text, "manifest", VERSION);
	add_text_field(text, "state", state_names[manifest->state]);
	add_number_field(text, "epoch", manifest->epoch);
	add_hex_field(text, "disk", manifest->disk_id, sizeof(manifest->disk_id));
	add_text_field(text, "image", manifest->image);
	add_number_field(text, "size", manifest->size);
	add_hex_field(text, "uuid", manifest->uuid, sizeof(manifest->uuid));
	add_lists(text, manifest);
	add(text, "  \"encrypted\": %s,\n", manifest->encrypted ? "true" : "false");
	add_number_field(text, "pinned_size", manifest->pinned_size);
	add_hex_field(text, "pinned_hash", manifest->pinned_hash, MANIFEST_HASH_SIZE);
	add_number_field(text, "tree_area", manifest->tree_area);
	add_hex_field(text, "tree_root", manifest->tree_root, MANIFEST_HASH_SIZE);
	add_text_field(text, "owner", manifest->owner);
	add_text_field(text, "moved_to", manifest->moved_to);
	add_number_field(text, "time", (uint64_t)manifest->time);
}

int manifest_encode(const struct manifest *manifest, char **ret_text, size_t *ret_size,
		    size_t *ret_signed)
{
	struct text text = {malloc(MANIFEST_FILE_MAX), 0, false};
	size_t signed_size;

	if (!text.at) {
		return -ENOMEM;
	}
	add_signed(&text, manifest);
	signed_size = text.length;
	add(&text, "  \"signature\": ");
	add_hex(&text, manifest->signature, manifest->signature_size);
	add(&text, "\n}\n");
	if (text.overflow) {
		free(text.at);
		return -EINVAL;
	}
	*ret_text = text.at;
	*ret_size = text.length;
	*ret_signed = signed_size;
	return 0;
}

static int decode_state(struct json_object *object, enum manifest_state *ret_state)
{
	char text[16];
	int rc = json_fields_text(object, "state", text, sizeof(text));

	for (unsigned i = 0; !rc && i < STATE_COUNT; i++) {
		if (strcmp(text, state_names[i]) == 0) {
			*ret_state = (enum manifest_state)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* An array of at most `max` strings; each goes through json_fields as a field of its own object. */
static int decode_list(struct json_object *object, const char *key, unsigned max,
		       int (*each)(struct manifest *manifest, struct json_object *item,
				   unsigned index),
		       struct manifest *manifest, unsigned *ret_count)
{
	struct json_object *list;
	size_t count;
	int rc = 0;

	if (!json_object_object_get_ex(object, key, &list) ||
	    !json_object_is_type(list, json_type_array)) {
		return -EINVAL;
	}
	count = json_object_array_length(list);
	if (count > max) {
		return -EINVAL;
	}
	for (unsigned i = 0; !rc && i < count; i++) {
		struct json_object *item = json_object_new_object();

		if (!item) {
			return -ENOMEM;
		}
		json_object_object_add(item, "x",
				       json_object_get(json_object_array_get_idx(list, i)));
		rc = each(manifest, item, i);
		json_object_put(item);
	}
	*ret_count = (unsigned)count;
	return rc;
}

static int decode_parent(struct manifest *manifest, struct json_object *item, unsigned index)
{
	return json_fields_hex(item, "x", manifest->parents[index], 16);
}

static int decode_role(struct manifest *manifest, struct json_object *item, unsigned index)
{
	return json_fields_text(item, "x", manifest->roles[index], sizeof(manifest->roles[index]));
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode_signature(struct json_object *object, struct manifest *manifest)
{
	char text[2 * SIGNATURE_MAX + 1];
	int rc = json_fields_text(object, "signature", text, sizeof(text));
	size_t digits = rc ? 1 : strlen(text);

	if (digits % 2) {
		return -EINVAL;
	}
	for (size_t i = 0; i < digits / 2; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			return -EINVAL;
		}
		manifest->signature[i] = (uint8_t)(high << 4 | low);
	}
	manifest->signature_size = digits / 2;
	return 0;
}

static int decode_numbers(struct json_object *object, struct manifest *manifest)
{
	uint64_t version = 0, area = 0, when = 0;
	int rc = json_fields_u64(object, "manifest", VERSION, &version);

	rc = rc ? rc : json_fields_u64(object, "epoch", INT64_MAX - 1, &manifest->epoch);
	rc = rc ? rc : json_fields_u64(object, "size", INT64_MAX, &manifest->size);
	rc = rc ? rc
		: json_fields_u64(object, "pinned_size", MANIFEST_PINNED_MAX,
				  &manifest->pinned_size);
	rc = rc ? rc : json_fields_u64(object, "tree_area", 1, &area);
	rc = rc ? rc : json_fields_u64(object, "time", INT64_MAX, &when);
	manifest->tree_area = (unsigned)area;
	manifest->time = (int64_t)when;
	return rc || version != VERSION ? -EINVAL : 0;
}

static int decode_fields(struct json_object *object, struct manifest *manifest)
{
	int rc = decode_numbers(object, manifest);

	rc = rc ? rc : decode_state(object, &manifest->state);
	rc = rc ? rc : json_fields_hex(object, "disk", manifest->disk_id, MANIFEST_DISK_ID_SIZE);
	rc = rc ? rc : json_fields_text(object, "image", manifest->image, sizeof(manifest->image));
	rc = rc ? rc : json_fields_hex(object, "uuid", manifest->uuid, sizeof(manifest->uuid));
	rc = rc ? rc
		: decode_list(object, "parents", MANIFEST_PARENT_MAX, decode_parent, manifest,
			      &manifest->parent_count);
	rc = rc ? rc
		: decode_list(object, "roles", MANIFEST_ROLE_MAX, decode_role, manifest,
			      &manifest->role_count);
	rc = rc ? rc : json_fields_bool(object, "encrypted", &manifest->encrypted);
	rc = rc ? rc
		: json_fields_hex(object, "pinned_hash", manifest->pinned_hash, MANIFEST_HASH_SIZE);
	rc = rc ? rc
		: json_fields_hex(object, "tree_root", manifest->tree_root, MANIFEST_HASH_SIZE);
	rc = rc ? rc : json_fields_text(object, "owner", manifest->owner, sizeof(manifest->owner));
	rc = rc ? rc
		: json_fields_text(object, "moved_to", manifest->moved_to,
				   sizeof(manifest->moved_to));
	return rc ? rc : decode_signature(object, manifest);
}

static bool makes_sense(const struct manifest *manifest)
{
	return manifest->epoch > 0 && manifest->size > 0 && manifest->size % 512 == 0 &&
	       folder_is_name(manifest->image) && manifest->pinned_size % 512 == 0 &&
	       manifest->pinned_size <= manifest->size &&
	       (!manifest->encrypted || manifest->pinned_size > 0) &&
	       (manifest->state == MANIFEST_MOVED) == (*manifest->moved_to != 0);
}

/* What it says is written again: any other spelling of the same was not written by us. */
static int check_form(const struct manifest *manifest, const void *untrusted, size_t size,
		      size_t *ret_signed)
{
	size_t again_size, signed_size;
	char *again;
	int rc = manifest_encode(manifest, &again, &again_size, &signed_size);

	if (rc < 0) {
		return rc;
	}
	if (again_size != size || memcmp(again, untrusted, size) != 0) {
		rc = -EBADMSG;
	} else {
		*ret_signed = signed_size;
	}
	free(again);
	return rc;
}

int manifest_decode(const void *untrusted, size_t size, struct manifest *ret_manifest,
		    size_t *ret_signed)
{
	struct manifest manifest = {0};
	struct json_object *object;
	int rc;

	if (size < 2 || size > MANIFEST_FILE_MAX || ((const char *)untrusted)[size - 1] != '\n') {
		return -EBADMSG;
	}
	object = json_fields_parse(untrusted, size - 1);
	if (!object) {
		return -EBADMSG;
	}
	rc = decode_fields(object, &manifest);
	json_object_put(object);
	if (!rc && !makes_sense(&manifest)) {
		rc = -EBADMSG;
	}
	rc = rc ? rc : check_form(&manifest, untrusted, size, ret_signed);
	if (rc < 0) {
		return rc == -ENOMEM ? rc : -EBADMSG;
	}
	*ret_manifest = manifest;
	return 0;
}
