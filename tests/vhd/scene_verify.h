/* SPDX-License-Identifier: Apache-2.0 */
/** The manifest of a scene's disk. */
#ifndef TEST_SCENE_VERIFY_H
#define TEST_SCENE_VERIFY_H

#include "disk_memory.h"
#include "layer.h"

/** Makes the manifest of an image, and closes it. */
int scene_seal(struct disk_memory *disk, const char *name, struct layer *bottom);

/** Puts the verify layer on an image that has a manifest. */
int scene_put_verify(struct disk_memory *disk, const char *name, struct layer **top);

#endif
