/* SPDX-License-Identifier: Apache-2.0 */
/* export: a desktop, or what changed in it, into one bundle for another PC. */
#define _GNU_SOURCE

#include "move_export.h"
#include "tool_disk.h"
#include "tool_key_file.h"
#include "tool_progress.h"
#include "tool_size.h"
#include "tool_verbs.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX  (64u << 10)
#define RECEIPT_MAX (64u << 10)
#define ROLE_MAX    8u

static struct {
	const char *base, *from, *to, *roles, *firmware, *config, *sign_key, *receipt;
	uint64_t ram;
	int64_t level;
	bool full, copy, undo, weak_key;
} opt;

const struct tool_option tool_export_options[] = {
	{"copy", TOOL_FLAG, &opt.copy, NULL, "keep the disk here too; else it is handed over"},
	{"full", TOOL_FLAG, &opt.full, NULL, "all of the disk; else what the other PC lacks"},
	{"base", TOOL_TEXT, &opt.base, "NAME", "an image of the chain that the other PC has"},
	{"from", TOOL_TEXT, &opt.from, "TEXT", "who sends it, for people"},
	{"to", TOOL_TEXT, &opt.to, "TEXT", "where it goes, for people"},
	{"roles", TOOL_TEXT, &opt.roles, "LIST", "what it is: desktop,browser ..."},
	{"ram", TOOL_SIZE, &opt.ram, "SIZE", "memory that the guest needs"},
	{"firmware", TOOL_TEXT, &opt.firmware, "NAME", "bios or uefi"},
	{"config", TOOL_TEXT, &opt.config, "FILE", "the partition's definition, carried sealed"},
	{"sign-key", TOOL_TEXT, &opt.sign_key, "FILE", "sign it with this key (PEM, P-256)"},
	{"level", TOOL_NUMBER, &opt.level, "N", "of compression, 1 to 19"},
	{"undo", TOOL_FLAG, &opt.undo, NULL, "take back a move that nobody received"},
	{"receipt", TOOL_TEXT, &opt.receipt, "FILE", "take the receipt that the other PC gave"},
	{"weak-key-for-tests", TOOL_FLAG, &opt.weak_key, NULL,
	 "no protection of the bundle against guessing"},
	{0},
};

static int open_folder(const char *path, struct folder **ret_folder)
{
	char inside[4200];
	const char *name;

	snprintf(inside, sizeof(inside), "%.4000s/inside", path);
	return folder_of_path(inside, ret_folder, &name);
}

/* What opens the bundle: the disk's own secret, or a new one when it has none. */
static int get_secret(struct tool *tool, const struct tool_disk *disk,
		      struct tool_secret *ret_secret)
{
	struct layer *layer;
	bool encrypted = false;
	int rc = vhd_disk_open(disk->folder, disk->name, 0, &layer, &tool->why);

	if (rc < 0) {
		return rc;
	}
	rc = luks_is_there(layer, &encrypted);
	(void)!layer_close(layer);
	return rc ? rc
		  : tool_secret_get(tool,
				    encrypted ? "passphrase of the disk"
					      : "new passphrase for the bundle",
				    !encrypted, ret_secret);
}

/* "a,b" into a list; the text is cut up. */
static void split_roles(char *text, const char *ret_roles[ROLE_MAX + 1])
{
	char *save = NULL;
	unsigned count = 0;

	for (char *at = strtok_r(text, ",", &save); at && count < ROLE_MAX;
	     at = strtok_r(NULL, ",", &save)) {
		ret_roles[count++] = at;
	}
	ret_roles[count] = NULL;
}

static void show(struct tool *tool, const struct tool_disk *disk, const char *target,
		 const struct move_export_report *report)
{
	char changed[TOOL_SIZE_TEXT], size[TOOL_SIZE_TEXT], id[TOOL_UUID_TEXT];
	bool is_pipe = !report->file[0];

	tool_add_text(tool->result, "disk", disk->name);
	tool_add_text(tool->result, "bundle", tool_uuid_text(id, report->bundle_id));
	tool_add_text(tool->result, "file", is_pipe ? NULL : report->file);
	tool_add_number(tool->result, "epoch", report->epoch);
	tool_add_number(tool->result, "changed", report->changed);
	tool_add_number(tool->result, "written", report->written);
	tool_add_number(tool->result, "size", report->size);
	tool_add_number(tool->result, "frames", report->frames);
	tool_add_number(tool->result, "frames_kept", report->frames_kept);
	tool_add_flag(tool->result, "copy", opt.copy);
	tool_note(tool, "%s%s%s: %s of changes in %s%s", is_pipe ? disk->name : target,
		  is_pipe ? "" : "/", report->file, tool_size_text(changed, report->changed),
		  tool_size_text(size, report->size),
		  report->frames_kept ? "; went on where an earlier attempt stopped" : "");
	if (!opt.copy) {
		tool_note(tool,
			  "%s has moved away: it is not started here any more. `bulkhead vhd "
			  "export --undo` takes that back as long as nobody imported it.",
			  disk->name);
	}
}

static int run(struct tool *tool, const struct tool_disk *disk, const char *target,
	       struct move_export_options *options)
{
	struct move_export_report report = {0};
	struct tool_progress progress;
	struct bundle_fd out;
	struct folder *to = NULL;
	int rc;

	tool_progress_begin(&progress, tool, "export");
	options->progress = &progress.io;
	if (!strcmp(target, "-")) {
		bundle_fd_init(&out, STDOUT_FILENO);
		rc = move_export_stream(disk->folder, disk->name, options, &out.out, &report,
					&tool->why);
	} else {
		rc = open_folder(target, &to);
		rc = rc ? rc
			: move_export(disk->folder, disk->name, options, to, &report, &tool->why);
	}
	tool_progress_end(&progress);
	folder_close(to);
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	show(tool, disk, target, &report);
	return TOOL_OK;
}

static int export_disk(struct tool *tool, const struct tool_disk *disk, const char *target)
{
	char *config = NULL, *sign_key = NULL;
	char *roles_text = opt.roles ? strdup(opt.roles) : NULL;
	const char *roles[ROLE_MAX + 1];
	struct tool_secret secret = {0};
	struct luks_secret luks = {.slot = -1};
	struct move_export_options options = {
		.base = opt.base,
		.full = opt.full,
		.copy = opt.copy,
		.from = opt.from,
		.to = opt.to,
		.ram = opt.ram,
		.firmware = opt.firmware,
		.level = (int)opt.level,
		.fast_for_tests = opt.weak_key,
	};
	int rc, code = tool_key_file_read(tool, opt.config, CONFIG_MAX, &config);

	code = code ? code : tool_key_file_read(tool, opt.sign_key, CONFIG_MAX, &sign_key);
	if (!code) {
		rc = get_secret(tool, disk, &secret);
		code = rc < 0 ? tool_fail(tool, rc, disk->name) : TOOL_OK;
	}
	if (!code) {
		luks.bytes = secret.bytes;
		luks.size = secret.size;
		options.secret = &luks;
		options.config = config;
		options.sign_key = sign_key;
		if (roles_text) {
			split_roles(roles_text, roles);
			options.roles = roles;
		}
		code = run(tool, disk, target, &options);
	}
	tool_secret_wipe(&secret);
	if (sign_key) {
		explicit_bzero(sign_key, strlen(sign_key));
	}
	free(sign_key);
	free(config);
	free(roles_text);
	return code;
}

static int undo(struct tool *tool, const struct tool_disk *disk, const char *stick)
{
	struct folder *at = NULL;
	int rc = stick ? open_folder(stick, &at) : 0;

	rc = rc ? rc : move_undo(disk->folder, disk->name, at, &tool->why);
	folder_close(at);
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	tool_print(tool, "%s: is here again; the bundle of its move is refused from now on",
		   disk->name);
	return TOOL_OK;
}

static int take_receipt(struct tool *tool, const struct tool_disk *disk)
{
	char *receipt = NULL;
	int rc, code = tool_key_file_read(tool, opt.receipt, RECEIPT_MAX, &receipt);

	if (code) {
		return code;
	}
	rc = move_take_receipt(disk->folder, disk->name, receipt, &tool->why);
	free(receipt);
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	tool_print(tool, "%s: has arrived; what is here is only the base of its way back",
		   disk->name);
	return TOOL_OK;
}

int tool_export(struct tool *tool, char **arguments, unsigned count)
{
	const char *target = count > 1 ? arguments[1] : NULL;
	struct tool_disk disk;
	int code;

	if (!target && !opt.undo && !opt.receipt) {
		return tool_fail_usage(tool, "where to? A folder (of a stick), or - for a pipe");
	}
	if (target && !strcmp(target, "-") && isatty(STDOUT_FILENO)) {
		return tool_fail_usage(tool, "a bundle does not go to a terminal; redirect it");
	}
	tool->result_to_stderr = target && !strcmp(target, "-");
	code = tool_disk_find(tool, arguments[0], &disk);
	if (code) {
		return code;
	}
	tool_add_text(tool->result, "disk", disk.name);
	code = opt.undo	     ? undo(tool, &disk, target)
	       : opt.receipt ? take_receipt(tool, &disk)
			     : export_disk(tool, &disk, target);
	folder_close(disk.folder);
	return code;
}
