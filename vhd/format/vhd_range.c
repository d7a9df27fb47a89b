/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the list of ranges in use: as many as requests in flight, so it is just searched. */
#include "vhd_range.h"

static bool is_free(const struct vhd_ranges *ranges, uint64_t start, uint64_t end)
{
	for (const struct vhd_range *at = ranges->first; at; at = at->next) {
		if (at->start < end && start < at->end) {
			return false;
		}
	}
	return true;
}

void vhd_range_lock(struct vhd_ranges *ranges, struct vhd_range *range, uint64_t start,
		    uint64_t end)
{
	while (!is_free(ranges, start, end)) {
		fiber_mutex_lock(&ranges->mutex);
		fiber_queue_wait(&ranges->freed, &ranges->mutex);
		fiber_mutex_unlock(&ranges->mutex);
	}
	range->start = start;
	range->end = end;
	range->previous = 0;
	range->next = ranges->first;
	if (range->next) {
		range->next->previous = range;
	}
	ranges->first = range;
}

void vhd_range_unlock(struct vhd_ranges *ranges, struct vhd_range *range)
{
	if (range->next) {
		range->next->previous = range->previous;
	}
	if (range->previous) {
		range->previous->next = range->next;
	} else {
		ranges->first = range->next;
	}
	fiber_queue_wake_all(&ranges->freed);
}
