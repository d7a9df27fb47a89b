/* SPDX-License-Identifier: Apache-2.0 */
/* import: says before any passphrase whether a desktop will run here, then takes it in. */
#define _GNU_SOURCE

#include "move_import.h"
#include "tool_disk.h"
#include "tool_key_file.h"
#include "tool_progress.h"
#include "tool_size.h"
#include "tool_text.h"
#include "tool_verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_MAX (16u << 10)

static struct {
	bool check, verify, despite_warnings;
	const char *name, *trusted_key, *sign_key, *receipt, *forget, *config;
} opt;

const struct tool_option tool_import_options[] = {
	{"check", TOOL_FLAG, &opt.check, NULL,
	 "only say whether it will run here; needs no secret"},
	{"verify", TOOL_FLAG, &opt.verify, NULL,
	 "only read the bundle and check every hash; needs no secret"},
	{"name", TOOL_TEXT, &opt.name, "NAME", "of the disk here; default: as the sender calls it"},
	{"trusted-key", TOOL_TEXT, &opt.trusted_key, "FILE",
	 "take only what this key (PEM, public) has signed"},
	{"sign-key", TOOL_TEXT, &opt.sign_key, "FILE",
	 "sign the receipt with this key (PEM, P-256)"},
	{"receipt", TOOL_TEXT, &opt.receipt, "FILE",
	 "where the receipt goes; default: beside the bundle"},
	{"config", TOOL_TEXT, &opt.config, "FILE", "where the partition's definition goes"},
	{"despite-warnings", TOOL_FLAG, &opt.despite_warnings, NULL,
	 "import although something is missing that it can do without"},
	{"forget", TOOL_TEXT, &opt.forget, "NAME", "remove what an import of NAME left half done"},
	{0},
};

struct import {
	int fd; /* of the bundle */
	bool is_pipe;
	struct bundle_fd in;
	struct folder *folder;
	struct move_host host;
	char *trusted_key, *sign_key;
};

static bool has_fatal(const struct move_check *check)
{
	for (unsigned i = 0; i < check->missing_count; i++) {
		if (check->missing[i].fatal) {
			return true;
		}
	}
	return false;
}

static void show_check(struct tool *tool, const struct move_check *check)
{
	char size[TOOL_SIZE_TEXT], data[TOOL_SIZE_TEXT], text[300];
	char *json = move_check_to_json(check);
	struct json_object *object = json ? json_tokener_parse(json) : NULL;

	free(json);
	if (object) {
		json_object_object_add(tool->result, "check", object);
	}
	tool_note(tool, "%s from %s, a disk of %s, %s to take in",
		  tool_text_clean(text, sizeof(text), check->summary.name),
		  check->summary.from[0] ? check->summary.from : "an unnamed PC",
		  tool_size_text(size, check->summary.disk_size),
		  tool_size_text(data, check->summary.data_size));
	for (unsigned i = 0; i < check->missing_count; i++) {
		tool_note(tool, "  %s %s", check->missing[i].fatal ? "MISSING:" : "warning:",
			  tool_text_clean(text, sizeof(text), check->missing[i].text));
	}
	tool_note(tool, "  %s",
		  check->is_here	 ? "it has been imported here already"
		  : has_fatal(check)	 ? "it will not run here"
		  : check->missing_count ? "it may run here; --despite-warnings takes it in"
					 : "it will run here");
}

/* Looks at the front of the bundle, and goes back to its start when it is a file. */
static int check_front(struct tool *tool, struct import *import, struct move_check *ret_check)
{
	int rc = move_check(&import->in.in, import->folder, &import->host, import->trusted_key,
			    ret_check, &tool->why);

	if (rc < 0) {
		return tool_fail(tool, rc, "the bundle");
	}
	show_check(tool, ret_check);
	if (!import->is_pipe && lseek(import->fd, 0, SEEK_SET) < 0) {
		return tool_fail(tool, -errno, "the bundle");
	}
	bundle_fd_init(&import->in, import->fd);
	return ret_check->runs_here || ret_check->is_here ||
			       (opt.despite_warnings && !has_fatal(ret_check))
		       ? TOOL_OK
		       : tool_fail_exit(tool, TOOL_UNFIT, "this PC lacks what %s needs",
					ret_check->summary.name);
}

static int verify(struct tool *tool, struct import *import)
{
	struct bundle_summary summary;
	struct tool_progress progress;
	int rc;

	tool_progress_begin(&progress, tool, "verify");
	rc = move_verify(&import->in.in, &progress.io, &summary, &tool->why);
	tool_progress_end(&progress);
	if (rc < 0) {
		return tool_fail(tool, rc, "the bundle");
	}
	tool_add_text(tool->result, "name", summary.name);
	tool_add_number(tool->result, "epoch", summary.epoch);
	tool_print(tool, "the bundle of %s is whole, and each of its hashes is right",
		   summary.name);
	return TOOL_OK;
}

/* NAME.bundle -> NAME.receipt */
static void receipt_path(const char *bundle, char *ret_path, size_t size)
{
	size_t length = strlen(bundle), suffix = strlen(BUNDLE_SUFFIX);

	if (length > suffix && !strcmp(bundle + length - suffix, BUNDLE_SUFFIX)) {
		length -= suffix;
	}
	snprintf(ret_path, size, "%.*s.receipt", (int)length, bundle);
}

static int show_report(struct tool *tool, const struct import *import, const char *bundle,
		       const struct move_import_report *report)
{
	char path[4200], read[TOOL_SIZE_TEXT];
	int code = TOOL_OK;

	tool_add_text(tool->result, "disk", report->image);
	tool_add_text(tool->result, "state", report->state);
	tool_add_number(tool->result, "read", report->read);
	tool_add_number(tool->result, "frames", report->frames);
	tool_add_number(tool->result, "frames_kept", report->frames_kept);
	tool_add_flag(tool->result, "was_done", report->was_done);
	tool_print(tool, "%s: %s", report->image,
		   report->was_done ? "this bundle had been imported before; nothing to do"
				    : "is here and may be started");
	tool_note(tool, "read %s", tool_size_text(read, report->read));
	snprintf(path, sizeof(path), "%.4000s", opt.receipt ? opt.receipt : "");
	if (!opt.receipt && !import->is_pipe) {
		receipt_path(bundle, path, sizeof(path));
	}
	if (report->receipt && path[0]) {
		code = tool_key_file_write(tool, path, report->receipt);
		tool_add_text(tool->result, "receipt", path);
		tool_note(tool,
			  "receipt: %s; `bulkhead vhd export --receipt` takes it at the sender",
			  path);
	} else if (report->receipt) {
		tool_add_text(tool->result, "receipt_text", report->receipt);
		tool_print(tool, "%s", report->receipt);
	}
	if (!code && report->config && opt.config) {
		code = tool_key_file_write(tool, opt.config, report->config);
	}
	return code;
}

static int take_in(struct tool *tool, struct import *import, const char *bundle)
{
	struct move_import_report report = {0};
	struct tool_secret secret = {0};
	struct luks_secret luks = {.slot = -1};
	struct tool_progress progress;
	const struct move_import_options options = {
		.secret = &luks,
		.name = opt.name,
		.host = &import->host,
		.trusted_key = import->trusted_key,
		.sign_key = import->sign_key,
		.despite_warnings = opt.despite_warnings,
		.progress = &progress.io,
	};
	int code,
		rc = tool_secret_get(tool, "passphrase of the disk or the bundle", false, &secret);

	if (rc < 0) {
		return tool_fail(tool, rc, NULL);
	}
	luks.bytes = secret.bytes;
	luks.size = secret.size;
	tool_progress_begin(&progress, tool, "import");
	rc = move_import(&import->in.in, import->folder, &options, &report, &tool->why);
	tool_progress_end(&progress);
	tool_secret_wipe(&secret);
	code = rc < 0 ? tool_fail(tool, rc, "the bundle")
		      : show_report(tool, import, bundle, &report);
	free(report.receipt);
	free(report.config);
	return code;
}

static int run(struct tool *tool, struct import *import, const char *bundle)
{
	struct move_check check;
	int code = tool_key_file_read(tool, opt.trusted_key, KEY_MAX, &import->trusted_key);

	code = code ? code : tool_key_file_read(tool, opt.sign_key, KEY_MAX, &import->sign_key);
	if (code) {
		return code;
	}
	if (opt.verify) {
		return verify(tool, import);
	}
	/* What comes through a pipe comes once: there, the import itself checks. */
	if (opt.check || !import->is_pipe) {
		code = check_front(tool, import, &check);
	}
	return code || opt.check ? code : take_in(tool, import, bundle);
}

static int forget(struct tool *tool, struct folder *folder)
{
	int rc = move_import_forget(folder, opt.forget, &tool->why);

	if (rc < 0) {
		return tool_fail(tool, rc, opt.forget);
	}
	tool_print(tool, "%s: what was half done is removed", opt.forget);
	return TOOL_OK;
}

int tool_import(struct tool *tool, char **arguments, unsigned count)
{
	const char *bundle = count ? arguments[0] : "-";
	const char *path = count > 1 ? arguments[1] : ".", *name;
	struct import import = {.fd = -1};
	char inside[4200];
	int rc, code;

	if (!count && !opt.forget) {
		return tool_fail_usage(tool, "which bundle? A file, or - for a pipe");
	}
	snprintf(inside, sizeof(inside), "%.4000s/inside", path);
	rc = folder_of_path(inside, &import.folder, &name);
	if (rc < 0) {
		return tool_fail(tool, rc, path);
	}
	import.is_pipe = !strcmp(bundle, "-");
	import.fd = import.is_pipe ? STDIN_FILENO : open(bundle, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	bundle_fd_init(&import.in, import.fd);
	move_host_get(&import.host, path);
	code = opt.forget      ? forget(tool, import.folder)
	       : import.fd < 0 ? tool_fail(tool, -errno, bundle)
			       : run(tool, &import, bundle);
	if (import.sign_key) {
		explicit_bzero(import.sign_key, strlen(import.sign_key));
	}
	free(import.sign_key);
	free(import.trusted_key);
	folder_close(import.folder);
	if (!import.is_pipe && import.fd >= 0) {
		close(import.fd);
	}
	return code;
}
