/* SPDX-License-Identifier: Apache-2.0 */
/** Which 4 KiB sectors of a disk differ from a base: the bitmaps of the images above the base say
 * which may, the contents say which do. Without a base: those that are not zero.
 */
#ifndef VHD_MOVE_DELTA_H
#define VHD_MOVE_DELTA_H

#include "move_volume.h"
#include "progress.h"

struct move_delta_run {
	uint32_t sector, count;
};

struct move_delta {
	struct move_delta_run *runs; /* rising, apart from each other */
	size_t count, room;
	uint64_t sectors;
	uint32_t blocks; /* of 2 MiB that hold any of them */
};

/** What differs between `top` (an open VHD with its chain) and the image `depth` of the same chain,
 * open as `base` (NULL with depth 0: everything that is not zero). Sectors below `first` are left
 * out. The caller calls move_delta_free() also after a failure. */
VHD_MUST_CHECK int move_delta_find(struct folder *folder, struct layer *top, struct layer *base,
				   unsigned depth, uint32_t first, const struct progress *progress,
				   struct move_delta *ret_delta, struct why *why);
void move_delta_free(struct move_delta *delta);

#endif
