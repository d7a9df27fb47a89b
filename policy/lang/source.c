/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the files of a policy, each once and as a whole, and refusing bytes that are no text. */
#define _GNU_SOURCE
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utf8.h"
#include "whole_file.h"

static const struct diag_pos nowhere;

int source_init(struct source_set *set, const char *include_path)
{
	int dir = -1;

	if (include_path != NULL) {
		dir = open(include_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0) {
			return -errno;
		}
	}
	*set = (struct source_set){.include_dir = dir};
	return 0;
}

void source_seal(struct source_set *set)
{
	if (set->include_dir >= 0) {
		close(set->include_dir);
	}
	set->include_dir = -1;
}

void source_fini(struct source_set *set)
{
	source_seal(set);
	for (uint32_t i = 0; i < set->count; i++) {
		free(set->file[i].name);
		free(set->file[i].text);
	}
	*set = (struct source_set){.include_dir = -1};
}

const char *source_line(const struct source_set *set, uint32_t file, uint32_t line,
			size_t *ret_size)
{
	const char *at, *end, *stop;

	if (file >= set->count || line == 0) {
		return NULL;
	}
	at = set->file[file].text;
	end = at + set->file[file].size;
	while (--line > 0) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL) {
			return NULL;
		}
		at++;
	}
	stop = memchr(at, '\n', (size_t)(end - at));
	*ret_size = (size_t)((stop != NULL ? stop : end) - at);
	return at;
}

static void refuse_code(struct diag_list *diags, struct diag_pos pos, uint32_t code)
{
	if (code == '\r') {
		diag_add(diags, DIAG_ERROR, pos, "save the file with Unix line ends",
			 "the line ends with a carriage return");
	} else if (code == 0xfeff && pos.line == 1 && pos.column == 1) {
		diag_add(diags, DIAG_ERROR, pos, "save the file as UTF-8 without a mark",
			 "the file begins with a byte order mark");
	} else if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) {
		diag_add(diags, DIAG_ERROR, pos, "remove it", "control character U+%04X", code);
	} else {
		diag_add(diags, DIAG_ERROR, pos, "remove it: a policy must mean what people see",
			 "invisible character U+%04X, which can hide or turn round other text",
			 code);
	}
}

/** At most one error a line, because one wrong encoding fills a line with them. */
static bool check_line(const char *line, size_t size, struct diag_pos pos, struct diag_list *diags)
{
	size_t at = 0;

	if (size > SOURCE_LINE_MAX) {
		diag_add(diags, DIAG_ERROR, pos, "use a group, or several statements",
			 "the line has %zu bytes, at most %u are allowed", size, SOURCE_LINE_MAX);
		return false;
	}
	for (pos.column = 1; at < size; pos.column++) {
		uint32_t code;
		size_t step = utf8_decode(line + at, size - at, &code);

		if (step == 0) {
			diag_add(diags, DIAG_ERROR, pos, "save the file as UTF-8",
				 "byte 0x%02x is no UTF-8", (unsigned char)line[at]);
			return false;
		}
		if (code != '\t' && utf8_is_unsafe(code)) {
			refuse_code(diags, pos, code);
			return false;
		}
		at += step;
	}
	return true;
}

static bool check_text(const struct source *source, uint32_t file, struct diag_list *diags)
{
	struct diag_pos pos = {.file = file, .line = 1, .column = 1};
	const char *at = source->text, *end = at + source->size;
	bool good = true;

	/* A file that is no text at all is not described line by line. */
	while (at < end && diags->error_count < DIAG_MAX) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		stop = stop != NULL ? stop : end;
		good &= check_line(at, (size_t)(stop - at), pos, diags);
		at = stop + 1;
		pos.line++;
	}
	return good && at >= end;
}

/** Takes over `text`, which has size + 1 bytes. */
static int take(struct source_set *set, const char *name, char *text, size_t size, bool included,
		struct diag_pos at, struct diag_list *diags)
{
	struct source *source = &set->file[set->count];

	if (set->count == SOURCE_FILES_MAX) {
		diag_add(diags, DIAG_ERROR, at, "put several files together",
			 "'%s' is one file too many, at most %u are read", name, SOURCE_FILES_MAX);
		free(text);
		return -1;
	}
	if (size > SOURCE_TOTAL_MAX - set->total) {
		diag_add(diags, DIAG_ERROR, at, "use groups to say the same with fewer rules",
			 "with '%s' the policy has more than %u MiB", name, SOURCE_TOTAL_MAX >> 20);
		free(text);
		return -1;
	}
	*source = (struct source){.name = strdup(name), .text = text, .size = size};
	if (source->name == NULL) {
		free(text);
		diag_add(diags, DIAG_ERROR, at, NULL, "no memory for '%s'", name);
		return -1;
	}
	text[size] = '\0';
	source->included = included;
	set->total += size;
	source->broken = !check_text(source, set->count, diags);
	set->count++;
	return source->broken ? -1 : (int)set->count - 1;
}

static const char *open_hint(int error)
{
	switch (error) {
	case ENOENT:
		return "check the name and the folder";
	case EACCES:
		return "make the file readable for the one who compiles";
	case ELOOP:
		return "put the file itself there: links are not followed";
	case EINVAL:
		return "a policy is a plain file, no folder, pipe or device";
	case EFBIG:
		return "a policy file has at most 4 MiB";
	default:
		return NULL;
	}
}

/** Takes over fd, which may be -1 with errno set. O_NONBLOCK keeps a pipe from holding us up. */
static int read_file(struct source_set *set, int fd, const char *name, bool included,
		     struct diag_pos at, struct diag_list *diags)
{
	char *text = NULL;
	size_t size = 0;
	int error = errno;

	if (fd >= 0) {
		error = -whole_file_read_fd(fd, SOURCE_SIZE_MAX, &text, &size);
		close(fd);
	}
	if (error != 0) {
		diag_add(diags, DIAG_ERROR, at, open_hint(error), "cannot read '%s': %s", name,
			 error == EINVAL ? "Not a plain file" : strerror(error));
		return -1;
	}
	return take(set, name, text, size, included, at, diags);
}

int source_open(struct source_set *set, const char *path, struct diag_list *diags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return read_file(set, fd, path, false, nowhere, diags);
}

int source_add(struct source_set *set, const char *name, const void *text, size_t size,
	       struct diag_list *diags)
{
	char *copy;

	if (size > SOURCE_SIZE_MAX) {
		diag_add(diags, DIAG_ERROR, nowhere, open_hint(EFBIG), "cannot read '%s': %s", name,
			 strerror(EFBIG));
		return -1;
	}
	copy = malloc(size + 1);
	if (copy == NULL) {
		diag_add(diags, DIAG_ERROR, nowhere, NULL, "no memory for '%s'", name);
		return -1;
	}
	if (size > 0) {
		memcpy(copy, text, size);
	}
	return take(set, name, copy, size, false, nowhere, diags);
}

static bool is_plain_name(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL &&
	       strlen(name) <= 255;
}

int source_include(struct source_set *set, const char *name, struct diag_pos at,
		   struct diag_list *diags)
{
	int fd;

	if (!is_plain_name(name)) {
		diag_add(diags, DIAG_ERROR, at,
			 "includes come from one folder only, which is given with --include",
			 "'%s' is not a plain file name", name);
		return -1;
	}
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->file[i].included && strcmp(set->file[i].name, name) == 0) {
			return set->file[i].broken ? -1 : (int)i;
		}
	}
	if (set->include_dir < 0) {
		diag_add(diags, DIAG_ERROR, at, "name the folder of includes with --include",
			 "'%s' cannot be included: no folder is known", name);
		return -1;
	}
	fd = openat(set->include_dir, name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	return read_file(set, fd, name, true, at, diags);
}
