/* SPDX-License-Identifier: Apache-2.0 */
/* From file names to a proved policy, and what is wrong with it to the person or the program. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prove.h"
#include "tool.h"

void tool_complain(struct tool *tool, const char *format, ...)
{
	va_list list;
	char *text = NULL;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0) {
		text = NULL;
	}
	va_end(list);
	fprintf(stderr, "bulkhead-policy: %s\n", text ? text : "out of memory");
	if (tool->json && tool->result) {
		json_object_object_add(tool->result, "error",
				       json_object_new_string(text ? text : "out of memory"));
	}
	free(text);
}

static struct json_object *diag_json(const struct diag *diag, const struct source_set *sources)
{
	static const char *const levels[] = {"error", "warning", "note"};
	struct json_object *out = json_object_new_object();

	json_object_object_add(out, "level", json_object_new_string(levels[diag->level]));
	if (diag->pos.line && diag->pos.file < sources->count) {
		json_object_object_add(out, "file",
				       json_object_new_string(sources->file[diag->pos.file].name));
		json_object_object_add(out, "line", json_object_new_int64(diag->pos.line));
		json_object_object_add(out, "column", json_object_new_int64(diag->pos.column));
	}
	json_object_object_add(out, "message", json_object_new_string(diag->message));
	if (diag->hint) {
		json_object_object_add(out, "hint", json_object_new_string(diag->hint));
	}
	return out;
}

void tool_show_diags(struct tool *tool, const struct diag_list *diags,
		     const struct source_set *sources)
{
	struct json_object *list;

	if (!tool->json) {
		diag_print(diags, sources, stderr);
		return;
	}
	if (!json_object_object_get_ex(tool->result, "diagnostics", &list)) {
		list = json_object_new_array();
		json_object_object_add(tool->result, "diagnostics", list);
	}
	for (size_t i = 0; i < diags->count; i++) {
		json_object_array_add(list, diag_json(&diags->item[i], sources));
	}
}

int tool_check_readable(struct tool *tool, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
		tool_complain(tool, "%s: %s", path, strerror(errno));
		return TOOL_FAILED;
	}
	if (!S_ISREG(st.st_mode)) {
		tool_complain(tool, "%s is no plain file, but a folder, pipe or device", path);
		return TOOL_FAILED;
	}
	return TOOL_OK;
}

int tool_judge(struct tool *tool, int ret, const struct compile *compile)
{
	/* Who asks a question about a policy that holds does not want to read its warnings again.
	 */
	if (ret || tool->json || tool->verb->run == tool_check || tool->verb->run == tool_compile) {
		tool_show_diags(tool, &compile->diags, &compile->sources);
	}
	return ret ? TOOL_WRONG : TOOL_OK;
}

int tool_load(struct tool *tool, const struct tool_files *files, struct compile *compile)
{
	for (uint32_t i = 0; i < files->count; i++) {
		if (tool_check_readable(tool, files->path[i])) {
			return TOOL_FAILED;
		}
	}
	return tool_judge(
		tool, compile_files(files->path, files->count, tool->include, PROVE_ALL, compile),
		compile);
}
