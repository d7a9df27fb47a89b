/* SPDX-License-Identifier: Apache-2.0 */
/* seal and verify: what a disk must hold, signed, and whether it does. Both work on the bytes as
 * they lie in the image, so neither needs a passphrase. */
#define _GNU_SOURCE

#include "layer_verify.h"
#include "luks.h"
#include "manifest_seal.h"
#include "tool_disk.h"
#include "tool_key_file.h"
#include "tool_progress.h"
#include "tool_verbs.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const char *sign_key, *owner, *trusted_key;
} opt;

const struct tool_option tool_seal_options[] = {
	{"sign-key", TOOL_TEXT, &opt.sign_key, "FILE",
	 "sign with this key (PEM, P-256); else only hashes"},
	{"owner", TOOL_TEXT, &opt.owner, "TEXT", "whose it is, for people"},
	{0},
};
const struct tool_option tool_verify_options[] = {
	{"trusted-key", TOOL_TEXT, &opt.trusted_key, "FILE",
	 "the manifest must be signed by this key (PEM, public)"},
	{0},
};

static void fill_subject(struct layer *layer, const char *name, struct manifest_subject *subject)
{
	struct vhd_disk_info info;
	unsigned count = vhd_disk_get_info(layer, 0, &info);

	*subject = (struct manifest_subject){.image = name, .size = layer->size};
	for (unsigned i = 0; i < count && i <= MANIFEST_PARENT_MAX; i++) {
		vhd_disk_get_info(layer, i, &info);
		memcpy(subject->uuids[i], info.footer.uuid, 16);
		subject->uuid_count = i + 1;
	}
}

static int seal(struct tool *tool, const struct tool_disk *disk, const char *sign_key)
{
	struct manifest_subject subject;
	struct tool_progress progress;
	struct manifest manifest;
	bool encrypted = false;
	int rc = luks_is_there(disk->top, &encrypted);

	fill_subject(disk->top, disk->name, &subject);
	if (!rc) {
		const struct manifest_seal options = {
			.subject = &subject,
			.encrypted = encrypted,
			.pinned_size = encrypted ? LUKS_HEADER_SIZE : 0,
			.sign_key = sign_key,
			.owner = opt.owner,
			.progress = &progress.io,
		};

		tool_progress_begin(&progress, tool, "seal");
		rc = manifest_seal(disk->folder, disk->top, &options, &manifest, &tool->why);
		tool_progress_end(&progress);
	}
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	tool_add_text(tool->result, "disk", disk->name);
	tool_add_number(tool->result, "epoch", manifest.epoch);
	tool_add_flag(tool->result, "signed", manifest.signature_size != 0);
	tool_print(tool, "%s: sealed, epoch %llu%s", disk->name, (unsigned long long)manifest.epoch,
		   manifest.signature_size ? ", signed" : "; not signed: say --sign-key");
	return TOOL_OK;
}

int tool_seal(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_disk disk;
	char *sign_key = NULL;
	int rc, code = tool_key_file_read(tool, opt.sign_key, SIGNATURE_KEY_MAX, &sign_key);

	(void)count;
	code = code ? code : tool_disk_find(tool, arguments[0], &disk);
	if (!code) {
		rc = vhd_disk_open(disk.folder, disk.name, 0, &disk.top, &tool->why);
		code = rc < 0 ? tool_fail(tool, rc, disk.name) : seal(tool, &disk, sign_key);
		code = tool_disk_close(tool, &disk, code);
	}
	if (sign_key) {
		explicit_bzero(sign_key, strlen(sign_key));
	}
	free(sign_key);
	return code;
}

static void add_bad(void *context, uint64_t offset)
{
	struct tool *tool = context;
	struct json_object *list;

	json_object_object_get_ex(tool->result, "bad", &list);
	json_object_array_add(list, json_object_new_uint64(offset));
	tool_print(tool, "  changed: the 64 KiB at byte %llu", (unsigned long long)offset);
}

static int verify(struct tool *tool, const struct tool_disk *disk)
{
	struct layer *layer = layer_find(disk->top, "verify");
	struct layer_verify_status status;
	struct tool_progress progress;
	int rc;

	if (!layer) {
		return tool_fail_exit(tool, TOOL_KEY,
				      "%s has no manifest; `bulkhead vhd seal` makes one",
				      disk->name);
	}
	json_object_object_add(tool->result, "bad", json_object_new_array());
	tool_progress_begin(&progress, tool, "verify");
	rc = layer_verify_all(layer, &progress.io, add_bad, tool);
	tool_progress_end(&progress);
	layer_verify_get_status(layer, &status);
	tool_add_text(tool->result, "disk", disk->name);
	tool_add_number(tool->result, "chunks", status.chunk_count);
	tool_add_number(tool->result, "believed", status.believed_count);
	tool_add_number(tool->result, "epoch", status.manifest->epoch);
	tool_add_flag(tool->result, "signed", status.manifest->signature_size != 0);
	tool_add_flag(tool->result, "trusted", opt.trusted_key != NULL);
	if (rc == -EBADMSG) {
		return tool_fail_exit(tool, TOOL_DAMAGED,
				      "%s is not what was sealed: it was changed from outside, or "
				      "the drive lost something",
				      disk->name);
	}
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	tool_print(tool, "%s: as it was sealed, epoch %llu, %s", disk->name,
		   (unsigned long long)status.manifest->epoch,
		   opt.trusted_key		     ? "signed by the trusted key"
		   : status.manifest->signature_size ? "signed; --trusted-key checks by whom"
						     : "not signed");
	if (status.believed_count) {
		tool_note(tool,
			  "%llu of %llu chunks were being written when it ended uncleanly, and are "
			  "believed; `bulkhead vhd seal` settles it",
			  (unsigned long long)status.believed_count,
			  (unsigned long long)status.chunk_count);
	}
	return TOOL_OK;
}

int tool_verify(struct tool *tool, char **arguments, unsigned count)
{
	struct stack_options options = {.ciphertext = true};
	struct tool_disk disk;
	char *trusted_key = NULL;
	int code = tool_key_file_read(tool, opt.trusted_key, SIGNATURE_KEY_MAX, &trusted_key);

	(void)count;
	options.trusted_key = trusted_key;
	code = code ? code : tool_disk_open_path(tool, arguments[0], &options, &disk);
	if (!code) {
		code = tool_disk_close(tool, &disk, verify(tool, &disk));
	}
	free(trusted_key);
	return code;
}
