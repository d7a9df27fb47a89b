/* SPDX-License-Identifier: Apache-2.0 */
/* diff: what becomes possible and what impossible between two policies. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "difference.h"
#include "tool.h"

static const char *const titles[DIFFERENCE_SECTIONS] = {
	[DIFFERENCE_POSSIBLE] = "Becomes possible:",
	[DIFFERENCE_UNASKED] = "No longer asks:",
	[DIFFERENCE_REACH] = "Data can now get, over several steps:",
	[DIFFERENCE_UNPROVED] = "No longer proved:",
	[DIFFERENCE_RIGHT_GIVEN] = "People may now:",
	[DIFFERENCE_IMPOSSIBLE] = "Becomes impossible:",
	[DIFFERENCE_ASKED] = "Asks from now on:",
	[DIFFERENCE_UNREACH] = "Data can no longer get, over several steps:",
	[DIFFERENCE_PROVED] = "Proved from now on:",
	[DIFFERENCE_RIGHT_TAKEN] = "People may no longer:",
	[DIFFERENCE_LIMIT] = "Other limits:",
	[DIFFERENCE_FACT] = "Partitions, devices and networks:",
};

static const char *const words[DIFFERENCE_SECTIONS] = {
	[DIFFERENCE_POSSIBLE] = "possible",
	[DIFFERENCE_UNASKED] = "unasked",
	[DIFFERENCE_REACH] = "reach",
	[DIFFERENCE_UNPROVED] = "unproved",
	[DIFFERENCE_RIGHT_GIVEN] = "rights-given",
	[DIFFERENCE_IMPOSSIBLE] = "impossible",
	[DIFFERENCE_ASKED] = "asked",
	[DIFFERENCE_UNREACH] = "no-reach",
	[DIFFERENCE_PROVED] = "proved",
	[DIFFERENCE_RIGHT_TAKEN] = "rights-taken",
	[DIFFERENCE_LIMIT] = "limits",
	[DIFFERENCE_FACT] = "facts",
};

static void show(struct tool *tool, const struct difference *difference)
{
	bool some = false;

	for (unsigned int section = 0; section < DIFFERENCE_SECTIONS; section++) {
		struct json_object *list = json_object_new_array();
		bool begun = false;

		for (uint32_t i = 0; i < difference->count; i++) {
			const struct difference_line *line = &difference->line[i];

			if (line->section != section) {
				continue;
			}
			json_object_array_add(list, json_object_new_string(line->text));
			if (!tool->json && !begun) {
				printf("%s%s\n", some ? "\n" : "", titles[section]);
			}
			if (!tool->json) {
				printf("  %s\n", line->text);
			}
			begun = some = true;
		}
		json_object_object_add(tool->result, words[section], list);
	}
	if (!some && !tool->json) {
		printf("The two policies decide the same.\n");
	}
}

/* Layers of one side: those of --with, and what stands in `list` between commas. */
static int add_layers(struct tool *tool, char *list, struct tool_files *files)
{
	for (char *path; (path = strsep(&list, ",")) != NULL;) {
		if (files->count == TOOL_FILES_MAX) {
			tool_complain(tool, "too many layers, the first one too many is %s", path);
			return TOOL_USAGE;
		}
		files->path[files->count++] = path;
	}
	return TOOL_OK;
}

static int load_side(struct tool *tool, const char *list, struct compile **ret_compile)
{
	struct compile *compile = calloc(1, sizeof(*compile));
	struct tool_files files = tool->with;
	char *paths = strdup(list);
	int ret = TOOL_FAILED;

	if (!compile || !paths) {
		tool_complain(tool, "out of memory");
	} else {
		ret = add_layers(tool, paths, &files);
		if (ret == TOOL_OK) {
			ret = tool_load(tool, &files, compile);
			if (ret) {
				compile_fini(compile);
			}
		}
	}
	free(paths);
	if (ret) {
		free(compile);
		return ret;
	}
	*ret_compile = compile;
	return TOOL_OK;
}

int tool_diff(struct tool *tool)
{
	struct compile *old = NULL, *new = NULL;
	struct difference difference = {0};
	int ret = load_side(tool, tool->arguments.path[0], &old);

	ret = ret ? ret : load_side(tool, tool->arguments.path[1], &new);
	if (ret == TOOL_OK && difference_build(old, new, &difference)) {
		tool_complain(tool, "out of memory");
		ret = TOOL_FAILED;
	}
	if (ret == TOOL_OK) {
		show(tool, &difference);
		ret = difference.count ? TOOL_WRONG : TOOL_OK;
	}
	difference_fini(&difference);
	for (unsigned int side = 0; side < 2; side++) {
		struct compile *compile = side ? new : old;

		if (compile) {
			compile_fini(compile);
			free(compile);
		}
	}
	return ret;
}
