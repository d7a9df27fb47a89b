/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the summary as JSON: each field is there and within its bounds, or it is refused. */
#include "bundle_summary.h"
#include "folder.h"
#include "json_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *words(const char *first, size_t stride, unsigned count)
{
	struct json_object *array = json_object_new_array();

	for (unsigned i = 0; array && i < count; i++) {
		json_object_array_add(array, json_object_new_string(first + i * stride));
	}
	return array;
}

struct json_object *bundle_summary_to_json(const struct bundle_summary *summary)
{
	struct json_object *object = json_object_new_object();
	struct json_object *base = json_object_new_object();
	struct json_object *cpu = json_object_new_object();

	if (!object || !base || !cpu) {
		json_object_put(object);
		json_object_put(base);
		json_object_put(cpu);
		return NULL;
	}
	json_fields_put_u64(object, "format", summary->engine_format);
	json_fields_put_text(object, "engine", summary->engine);
	json_fields_put_text(object, "name", summary->name);
	json_fields_put_text(object, "from", summary->from);
	json_object_object_add(
		object, "roles",
		words(summary->roles[0], sizeof(summary->roles[0]), summary->role_count));
	json_fields_put_hex(object, "disk", summary->disk_id, sizeof(summary->disk_id));
	json_fields_put_u64(object, "epoch", summary->epoch);
	json_object_object_add(object, "copy", json_object_new_boolean(summary->copy));
	json_fields_put_text(object, "seal",
			     summary->seal == BUNDLE_SEAL_DISK ? "disk" : "passphrase");
	json_fields_put_u64(object, "disk_size", summary->disk_size);
	json_fields_put_u64(object, "data_size", summary->data_size);
	json_fields_put_u64(object, "free_needed", summary->free_needed);
	json_fields_put_hex(object, "state", summary->image_uuid, sizeof(summary->image_uuid));
	json_fields_put_u64(object, "timestamp", summary->image_timestamp);
	if (!summary->full) {
		json_fields_put_hex(base, "state", summary->base_uuid, sizeof(summary->base_uuid));
		json_fields_put_hex(base, "probe", summary->base_probe,
				    sizeof(summary->base_probe));
		json_fields_put_text(base, "name", summary->base_name);
		json_object_object_add(object, "base", base);
	} else {
		json_object_put(base);
	}
	json_fields_put_u64(cpu, "level", summary->cpu_level);
	json_object_object_add(cpu, "features",
			       words(summary->cpu_features[0], sizeof(summary->cpu_features[0]),
				     summary->cpu_feature_count));
	json_object_object_add(object, "cpu", cpu);
	json_fields_put_u64(object, "ram", summary->ram);
	json_fields_put_text(object, "firmware", summary->firmware);
	json_fields_put_u64(object, "time", summary->time);
	return object;
}

static int decode_words(struct json_object *object, const char *key, char *first, size_t stride,
			unsigned max, unsigned *ret_count)
{
	struct json_object *array;
	size_t count;

	if (!json_object_object_get_ex(object, key, &array) ||
	    !json_object_is_type(array, json_type_array)) {
		return -EINVAL;
	}
	count = json_object_array_length(array);
	if (count > max) {
		return -EINVAL;
	}
	for (size_t i = 0; i < count; i++) {
		struct json_object *holder = json_object_new_object();
		int rc = holder ? 0 : -ENOMEM;

		if (!rc) {
			json_object_object_add(
				holder, "word",
				json_object_get(json_object_array_get_idx(array, i)));
			rc = json_fields_text(holder, "word", first + i * stride, stride);
		}
		json_object_put(holder);
		if (rc < 0) {
			return rc;
		}
	}
	*ret_count = (unsigned)count;
	return 0;
}

static int decode_base(struct json_object *object, struct bundle_summary *summary)
{
	struct json_object *base;
	int rc;

	if (!json_object_object_get_ex(object, "base", &base)) {
		summary->full = true;
		return 0;
	}
	if (!json_object_is_type(base, json_type_object)) {
		return -EINVAL;
	}
	rc = json_fields_hex(base, "state", summary->base_uuid, sizeof(summary->base_uuid));
	rc = rc ? rc
		: json_fields_hex(base, "probe", summary->base_probe, sizeof(summary->base_probe));
	return rc ? rc
		  : json_fields_text(base, "name", summary->base_name, sizeof(summary->base_name));
}

static int decode_needs(struct json_object *object, struct bundle_summary *summary)
{
	struct json_object *cpu;
	uint64_t level = 0;
	int rc = -EINVAL;

	if (json_object_object_get_ex(object, "cpu", &cpu) &&
	    json_object_is_type(cpu, json_type_object)) {
		rc = json_fields_u64(cpu, "level", 4, &level);
	}
	rc = rc ? rc
		: decode_words(cpu, "features", summary->cpu_features[0],
			       sizeof(summary->cpu_features[0]), BUNDLE_FEATURE_MAX,
			       &summary->cpu_feature_count);
	summary->cpu_level = (unsigned)level;
	rc = rc ? rc : json_fields_u64(object, "ram", INT64_MAX, &summary->ram);
	rc = rc ? rc
		: json_fields_text(object, "firmware", summary->firmware,
				   sizeof(summary->firmware));
	return rc ? rc
		  : decode_words(object, "roles", summary->roles[0], sizeof(summary->roles[0]),
				 BUNDLE_ROLE_MAX, &summary->role_count);
}

static int decode_disk(struct json_object *object, struct bundle_summary *summary)
{
	uint64_t timestamp = 0;
	char seal[16];
	int rc = json_fields_hex(object, "disk", summary->disk_id, sizeof(summary->disk_id));

	rc = rc ? rc : json_fields_u64(object, "epoch", INT64_MAX, &summary->epoch);
	rc = rc ? rc : json_fields_bool(object, "copy", &summary->copy);
	rc = rc ? rc : json_fields_u64(object, "disk_size", 1ull << 44, &summary->disk_size);
	rc = rc ? rc : json_fields_u64(object, "data_size", 1ull << 44, &summary->data_size);
	rc = rc ? rc : json_fields_u64(object, "free_needed", 1ull << 45, &summary->free_needed);
	rc = rc ? rc
		: json_fields_hex(object, "state", summary->image_uuid,
				  sizeof(summary->image_uuid));
	rc = rc ? rc : json_fields_u64(object, "timestamp", UINT32_MAX, &timestamp);
	rc = rc ? rc : json_fields_u64(object, "time", INT64_MAX, &summary->time);
	rc = rc ? rc : json_fields_text(object, "seal", seal, sizeof(seal));
	if (rc < 0) {
		return rc;
	}
	summary->image_timestamp = (uint32_t)timestamp;
	summary->seal = strcmp(seal, "disk") == 0 ? BUNDLE_SEAL_DISK : BUNDLE_SEAL_PASSPHRASE;
	if (!summary->disk_size || summary->disk_size % 512 || !summary->epoch ||
	    summary->data_size > summary->disk_size + BUNDLE_SECTOR ||
	    (summary->seal == BUNDLE_SEAL_PASSPHRASE && strcmp(seal, "passphrase") != 0)) {
		return -EINVAL;
	}
	return 0;
}

static int decode(struct json_object *object, struct bundle_summary *summary, struct why *why)
{
	uint64_t format;
	int rc = json_fields_u64(object, "format", UINT32_MAX, &format);

	rc = rc ? rc : json_fields_text(object, "name", summary->name, sizeof(summary->name));
	rc = rc ? rc : json_fields_text(object, "engine", summary->engine, sizeof(summary->engine));
	if (rc < 0) {
		return rc;
	}
	summary->engine_format = (uint32_t)format;
	if (format > BUNDLE_VERSION) {
		return why_set(why, -EOPNOTSUPP,
			       "version %s wrote this bundle: it needs a newer version here",
			       summary->engine);
	}
	if (!folder_is_name(summary->name)) {
		return -EINVAL;
	}
	rc = json_fields_text(object, "from", summary->from, sizeof(summary->from));
	rc = rc ? rc : decode_disk(object, summary);
	rc = rc ? rc : decode_base(object, summary);
	return rc ? rc : decode_needs(object, summary);
}

int bundle_summary_decode(const void *untrusted, size_t size, struct bundle_summary *ret_summary,
			  struct why *why)
{
	struct bundle_summary *summary = calloc(1, sizeof(*summary));
	struct json_object *object = json_fields_parse(untrusted, size);
	int rc = summary ? object ? decode(object, summary, why) : -EBADMSG : -ENOMEM;

	if (rc == -EINVAL || rc == -ENOENT || rc == -EBADMSG) {
		rc = why_set(why, -EBADMSG,
			     "the bundle's summary is damaged: export it again, or read the stick "
			     "on another port");
	}
	if (!rc || rc == -EOPNOTSUPP) {
		*ret_summary = *summary;
	}
	json_object_put(object);
	free(summary);
	return rc;
}
