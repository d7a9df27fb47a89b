/* SPDX-License-Identifier: Apache-2.0 */
/* Holds disks against the model: the one that runs, what a power cut left, what opens after errors.
 */
#include "scene.h"

#include <errno.h>
#include <string.h>

bool scene_compare(struct scene *scene, const struct vhd_model *model, struct layer *top, bool cut,
		   bool whole, struct why *why)
{
	static uint8_t bytes[SCENE_CHUNK];
	struct vhd_model_fault fault;
	bool good;
	int rc = 0;

	if (top->size != model->size) {
		why_set(why, 0, "the disk has %llu bytes, not %llu", (unsigned long long)top->size,
			(unsigned long long)model->size);
		return false;
	}
	for (uint64_t at = 0; at < model->size; at += SCENE_CHUNK) {
		size_t size =
			model->size - at < SCENE_CHUNK ? (size_t)(model->size - at) : SCENE_CHUNK;

		if (scene->given_up && at >= scene->given_up) {
			break;
		}
		if (!whole && !scene->touched[at / SCENE_CHUNK]) {
			continue;
		}
		for (unsigned tries = scene->shape->fault ? 4 : 1; tries; tries--) {
			rc = layer_read(top, bytes, size, at);
			if (!rc) {
				break;
			}
		}
		if (rc) {
			why_set(why, 0, "reading at %llu: %s", (unsigned long long)at,
				strerror(-rc));
			return false;
		}
		good = cut ? vhd_model_check_cut(model, bytes, at, size, &fault)
			   : vhd_model_check(model, bytes, at, size, &fault);
		if (!good) {
			why_set(why, 0, "%s", fault.text);
			return false;
		}
	}
	return true;
}

bool scene_check(struct scene *scene)
{
	struct why why;

	scene_wait(scene);
	if (!scene_compare(scene, scene->model, scene->top, false, true, &why)) {
		scene_complain(scene, "%s", why.text);
	}
	return !scene->failed;
}

/* Snapshots under the disk stay what they were. */
bool scene_check_kept(struct scene *scene, struct disk_memory *after, bool whole, struct why *why)
{
	for (unsigned i = 0; i < scene->kept_count; i++) {
		struct layer *layer;
		int rc = scene_open_on(scene, after, scene->kept[i].name, false, &layer, why);
		bool good;

		if (rc == -ENOENT && scene->kept[i].absent_is_fine) {
			continue;
		}
		if (rc) {
			return false;
		}
		good = scene_compare(scene, scene->kept[i].model, layer, true, whole, why);
		(void)!layer_close(layer);
		if (!good) {
			why_prefix(why, 0, scene->kept[i].name);
			return false;
		}
	}
	return true;
}

bool scene_check_cut(struct scene *scene, struct disk_memory *after, bool whole, struct why *why)
{
	struct layer *top;
	bool write = scene_roll(scene, 2);
	int rc;
	bool good;

	why->text[0] = 0;
	rc = scene_open_on(scene, after, SCENE_NAME, write, &top, why);
	if (rc == -ENOENT && (!scene->model || scene->absent_is_fine)) {
		return true;
	}
	if (rc) {
		why_prefix(why, 0, write ? "open for writing" : "open");
		return false;
	}
	good = scene->model && scene_compare(scene, scene->model, top, true, whole, why);
	if (!good && scene->other && scene->other->size == top->size) {
		good = scene_compare(scene, scene->other, top, true, whole, why);
	}
	rc = layer_close(top);
	if (good && rc) {
		why_set(why, 0, "closing after a power cut: %s", strerror(-rc));
		return false;
	}
	return good && scene_check_kept(scene, after, whole, why);
}

void scene_resolve(struct scene *scene)
{
	struct why why;

	if (scene->other && (!scene_compare(scene, scene->model, scene->top, true, true, &why) ||
			     scene->model->size != scene->top->size)) {
		struct vhd_model *other = scene->other;

		scene->other = scene->model;
		scene->model = other;
	}
	vhd_model_destroy(scene->other);
	scene->other = NULL;
	scene->given_up = 0;
}

/* All bytes of the open disk are checked and become what it is known to hold. */
static bool adopt(struct scene *scene)
{
	static uint8_t bytes[SCENE_CHUNK];
	struct vhd_model *model = scene->model;
	struct vhd_model_fault fault;
	int rc;

	for (uint64_t at = 0; at < model->size; at += SCENE_CHUNK) {
		size_t size =
			model->size - at < SCENE_CHUNK ? (size_t)(model->size - at) : SCENE_CHUNK;

		rc = layer_read(scene->top, bytes, size, at);
		if (rc || !vhd_model_check_cut(model, bytes, at, size, &fault)) {
			scene_complain(scene, "opened again: %s", rc ? strerror(-rc) : fault.text);
			return false;
		}
		vhd_model_adopt(model, bytes, at, size, true);
	}
	return true;
}

bool scene_recover(struct scene *scene)
{
	int rc;

	if (scene->top) {
		(void)!scene_close(scene);
	}
	scene->errors_are_fine = false;
	if (scene_open(scene)) {
		return false;
	}
	scene_resolve(scene);
	rc = layer_flush(scene->top);
	if (rc) {
		scene_complain(scene, "first flush: %s", strerror(-rc));
		return false;
	}
	if (!adopt(scene)) {
		return false;
	}
	for (unsigned i = 0; i < 12; i++) {
		scene_step(scene);
	}
	scene_flush(scene);
	if (!scene_check(scene) || scene_close(scene) || scene_open(scene)) {
		return false;
	}
	return scene_check(scene);
}
