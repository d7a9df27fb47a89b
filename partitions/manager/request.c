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
	FIELD_LAYERS = 1u << 3,
	FIELD_OTHERS = 1u << 4,
	FIELD_FLOW = 1u << 5, /* kind, from and to */
	FIELD_TYPE = 1u << 6,
	FIELD_PORT = 1u << 7,
	FIELD_WITHOUT = 1u << 8,
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
	{"pause", REQUEST_PAUSE, FIELD_NAME, FIELD_NAME},
	{"resume", REQUEST_RESUME, FIELD_NAME, FIELD_NAME},
	{"policy-status", REQUEST_POLICY_STATUS, 0, 0},
	{"policy-apply", REQUEST_POLICY_APPLY, FIELD_LAYERS,
	 FIELD_LAYERS | FIELD_OTHERS | FIELD_WITHOUT},
	{"policy-confirm", REQUEST_POLICY_CONFIRM, 0, 0},
	{"policy-revert", REQUEST_POLICY_REVERT, 0, 0},
	{"policy-ask", REQUEST_POLICY_ASK, FIELD_FLOW, FIELD_FLOW | FIELD_TYPE | FIELD_PORT},
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

/* Names of files, added behind those that are there. */
static int read_files(struct json_object *value, struct request *request, char *error)
{
	size_t count =
		json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;

	if (count == 0 || count > REQUEST_FILES_MAX - request->file_count) {
		return request_wrong(error, "layers, others: must be lists of at most 32 files");
	}
	for (size_t i = 0; i < count; i++) {
		struct json_object *name = json_object_array_get_idx(value, i);
		const char *text = json_object_get_string(name);

		if (!json_object_is_type(name, json_type_string) ||
		    strlen(text) != (size_t)json_object_get_string_len(name) ||
		    !store_is_name(text)) {
			return request_wrong(error, "layers, others: not a plain name of a file");
		}
		strcpy(request->file[request->file_count++], text);
	}
	return 0;
}

static int read_word(struct json_object *value, char word[CONFIG_NAME_SIZE], char *error)
{
	size_t length = (size_t)json_object_get_string_len(value);

	if (!json_object_is_type(value, json_type_string) || length == 0 ||
	    length >= CONFIG_NAME_SIZE || strlen(json_object_get_string(value)) != length) {
		return request_wrong(error, "kind, from, to, type: must be words of the policy");
	}
	memcpy(word, json_object_get_string(value), length + 1);
	return 0;
}

static int read_port(struct json_object *value, uint32_t *ret_port, char *error)
{
	int64_t port =
		json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;

	if (port < 0 || port > UINT16_MAX) {
		return request_wrong(error, "port: must be 0 to 65535");
	}
	*ret_port = (uint32_t)port;
	return 0;
}

/* The names of a flow count as one field once all three are there. */
static int read_flow(const char *key, struct json_object *value, struct request *request,
		     unsigned int *given, char *error)
{
	struct request_flow *flow = &request->flow;

	if (!strcmp(key, "port")) {
		*given |= FIELD_PORT;
		return read_port(value, &flow->port, error);
	}
	if (!strcmp(key, "type")) {
		*given |= FIELD_TYPE;
		return read_word(value, flow->type, error);
	}
	if (read_word(value,
		      !strcmp(key, "kind")   ? flow->kind
		      : !strcmp(key, "from") ? flow->from
					     : flow->to,
		      error)) {
		return -1;
	}
	*given |= flow->kind[0] && flow->from[0] && flow->to[0] ? FIELD_FLOW : 0;
	return 0;
}

static int read_flag(struct json_object *value, char *error)
{
	return json_object_is_type(value, json_type_boolean)
		       ? 0
		       : request_wrong(error, "follow, without-user: must be true or false");
}

static bool is_of_flow(const char *key)
{
	return !strcmp(key, "kind") || !strcmp(key, "from") || !strcmp(key, "to") ||
	       !strcmp(key, "type") || !strcmp(key, "port");
}

static int read_field(const char *key, struct json_object *value, struct request *request,
		      unsigned int *given, char *error)
{
	if (!strcmp(key, "name")) {
		*given |= FIELD_NAME;
		return read_name(value, request, error);
	}
	if (!strcmp(key, "follow")) {
		*given |= FIELD_FOLLOW;
		request->follow = json_object_get_boolean(value);
		return read_flag(value, error);
	}
	if (!strcmp(key, "without-user")) {
		*given |= FIELD_WITHOUT;
		request->without_user = json_object_get_boolean(value);
		return read_flag(value, error);
	}
	if (!strcmp(key, "text")) {
		*given |= FIELD_TEXT;
		return read_text(value, request, error);
	}
	if (is_of_flow(key)) {
		return read_flow(key, value, request, given, error);
	}
	return request_wrong(error, "no such field");
}

static const char *missing(unsigned int fields)
{
	return fields & FIELD_NAME     ? "name: is missing"
	       : fields & FIELD_LAYERS ? "layers: is missing"
	       : fields & FIELD_FLOW   ? "kind, from, to: one is missing"
				       : "text: is missing";
}

/* Layers come before others whatever the order of the fields. */
static int read_all_files(struct json_object *root, struct request *request, unsigned int *given,
			  char *error)
{
	struct json_object *value;

	if (json_object_object_get_ex(root, "layers", &value)) {
		*given |= FIELD_LAYERS;
		if (read_files(value, request, error)) {
			return -1;
		}
		request->layer_count = request->file_count;
	}
	if (json_object_object_get_ex(root, "others", &value)) {
		*given |= FIELD_OTHERS;
		return read_files(value, request, error);
	}
	return 0;
}

static int read_fields(struct json_object *root, struct request *request, char *error)
{
	const struct verb *verb = NULL;
	unsigned int given = 0;

	if (read_all_files(root, request, &given, error)) {
		return -1;
	}
	json_object_object_foreach(root, key, value)
	{
		if (!strcmp(key, "verb")) {
			verb = find_verb(value);
			if (!verb) {
				return request_wrong(error, "verb: no such verb");
			}
		} else if (strcmp(key, "layers") && strcmp(key, "others") &&
			   read_field(key, value, request, &given, error)) {
			return -1;
		}
	}
	if (!verb) {
		return request_wrong(error, "verb: is missing");
	}
	if ((given & verb->needed) != verb->needed) {
		return request_wrong(error, missing(verb->needed & ~given));
	}
	if ((given & ~verb->allowed) || (request->flow.kind[0] && !(verb->allowed & FIELD_FLOW))) {
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
