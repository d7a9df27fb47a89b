/* SPDX-License-Identifier: Apache-2.0 */
/** Decodes requests: strict JSON, known fields, each verb with exactly the fields it takes. */
#define _GNU_SOURCE
#include "request.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

enum {
	FIELD_NAME = 1u << 0,
	FIELD_FOLLOW = 1u << 1,
	FIELD_TEXT = 1u << 2,
};

static const struct verb {
	const char *name;
	enum request_verb verb;
	unsigned int needed, allowed;
} verbs[] = {
	{"list", REQUEST_LIST, 0, 0},
	{"start", REQUEST_START, FIELD_NAME, FIELD_NAME},
	{"stop", REQUEST_STOP, FIELD_NAME, FIELD_NAME},
	{"reset", REQUEST_RESET, FIELD_NAME, FIELD_NAME},
	{"focus", REQUEST_FOCUS, FIELD_NAME, FIELD_NAME},
	{"stats", REQUEST_STATS, 0, FIELD_NAME},
	{"console", REQUEST_CONSOLE, FIELD_NAME, FIELD_NAME},
	{"log", REQUEST_LOG, 0, FIELD_NAME | FIELD_FOLLOW},
	{"type", REQUEST_TYPE, FIELD_TEXT, FIELD_TEXT},
};

static int request_wrong(char *error, const char *what)
{
	snprintf(error, REQUEST_ERROR_SIZE, "%s", what);
	return -1;
}

static const struct verb *find_verb(struct json_object *value)
{
	const char *name = json_object_get_string(value);

	for (size_t i = 0;
	     json_object_is_type(value, json_type_string) && i < sizeof(verbs) / sizeof(verbs[0]);
	     i++) {
		if (!strcmp(name, verbs[i].name)) {
			return &verbs[i];
		}
	}
	return NULL;
}

static int read_name(struct json_object *value, struct request *request, char *error)
{
	size_t length = (size_t)json_object_get_string_len(value);

	if (!json_object_is_type(value, json_type_string) || length == 0 ||
	    length >= sizeof(request->name) || strlen(json_object_get_string(value)) != length) {
		return request_wrong(error, "name: must be the name of a partition");
	}
	memcpy(request->name, json_object_get_string(value), length + 1);
	return 0;
}

static int read_text(struct json_object *value, struct request *request, char *error)
{
	char bytes[REQUEST_LINE_MAX];
	size_t length = (size_t)json_object_get_string_len(value);
	long size;

	if (!json_object_is_type(value, json_type_string) || length > sizeof(bytes)) {
		return request_wrong(error, "text: must be a string");
	}
	size = text_decode(json_object_get_string(value), length, bytes);
	if (size < 0 || (size_t)size > sizeof(request->text)) {
		return request_wrong(error, "text: must be at most 1024 code points below U+0100");
	}
	memcpy(request->text, bytes, (size_t)size);
	request->text_size = (size_t)size;
	return 0;
}

static int read_fields(struct json_object *root, struct request *request, char *error)
{
	const struct verb *verb = NULL;
	unsigned int given = 0;

	json_object_object_foreach(root, key, value)
	{
		if (!strcmp(key, "verb")) {
			verb = find_verb(value);
			if (!verb) {
				return request_wrong(error, "verb: no such verb");
			}
		} else if (!strcmp(key, "name")) {
			given |= FIELD_NAME;
			if (read_name(value, request, error)) {
				return -1;
			}
		} else if (!strcmp(key, "follow")) {
			given |= FIELD_FOLLOW;
			if (!json_object_is_type(value, json_type_boolean)) {
				return request_wrong(error, "follow: must be true or false");
			}
			request->follow = json_object_get_boolean(value);
		} else if (!strcmp(key, "text")) {
			given |= FIELD_TEXT;
			if (read_text(value, request, error)) {
				return -1;
			}
		} else {
			return request_wrong(error, "no such field");
		}
	}
	if (!verb) {
		return request_wrong(error, "verb: is missing");
	}
	if ((given & verb->needed) != verb->needed) {
		return request_wrong(error, verb->needed & FIELD_NAME ? "name: is missing"
								      : "text: is missing");
	}
	if (given & ~verb->allowed) {
		return request_wrong(error, "a field that this verb does not take");
	}
	request->verb = verb->verb;
	return 0;
}

int request_parse(const char *line, size_t size, struct request *ret_request,
		  char error[REQUEST_ERROR_SIZE])
{
	struct json_tokener *tokener;
	struct request request = {0};
	struct json_object *root;
	int ret;

	if (size >= REQUEST_LINE_MAX) {
		return request_wrong(error, "line is too long");
	}
	tokener = json_tokener_new_ex(4);
	if (!tokener) {
		return request_wrong(error, "out of memory");
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, line, (int)size);
	if (json_tokener_get_error(tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(tokener) != size ||
	    !json_object_is_type(root, json_type_object)) {
		ret = request_wrong(error, "not one JSON object");
	} else {
		ret = read_fields(root, &request, error);
	}
	json_object_put(root);
	json_tokener_free(tokener);
	if (ret == 0) {
		*ret_request = request;
	}
	return ret;
}
