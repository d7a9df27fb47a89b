/* SPDX-License-Identifier: Apache-2.0 */
/* encrypt and rekey: a first key for an image, or another one. */
#define _GNU_SOURCE

#include "rekey.h"
#include "tool_disk.h"
#include "tool_progress.h"
#include "tool_verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct {
	const char *new_file;
	int64_t new_fd;
	bool same, start_over, weak_key;
} opt = {.new_fd = -1};

static const char start_over_help[] = "throw away what an interrupted run has begun";
static const char weak_key_help[] = "no protection against guessing";

const struct tool_option tool_encrypt_options[] = {
	{"start-over", TOOL_FLAG, &opt.start_over, NULL, start_over_help},
	{"weak-key-for-tests", TOOL_FLAG, &opt.weak_key, NULL, weak_key_help},
	{0},
};
const struct tool_option tool_rekey_options[] = {
	{"new-secret-file", TOOL_TEXT, &opt.new_file, "FILE", "read the new passphrase from FILE"},
	{"new-secret-fd", TOOL_NUMBER, &opt.new_fd, "N",
	 "read the new passphrase from the open descriptor N"},
	{"same-passphrase", TOOL_FLAG, &opt.same, NULL, "a new key under the passphrase of now"},
	{"start-over", TOOL_FLAG, &opt.start_over, NULL, start_over_help},
	{"weak-key-for-tests", TOOL_FLAG, &opt.weak_key, NULL, weak_key_help},
	{0},
};

static int run(struct tool *tool, const struct tool_disk *disk, const struct luks_secret *old,
	       const struct luks_secret *fresh)
{
	struct tool_progress progress;
	const struct rekey rekey = {
		.old = old,
		.fresh = *fresh,
		.fast_for_tests = opt.weak_key,
		.start_over = opt.start_over,
		.progress = &progress.io,
	};
	int rc;

	tool_progress_begin(&progress, tool, tool->verb->name);
	rc = rekey_image(disk->folder, disk->name, &rekey, &tool->why);
	tool_progress_end(&progress);
	if (rc == -EALREADY) {
		return tool_fail_exit(
			tool, TOOL_FAILED,
			"%s is encrypted already; `bulkhead vhd rekey` gives it another "
			"key",
			disk->name);
	}
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	tool_add_text(tool->result, "disk", disk->name);
	return TOOL_OK;
}

int tool_encrypt(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_secret fresh = {0};
	struct luks_secret secret = {.slot = -1};
	struct tool_disk disk;
	char question[400];
	int rc, code = tool_disk_find(tool, arguments[0], &disk);

	(void)count;
	if (code) {
		return code;
	}
	snprintf(question, sizeof(question),
		 "%s: an encrypted image takes its place, parents included, as large as the disk: "
		 "empty "
		 "space is noise too. What was written in the clear is not wiped from the drive; "
		 "snapshots of it stay as they are.",
		 disk.name);
	code = tool_disk_may_change(tool, &disk, disk.name);
	code = code || tool_confirm(tool, question) ? code : TOOL_USAGE;
	if (!code) {
		rc = tool_secret_get(tool, "new passphrase", true, &fresh);
		code = rc < 0 ? tool_fail(tool, rc, disk.name) : TOOL_OK;
	}
	if (!code) {
		secret.bytes = fresh.bytes;
		secret.size = fresh.size;
		code = run(tool, &disk, NULL, &secret);
	}
	if (!code) {
		tool_print(tool, "%s: encrypted", disk.name);
		tool_note(tool, "`bulkhead vhd key recovery %s` makes a recovery key",
			  arguments[0]);
	}
	tool_secret_wipe(&fresh);
	return tool_disk_close(tool, &disk, code);
}

static int get_both(struct tool *tool, const struct tool_disk *disk, struct tool_secret *old,
		    struct tool_secret *fresh)
{
	const struct tool_secret_source source = {
		.file = opt.new_file, .fd = opt.new_fd, .prompt = "new passphrase", .is_new = true};
	int rc = tool_disk_get_secret(tool, disk, "passphrase of now", old);

	return rc || opt.same ? rc : tool_secret_read(tool, &source, fresh);
}

int tool_rekey(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_secret old = {0}, fresh = {0};
	char typed[RECOVERY_KEY_TEXT], question[400];
	struct luks_secret old_secret, new_secret;
	struct tool_disk disk;
	int rc, code = tool_disk_find(tool, arguments[0], &disk);

	(void)count;
	if (code) {
		return code;
	}
	snprintf(question, sizeof(question),
		 "%s: encrypted again with a new key. It has one key slot then: other passphrases, "
		 "recovery keys and tokens have to be added again.",
		 disk.name);
	code = tool_disk_may_change(tool, &disk, disk.name);
	code = code || tool_confirm(tool, question) ? code : TOOL_USAGE;
	if (!code) {
		rc = get_both(tool, &disk, &old, &fresh);
		code = rc < 0 ? tool_fail(tool, rc, disk.name) : TOOL_OK;
	}
	if (!code) {
		old_secret = tool_disk_secret(&old, typed);
		new_secret =
			opt.same ? old_secret : (struct luks_secret){fresh.bytes, fresh.size, -1};
		code = run(tool, &disk, &old_secret, &new_secret);
		explicit_bzero(typed, sizeof(typed));
	}
	if (!code) {
		tool_print(tool, "%s: has a new key", disk.name);
	}
	tool_secret_wipe(&old);
	tool_secret_wipe(&fresh);
	return tool_disk_close(tool, &disk, code);
}
