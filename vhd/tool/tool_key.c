/* SPDX-License-Identifier: Apache-2.0 */
/* key list, add, recovery, change, remove: who may open a disk. */
#define _GNU_SOURCE

#include "keyslot.h"
#include "recovery_key.h"
#include "signature.h"
#include "tool_disk.h"
#include "tool_facts.h"
#include "tool_key_file.h"
#include "tool_verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *new_file, *output, *sign_key, *kind, *token;
	int64_t new_fd, slot;
	bool weak_key;
} opt = {.new_fd = -1, .slot = -1};

#define TOKEN_MAX 8192u

#define OPTION_NEW                                                                                 \
	{"new-secret-file", TOOL_TEXT, &opt.new_file, "FILE",                                      \
	 "read the new passphrase from FILE"},                                                     \
	{                                                                                          \
		"new-secret-fd", TOOL_NUMBER, &opt.new_fd, "N",                                    \
			"read the new passphrase from the open descriptor N"                       \
	}
#define OPTION_SIGN                                                                                \
	{                                                                                          \
		"sign-key", TOOL_TEXT, &opt.sign_key, "FILE",                                      \
			"sign the manifest of the disk with this key (PEM, private)"               \
	}
#define OPTION_WEAK                                                                                \
	{                                                                                          \
		"weak-key-for-tests", TOOL_FLAG, &opt.weak_key, NULL,                              \
			"no protection against guessing"                                           \
	}

const struct tool_option tool_key_add_options[] = {
	OPTION_NEW,
	{"slot", TOOL_NUMBER, &opt.slot, "N", "default: the first free one"},
	{"kind", TOOL_TEXT, &opt.kind, "KIND", "tpm2 or recipient: the new secret is a token's"},
	{"token", TOOL_TEXT, &opt.token, "FILE", "JSON from which the helper gets that secret"},
	OPTION_SIGN,
	OPTION_WEAK,
	{0},
};
const struct tool_option tool_key_change_options[] = {OPTION_NEW, OPTION_SIGN, OPTION_WEAK, {0}};
const struct tool_option tool_key_recovery_options[] = {
	{"output", TOOL_TEXT, &opt.output, "FILE", "write the key to FILE; else it is shown once"},
	OPTION_SIGN,
	OPTION_WEAK,
	{0},
};
const struct tool_option tool_key_remove_options[] = {
	{"slot", TOOL_NUMBER, &opt.slot, "N", "which one; see key list"},
	OPTION_SIGN,
	{0},
};

/* Through the stack, so that the manifest goes with a changed header. */
static int open_ciphertext(struct tool *tool, struct tool_disk *disk, bool write, int *ret_rc)
{
	struct stack_options options = {
		.write = write, .ciphertext = true, .ignore_manifest = !write};
	char *sign_key = NULL;
	int code = tool_key_file_read(tool, opt.sign_key, SIGNATURE_KEY_MAX, &sign_key);

	if (!code) {
		options.sign_key = sign_key;
		*ret_rc = stack_open(disk->folder, disk->name, &options, &disk->top, &tool->why);
	}
	if (sign_key) {
		explicit_bzero(sign_key, strlen(sign_key));
	}
	free(sign_key);
	return code;
}

static int open_payload(struct tool *tool, const char *path, bool write, struct tool_disk *disk)
{
	int rc = 0, code = tool_disk_find(tool, path, disk);
	bool there = false;

	if (code) {
		return code;
	}
	code = open_ciphertext(tool, disk, write, &rc);
	if (code) {
		return tool_disk_close(tool, disk, code);
	}
	rc = rc ? rc : luks_is_there(disk->top, &there);
	if (rc < 0) {
		return tool_disk_close(tool, disk, tool_fail(tool, rc, disk->name));
	}
	if (!there) {
		code = tool_fail_exit(tool, TOOL_FAILED,
				      "%s is not encrypted; `bulkhead vhd encrypt` does it",
				      disk->name);
		return tool_disk_close(tool, disk, code);
	}
	return TOOL_OK;
}

/* The slots as they are now; of a change, the last thing that is said. */
static int show_slots(struct tool *tool, const struct tool_disk *disk)
{
	struct keyslot slots[LUKS_POLICY_SLOTS];
	unsigned count;
	int rc = keyslot_list(disk->top, slots, &count, &tool->why);

	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	tool_add_text(tool->result, "disk", disk->name);
	tool_print(tool, "%s: %u key slot%s", disk->name, count, count == 1 ? "" : "s");
	tool_facts_show_slots(tool, tool->result, "  ", slots, count);
	return TOOL_OK;
}

int tool_key_list(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_disk disk;
	int code = open_payload(tool, arguments[0], false, &disk);

	(void)count;
	return code ? code : tool_disk_close(tool, &disk, show_slots(tool, &disk));
}

static int get_new(struct tool *tool, struct tool_secret *ret_secret)
{
	const struct tool_secret_source source = {
		.file = opt.new_file, .fd = opt.new_fd, .prompt = "new passphrase", .is_new = true};

	return tool_secret_read(tool, &source, ret_secret);
}

/* add and change: both need the old secret and a new one. */
static int put(struct tool *tool, const struct tool_disk *disk, struct keyslot_add *keyslot,
	       bool change)
{
	struct tool_secret old = {0};
	char typed[RECOVERY_KEY_TEXT];
	int slot = -1, rc = tool_disk_get_secret(tool, disk, "passphrase of now", &old);

	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	keyslot->secret = tool_disk_secret(&old, typed);
	keyslot->fast_for_tests = opt.weak_key;
	rc = change ? keyslot_change(disk->top, keyslot, &slot, &tool->why)
		    : keyslot_add(disk->top, keyslot, &slot, &tool->why);
	tool_secret_wipe(&old);
	explicit_bzero(typed, sizeof(typed));
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	tool_add_number(tool->result, "slot", (uint64_t)slot);
	return show_slots(tool, disk);
}

static enum luks_slot_kind kind_asked(void)
{
	if (!opt.kind) {
		return LUKS_SLOT_PASSPHRASE;
	}
	return strcmp(opt.kind, "tpm2") == 0 ? LUKS_SLOT_TPM2 : LUKS_SLOT_RECIPIENT;
}

/* token: JSON text, or NULL */
static int put_passphrase(struct tool *tool, const char *path, bool change, const char *token)
{
	struct keyslot_add keyslot = {.slot = change ? -1 : (int)opt.slot,
				      .kind = change ? LUKS_SLOT_FREE : kind_asked(),
				      .token = token};
	struct tool_secret fresh = {0};
	struct tool_disk disk;
	int rc, code = open_payload(tool, path, true, &disk);

	if (code) {
		return code;
	}
	rc = get_new(tool, &fresh);
	if (rc < 0) {
		code = tool_fail(tool, rc, disk.name);
	} else {
		keyslot.bytes = fresh.bytes;
		keyslot.size = fresh.size;
		code = put(tool, &disk, &keyslot, change);
	}
	tool_secret_wipe(&fresh);
	return tool_disk_close(tool, &disk, code);
}

int tool_key_add(struct tool *tool, char **arguments, unsigned count)
{
	char *token = NULL;
	int code = TOOL_OK;

	(void)count;
	if (!opt.kind != !opt.token) {
		return tool_fail_usage(tool, "--kind and --token belong together");
	}
	if (opt.kind && strcmp(opt.kind, "tpm2") != 0 && strcmp(opt.kind, "recipient") != 0) {
		return tool_fail_usage(tool, "--kind is tpm2 or recipient");
	}
	if (opt.token) {
		code = tool_key_file_read(tool, opt.token, TOKEN_MAX, &token);
	}
	code = code ? code : put_passphrase(tool, arguments[0], false, token);
	free(token);
	return code;
}

int tool_key_change(struct tool *tool, char **arguments, unsigned count)
{
	(void)count;
	return put_passphrase(tool, arguments[0], true, NULL);
}

/* Written before the slot exists: a key that opens and that nobody has is worse than none. */
static int hand_out(struct tool *tool, const char *text)
{
	struct folder *folder;
	const char *name;
	struct file *file;
	int rc;

	if (!opt.output) {
		return TOOL_OK;
	}
	rc = folder_of_path(opt.output, &folder, &name);
	if (rc < 0) {
		return tool_fail(tool, rc, opt.output);
	}
	rc = folder_open_file(folder, name, FOLDER_CREATE, &file);
	if (!rc) {
		rc = file_write(file, text, strlen(text), 0);
		rc = rc ? rc : file_flush(file);
		file_close(file);
		rc = rc ? rc : folder_flush(folder);
	}
	folder_close(folder);
	return rc < 0 ? tool_fail(tool, rc, opt.output) : TOOL_OK;
}

int tool_key_recovery(struct tool *tool, char **arguments, unsigned count)
{
	struct keyslot_add keyslot = {.slot = -1, .kind = LUKS_SLOT_RECOVERY};
	char text[RECOVERY_KEY_TEXT] = "";
	struct tool_disk disk;
	int rc, code = open_payload(tool, arguments[0], true, &disk);

	(void)count;
	if (code) {
		return code;
	}
	rc = recovery_key_generate(text);
	code = rc < 0 ? tool_fail(tool, rc, disk.name) : hand_out(tool, text);
	if (!code) {
		keyslot.bytes = text;
		keyslot.size = strlen(text);
		code = put(tool, &disk, &keyslot, false);
	}
	if (!code && !opt.output) {
		tool_add_text(tool->result, "recovery_key", text);
		tool_print(tool, "\n  recovery key   %s\n", text);
		tool_note(tool, "Print it and lock it away; it is not shown again.");
	}
	explicit_bzero(text, sizeof(text));
	return tool_disk_close(tool, &disk, code);
}

int tool_key_remove(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_disk disk;
	char question[400];
	int rc, code;

	(void)count;
	if (opt.slot < 0) {
		return tool_fail_usage(tool,
				       "which one? Say --slot N; `bulkhead vhd key list` shows "
				       "them");
	}
	code = open_payload(tool, arguments[0], true, &disk);
	if (code) {
		return code;
	}
	snprintf(
		question, sizeof(question),
		"%s: what opens key slot %lld will not open this disk any more. Copies of the disk "
		"made before still open with it.",
		disk.name, (long long)opt.slot);
	code = tool_confirm(tool, question) ? TOOL_OK : TOOL_USAGE;
	if (!code) {
		rc = keyslot_remove(disk.top, (int)opt.slot, false, &tool->why);
		code = rc == -EBUSY ? tool_fail_exit(tool, TOOL_FAILED, "%s: %s", disk.name,
						     tool->why.text[0] ? tool->why.text
								       : "it is the last key slot")
		       : rc < 0	    ? tool_fail(tool, rc, disk.name)
				    : show_slots(tool, &disk);
	}
	return tool_disk_close(tool, &disk, code);
}
