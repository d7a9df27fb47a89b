/* SPDX-License-Identifier: Apache-2.0 */
/* The partitions of a disk, as people choose among them. */
#define _GNU_SOURCE

#include "tool_browse.h"

#include "tool_serve.h"
#include "tool_size.h"

#include <stdio.h>

int tool_browse_open(struct tool *tool, const char *path, struct tool_disk *ret_disk)
{
	const struct stack_options options = {.write = false};

	return tool_disk_open_path(tool, path, &options, ret_disk);
}

static struct json_object *partition_json(const struct tool_partition *partition, bool taken)
{
	struct json_object *object = json_object_new_object();

	tool_add_number(object, "number", partition->number);
	tool_add_number(object, "offset", partition->offset);
	tool_add_number(object, "size", partition->size);
	tool_add_text(object, "content", partition->content);
	tool_add_flag(object, "taken", taken);
	tool_add_text(object, "why_not", tool_serve_why_not(partition->content));
	return object;
}

static void show(struct tool *tool, const struct tool_partition *list, unsigned count,
		 const struct tool_partition *taken)
{
	struct json_object *all = json_object_new_array();
	char size[TOOL_SIZE_TEXT];

	for (unsigned i = 0; i < count; i++) {
		const char *why_not = tool_serve_why_not(list[i].content);

		json_object_array_add(all, partition_json(&list[i], &list[i] == taken));
		if (list[i].number == 0) {
			continue;
		}
		tool_note(tool, "%s partition %-2u %10s  %-9s %s", &list[i] == taken ? "->" : "  ",
			  list[i].number, tool_size_text(size, list[i].size),
			  *list[i].content ? list[i].content : "?",
			  &list[i] != taken && why_not ? why_not : "");
	}
	json_object_object_add(tool->result, "partitions", all);
}

static const struct tool_partition *choose(const struct tool_partition *list, unsigned count,
					   int64_t wanted)
{
	const struct tool_partition *best = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (wanted >= 0 ? list[i].number == wanted
				: !tool_serve_why_not(list[i].content) &&
					  (!best || list[i].size > best->size)) {
			best = &list[i];
		}
	}
	return best;
}

int tool_browse_choose(struct tool *tool, struct tool_disk *disk, int64_t wanted,
		       struct tool_partition *ret_partition)
{
	struct tool_partition list[TOOL_PARTITION_MAX];
	const struct tool_partition *taken;
	unsigned count;
	int rc = tool_partition_list(disk->top, list, &count);

	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	taken = choose(list, count, wanted);
	show(tool, list, count, taken);
	if (!taken && wanted >= 0) {
		return tool_fail_exit(tool, TOOL_FAILED, "%s has no partition %lld", disk->name,
				      (long long)wanted);
	}
	if (!taken || tool_serve_why_not(taken->content)) {
		return tool_fail_exit(tool, TOOL_FAILED, "%s: %s", disk->name,
				      taken	   ? tool_serve_why_not(taken->content)
				      : count == 1 ? tool_serve_why_not(list[0].content)
						   : "no partition that can be read here");
	}
	*ret_partition = *taken;
	return TOOL_OK;
}
