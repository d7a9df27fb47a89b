/* SPDX-License-Identifier: Apache-2.0 */
/* matrix: who reaches whom, for people, sheets, programs and walls. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "matrix.h"
#include "tool.h"

static int print(struct tool *tool, const struct matrix *matrix, FILE *out)
{
	if (!strcmp(tool->format, "text")) {
		matrix_print_text(matrix, out);
	} else if (!strcmp(tool->format, "svg")) {
		picture_print(matrix, out);
	} else if (!strcmp(tool->format, "csv")) {
		return matrix_print_csv(matrix, out);
	}
	return 0;
}

static int deliver(struct tool *tool, const struct matrix *matrix)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int ret = out ? print(tool, matrix, out) : -1;

	if (!out || fclose(out) || ret) {
		tool_complain(tool, "out of memory");
		free(text);
		return TOOL_FAILED;
	}
	ret = tool_write_file(tool, tool->out ? tool->out : "-", text, size);
	free(text);
	return ret;
}

static int show(struct tool *tool, struct compile *compile)
{
	struct matrix matrix;
	int ret = TOOL_OK;

	if (matrix_build(compile, tool->all, &matrix)) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	if (tool->json) {
		struct json_object *list = json_object_new_array();

		json_object_object_add(tool->result, "flows", list);
		if (matrix_add_json(&matrix, list)) {
			tool_complain(tool, "out of memory");
			ret = TOOL_FAILED;
		}
	} else {
		ret = deliver(tool, &matrix);
	}
	matrix_fini(&matrix);
	return ret;
}

static int check_format(struct tool *tool)
{
	static const char *const formats[] = {"text", "csv", "json", "svg"};

	if (tool->json && tool->format && strcmp(tool->format, "json") != 0) {
		tool_complain(tool, "--json and --format %s do not go together", tool->format);
		return TOOL_USAGE;
	}
	tool->format = tool->format ? tool->format : tool->json ? "json" : "text";
	if (tool->out && !strcmp(tool->format, "json")) {
		tool_complain(tool, "json goes to stdout: leave -o out");
		return TOOL_USAGE;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!strcmp(tool->format, formats[i])) {
			tool->json = tool->json || !strcmp(tool->format, "json");
			return TOOL_OK;
		}
	}
	tool_complain(tool, "--format %s: it is text, csv, json or svg", tool->format);
	return TOOL_USAGE;
}

int tool_matrix(struct tool *tool)
{
	int ret = check_format(tool);

	return ret ? ret : tool_use_policy(tool, &tool->arguments, show);
}
