/* SPDX-License-Identifier: Apache-2.0 */
/* resize: larger at any time; smaller only after a yes. */
#define _GNU_SOURCE

#include "luks.h"
#include "tool_disk.h"
#include "tool_size.h"
#include "tool_verbs.h"
#include "vhd_disk.h"

#include <stdio.h>

static struct {
	uint64_t size;
} opt;

const struct tool_option tool_resize_options[] = {
	{"size", TOOL_SIZE, &opt.size, "SIZE", "of the disk that the guest sees, from now on"},
	{0},
};

static int confirm(struct tool *tool, const char *name, uint64_t old, uint64_t size)
{
	char from[TOOL_SIZE_TEXT], to[TOOL_SIZE_TEXT], question[400];

	snprintf(question, sizeof(question),
		 "%s gets smaller, from %s to %s: what lies behind is gone for good. Make the file "
		 "system inside smaller first.",
		 name, tool_size_text(from, old), tool_size_text(to, size));
	return size >= old || tool_confirm(tool, question) ? TOOL_OK : TOOL_USAGE;
}

static int resize(struct tool *tool, const char *name, struct layer *layer)
{
	char from[TOOL_SIZE_TEXT], to[TOOL_SIZE_TEXT];
	uint64_t header = 0, old;
	bool encrypted;
	int code, rc = luks_is_there(layer, &encrypted);

	if (rc < 0) {
		return tool_fail(tool, rc, name);
	}
	header = encrypted ? LUKS_HEADER_SIZE : 0;
	old = layer->size - header;
	code = confirm(tool, name, old, opt.size);
	if (code) {
		return code;
	}
	rc = vhd_disk_resize(layer, opt.size + header, &tool->why);
	rc = rc ? rc : layer_flush(layer);
	if (rc < 0) {
		return tool_fail(tool, rc, name);
	}
	tool_add_text(tool->result, "disk", name);
	tool_add_number(tool->result, "size", layer->size - header);
	tool_add_number(tool->result, "old_size", old);
	tool_print(tool, "%s: %s, was %s", name, tool_size_text(to, layer->size - header),
		   tool_size_text(from, old));
	return TOOL_OK;
}

int tool_resize(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_disk disk;
	int rc, code;

	(void)count;
	if (!opt.size) {
		return tool_fail_usage(tool, "how large? Say --size 40G");
	}
	code = tool_disk_find(tool, arguments[0], &disk);
	if (code) {
		return code;
	}
	code = tool_disk_may_change(tool, &disk, disk.name);
	if (!code) {
		rc = vhd_disk_open(disk.folder, disk.name, VHD_DISK_WRITE, &disk.top, &tool->why);
		code = rc < 0 ? tool_fail(tool, rc, disk.name) : resize(tool, disk.name, disk.top);
	}
	return tool_disk_close(tool, &disk, code);
}
