/* SPDX-License-Identifier: Apache-2.0 */
/* create: a new image, which appears whole or not at all. */
#define _GNU_SOURCE

#include "luks.h"
#include "tool_disk.h"
#include "tool_size.h"
#include "tool_verbs.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct {
	uint64_t size, reserve;
	bool fixed, encrypt, weak_key;
	const char *parent, *uuid;
} opt;

const struct tool_option tool_create_options[] = {
	{"size", TOOL_SIZE, &opt.size, "SIZE", "of the disk that the guest sees: 20G, 512M"},
	{"fixed", TOOL_FLAG, &opt.fixed, NULL, "as large a file from the start; else it grows"},
	{"parent", TOOL_TEXT, &opt.parent, "NAME",
	 "holds only what differs from the image NAME beside it"},
	{"encrypt", TOOL_FLAG, &opt.encrypt, NULL, "with LUKS2; asks for a new passphrase"},
	{"reserve", TOOL_SIZE, &opt.reserve, "SIZE", "can be resized up to SIZE later"},
	{"uuid", TOOL_TEXT, &opt.uuid, "UUID", "instead of a random one"},
	{"weak-key-for-tests", TOOL_FLAG, &opt.weak_key, NULL,
	 "with --encrypt: no protection against guessing"},
	{0},
};

/* Puts an empty LUKS2 header into a fresh image. */
static int encrypt(struct tool *tool, struct folder *folder, const char *name)
{
	struct tool_secret secret = {0};
	struct luks_secret luks = {.slot = -1};
	int rc = tool_secret_get(tool, "new passphrase", true, &secret);

	if (rc < 0) {
		return rc;
	}
	luks.bytes = secret.bytes;
	luks.size = secret.size;
	rc = tool_luks_format(tool, folder, name, &luks, opt.weak_key);
	tool_secret_wipe(&secret);
	return rc;
}

/* An encrypted disk must not be seen before it is encrypted: it gets its name last. */
static int create_encrypted(struct tool *tool, struct folder *folder, const char *name,
			    const struct vhd_disk_create *create)
{
	char temporary[256];
	struct file *taken;
	int rc;

	if (folder_open_file(folder, name, FOLDER_READ, &taken) == 0) {
		file_close(taken);
		return -EEXIST;
	}
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.new", name) >= sizeof(temporary)) {
		return -ENAMETOOLONG;
	}
	/* What an attempt left that a power cut ended is nobody's. */
	(void)!folder_remove(folder, temporary);
	rc = vhd_disk_create(folder, temporary, create, &tool->why);
	if (rc < 0) {
		return rc;
	}
	rc = encrypt(tool, folder, temporary);
	if (!rc && tool_interrupted()) {
		rc = -ECANCELED;
	}
	rc = rc ? rc : folder_rename(folder, temporary, name);
	rc = rc ? rc : folder_flush(folder);
	if (rc < 0) {
		(void)!folder_remove(folder, temporary);
	}
	return rc;
}

static int check_options(struct tool *tool, struct vhd_disk_create *ret_create)
{
	struct vhd_disk_create create = {
		.type = opt.parent  ? VHD_DIFFERENCING
			: opt.fixed ? VHD_FIXED
				    : VHD_DYNAMIC,
		.size = opt.size + (opt.encrypt ? LUKS_HEADER_SIZE : 0),
		.parent = opt.parent,
		.reserve = opt.reserve,
	};

	if (opt.parent && (opt.fixed || opt.size || opt.encrypt)) {
		return tool_fail_usage(tool,
				       "a child has the size and the encryption of its parent; "
				       "leave out --fixed, --size and --encrypt");
	}
	if (opt.parent && !folder_is_name(opt.parent)) {
		return tool_fail_usage(tool, "the parent must lie in the same folder; say its name "
					     "without a path");
	}
	if (!opt.parent && !opt.size) {
		return tool_fail_usage(tool, "how large? Say --size 20G, or --parent NAME");
	}
	if (opt.uuid && !tool_uuid_parse(opt.uuid, create.uuid)) {
		return tool_fail_usage(tool, "%s is no UUID", opt.uuid);
	}
	*ret_create = create;
	return TOOL_OK;
}

/* What was made, in words and as JSON. */
static int show(struct tool *tool, struct folder *folder, const char *name)
{
	struct vhd_disk_info info;
	char size[TOOL_SIZE_TEXT], uuid[TOOL_UUID_TEXT];
	uint64_t disk_size;
	struct layer *layer;
	int rc = vhd_disk_open(folder, name, 0, &layer, &tool->why);

	if (rc < 0) {
		return tool_fail(tool, rc, name);
	}
	vhd_disk_get_info(layer, 0, &info);
	disk_size = layer->size - (opt.encrypt ? LUKS_HEADER_SIZE : 0);
	tool_add_text(tool->result, "disk", name);
	tool_add_number(tool->result, "size", disk_size);
	tool_add_text(tool->result, "type", tool_type_word(info.footer.type));
	tool_add_flag(tool->result, "encrypted", opt.encrypt);
	tool_add_text(tool->result, "uuid", tool_uuid_text(uuid, info.footer.uuid));
	tool_print(tool, "%s: a new %s disk of %s%s", name, tool_type_word(info.footer.type),
		   tool_size_text(size, disk_size), opt.encrypt ? ", encrypted" : "");
	return layer_close(layer) < 0 ? tool_fail(tool, -EIO, name) : TOOL_OK;
}

int tool_create(struct tool *tool, char **arguments, unsigned count)
{
	struct vhd_disk_create create = {0};
	struct tool_disk disk;
	int rc, code = check_options(tool, &create);

	(void)count;
	code = code ? code : tool_disk_find(tool, arguments[0], &disk);
	if (code) {
		return code;
	}
	rc = opt.encrypt ? create_encrypted(tool, disk.folder, disk.name, &create)
			 : vhd_disk_create(disk.folder, disk.name, &create, &tool->why);
	code = rc < 0 ? tool_fail(tool, rc, disk.name) : show(tool, disk.folder, disk.name);
	folder_close(disk.folder);
	return code;
}
