/* SPDX-License-Identifier: Apache-2.0 */
/** Rectangles in pixels. Width or height of 0 or less is empty; sums are made in 64 bits, so that
 * values out of a message cannot wrap.
 */
#ifndef BH_RECT_H
#define BH_RECT_H

#include <stdbool.h>
#include <stdint.h>

struct rect {
	int32_t x, y, w, h;
};

static inline bool rect_empty(struct rect r)
{
	return r.w <= 0 || r.h <= 0;
}

static inline int64_t rect_area(struct rect r)
{
	return rect_empty(r) ? 0 : (int64_t)r.w * r.h;
}

/** What lies in both; empty when nothing does. */
static inline struct rect rect_intersect(struct rect a, struct rect b)
{
	int64_t left = a.x > b.x ? a.x : b.x;
	int64_t top = a.y > b.y ? a.y : b.y;
	int64_t a_right = (int64_t)a.x + a.w, b_right = (int64_t)b.x + b.w;
	int64_t a_bottom = (int64_t)a.y + a.h, b_bottom = (int64_t)b.y + b.h;
	int64_t right = a_right < b_right ? a_right : b_right;
	int64_t bottom = a_bottom < b_bottom ? a_bottom : b_bottom;

	if (rect_empty(a) || rect_empty(b) || right <= left || bottom <= top) {
		return (struct rect){0, 0, 0, 0};
	}
	return (struct rect){(int32_t)left, (int32_t)top, (int32_t)(right - left),
			     (int32_t)(bottom - top)};
}

/** The smallest rectangle around both. Coordinates must lie within +-2^30 (the callers clip first).
 */
static inline struct rect rect_union(struct rect a, struct rect b)
{
	if (rect_empty(a)) {
		return b;
	}
	if (rect_empty(b)) {
		return a;
	}
	int32_t left = a.x < b.x ? a.x : b.x;
	int32_t top = a.y < b.y ? a.y : b.y;
	int32_t right = a.x + a.w > b.x + b.w ? a.x + a.w : b.x + b.w;
	int32_t bottom = a.y + a.h > b.y + b.h ? a.y + a.h : b.y + b.h;

	return (struct rect){left, top, right - left, bottom - top};
}

static inline bool rect_contains(struct rect outer, struct rect inner)
{
	return !rect_empty(outer) && inner.x >= outer.x && inner.y >= outer.y &&
	       (int64_t)inner.x + inner.w <= (int64_t)outer.x + outer.w &&
	       (int64_t)inner.y + inner.h <= (int64_t)outer.y + outer.h;
}

#endif
