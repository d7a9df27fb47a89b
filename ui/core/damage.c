/* SPDX-License-Identifier: Apache-2.0 */
/** Coalescing of damage; see damage.h. */
#include "damage.h"

void damage_clear(struct damage *damage)
{
	damage->count = 0;
}

/** Pixels drawn for nothing when a and b become one rectangle; below 0 where they overlap. */
static int64_t waste(struct rect a, struct rect b)
{
	return rect_area(rect_union(a, b)) - rect_area(a) - rect_area(b);
}

void damage_add(struct damage *damage, struct rect r)
{
	while (!rect_empty(r)) {
		unsigned best = 0;
		int64_t best_waste = INT64_MAX;

		for (unsigned i = 0; i < damage->count; i++) {
			int64_t w = waste(damage->list[i], r);

			if (w < best_waste) {
				best = i;
				best_waste = w;
			}
		}
		bool join = damage->count == DAMAGE_RECTS_MAX ||
			    (damage->count && best_waste <= rect_area(r) / 4);
		if (!join) {
			damage->list[damage->count++] = r;
			return;
		}
		if (rect_contains(damage->list[best], r)) {
			return;
		}
		/* The joined rectangle may now touch others: take it out and add it afresh. */
		r = rect_union(damage->list[best], r);
		damage->list[best] = damage->list[--damage->count];
	}
}
