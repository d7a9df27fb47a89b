/* SPDX-License-Identifier: Apache-2.0 */
/** What is done to a disk as a whole, with the model's idea of it: after a power cut or an error
 * the disk is as before or as after, and everything that stands beside it as it was.
 *
 *  Context: nothing flies. Operations on closed images close the disk; they open it again when all
 * went well, or when `reopen` says so.
 */
#ifndef TEST_SCENE_OPS_H
#define TEST_SCENE_OPS_H

#include "scene.h"

enum scene_op {
	SCENE_OP_GROW,
	SCENE_OP_SHRINK,
	SCENE_OP_SNAPSHOT,
	SCENE_OP_REVERT,
	SCENE_OP_COMMIT,
	SCENE_OP_FLATTEN,
	SCENE_OP_COUNT,
};

extern const char *const scene_op_names[SCENE_OP_COUNT];

/** False: this disk has no parent, is not encrypted ... */
bool scene_op_fits(const struct scene *scene, enum scene_op op);

/** The same of a fresh disk. */
bool scene_op_fits_shape(const struct scene_shape *shape, enum scene_op op);

/** Returns what the engine returned. The disk is open afterwards unless that failed. */
int scene_op_run(struct scene *scene, enum scene_op op);

#endif
