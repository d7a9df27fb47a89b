/* SPDX-License-Identifier: Apache-2.0 */
/* convert: between VHD and the formats of others. Our engine reads and writes VHDs, chains
 * included; a confined qemu the rest. The target has another name until it is whole. */
#define _GNU_SOURCE

#include "layer_raw.h"
#include "luks.h"
#include "tool_copy.h"
#include "tool_disk.h"
#include "tool_progress.h"
#include "tool_qemu.h"
#include "tool_size.h"
#include "tool_verbs.h"
#include "vhd_disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static struct {
	const char *from, *to;
	bool fixed, encrypt, weak_key;
} opt;

const struct tool_option tool_convert_options[] = {
	{"from", TOOL_TEXT, &opt.from, "FORMAT",
	 "of SOURCE: raw, vhd, qcow2, vhdx, vmdk, vdi; default: by its first bytes"},
	{"to", TOOL_TEXT, &opt.to, "FORMAT",
	 "of TARGET; default: by the end of its name, else vhd"},
	{"fixed", TOOL_FLAG, &opt.fixed, NULL, "a fixed VHD; else it takes only what is used"},
	{"encrypt", TOOL_FLAG, &opt.encrypt, NULL,
	 "encrypt the new VHD; asks for a new passphrase"},
	{"weak-key-for-tests", TOOL_FLAG, &opt.weak_key, NULL,
	 "with --encrypt: no protection against guessing"},
	{0},
};

struct target {
	struct folder *folder;
	const char *name;
	char part[256];	     /* its name until it is whole */
	char path[PATH_MAX]; /* of `part` */
	enum tool_format format;
	struct layer *layer;
	struct tool_secret secret;
	bool made, is_zero;
};

/* Opens SOURCE as a layer. Exit code. */
static int open_source(struct tool *tool, const char *path, struct tool_disk *disk,
		       enum tool_format *ret_format)
{
	const struct stack_options options = {.raw = false};
	struct file *file = NULL;
	int rc, code = tool_disk_find(tool, path, disk);

	if (code) {
		return code;
	}
	rc = folder_open_file(disk->folder, disk->name, FOLDER_READ, &file);
	rc = rc || opt.from ? rc : tool_probe_format(file, ret_format);
	rc = rc ? rc : tool_probe_check(file, *ret_format, &tool->why);
	if (!rc && *ret_format == TOOL_FORMAT_RAW) {
		rc = layer_raw_open(file, &disk->top);
		file = rc ? file : NULL;
	} else if (!rc && *ret_format != TOOL_FORMAT_VHD) {
		rc = tool_qemu_open(tool, path, *ret_format, false, &disk->top);
	}
	file_close(file);
	if (rc == -EPERM) { /* not a matter of passphrases */
		code = tool_fail_exit(tool, TOOL_FAILED, "%s: %s", disk->name, tool->why.text);
	} else if (rc < 0) {
		code = tool_fail(tool, rc, disk->name);
	} else if (!disk->top) {
		code = tool_disk_open(tool, disk, &options);
	}
	if (code) {
		folder_close(disk->folder);
		disk->folder = NULL;
	}
	return code;
}

static enum tool_format format_of_name(const char *name)
{
	const char *end = strrchr(name, '.');
	enum tool_format format;

	if (end && tool_format_parse(end + 1, &format)) {
		return format;
	}
	return end && !strcmp(end, ".img") ? TOOL_FORMAT_RAW : TOOL_FORMAT_VHD;
}

static int make_vhd(struct tool *tool, struct target *target, uint64_t size)
{
	const struct vhd_disk_create create = {
		.type = opt.fixed ? VHD_FIXED : VHD_DYNAMIC,
		.size = size + (opt.encrypt ? LUKS_HEADER_SIZE : 0),
	};
	struct stack_options options = {.write = true, .ignore_manifest = true};
	struct luks_secret secret = {.slot = -1};
	int rc = vhd_disk_create(target->folder, target->part, &create, &tool->why);

	if (rc < 0) {
		return rc;
	}
	target->made = true;
	target->is_zero = !opt.encrypt; /* an unwritten sector decrypts to noise */
	if (!opt.encrypt) {
		return vhd_disk_open(target->folder, target->part, VHD_DISK_WRITE, &target->layer,
				     &tool->why);
	}
	rc = tool_secret_get(tool, "new passphrase", true, &target->secret);
	if (rc < 0) {
		return rc;
	}
	secret.bytes = target->secret.bytes;
	secret.size = target->secret.size;
	rc = tool_luks_format(tool, target->folder, target->part, &secret, opt.weak_key);
	options.secret = &secret;
	return rc ? rc
		  : stack_open(target->folder, target->part, &options, &target->layer, &tool->why);
}

static int make_file(struct target *target, uint64_t size, struct file **ret_file)
{
	int rc = folder_open_file(target->folder, target->part, FOLDER_CREATE, ret_file);

	if (rc < 0) {
		return rc;
	}
	target->made = true;
	target->is_zero = true;
	rc = size ? file_resize(*ret_file, size) : 0;
	if (rc < 0) {
		file_close(*ret_file);
	}
	return rc;
}

static int make_target(struct tool *tool, struct target *target, uint64_t size)
{
	struct file *file;
	int rc;

	switch (target->format) {
	case TOOL_FORMAT_VHD:
		return make_vhd(tool, target, size);
	case TOOL_FORMAT_RAW:
		rc = make_file(target, size, &file);
		rc = rc ? rc : layer_raw_open(file, &target->layer);
		return rc;
	case TOOL_FORMAT_QCOW2:
	case TOOL_FORMAT_VHDX:
	case TOOL_FORMAT_VMDK:
	case TOOL_FORMAT_VDI:
	case TOOL_FORMAT_COUNT:
		break;
	}
	rc = make_file(target, 0, &file);
	if (rc < 0) {
		return rc;
	}
	file_close(file);
	rc = tool_qemu_create(tool, target->path, target->format, size);
	return rc ? rc : tool_qemu_open(tool, target->path, target->format, true, &target->layer);
}

/* The target gets its name, or what was made of it goes. */
static int finish(struct target *target, int rc)
{
	int closed = target->layer ? layer_close(target->layer) : 0;
	struct file *file;

	rc = rc ? rc : closed;
	if (!rc) {
		rc = folder_open_file(target->folder, target->part, FOLDER_WRITE, &file);
		if (!rc) {
			rc = file_flush(file);
			file_close(file);
		}
	}
	rc = rc ? rc : folder_rename(target->folder, target->part, target->name);
	rc = rc ? rc : folder_flush(target->folder);
	if (rc < 0 && target->made) {
		(void)!folder_remove(target->folder, target->part);
	}
	tool_secret_wipe(&target->secret);
	return rc;
}

static int open_target(struct tool *tool, const char *path, struct target *target)
{
	struct file *file;
	int rc = folder_of_path(path, &target->folder, &target->name);

	if (rc < 0) {
		return tool_fail(tool, rc, path);
	}
	rc = folder_open_file(target->folder, target->name, FOLDER_READ, &file);
	if (rc != -ENOENT) {
		if (rc == 0) {
			file_close(file);
		}
		folder_close(target->folder);
		return tool_fail(tool, rc ? rc : -EEXIST, path);
	}
	/* What an earlier attempt left under this name is nobody's. */
	snprintf(target->part, sizeof(target->part), "%.240s.part", target->name);
	snprintf(target->path, sizeof(target->path), "%.*s%s", (int)(target->name - path), path,
		 target->part);
	(void)!folder_remove(target->folder, target->part);
	return TOOL_OK;
}

static void show(struct tool *tool, const struct target *target, enum tool_format from,
		 uint64_t size, const struct tool_copy_counts *counts)
{
	char data[TOOL_SIZE_TEXT], all[TOOL_SIZE_TEXT];

	tool_add_text(tool->result, "disk", target->name);
	tool_add_text(tool->result, "from", tool_format_name(from));
	tool_add_text(tool->result, "to", tool_format_name(target->format));
	tool_add_number(tool->result, "size", size);
	tool_add_number(tool->result, "data", counts->data);
	tool_add_number(tool->result, "zero", counts->zero);
	tool_print(tool, "%s: %s of %s, %s of it data", target->name,
		   tool_format_name(target->format), tool_size_text(all, size),
		   tool_size_text(data, counts->data));
}

static int convert(struct tool *tool, struct tool_disk *source, struct target *target,
		   enum tool_format from)
{
	struct tool_copy_counts counts = {0};
	struct tool_progress progress;
	uint64_t size = source->top->size;
	int rc;

	if (source->secret.size && !opt.encrypt) {
		tool_note(tool, "note: %s is encrypted, and %s will not be", source->name,
			  target->name);
	}
	rc = make_target(tool, target, size);
	if (!rc) {
		tool_progress_begin(&progress, tool, "convert");
		rc = tool_copy(source->top, target->layer, target->is_zero, &progress.io, &counts,
			       &tool->why);
		tool_progress_end(&progress);
	}
	rc = finish(target, rc);
	if (rc < 0) {
		return tool_fail(tool, rc, target->name);
	}
	show(tool, target, from, size, &counts);
	return TOOL_OK;
}

int tool_convert(struct tool *tool, char **arguments, unsigned count)
{
	enum tool_format from = TOOL_FORMAT_RAW;
	struct tool_disk source = {0};
	struct target target = {.format = format_of_name(arguments[1])};
	int code;

	(void)count;
	if (opt.from && !tool_format_parse(opt.from, &from)) {
		return tool_fail_usage(tool, "%s is no format: raw, vhd, qcow2, vhdx, vmdk, vdi",
				       opt.from);
	}
	if (opt.to && !tool_format_parse(opt.to, &target.format)) {
		return tool_fail_usage(tool, "%s is no format: raw, vhd, qcow2, vhdx, vmdk, vdi",
				       opt.to);
	}
	if ((opt.encrypt || opt.fixed) && target.format != TOOL_FORMAT_VHD) {
		return tool_fail_usage(tool, "--fixed and --encrypt make a VHD; say --to vhd");
	}
	code = open_target(tool, arguments[1], &target);
	if (code) {
		return code;
	}
	code = open_source(tool, arguments[0], &source, &from);
	if (!code) {
		code = convert(tool, &source, &target, from);
		code = tool_disk_close(tool, &source, code);
	}
	folder_close(target.folder);
	return code;
}
