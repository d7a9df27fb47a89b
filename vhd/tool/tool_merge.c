/* SPDX-License-Identifier: Apache-2.0 */
/* commit, flatten and rebase: chains of images made shorter or put on another base. */
#define _GNU_SOURCE

#include "tool_disk.h"
#include "tool_progress.h"
#include "tool_verbs.h"
#include "vhd_commit.h"
#include "vhd_flatten.h"
#include "vhd_rebase.h"
#include "vhd_snapshot.h"

#include <stdio.h>

static struct {
	bool fixed, name_only;
	const char *parent;
} opt;

const struct tool_option tool_flatten_options[] = {
	{"fixed", TOOL_FLAG, &opt.fixed, NULL,
	 "as large a file as the disk; else only what is used"},
	{0},
};
const struct tool_option tool_rebase_options[] = {
	{"parent", TOOL_TEXT, &opt.parent, "NAME", "the new parent, in the same folder"},
	{"name-only", TOOL_FLAG, &opt.name_only, NULL,
	 "copy nothing: the parent only got another name"},
	{0},
};

int tool_commit(struct tool *tool, char **arguments, unsigned count)
{
	const char *names[VHD_SNAPSHOT_SET_MAX];
	struct tool_progress progress;
	struct tool_disk disk;
	int rc, code = tool_disk_find_set(tool, arguments, count, &disk, names);

	if (code) {
		return code;
	}
	code = tool_confirm(tool,
			    "The disk goes down into the snapshot it stands on: that snapshot "
			    "is then gone, and revert cannot go back to it.")
		       ? TOOL_OK
		       : TOOL_USAGE;
	if (!code) {
		tool_progress_begin(&progress, tool, "commit");
		rc = vhd_commit_run(disk.folder, names, count, &progress.io, &tool->why);
		tool_progress_end(&progress);
		code = rc < 0 ? tool_fail(tool, rc, names[0]) : TOOL_OK;
	}
	for (unsigned i = 0; i < count && !code; i++) {
		tool_print(tool, "%s: merged with its parent", names[i]);
	}
	folder_close(disk.folder);
	return code;
}

int tool_flatten(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_progress progress;
	struct folder *to;
	const char *to_name;
	struct tool_disk disk;
	int rc, code = tool_disk_find(tool, arguments[0], &disk);

	(void)count;
	if (code) {
		return code;
	}
	rc = folder_of_path(arguments[1], &to, &to_name);
	if (rc < 0) {
		folder_close(disk.folder);
		return tool_fail(tool, rc, arguments[1]);
	}
	tool_progress_begin(&progress, tool, "flatten");
	rc = vhd_flatten_run(disk.folder, disk.name, to, to_name,
			     opt.fixed ? VHD_FIXED : VHD_DYNAMIC, &progress.io, &tool->why);
	tool_progress_end(&progress);
	code = rc < 0 ? tool_fail(tool, rc, tool->why.text[0] ? NULL : arguments[1]) : TOOL_OK;
	if (!code) {
		tool_add_text(tool->result, "disk", to_name);
		tool_print(tool, "%s: stands alone, with all that %s holds", to_name, disk.name);
	}
	folder_close(to);
	folder_close(disk.folder);
	return code;
}

int tool_rebase(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_progress progress;
	struct tool_disk disk;
	const char *name;
	int rc, code;

	(void)count;
	if (!opt.parent || !folder_is_name(opt.parent)) {
		return tool_fail_usage(tool, "say --parent NAME, a name in the same folder");
	}
	code = tool_disk_find_set(tool, arguments, 1, &disk, &name);
	if (code) {
		return code;
	}
	tool_progress_begin(&progress, tool, "rebase");
	rc = vhd_rebase_run(disk.folder, disk.name, opt.parent, opt.name_only, &progress.io,
			    &tool->why);
	tool_progress_end(&progress);
	code = rc < 0 ? tool_fail(tool, rc, disk.name) : TOOL_OK;
	if (!code) {
		tool_add_text(tool->result, "disk", disk.name);
		tool_add_text(tool->result, "parent", opt.parent);
		tool_print(tool, "%s: stands on %s and reads the same", disk.name, opt.parent);
	}
	folder_close(disk.folder);
	return code;
}
