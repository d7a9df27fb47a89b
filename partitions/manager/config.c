/* SPDX-License-Identifier: Apache-2.0 */
/** Decodes recipes of images: strict JSON of json-c, then a table of fields, each with its own
 * reader.
 */
#define _GNU_SOURCE
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reader {
	const char *file;
	char *error;
	struct config *config;
};

static int __attribute__((format(printf, 3, 4)))
wrong(struct reader *reader, const char *field, const char *format, ...)
{
	int used = snprintf(reader->error, CONFIG_ERROR_SIZE, "%s:%s: ", reader->file, field);
	va_list args;

	if (used > 0 && (size_t)used < CONFIG_ERROR_SIZE) {
		va_start(args, format);
		vsnprintf(reader->error + used, CONFIG_ERROR_SIZE - (size_t)used, format, args);
		va_end(args);
	}
	return -1;
}

/* Printable ASCII with no 0 inside, 1..size-1 bytes, or 0 if empty is fine. */
static int read_text(struct reader *reader, const char *field, struct json_object *value,
		     char *text, size_t size, bool may_be_empty)
{
	const char *from;
	size_t length;

	if (!json_object_is_type(value, json_type_string)) {
		return wrong(reader, field, "must be a string");
	}
	from = json_object_get_string(value);
	length = (size_t)json_object_get_string_len(value);
	if (length >= size || (length == 0 && !may_be_empty)) {
		return wrong(reader, field, "must have %d to %zu characters", !may_be_empty,
			     size - 1);
	}
	for (size_t i = 0; i < length; i++) {
		if (from[i] < 0x20 || from[i] > 0x7e) {
			return wrong(reader, field, "must be printable ASCII");
		}
	}
	memcpy(text, from, length);
	text[length] = 0;
	return 0;
}

static int read_path(struct reader *reader, const char *field, struct json_object *value,
		     char *path)
{
	char text[CONFIG_PATH_SIZE];

	if (read_text(reader, field, value, text, sizeof(text), false)) {
		return -1;
	}
	if (text[0] != '/') {
		return wrong(reader, field, "must be an absolute path");
	}
	if (strstr(text, "/../") ||
	    (strlen(text) >= 3 && !strcmp(text + strlen(text) - 3, "/.."))) {
		return wrong(reader, field, "must not contain '..'");
	}
	strcpy(path, text);
	return 0;
}

static int read_kernel(struct reader *reader, const char *field, struct json_object *value)
{
	return read_path(reader, field, value, reader->config->kernel);
}

static int read_initrd(struct reader *reader, const char *field, struct json_object *value)
{
	return read_path(reader, field, value, reader->config->initrd);
}

static int read_cmdline(struct reader *reader, const char *field, struct json_object *value)
{
	return read_text(reader, field, value, reader->config->cmdline, CONFIG_CMDLINE_SIZE, true);
}

static const struct field {
	const char *name;
	int (*read)(struct reader *reader, const char *field, struct json_object *value);
	bool needed;
} fields[] = {
	{"kernel", read_kernel, true},
	{"initrd", read_initrd, false},
	{"cmdline", read_cmdline, false},
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static int read_fields(struct reader *reader, struct json_object *root)
{
	bool seen[FIELD_COUNT] = {false};

	json_object_object_foreach(root, key, value)
	{
		size_t i = 0;

		while (i < FIELD_COUNT && strcmp(key, fields[i].name)) {
			i++;
		}
		if (i == FIELD_COUNT) {
			char name[33];

			snprintf(name, sizeof(name), "%s", key);
			return wrong(reader, name, "no such field");
		}
		if (fields[i].read(reader, fields[i].name, value)) {
			return -1;
		}
		seen[i] = true;
	}
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (fields[i].needed && !seen[i]) {
			return wrong(reader, fields[i].name, "is missing");
		}
	}
	return 0;
}

int config_parse(const char *file, const char *text, size_t size, struct config *ret_config,
		 char error[CONFIG_ERROR_SIZE])
{
	struct config config = *ret_config;
	struct reader reader = {.file = file, .error = error, .config = &config};
	struct json_tokener *tokener;
	struct json_object *root;
	size_t end;
	int ret;

	if (size > CONFIG_FILE_MAX) {
		return wrong(&reader, "file", "is larger than %u bytes", CONFIG_FILE_MAX);
	}
	tokener = json_tokener_new_ex(8);
	if (!tokener) {
		return wrong(&reader, "file", "out of memory");
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	end = json_tokener_get_parse_end(tokener);
	while (end < size && strchr(" \t\r\n", text[end]) && text[end]) {
		end++;
	}
	if (json_tokener_get_error(tokener) != json_tokener_success || end != size) {
		ret = wrong(&reader, "file", "not JSON at byte %zu: %s", end,
			    json_tokener_get_error(tokener) == json_tokener_success
				    ? "text after the end"
				    : json_tokener_error_desc(json_tokener_get_error(tokener)));
	} else if (!json_object_is_type(root, json_type_object)) {
		ret = wrong(&reader, "file", "must be an object");
	} else {
		ret = read_fields(&reader, root);
	}
	json_object_put(root);
	json_tokener_free(tokener);
	if (ret == 0) {
		*ret_config = config;
	}
	return ret;
}

/* Returns the bytes of the file in malloc()ed memory, or NULL and errno. */
static char *read_file(int directory, const char *name, size_t *ret_size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(CONFIG_FILE_MAX + 1);
	size_t size = 0;
	ssize_t got = -1;

	while (text && size <= CONFIG_FILE_MAX) {
		got = read(fd, text + size, CONFIG_FILE_MAX + 1 - size);
		if (got <= 0) {
			break;
		}
		size += (size_t)got;
	}
	if (fd >= 0) {
		close(fd);
	}
	if (!text || got < 0) {
		free(text);
		return NULL;
	}
	*ret_size = size;
	return text;
}

static int load_one(int directory, struct config *config, char error[CONFIG_ERROR_SIZE])
{
	char name[CONFIG_NAME_SIZE + 8];
	struct reader reader = {.file = name, .error = error};
	size_t size;
	char *text;
	int ret;

	snprintf(name, sizeof(name), "%s.json", config->name);
	text = read_file(directory, name, &size);
	if (!text) {
		return wrong(&reader, "file", "%s", strerror(errno));
	}
	ret = config_parse(name, text, size, config, error);
	free(text);
	return ret;
}

int config_load(const char *directory, struct config *configs, uint32_t count,
		void (*report)(const char *message))
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char error[CONFIG_ERROR_SIZE];

	if (fd < 0) {
		return -errno;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (load_one(fd, &configs[i], error)) {
			report(error);
		}
	}
	close(fd);
	return 0;
}
