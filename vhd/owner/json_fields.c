/* SPDX-License-Identifier: Apache-2.0 */
/* Untrusted JSON by json-c, strict and bounded. */
#include "json_fields.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 8
#define HEX_MAX	  64u

struct json_object *json_fields_parse(const void *untrusted, size_t size)
{
	struct json_tokener *tokener;
	struct json_object *object = NULL;

	if (size == 0 || size > INT_MAX) {
		return NULL;
	}
	tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!tokener) {
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, untrusted, (int)size);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != size ||
	    !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static int get(struct json_object *object, const char *key, enum json_type type,
	       struct json_object **ret_value)
{
	if (!json_object_object_get_ex(object, key, ret_value)) {
		return -ENOENT;
	}
	return json_object_is_type(*ret_value, type) ? 0 : -EINVAL;
}

int json_fields_u64(struct json_object *object, const char *key, uint64_t max, uint64_t *ret_value)
{
	struct json_object *value;
	int rc = get(object, key, json_type_int, &value);

	/* json-c cuts to the range of int64_t: a negative number is told by that reading. */
	if (!rc && (json_object_get_int64(value) < 0 || json_object_get_uint64(value) > max)) {
		rc = -EINVAL;
	}
	if (!rc) {
		*ret_value = json_object_get_uint64(value);
	}
	return rc;
}

int json_fields_bool(struct json_object *object, const char *key, bool *ret_value)
{
	struct json_object *value;
	int rc = get(object, key, json_type_boolean, &value);

	if (!rc) {
		*ret_value = json_object_get_boolean(value);
	}
	return rc;
}

int json_fields_text(struct json_object *object, const char *key, char *ret_text, size_t size)
{
	struct json_object *value;
	int rc = get(object, key, json_type_string, &value);
	const char *text;
	size_t length;

	if (rc < 0) {
		return rc;
	}
	text = json_object_get_string(value);
	length = (size_t)json_object_get_string_len(value);
	if (length >= size || strlen(text) != length) {
		return -EINVAL;
	}
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
			return -EINVAL;
		}
	}
	memcpy(ret_text, text, length + 1);
	return 0;
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int json_fields_hex(struct json_object *object, const char *key, void *ret_bytes, size_t size)
{
	struct json_object *value;
	int rc = get(object, key, json_type_string, &value);
	uint8_t bytes[HEX_MAX];
	const char *text;

	if (rc < 0) {
		return rc;
	}
	text = json_object_get_string(value);
	if (size > HEX_MAX || (size_t)json_object_get_string_len(value) != 2 * size) {
		return -EINVAL;
	}
	for (size_t i = 0; i < size; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			return -EINVAL;
		}
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_bytes, bytes, size);
	return 0;
}

void json_fields_put_u64(struct json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

void json_fields_put_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

char *json_fields_hex_text(char *ret_text, const void *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size; i++) {
		ret_text[2 * i] = digits[byte[i] >> 4];
		ret_text[2 * i + 1] = digits[byte[i] & 15];
	}
	ret_text[2 * size] = '\0';
	return ret_text;
}

void json_fields_put_hex(struct json_object *object, const char *key, const void *bytes,
			 size_t size)
{
	char text[2 * HEX_MAX + 1];

	json_fields_put_text(object, key,
			     json_fields_hex_text(text, bytes, size < HEX_MAX ? size : HEX_MAX));
}
