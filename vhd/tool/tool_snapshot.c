/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot and revert. */
#define _GNU_SOURCE

#include "tool_disk.h"
#include "tool_size.h"
#include "tool_verbs.h"
#include "vhd_revert.h"
#include "vhd_snapshot.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct {
	bool list, undo, forget;
	const char *tag;
} opt;

const struct tool_option tool_snapshot_options[] = {
	{"tag", TOOL_TEXT, &opt.tag, "TAG", "its name; default: date and time"},
	{"list", TOOL_FLAG, &opt.list, NULL, "show the snapshots that are there"},
	{0},
};
const struct tool_option tool_revert_options[] = {
	{"to", TOOL_TEXT, &opt.tag, "TAG", "the snapshot to go back to; default: the last one"},
	{"undo", TOOL_FLAG, &opt.undo, NULL, "take the last revert back"},
	{"forget", TOOL_FLAG, &opt.forget, NULL, "remove what the last revert put aside"},
	{0},
};

static int list_one(void *context, const struct vhd_snapshot *snapshot)
{
	struct tool *tool = context;
	struct json_object *object = json_object_new_object(), *list;
	char file_size[TOOL_SIZE_TEXT], time_text[TOOL_TIME_TEXT], uuid[TOOL_UUID_TEXT];
	const char *what = snapshot->is_undo ? "(put aside by revert)"
			   : snapshot->tag   ? snapshot->tag
					     : "(a base)";

	json_object_object_get_ex(tool->result, "snapshots", &list);
	tool_add_text(object, "file", snapshot->name);
	tool_add_text(object, "tag", snapshot->tag);
	tool_add_text(object, "parent", snapshot->parent);
	tool_add_number(object, "size", snapshot->size);
	tool_add_number(object, "file_size", snapshot->file_size);
	tool_add_number(object, "depth", snapshot->depth);
	tool_add_flag(object, "undo", snapshot->is_undo);
	tool_add_text(object, "uuid", tool_uuid_text(uuid, snapshot->uuid));
	tool_add_text(object, "time", tool_time_text(time_text, snapshot->timestamp));
	json_object_array_add(list, object);
	tool_print(tool, "  %-24s %-22s %10s  %s%s", what, time_text,
		   tool_size_text(file_size, snapshot->file_size), snapshot->name,
		   snapshot->depth || snapshot->is_undo ? "" : "  (not in the disk's chain)");
	return 0;
}

static int list(struct tool *tool, char **paths, unsigned count)
{
	struct tool_disk disk;
	int rc, code = tool_disk_find(tool, paths[0], &disk);

	if (code) {
		return code;
	}
	if (count > 1) {
		folder_close(disk.folder);
		return tool_fail_usage(tool, "--list takes one disk");
	}
	json_object_object_add(tool->result, "snapshots", json_object_new_array());
	tool_print(tool, "%s stands on, nearest first:", disk.name);
	rc = vhd_snapshot_list(disk.folder, disk.name, list_one, tool, &tool->why);
	code = rc < 0 ? tool_fail(tool, rc, disk.name) : TOOL_OK;
	folder_close(disk.folder);
	return code;
}

static void add_names(struct tool *tool, const char *const *names, unsigned count)
{
	struct json_object *disks = json_object_new_array();

	for (unsigned i = 0; i < count; i++) {
		json_object_array_add(disks, json_object_new_string(names[i]));
	}
	json_object_object_add(tool->result, "disks", disks);
}

int tool_snapshot(struct tool *tool, char **arguments, unsigned count)
{
	const char *names[VHD_SNAPSHOT_SET_MAX];
	char today[TOOL_TIME_TEXT];
	const char *tag = opt.tag;
	struct tool_disk disk;
	time_t now = time(NULL);
	struct tm tm;
	int rc, code;

	if (opt.list) {
		return list(tool, arguments, count);
	}
	code = tool_disk_find_set(tool, arguments, count, &disk, names);
	if (code) {
		return code;
	}
	if (!tag) {
		strftime(today, sizeof(today), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
		tag = today;
	}
	rc = vhd_snapshot_take(disk.folder, names, count, tag, &tool->why);
	code = rc < 0 ? tool_fail(tool, rc, names[0]) : TOOL_OK;
	if (!code) {
		add_names(tool, names, count);
		tool_add_text(tool->result, "tag", tag);
		for (unsigned i = 0; i < count; i++) {
			tool_print(tool, "%s: snapshot %s", names[i], tag);
		}
		tool_note(tool, "`bulkhead vhd revert --to %s` goes back to it", tag);
	}
	folder_close(disk.folder);
	return code;
}

static int revert(struct tool *tool, const struct tool_disk *disk, const char *const *names,
		  unsigned count)
{
	char question[400];
	int rc;

	if (opt.undo) {
		rc = vhd_revert_undo(disk->folder, names, count, &tool->why);
		return rc < 0 ? tool_fail(tool, rc, names[0]) : TOOL_OK;
	}
	snprintf(
		question, sizeof(question),
		"%s%s: everything written since %s%s will be put aside; what an earlier revert put "
		"aside is removed.",
		names[0], count > 1 ? " and others" : "", opt.tag ? "the snapshot " : "",
		opt.tag ? opt.tag : "the last snapshot");
	if (!tool_confirm(tool, question)) {
		return TOOL_USAGE;
	}
	rc = vhd_revert_run(disk->folder, names, count, opt.tag, &tool->why);
	return rc < 0 ? tool_fail(tool, rc, names[0]) : TOOL_OK;
}

static int forget(struct tool *tool, const struct tool_disk *disk, const char *const *names,
		  unsigned count)
{
	int rc = 0;

	if (!tool_confirm(tool, "What the last revert put aside will be gone for good.")) {
		return TOOL_USAGE;
	}
	for (unsigned i = 0; i < count && !rc; i++) {
		rc = vhd_revert_forget(disk->folder, names[i], &tool->why);
		if (rc < 0) {
			return tool_fail(tool, rc, names[i]);
		}
	}
	return TOOL_OK;
}

int tool_revert(struct tool *tool, char **arguments, unsigned count)
{
	const char *names[VHD_SNAPSHOT_SET_MAX];
	struct tool_disk disk;
	int code;

	if ((opt.undo || opt.forget) && (opt.tag || (opt.undo && opt.forget))) {
		return tool_fail_usage(tool, "--to, --undo and --forget exclude each other");
	}
	code = tool_disk_find_set(tool, arguments, count, &disk, names);
	if (code) {
		return code;
	}
	code = opt.forget ? forget(tool, &disk, names, count) : revert(tool, &disk, names, count);
	if (!code) {
		add_names(tool, names, count);
		for (unsigned i = 0; i < count; i++) {
			tool_print(tool, "%s: %s", names[i],
				   opt.undo	? "as before the revert"
				   : opt.forget ? "what was put aside is gone"
						: "as at the snapshot");
		}
		if (!opt.undo && !opt.forget) {
			tool_note(tool, "`bulkhead vhd revert --undo` takes it back");
		}
	}
	folder_close(disk.folder);
	return code;
}
