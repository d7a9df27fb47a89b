/* SPDX-License-Identifier: Apache-2.0 */
/* show: the policy in effect, each line with its origin behind it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "effective.h"
#include "tool.h"

#define ORIGIN_COLUMN 72

static void add_json(struct json_object *list, const struct compile *compile,
		     const struct effective_line *line)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "line", json_object_new_string(line->text));
	if (line->known) {
		json_object_object_add(object, "layer",
				       json_object_new_string(text_layer_word(line->origin.layer)));
		json_object_object_add(
			object, "place",
			json_object_new_string(tool_place(&compile->sources, line->origin.pos)));
		json_object_object_add(object, "default",
				       json_object_new_boolean(line->origin.open));
	}
	json_object_array_add(list, object);
}

static void print_line(const struct compile *compile, const struct effective_line *line)
{
	int width = (int)strlen(line->text) + (line->inside ? 8 : 0);

	printf("%s%s", line->inside ? "\t" : "", line->text);
	if (line->known) {
		printf("%*s# %s %s%s", width < ORIGIN_COLUMN ? ORIGIN_COLUMN - width : 1, "",
		       text_layer_word(line->origin.layer),
		       tool_place(&compile->sources, line->origin.pos),
		       line->origin.open ? ", default" : "");
	}
	putchar('\n');
}

static void show_lines(struct tool *tool, const struct compile *compile,
		       const struct effective *lines)
{
	struct json_object *list;

	if (!json_object_object_get_ex(tool->result, "lines", &list)) {
		list = json_object_new_array();
		json_object_object_add(tool->result, "lines", list);
	}
	for (uint32_t i = 0; i < lines->count; i++) {
		const struct effective_line *line = &lines->line[i];

		if (tool->json) {
			add_json(list, compile, line);
			continue;
		}
		if (i && !line->inside && lines->line[i - 1].inside) {
			putchar('\n');
		} else if (i && line->subject && !strncmp(line->subject, "partition ", 10)) {
			putchar('\n');
		}
		print_line(compile, line);
	}
	if (!tool->json) {
		putchar('\n');
	}
}

static void print_head(const struct compile *compile)
{
	uint64_t version = 0;

	printf("# In effect after layering:");
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		if (compile->has_text[layer]) {
			printf(" %s version %" PRIu64, text_layer_word((enum text_layer)layer),
			       compile->text[layer].version);
			version += compile->text[layer].version;
		}
	}
	printf("\npolicy vendor \"in effect\" version %" PRIu64 "\n\n", version);
}

static int show(struct tool *tool, struct compile *compile)
{
	struct effective facts = {0}, rights = {0}, rules = {0};
	int ret = effective_facts(compile, &facts);

	ret = ret ? ret : effective_rules(compile, tool->all, &rules);
	ret = ret ? ret : effective_rights(compile, &rights);
	if (ret) {
		tool_complain(tool, "out of memory");
	} else {
		if (!tool->json) {
			print_head(compile);
		}
		show_lines(tool, compile, &facts);
		show_lines(tool, compile, &rules);
		show_lines(tool, compile, &rights);
	}
	effective_fini(&facts);
	effective_fini(&rights);
	effective_fini(&rules);
	return ret ? TOOL_FAILED : TOOL_OK;
}

int tool_show(struct tool *tool)
{
	return tool_use_policy(tool, &tool->arguments, show);
}
