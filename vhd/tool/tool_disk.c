/* SPDX-License-Identifier: Apache-2.0 */
/* Opening disks for verbs. */
#define _GNU_SOURCE

#include "tool_disk.h"

#include "manifest.h"
#include "owner.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRIES 3u

int tool_disk_find(struct tool *tool, const char *path, struct tool_disk *ret_disk)
{
	struct tool_disk disk = {0};
	int rc = folder_of_path(path, &disk.folder, &disk.name);

	if (rc < 0) {
		return tool_fail(tool, rc, path);
	}
	rc = vhd_journal_recover(disk.folder, &tool->why);
	if (rc < 0) {
		folder_close(disk.folder);
		return tool_fail(tool, rc, path);
	}
	*ret_disk = disk;
	return TOOL_OK;
}

int tool_disk_may_change(struct tool *tool, const struct tool_disk *disk, const char *name)
{
	struct manifest manifest;
	int rc = owner_check_write(disk->folder, name, &tool->why);

	if (rc < 0) {
		return tool_fail(tool, rc, name);
	}
	if (manifest_read(disk->folder, name, NULL, &manifest, NULL) == 0) {
		tool_note(tool,
			  "note: %s is sealed, and this changes what was sealed; `bulkhead vhd "
			  "seal` makes a new manifest",
			  name);
	}
	return TOOL_OK;
}

static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

int tool_disk_find_set(struct tool *tool, char **paths, unsigned count, struct tool_disk *ret_disk,
		       const char **ret_names)
{
	size_t length = folder_length(paths[0]);
	int code;

	for (unsigned i = 0; i < count; i++) {
		const char *slash = strrchr(paths[i], '/');

		if (folder_length(paths[i]) != length || strncmp(paths[0], paths[i], length) != 0) {
			return tool_fail_usage(tool, "%s and %s must lie in one folder", paths[0],
					       paths[i]);
		}
		ret_names[i] = slash ? slash + 1 : paths[i];
	}
	code = tool_disk_find(tool, paths[0], ret_disk);
	for (unsigned i = 0; i < count && !code; i++) {
		int rc = owner_check_write(ret_disk->folder, ret_names[i], &tool->why);

		if (rc < 0) {
			code = tool_fail(tool, rc, ret_names[i]);
			folder_close(ret_disk->folder);
		}
	}
	return code;
}

struct luks_secret tool_disk_secret(const struct tool_secret *secret, char room[RECOVERY_KEY_TEXT])
{
	if (recovery_key_read(secret->bytes, secret->size, room) == 0) {
		return (struct luks_secret){room, strlen(room), -1};
	}
	return (struct luks_secret){secret->bytes, secret->size, -1};
}

/* A mistyped recovery key says where. */
static const char *why_wrong(const struct tool_secret *secret, char ret_text[80])
{
	char room[RECOVERY_KEY_TEXT];
	int group = recovery_key_read(secret->bytes, secret->size, room);

	explicit_bzero(room, sizeof(room));
	snprintf(ret_text, 80,
		 group > 0 ? "group %d of the recovery key is mistyped"
			   : "no key slot opens with this",
		 group);
	return ret_text;
}

static int open_with_secret(struct tool *tool, struct tool_disk *disk, struct stack_options options)
{
	unsigned tries = tool_secret_is_asked(tool) ? TRIES : 1;
	char prompt[300], room[RECOVERY_KEY_TEXT], reason[80];
	int rc = -EPERM;

	snprintf(prompt, sizeof(prompt), "passphrase of %s", disk->name);
	for (unsigned i = 0; i < tries && rc == -EPERM; i++) {
		struct luks_secret secret;

		if (i) {
			tool_note(tool, "%s; try again", reason);
		}
		tool->why.text[0] = '\0';
		rc = tool_disk_get_secret(tool, disk, prompt, &disk->secret);
		if (rc < 0) {
			return rc;
		}
		secret = tool_disk_secret(&disk->secret, room);
		options.secret = &secret;
		rc = stack_open(disk->folder, disk->name, &options, &disk->top, &tool->why);
		if (rc == -EPERM) {
			tool->why.text[0] = '\0';
			why_set(&tool->why, rc, "%s", why_wrong(&disk->secret, reason));
		}
		if (rc < 0) {
			tool_secret_wipe(&disk->secret);
		} else if (secret.bytes == room) {
			/* From here on it is the secret, for those who open the disk again. */
			memcpy(disk->secret.bytes, room, secret.size);
			disk->secret.size = secret.size;
		}
		explicit_bzero(room, sizeof(room));
	}
	return rc;
}

int tool_disk_open(struct tool *tool, struct tool_disk *disk, const struct stack_options *options)
{
	int rc = stack_open(disk->folder, disk->name, options, &disk->top, &tool->why);

	if (rc == -ENOKEY && !options->secret) {
		tool->why.text[0] = '\0';
		rc = open_with_secret(tool, disk, *options);
	}
	return rc < 0 ? tool_fail(tool, rc, disk->name) : TOOL_OK;
}

int tool_disk_open_path(struct tool *tool, const char *path, const struct stack_options *options,
			struct tool_disk *ret_disk)
{
	int code = tool_disk_find(tool, path, ret_disk);

	if (code) {
		return code;
	}
	code = tool_disk_open(tool, ret_disk, options);
	if (code) {
		folder_close(ret_disk->folder);
	}
	return code;
}

int tool_luks_format(struct tool *tool, struct folder *folder, const char *name,
		     const struct luks_secret *secret, bool weak)
{
	const struct luks_format format = {.secret = *secret, .fast_for_tests = weak};
	struct layer *layer;
	int closed, rc = vhd_disk_open(folder, name, VHD_DISK_WRITE, &layer, &tool->why);

	if (rc < 0) {
		return rc;
	}
	rc = luks_format(layer, &format, &tool->why);
	rc = rc ? rc : layer_flush(layer);
	closed = layer_close(layer);
	return rc ? rc : closed;
}

int tool_disk_close(struct tool *tool, struct tool_disk *disk, int code)
{
	int rc = disk->top ? layer_close(disk->top) : 0;

	if (rc < 0 && code == TOOL_OK) {
		code = tool_fail(tool, rc, disk->name);
	}
	tool_secret_wipe(&disk->secret);
	folder_close(disk->folder);
	disk->top = NULL;
	disk->folder = NULL;
	return code;
}
