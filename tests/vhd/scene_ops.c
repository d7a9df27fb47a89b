/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on whole disks in the middle of a scene: snapshot, revert, commit, flatten. */
#include "scene_ops.h"
#include "vhd_commit.h"
#include "vhd_disk.h"
#include "vhd_flatten.h"
#include "vhd_revert.h"
#include "vhd_snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1ull << 20)

const char *const scene_op_names[SCENE_OP_COUNT] = {"grow",   "shrink", "snapshot",
						    "revert", "commit", "flatten"};

bool scene_op_fits(const struct scene *scene, enum scene_op op)
{
	const struct scene_shape *shape = scene->shape;

	if (shape->format == SCENE_RAW || shape->cow) {
		return false;
	}
	switch (op) {
	case SCENE_OP_GROW:
		return !shape->crypt && !shape->verify && scene->model->size < SCENE_SIZE_MAX / 4;
	case SCENE_OP_SHRINK:
		return !shape->crypt && !shape->verify && scene->model->size > 4 * MIB;
	case SCENE_OP_SNAPSHOT:
		return scene->kept_count < 15;
	case SCENE_OP_REVERT:
	case SCENE_OP_COMMIT:
		return scene->kept_count > 0;
	case SCENE_OP_FLATTEN:
		return true;
	case SCENE_OP_COUNT:
		break;
	}
	return false;
}

bool scene_op_fits_shape(const struct scene_shape *shape, enum scene_op op)
{
	struct vhd_model model = {.size = shape->size};
	struct scene scene = {.shape = shape, .model = &model, .kept_count = shape->depth};

	return scene_op_fits(&scene, op);
}

static int resize(struct scene *scene, int64_t by, struct why *why)
{
	uint64_t size = scene->model->size + (uint64_t)by;
	int rc;

	scene->resizes = true;
	scene->other = vhd_model_copy(scene->model);
	vhd_model_resize(scene->other, size);
	scene->given_up = by < 0 ? size : 0;
	rc = vhd_disk_resize(layer_find(scene->top, "vhd"), size, why);
	if (!rc) {
		scene->given_up = 0;
		vhd_model_destroy(scene->model);
		scene->model = scene->other;
		scene->other = NULL;
	}
	return rc;
}

static int snapshot(struct scene *scene, struct why *why)
{
	const char *name = SCENE_NAME;
	char tag[16], file[64];

	snprintf(tag, sizeof(tag), "s%u", ++scene->tags);
	snprintf(file, sizeof(file), "d.%s.vhd", tag);
	scene_keep(scene, file, true);
	return vhd_snapshot_take(disk_memory_folder(scene->disk), &name, 1, tag, why);
}

static int revert(struct scene *scene, struct why *why)
{
	const char *name = SCENE_NAME;
	int rc;

	scene->other = vhd_model_copy(scene->kept[scene->kept_count - 1].model);
	scene->other->number = scene->model->number; /* numbers only rise */
	rc = vhd_revert_run(disk_memory_folder(scene->disk), &name, 1, NULL, why);
	if (!rc) {
		vhd_model_destroy(scene->model);
		scene->model = scene->other;
		scene->other = NULL;
		rc = vhd_revert_forget(disk_memory_folder(scene->disk), name, why);
	}
	return rc;
}

/* The parent changes from now on and goes away at the end. */
static int commit(struct scene *scene, struct why *why)
{
	const char *name = SCENE_NAME;

	scene->resizes = scene->kept[scene->kept_count - 1].model->size != scene->model->size;
	scene_keep_less(scene);
	return vhd_commit_run(disk_memory_folder(scene->disk), &name, 1, NULL, why);
}

static int flatten(struct scene *scene, struct why *why)
{
	struct folder *folder = disk_memory_folder(scene->disk);
	int rc;

	scene_keep(scene, "flat.vhd", true);
	rc = vhd_flatten_run(folder, SCENE_NAME, folder, "flat.vhd", VHD_DYNAMIC, NULL, why);
	if (!rc) {
		scene->kept[scene->kept_count - 1].absent_is_fine = false;
		rc = scene_check_kept(scene, scene->disk, true, why) ? 0 : -EBADMSG;
	}
	scene_keep_less(scene);
	if (!rc) {
		rc = folder_remove(folder, "flat.vhd");
	}
	return rc ? rc : folder_flush(folder);
}

static int run(struct scene *scene, enum scene_op op, struct why *why)
{
	switch (op) {
	case SCENE_OP_GROW:
		return resize(scene, (int64_t)(2 * MIB * (1 + scene_roll(scene, 3))), why);
	case SCENE_OP_SHRINK:
		return resize(scene, -(int64_t)(2 * MIB), why);
	case SCENE_OP_SNAPSHOT:
		return snapshot(scene, why);
	case SCENE_OP_REVERT:
		return revert(scene, why);
	case SCENE_OP_COMMIT:
		return commit(scene, why);
	case SCENE_OP_FLATTEN:
		return flatten(scene, why);
	case SCENE_OP_COUNT:
		break;
	}
	return -EINVAL;
}

int scene_op_run(struct scene *scene, enum scene_op op)
{
	bool closed = op >= SCENE_OP_SNAPSHOT;
	bool shuffle = scene->disk->shuffle;
	struct why why = {""};
	int rc = 0;

	scene_wait(scene);
	if (closed) {
		scene_flush(scene);
		rc = scene_close(scene);
	}
	snprintf(scene->what, sizeof(scene->what), "%s", scene_op_names[op]);
	scene->disk->shuffle = false;
	if (getenv("VHD_TRACE")) {
		printf("# %s\n", scene->what);
	}
	rc = rc ? rc : run(scene, op, &why);
	scene->disk->shuffle = shuffle;
	scene->resizes = false;
	if (rc && !scene->errors_are_fine) {
		scene_complain(scene, "%s: %s", strerror(-rc), why.text);
	}
	if (!rc && op == SCENE_OP_SNAPSHOT) {
		scene->kept[scene->kept_count - 1].absent_is_fine = false;
	}
	if (!rc && closed) {
		rc = scene_open(scene);
	}
	return rc;
}
