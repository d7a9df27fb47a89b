/* SPDX-License-Identifier: Apache-2.0 */
/** Stretches of a disk that one request has for itself: writes that set new sectors of a
 * differencing image must not overlap while one of them fills up its edges from the parent.
 *
 *  Context: as fiber.h says. Ranges live on the stacks of their requests.
 */
#ifndef VHD_RANGE_H
#define VHD_RANGE_H

#include "fiber.h"

#include <stdint.h>

struct vhd_range {
	uint64_t start, end;
	struct vhd_range *next, *previous;
};

struct vhd_ranges {
	struct vhd_range *first;
	struct fiber_mutex mutex; /* only for the queue */
	struct fiber_queue freed;
};

/** Waits until nobody has a part of [start, end), then takes it. */
void vhd_range_lock(struct vhd_ranges *ranges, struct vhd_range *range, uint64_t start,
		    uint64_t end);
void vhd_range_unlock(struct vhd_ranges *ranges, struct vhd_range *range);

#endif
