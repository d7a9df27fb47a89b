/* SPDX-License-Identifier: Apache-2.0 */
/** Fields of small JSON objects that other people wrote: each is there, of its type and within its
 * bounds, or the object is refused.
 */
#ifndef VHD_JSON_FIELDS_H
#define VHD_JSON_FIELDS_H

#include "why.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Parses exactly one object of at most `size` bytes, nested at most 8 deep. NULL: it is none. */
struct json_object *json_fields_parse(const void *untrusted, size_t size);

/** Each returns 0, -ENOENT when the field is missing, or -EINVAL when it does not fit. */
VHD_MUST_CHECK int json_fields_u64(struct json_object *object, const char *key, uint64_t max,
				   uint64_t *ret_value);
VHD_MUST_CHECK int json_fields_bool(struct json_object *object, const char *key, bool *ret_value);
/** Text without control characters, shorter than `size`. */
VHD_MUST_CHECK int json_fields_text(struct json_object *object, const char *key, char *ret_text,
				    size_t size);
/** Exactly `size` bytes as hexadecimal digits. */
VHD_MUST_CHECK int json_fields_hex(struct json_object *object, const char *key, void *ret_bytes,
				   size_t size);

void json_fields_put_u64(struct json_object *object, const char *key, uint64_t value);
void json_fields_put_text(struct json_object *object, const char *key, const char *text);
/** At most 64 bytes. */
void json_fields_put_hex(struct json_object *object, const char *key, const void *bytes,
			 size_t size);

/** 2 * size digits and a NUL. Returns ret_text. */
char *json_fields_hex_text(char *ret_text, const void *bytes, size_t size);

#endif
