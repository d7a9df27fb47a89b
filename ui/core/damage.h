/* SPDX-License-Identifier: Apache-2.0 */
/** What of a surface has to be drawn again: a handful of rectangles that together cover all that
 * was added. However many messages a guest sends, the list stays this short; it only grows coarser.
 */
#ifndef BH_DAMAGE_H
#define BH_DAMAGE_H

#include "rect.h"

#define DAMAGE_RECTS_MAX 6u

struct damage {
	unsigned count;
	struct rect list[DAMAGE_RECTS_MAX];
};

void damage_clear(struct damage *damage);

/** Adds r, which the caller has clipped to the surface. Joins it with a neighbour where that costs
 * few extra pixels, and with the cheapest one when the list is full. */
void damage_add(struct damage *damage, struct rect r);

#endif
