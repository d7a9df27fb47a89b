/* SPDX-License-Identifier: Apache-2.0 */
/* fmt: the one layout of a file. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "parse.h"
#include "tool.h"

/* The canonical form of a file that parses; memory for free(). */
static int format_file(struct tool *tool, struct source_set *set, uint32_t file, char **ret_text,
		       size_t *ret_size)
{
	FILE *out = open_memstream(ret_text, ret_size);
	int ret;

	if (!out) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	ret = fmt_file(set, file, out);
	if (fclose(out) || ret) {
		free(*ret_text);
		tool_complain(tool, "%s cannot be laid out; see bulkhead policy check",
			      set->file[file].name);
		return TOOL_WRONG;
	}
	return TOOL_OK;
}

static int deliver(struct tool *tool, const char *path, const struct source *old, const char *text,
		   size_t size)
{
	bool same = size == old->size && !memcmp(text, old->text, size);

	if (!same) {
		struct json_object *list;

		if (!json_object_object_get_ex(tool->result, "differ", &list)) {
			list = json_object_new_array();
			json_object_object_add(tool->result, "differ", list);
		}
		json_object_array_add(list, json_object_new_string(path));
	}
	if (tool->check) {
		if (!same && !tool->json) {
			printf("%s\n", path);
		}
		return same ? TOOL_OK : TOOL_WRONG;
	}
	if (tool->write) {
		return same ? TOOL_OK : tool_write_file(tool, path, text, size);
	}
	if (!tool->json) {
		fwrite(text, 1, size, stdout);
	}
	return TOOL_OK;
}

/* Whether the first statement is the one that begins a layer; an included file has none. */
static bool is_layer(const struct source *source)
{
	const char *at = source->text;

	for (;;) {
		at += strspn(at, " \t\n");
		if (*at != '#') {
			return !strncmp(at, "policy", 6) && (at[6] == ' ' || at[6] == '\t');
		}
		at += strcspn(at, "\n");
	}
}

/* Parses what `file` is part of: itself, or a layer of one line that includes it. */
static int parse_whole(struct source_set *set, uint32_t file, struct diag_list *diags)
{
	static const char first[] = "policy vendor \"fmt\" version 1\ninclude \"";
	const char *slash = strrchr(set->file[file].name, '/');
	const char *name = slash ? slash + 1 : set->file[file].name;
	struct text text;
	int whole = (int)file, ret;

	if (!is_layer(&set->file[file])) {
		char layer[512];
		int size = snprintf(layer, sizeof(layer), "%s%s\"\n", first, name);

		whole = size < (int)sizeof(layer)
				? source_add(set, "fmt", layer, (size_t)size, diags)
				: -1;
	}
	ret = whole < 0 ? -1 : parse_text(set, (uint32_t)whole, diags, &text);
	if (!ret) {
		text_fini(&text);
	}
	return ret;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

static int format_one(struct tool *tool, const char *path)
{
	char *folder = tool->include ? strdup(tool->include) : folder_of(path);
	struct diag_list diags = {0};
	struct source_set set;
	char *text = NULL;
	size_t size = 0;
	int file, ret;

	ret = folder ? source_init(&set, folder) : -ENOMEM;
	if (ret) {
		tool_complain(tool, "%s: %s", folder ? folder : path, strerror(-ret));
		free(folder);
		return TOOL_FAILED;
	}
	free(folder);
	file = source_open(&set, path, &diags);
	if (file < 0 || parse_whole(&set, (uint32_t)file, &diags)) {
		ret = TOOL_WRONG;
	}
	tool_show_diags(tool, &diags, &set);
	if (ret == TOOL_OK) {
		ret = format_file(tool, &set, (uint32_t)file, &text, &size);
	}
	if (ret == TOOL_OK) {
		ret = deliver(tool, path, &set.file[file], text, size);
		free(text);
	}
	diag_fini(&diags);
	source_fini(&set);
	return ret;
}

int tool_fmt(struct tool *tool)
{
	int ret = TOOL_OK;

	if (tool->check && tool->write) {
		tool_complain(tool, "--check and --write do not go together");
		return TOOL_USAGE;
	}
	for (uint32_t i = 0; i < tool->arguments.count; i++) {
		const char *path = tool->arguments.path[i];
		int one = tool_check_readable(tool, path);

		one = one ? one : format_one(tool, path);
		ret = one > ret ? one : ret;
	}
	return ret;
}
