/* SPDX-License-Identifier: Apache-2.0 */
/* check and repair. */
#define _GNU_SOURCE

#include "encryption_check.h"
#include "tool_disk.h"
#include "tool_progress.h"
#include "tool_verbs.h"
#include "vhd_disk.h"
#include "vhd_repair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct {
	bool chain, encrypted, dry_run;
} opt;

const struct tool_option tool_check_options[] = {
	{"chain", TOOL_FLAG, &opt.chain, NULL, "its parents too"},
	{"encrypted", TOOL_FLAG, &opt.encrypted, NULL, "looks for plaintext in all of it"},
	{0},
};
const struct tool_option tool_repair_options[] = {
	{"dry-run", TOOL_FLAG, &opt.dry_run, NULL, "only say what would be done"},
	{0},
};

static enum tool_exit code_of(enum vhd_check_grade worst)
{
	switch (worst) {
	case VHD_CHECK_NOTE:
		return TOOL_OK;
	case VHD_CHECK_REPAIRABLE:
		return TOOL_REPAIRABLE;
	case VHD_CHECK_LOST:
		break;
	}
	return TOOL_DAMAGED;
}

static struct json_object *finding_json(const struct vhd_check_finding *finding)
{
	struct json_object *object = json_object_new_object();

	tool_add_text(object, "kind", vhd_check_kind_name(finding->kind));
	tool_add_text(object, "grade", vhd_check_grade_name(finding->grade));
	tool_add_number(object, "offset", finding->offset);
	tool_add_text(object, "text", finding->sentence);
	return object;
}

static void show_check(struct tool *tool, const char *name, const struct vhd_check *check,
		       struct json_object *images)
{
	struct json_object *image = json_object_new_object();
	struct json_object *findings = json_object_new_array();

	for (unsigned i = 0; i < check->kept; i++) {
		const struct vhd_check_finding *finding = &check->findings[i];

		json_object_array_add(findings, finding_json(finding));
		tool_print(tool, "  %-10s %s", vhd_check_grade_name(finding->grade),
			   finding->sentence);
	}
	if (check->count > check->kept) {
		tool_print(tool, "  and %u more", check->count - check->kept);
	}
	tool_add_text(image, "disk", name);
	tool_add_flag(image, "sound", check->is_sound);
	tool_add_text(image, "worst", vhd_check_grade_name(check->worst));
	tool_add_number(image, "count", check->count);
	json_object_object_add(image, "findings", findings);
	json_object_array_add(images, image);
	if (check->is_sound) {
		tool_print(tool, "%s: in order", name);
	} else {
		tool_print(tool, "%s: %s", name,
			   check->worst == VHD_CHECK_LOST
				   ? "damaged, and some of it is not in this file any more"
				   : "not in order; `bulkhead vhd repair` puts it right");
	}
}

/* Checks one image; *worst only gets worse. */
static int check_one(struct tool *tool, struct folder *folder, const char *name,
		     struct json_object *images, int *worst)
{
	struct tool_progress progress;
	struct vhd_check check;
	int rc, code;

	tool_progress_begin(&progress, tool, "check");
	rc = vhd_check_run(folder, name, &progress.io, &check, &tool->why);
	tool_progress_end(&progress);
	if (rc < 0) {
		return tool_fail(tool, rc, name);
	}
	show_check(tool, name, &check, images);
	code = check.is_sound ? TOOL_OK : (int)code_of(check.worst);
	*worst = code > *worst ? code : *worst;
	vhd_check_fini(&check);
	return TOOL_OK;
}

/* As the file shows it to a thief: the header in its place, noise behind it. Needs no secret. */
static int check_encrypted(struct tool *tool, struct folder *folder, const char *name,
			   struct json_object *images)
{
	struct json_object *image =
		json_object_array_get_idx(images, json_object_array_length(images) - 1);
	struct encryption_report report = {0};
	struct tool_progress progress;
	struct layer *layer;
	int rc = vhd_disk_open(folder, name, 0, &layer, &tool->why);

	if (rc < 0) {
		return tool_fail(tool, rc, name);
	}
	tool_progress_begin(&progress, tool, "look for plaintext");
	rc = encryption_check(layer, false, &progress.io, &report, &tool->why);
	tool_progress_end(&progress);
	(void)!layer_close(layer);
	tool_add_flag(image, "encrypted", rc == 0);
	tool_add_number(image, "plain_sectors", report.plain_count);
	if (rc == -EKEYREJECTED) {
		return tool_fail_exit(tool, TOOL_FAILED, "%s: %s", name, tool->why.text);
	}
	if (rc < 0) {
		return tool_fail(tool, rc, name);
	}
	tool_print(tool, "%s: encrypted, no plaintext seen", name);
	return TOOL_OK;
}

/* The name of the image's parent, "" when it has none or cannot be opened. */
static void parent_of(struct folder *folder, const char *name, char ret_parent[256])
{
	struct vhd_disk_info info;
	struct layer *layer;

	ret_parent[0] = '\0';
	if (vhd_disk_open(folder, name, 0, &layer, NULL) < 0) {
		return;
	}
	if (vhd_disk_get_info(layer, 1, &info) > 1) {
		snprintf(ret_parent, 256, "%s", info.name);
	}
	(void)!layer_close(layer);
}

int tool_check(struct tool *tool, char **arguments, unsigned count)
{
	struct json_object *images = json_object_new_array();
	int code = TOOL_OK, worst = TOOL_OK;

	json_object_object_add(tool->result, "images", images);
	for (unsigned i = 0; i < count && code == TOOL_OK; i++) {
		struct tool_disk disk;
		char name[256], parent[256];

		code = tool_disk_find(tool, arguments[i], &disk);
		if (code) {
			break;
		}
		snprintf(name, sizeof(name), "%s", disk.name);
		for (unsigned depth = 0; depth < VHD_DEPTH_MAX && name[0] && !code; depth++) {
			code = check_one(tool, disk.folder, name, images, &worst);
			if (opt.encrypted && !code) {
				code = check_encrypted(tool, disk.folder, name, images);
			}
			parent[0] = '\0';
			if (opt.chain && !code) {
				parent_of(disk.folder, name, parent);
			}
			memcpy(name, parent, sizeof(name));
		}
		folder_close(disk.folder);
	}
	return code ? code : worst;
}

static void show_repair(struct tool *tool, const char *name, const struct vhd_repair *repair)
{
	struct json_object *changes = json_object_new_array();

	for (unsigned i = 0; i < repair->kept; i++) {
		const struct vhd_repair_change *change = &repair->changes[i];
		struct json_object *object = json_object_new_object();

		tool_add_text(object, "kind", vhd_check_kind_name(change->kind));
		tool_add_number(object, "offset", change->offset);
		tool_add_flag(object, "lost", change->lost);
		tool_add_text(object, "text", change->sentence);
		json_object_array_add(changes, object);
		tool_print(tool, "  %s%s", change->lost ? "LOST: " : "", change->sentence);
	}
	json_object_object_add(tool->result, "changes", changes);
	tool_add_text(tool->result, "disk", name);
	tool_add_number(tool->result, "count", repair->count);
	tool_add_flag(tool->result, "lossy", repair->is_lossy);
	tool_add_text(tool->result, "worst", vhd_check_grade_name(repair->worst));
	if (opt.dry_run) {
		tool_print(tool, "%s: %u change%s would be made", name, repair->count,
			   repair->count == 1 ? "" : "s");
	} else if (repair->worst == VHD_CHECK_LOST) {
		tool_print(tool, "%s: repaired as far as possible; what is lost is named above",
			   name);
	} else {
		tool_print(tool, "%s: %s", name, repair->count ? "repaired" : "was in order");
	}
}

static int run_repair(struct tool *tool, const struct tool_disk *disk, bool dry_run,
		      struct vhd_repair *ret_repair)
{
	struct tool_progress progress;
	int rc;

	tool_progress_begin(&progress, tool, "repair");
	rc = vhd_repair_run(disk->folder, disk->name, dry_run, &progress.io, ret_repair,
			    &tool->why);
	tool_progress_end(&progress);
	return rc < 0 ? tool_fail(tool, rc, disk->name) : TOOL_OK;
}

/* What repair would do is the question; asked only when there is something to do. */
static int confirm_repair(struct tool *tool, const struct tool_disk *disk, bool *ret_nothing)
{
	struct vhd_repair plan;
	char question[400];
	int code = run_repair(tool, disk, true, &plan);

	if (code) {
		return code;
	}
	*ret_nothing = plan.count == 0;
	if (plan.count && !tool->yes) {
		for (unsigned i = 0; i < plan.kept && i < 20; i++) {
			tool_note(tool, "  %s%s", plan.changes[i].lost ? "LOST: " : "",
				  plan.changes[i].sentence);
		}
		snprintf(question, sizeof(question),
			 "%s: %u change%s will be made to the file%s. A copy of it made before is "
			 "the "
			 "only way back.",
			 disk->name, plan.count, plan.count == 1 ? "" : "s",
			 plan.is_lossy ? ", and what is LOST is given up" : "");
		code = tool_confirm(tool, question) ? TOOL_OK : TOOL_USAGE;
	}
	vhd_repair_fini(&plan);
	return code;
}

int tool_repair(struct tool *tool, char **arguments, unsigned count)
{
	struct vhd_repair repair;
	struct tool_disk disk;
	bool nothing = false;
	int code = tool_disk_find(tool, arguments[0], &disk);

	(void)count;
	if (code) {
		return code;
	}
	if (!opt.dry_run) {
		code = tool_disk_may_change(tool, &disk, disk.name);
		code = code ? code : confirm_repair(tool, &disk, &nothing);
	}
	code = code ? code : run_repair(tool, &disk, opt.dry_run || nothing, &repair);
	if (!code) {
		show_repair(tool, disk.name, &repair);
		code = (int)code_of(repair.worst);
		vhd_repair_fini(&repair);
	}
	folder_close(disk.folder);
	return code;
}
