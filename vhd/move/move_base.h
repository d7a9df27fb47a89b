/* SPDX-License-Identifier: Apache-2.0 */
/** Finds the image of a folder that holds a given state of a disk. */
#ifndef VHD_MOVE_BASE_H
#define VHD_MOVE_BASE_H

#include "bundle.h"
#include "folder.h"
#include "move_name.h"

/** By what the owners' records say was left by the last move, or by the UUID of the images. Returns
 * 0 and the name; -ENOENT: no image; -ESTALE: one, with other contents (its name is given). */
VHD_MUST_CHECK int move_base_find(struct folder *folder, const uint8_t uuid[16],
				  const uint8_t probe[BUNDLE_HASH_SIZE],
				  char ret_name[MOVE_NAME_SIZE]);

#endif
