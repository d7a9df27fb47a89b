/* SPDX-License-Identifier: Apache-2.0 */
/** Copying of guests' pixels; see blit.h. */
#include "blit.h"

#include <string.h>

#include "ui/trusted/copy.h"

/** Premultiplied: what the cursor hides of the ground, plus the cursor. */
static uint32_t over(uint32_t ground, uint32_t cursor)
{
	uint32_t rest = 255 - (cursor >> 24);
	uint32_t rb = ((ground & 0xff00ff) * rest >> 8) & 0xff00ff;
	uint32_t g = ((ground & 0x00ff00) * rest >> 8) & 0x00ff00;
	uint32_t out = 0;

	/* Sums saturate: the image may claim more colour than its alpha allows. */
	for (unsigned shift = 0; shift < 24; shift += 8) {
		uint32_t sum = ((rb | g) >> shift & 0xff) + (cursor >> shift & 0xff);

		out |= (sum > 255 ? 255 : sum) << shift;
	}
	return out;
}

/** Mixes the cursor into one row: pixels x .. x + w of surface row y, to be written at dst. */
static void cursor_row(uint8_t *dst, const uint8_t *src, int32_t x, int32_t y, int32_t w,
		       const struct blit_cursor *cursor)
{
	const uint32_t *image = cursor->pixels + (y - cursor->y) * (int32_t)MESSAGE_CURSOR_SIZE;
	uint32_t mixed[MESSAGE_CURSOR_SIZE];

	for (int32_t i = 0; i < w; i++) {
		uint32_t ground;

		memcpy(&ground, src + (int64_t)i * 4, sizeof(ground));
		mixed[i] = over(ground, image[x - cursor->x + i]);
	}
	memcpy(dst, mixed, (size_t)w * 4);
}

uint64_t blit_surface(struct canvas *canvas, struct rect r, struct rect place,
		      const struct blit_source *source)
{
	struct rect mapped = {place.x, place.y, source->columns, source->rows};
	struct rect cursor = {0, 0, 0, 0};

	r = rect_intersect(r, place);
	r = rect_intersect(r, mapped);
	r = rect_intersect(r, (struct rect){0, 0, canvas->width, canvas->height});
	if (source->cursor) {
		cursor = rect_intersect(r, (struct rect){place.x + source->cursor->x,
							 place.y + source->cursor->y,
							 MESSAGE_CURSOR_SIZE, MESSAGE_CURSOR_SIZE});
	}
	for (int32_t y = r.y; y < r.y + r.h; y++) {
		uint8_t *dst = canvas->pixels + (uint64_t)canvas->stride * (uint32_t)y;
		const uint8_t *src =
			source->pixels + (uint64_t)source->stride * (uint32_t)(y - place.y);
		int32_t left = r.x, right = r.x + r.w;

		if (y < cursor.y || y >= cursor.y + cursor.h) {
			copy_pixels(dst + (int64_t)left * 4, src + (int64_t)(left - place.x) * 4,
				    (size_t)(right - left) * 4);
			continue;
		}
		int32_t from = cursor.x, to = cursor.x + cursor.w;

		copy_pixels(dst + (int64_t)left * 4, src + (int64_t)(left - place.x) * 4,
			    (size_t)(from - left) * 4);
		cursor_row(dst + (int64_t)from * 4, src + (int64_t)(from - place.x) * 4,
			   from - place.x, y - place.y, to - from, source->cursor);
		copy_pixels(dst + (int64_t)to * 4, src + (int64_t)(to - place.x) * 4,
			    (size_t)(right - to) * 4);
	}
	return (uint64_t)rect_area(r) * 4;
}
