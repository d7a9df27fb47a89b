/* SPDX-License-Identifier: Apache-2.0 */
/** Decodes partition definitions: strict JSON of json-c, then a table of fields, each with its own
 * reader. */
#define _GNU_SOURCE
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/types.h"
#include "ui/proto/switcher.h"

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

static int read_number(struct reader *reader, const char *field, struct json_object *value,
		       uint32_t low, uint32_t high, uint32_t *ret_number)
{
	int64_t number;

	if (!json_object_is_type(value, json_type_int)) {
		return wrong(reader, field, "must be a whole number");
	}
	number = json_object_get_int64(value);
	if (number < low || number > high) {
		return wrong(reader, field, "must be %u to %u", low, high);
	}
	*ret_number = (uint32_t)number;
	return 0;
}

static int read_bool(struct reader *reader, const char *field, struct json_object *value,
		     bool *ret_bool)
{
	if (!json_object_is_type(value, json_type_boolean)) {
		return wrong(reader, field, "must be true or false");
	}
	*ret_bool = json_object_get_boolean(value);
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

/* A lower-case word, as names in the policy are. */
static int read_word(struct reader *reader, const char *field, struct json_object *value,
		     char word[CONFIG_NAME_SIZE])
{
	char text[CONFIG_NAME_SIZE];

	if (read_text(reader, field, value, text, sizeof(text), false)) {
		return -1;
	}
	for (size_t i = 0; text[i]; i++) {
		bool letter = text[i] >= 'a' && text[i] <= 'z';
		bool other = (text[i] >= '0' && text[i] <= '9') || text[i] == '-';

		if (!letter && (i == 0 || !other)) {
			return wrong(reader, field,
				     "must be a lower-case letter, then letters, digits, '-'");
		}
	}
	strcpy(word, text);
	return 0;
}

static int read_name(struct reader *reader, const char *field, struct json_object *value)
{
	return read_word(reader, field, value, reader->config->name);
}

static int read_id(struct reader *reader, const char *field, struct json_object *value)
{
	return read_number(reader, field, value, 1, BH_PART_MAX - 1, &reader->config->id);
}

static int read_title(struct reader *reader, const char *field, struct json_object *value)
{
	return read_text(reader, field, value, reader->config->title, CONFIG_TITLE_SIZE, false);
}

static int read_colour(struct reader *reader, const char *field, struct json_object *value)
{
	char text[8];

	if (read_text(reader, field, value, text, sizeof(text), false) || text[0] != '#' ||
	    strlen(text) != 7 || strspn(text + 1, "0123456789abcdefABCDEF") != 6) {
		return wrong(reader, field, "must be like \"#2f7d32\"");
	}
	reader->config->colour = (uint32_t)strtoul(text + 1, NULL, 16);
	return 0;
}

static int read_pattern(struct reader *reader, const char *field, struct json_object *value)
{
	static const char *const names[SWITCHER_PATTERN_COUNT] = {
		[SWITCHER_PLAIN] = "plain", [SWITCHER_STRIPES] = "stripes",
		[SWITCHER_DOTS] = "dots",   [SWITCHER_CHECKS] = "checks",
		[SWITCHER_WAVES] = "waves", [SWITCHER_BARS] = "bars",
	};
	char text[16];

	if (read_text(reader, field, value, text, sizeof(text), false) == 0) {
		for (uint32_t i = 0; i < SWITCHER_PATTERN_COUNT; i++) {
			if (!strcmp(text, names[i])) {
				reader->config->pattern = i;
				return 0;
			}
		}
	}
	return wrong(reader, field, "must be plain, stripes, dots, checks, waves or bars");
}

static int read_order(struct reader *reader, const char *field, struct json_object *value)
{
	return read_number(reader, field, value, 1, SWITCHER_ORDER_MAX, &reader->config->order);
}

static int read_autostart(struct reader *reader, const char *field, struct json_object *value)
{
	return read_bool(reader, field, value, &reader->config->autostart);
}

static int read_restart(struct reader *reader, const char *field, struct json_object *value)
{
	char text[16];

	if (read_text(reader, field, value, text, sizeof(text), false) ||
	    (strcmp(text, "on-failure") && strcmp(text, "never"))) {
		return wrong(reader, field, "must be \"on-failure\" or \"never\"");
	}
	reader->config->restart = !strcmp(text, "on-failure");
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

static int read_disk(struct reader *reader, const char *field, struct json_object *value,
		     struct config_disk *disk)
{
	char sub[96];
	bool has_path = false;

	if (!json_object_is_type(value, json_type_object)) {
		return wrong(reader, field, "must be an object with path and readonly");
	}
	json_object_object_foreach(value, key, member)
	{
		int ret;

		snprintf(sub, sizeof(sub), "%s.%.32s", field, key);
		if (!strcmp(key, "path")) {
			ret = read_path(reader, sub, member, disk->path);
			has_path = true;
		} else if (!strcmp(key, "readonly")) {
			ret = read_bool(reader, sub, member, &disk->readonly);
		} else {
			ret = wrong(reader, sub, "no such field");
		}
		if (ret) {
			return ret;
		}
	}
	return has_path ? 0 : wrong(reader, field, "path is missing");
}

static int read_disks(struct reader *reader, const char *field, struct json_object *value)
{
	size_t count;
	char sub[32];

	if (!json_object_is_type(value, json_type_array)) {
		return wrong(reader, field, "must be an array");
	}
	count = json_object_array_length(value);
	if (count > CONFIG_DISKS_MAX) {
		return wrong(reader, field, "must have at most %u entries", CONFIG_DISKS_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		snprintf(sub, sizeof(sub), "%s[%zu]", field, i);
		if (read_disk(reader, sub, json_object_array_get_idx(value, i),
			      &reader->config->disk[i])) {
			return -1;
		}
	}
	reader->config->disk_count = (uint32_t)count;
	return 0;
}

static int read_devices(struct reader *reader, const char *field, struct json_object *value)
{
	static const char *const names[] = {"console", "entropy", "gpu", "keyboard", "pointer"};
	const uint32_t name_count = sizeof(names) / sizeof(names[0]);

	if (!json_object_is_type(value, json_type_array)) {
		return wrong(reader, field, "must be an array");
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		char text[16], sub[32];
		uint32_t bit = 0;

		snprintf(sub, sizeof(sub), "%s[%zu]", field, i);
		if (read_text(reader, sub, json_object_array_get_idx(value, i), text, sizeof(text),
			      false)) {
			return -1;
		}
		while (bit < name_count && strcmp(text, names[bit])) {
			bit++;
		}
		if (bit == name_count) {
			return wrong(reader, sub,
				     "must be console, entropy, gpu, keyboard or pointer");
		}
		if (reader->config->devices & (1u << bit)) {
			return wrong(reader, sub, "is there twice");
		}
		reader->config->devices |= 1u << bit;
	}
	return 0;
}

static int read_assigned(struct reader *reader, const char *field, struct json_object *value)
{
	struct config *config = reader->config;
	size_t count;
	char sub[32];

	if (!json_object_is_type(value, json_type_array)) {
		return wrong(reader, field, "must be an array");
	}
	count = json_object_array_length(value);
	if (count > CONFIG_ASSIGNED_MAX) {
		return wrong(reader, field, "must have at most %u entries", CONFIG_ASSIGNED_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		snprintf(sub, sizeof(sub), "%s[%zu]", field, i);
		if (read_word(reader, sub, json_object_array_get_idx(value, i),
			      config->assigned[i])) {
			return -1;
		}
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(config->assigned[i], config->assigned[j])) {
				return wrong(reader, sub, "is there twice");
			}
		}
	}
	config->assigned_count = (uint32_t)count;
	return 0;
}

static const struct field {
	const char *name;
	int (*read)(struct reader *reader, const char *field, struct json_object *value);
	bool needed;
} fields[] = {
	{"name", read_name, true},
	{"id", read_id, true},
	{"title", read_title, false},
	{"colour", read_colour, false},
	{"pattern", read_pattern, false},
	{"order", read_order, true},
	{"autostart", read_autostart, false},
	{"restart", read_restart, false},
	{"kernel", read_kernel, true},
	{"initrd", read_initrd, false},
	{"cmdline", read_cmdline, false},
	{"disks", read_disks, false},
	{"devices", read_devices, false},
	{"assigned", read_assigned, false},
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
	struct config config = {.colour = 0x808080, .restart = true};
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
		if (!config.title[0]) {
			memcpy(config.title, config.name, sizeof(config.name));
		}
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

static const char *repeats(const struct config *config, const struct config *others, int count)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(config->name, others[i].name)) {
			return "name";
		}
		if (config->id == others[i].id) {
			return "id";
		}
		if (config->order == others[i].order) {
			return "order";
		}
	}
	return NULL;
}

static int is_definition(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcmp(dot, ".json");
}

static int by_order(const void *a, const void *b)
{
	const struct config *one = a, *other = b;

	return (int)one->order - (int)other->order;
}

int config_load(const char *directory, struct config configs[CONFIG_PARTS_MAX],
		void (*report)(const char *message))
{
	struct dirent **entries;
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int count = 0, found;

	if (fd < 0) {
		return -errno;
	}
	found = scandirat(fd, ".", &entries, is_definition, alphasort);
	for (int i = 0; i < found; i++) {
		const char *name = entries[i]->d_name;
		struct reader reader = {.file = name};
		char error[CONFIG_ERROR_SIZE] = "";
		struct config config;
		size_t size;
		char *text = read_file(fd, name, &size);
		const char *field;
		int ret;

		reader.error = error;
		if (!text) {
			ret = wrong(&reader, "file", "%s", strerror(errno));
		} else {
			ret = config_parse(name, text, size, &config, error);
		}
		if (ret == 0) {
			field = repeats(&config, configs, count);
			if (field) {
				ret = wrong(&reader, field, "another definition has it too");
			} else if (count == (int)CONFIG_PARTS_MAX) {
				ret = wrong(&reader, "file", "more than %u partitions",
					    CONFIG_PARTS_MAX);
			}
		}
		if (ret) {
			report(error);
		} else {
			configs[count++] = config;
		}
		free(text);
		free(entries[i]);
	}
	if (found >= 0) {
		free(entries);
	}
	close(fd);
	qsort(configs, (size_t)count, sizeof(configs[0]), by_order);
	return count;
}
