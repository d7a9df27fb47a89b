/* SPDX-License-Identifier: Apache-2.0 */
/** Other people's readers on what a power cut left: qemu-img, 7-Zip, libvhdi. */
#ifndef TEST_READERS_H
#define TEST_READERS_H

#include "scene.h"

/** True when there is a reader to ask. */
bool readers_are_there(void);

/** Writes the images of `after` to a folder in memory and lets the readers open them; what qemu-img
 * and 7-Zip read is compared with the model. qemu-img never sees a differencing image: it takes one
 * for a dynamic one. */
bool readers_check(struct scene *scene, struct disk_memory *after, struct why *why);

#endif
