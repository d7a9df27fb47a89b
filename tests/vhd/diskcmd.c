/* SPDX-License-Identifier: Apache-2.0 */
/* The engine by commands, for tests in other languages. Works on images of the current folder.
 *
 *   create fixed|dynamic NAME BYTES     child NAME PARENT     resize NAME BYTES
 *   put NAME OFFSET <bytes              zero NAME OFFSET BYTES  cat NAME >bytes
 *   info NAME      "depth size" and a line for each image of the chain
 *   check NAME     a line "kind grade offset" for each finding; the code is the worst grade
 *   repair NAME [dry]                   flatten fixed|dynamic NAME TO
 *   snapshot TAG NAME...   revert NAME...   undo NAME...   commit NAME...
 *   rebase NAME PARENT [name-only]
 *
 * 0 done; else the sentence on standard error, and the error as the exit code. */
#define _GNU_SOURCE

#include "vhd_check.h"
#include "vhd_commit.h"
#include "vhd_disk.h"
#include "vhd_flatten.h"
#include "vhd_journal.h"
#include "vhd_rebase.h"
#include "vhd_repair.h"
#include "vhd_revert.h"
#include "vhd_snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1u << 20)

static struct folder *folder;
static struct why why;
static uint8_t buffer[CHUNK];

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

static enum vhd_type type_of(const char *word)
{
	return strcmp(word, "fixed") == 0 ? VHD_FIXED : VHD_DYNAMIC;
}

static int create(int argc, char **argv)
{
	struct vhd_disk_create what = {.type = VHD_DIFFERENCING, .parent = argv[1]};

	if (strcmp(argv[-1], "create") == 0) {
		what = (struct vhd_disk_create){.type = type_of(argv[0]), .size = number(argv[2])};
		argv++;
	}
	(void)argc;
	return vhd_disk_create(folder, argv[0], &what, &why);
}

static int open_for_writing(const char *name, struct layer **ret_layer)
{
	int rc = vhd_journal_recover(folder, &why);

	return rc ? rc : vhd_disk_open(folder, name, VHD_DISK_WRITE, ret_layer, &why);
}

static int close_after(struct layer *layer, int rc)
{
	int closed;

	rc = rc ? rc : layer_flush(layer);
	closed = layer_close(layer);
	return rc ? rc : closed;
}

static int resize(int argc, char **argv)
{
	struct layer *layer;
	int rc = open_for_writing(argv[0], &layer);

	(void)argc;
	return rc ? rc : close_after(layer, vhd_disk_resize(layer, number(argv[1]), &why));
}

static int put(int argc, char **argv)
{
	uint64_t offset = number(argv[1]);
	struct layer *layer;
	size_t n;
	int rc = open_for_writing(argv[0], &layer);

	(void)argc;
	if (rc < 0) {
		return rc;
	}
	while (!rc && (n = fread(buffer, 1, sizeof(buffer), stdin)) > 0) {
		rc = layer_write(layer, buffer, n, offset);
		offset += n;
	}
	return close_after(layer, rc);
}

static int zero(int argc, char **argv)
{
	struct layer *layer;
	int rc = open_for_writing(argv[0], &layer);

	(void)argc;
	return rc ? rc : close_after(layer, layer_zero(layer, number(argv[1]), number(argv[2])));
}

static int cat(int argc, char **argv)
{
	struct layer *layer;
	int rc = vhd_disk_open(folder, argv[0], 0, &layer, &why);

	(void)argc;
	for (uint64_t at = 0; !rc && at < layer->size; at += CHUNK) {
		size_t n = layer->size - at < CHUNK ? (size_t)(layer->size - at) : CHUNK;

		rc = layer_read(layer, buffer, n, at);
		if (!rc && fwrite(buffer, 1, n, stdout) != n) {
			rc = -EIO;
		}
	}
	return rc ? rc : layer_close(layer);
}

static int info(int argc, char **argv)
{
	struct vhd_disk_info image;
	struct layer *layer;
	int rc = vhd_disk_open(folder, argv[0], 0, &layer, &why);

	(void)argc;
	if (rc < 0) {
		return rc;
	}
	unsigned depth = vhd_disk_get_info(layer, 0, &image);

	printf("%u %" PRIu64 "\n", depth, layer->size);
	for (unsigned i = 0; i < depth; i++) {
		vhd_disk_get_info(layer, i, &image);
		printf("%s %s\n", image.name, image.parent_name ? image.parent_name : "-");
	}
	return layer_close(layer);
}

static int check(int argc, char **argv)
{
	struct vhd_check found;
	int rc = vhd_check_run(folder, argv[0], NULL, &found, &why);

	(void)argc;
	if (rc < 0) {
		return rc;
	}
	for (unsigned i = 0; i < found.kept; i++) {
		printf("%s %s %" PRIu64 "\n", vhd_check_kind_name(found.findings[i].kind),
		       vhd_check_grade_name(found.findings[i].grade), found.findings[i].offset);
	}
	rc = (int)found.worst;
	vhd_check_fini(&found);
	return rc;
}

static int repair(int argc, char **argv)
{
	struct vhd_repair report;
	int rc = vhd_repair_run(folder, argv[0], argc > 1, NULL, &report, &why);

	if (rc < 0) {
		return rc;
	}
	for (unsigned i = 0; i < report.kept; i++) {
		printf("%s%s\n", report.changes[i].lost ? "LOST: " : "",
		       report.changes[i].sentence);
	}
	rc = (int)report.worst;
	vhd_repair_fini(&report);
	return rc;
}

static int flatten(int argc, char **argv)
{
	(void)argc;
	return vhd_flatten_run(folder, argv[1], folder, argv[2], type_of(argv[0]), NULL, &why);
}

static int snapshot(int argc, char **argv)
{
	return vhd_snapshot_take(folder, (const char *const *)argv + 1, (unsigned)argc - 1, argv[0],
				 &why);
}

static int revert(int argc, char **argv)
{
	return vhd_revert_run(folder, (const char *const *)argv, (unsigned)argc, NULL, &why);
}

static int undo(int argc, char **argv)
{
	return vhd_revert_undo(folder, (const char *const *)argv, (unsigned)argc, &why);
}

static int commit(int argc, char **argv)
{
	return vhd_commit_run(folder, (const char *const *)argv, (unsigned)argc, NULL, &why);
}

static int rebase(int argc, char **argv)
{
	return vhd_rebase_run(folder, argv[0], argv[1], argc > 2, NULL, &why);
}

static const struct {
	const char *name;
	int least; /* arguments */
	int (*run)(int argc, char **argv);
} commands[] = {
	{"create", 3, create},	 {"child", 2, create},	    {"resize", 2, resize},
	{"put", 2, put},	 {"zero", 3, zero},	    {"cat", 1, cat},
	{"info", 1, info},	 {"check", 1, check},	    {"repair", 1, repair},
	{"flatten", 3, flatten}, {"snapshot", 2, snapshot}, {"revert", 1, revert},
	{"undo", 1, undo},	 {"commit", 1, commit},	    {"rebase", 2, rebase},
};

int main(int argc, char **argv)
{
	const char *name;
	int rc = folder_of_path("./any", &folder, &name);

	for (unsigned i = 0; !rc && argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, argv[1]) != 0 || argc - 2 < commands[i].least) {
			continue;
		}
		rc = commands[i].run(argc - 2, argv + 2);
		if (rc < 0) {
			fprintf(stderr, "%s\n", why.text[0] ? why.text : strerror(-rc));
		}
		folder_close(folder);
		return rc < 0 ? -rc : rc;
	}
	fprintf(stderr, "diskcmd: see the head of tests/vhd/diskcmd.c\n");
	return 255;
}
