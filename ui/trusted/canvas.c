/* SPDX-License-Identifier: Apache-2.0 */
/** Drawing into pixels; see canvas.h. Edges are sampled 4 x 4 to a pixel; only edges pay for it. */
#include "canvas.h"

#include <string.h>

#include "colour.h"
#include "copy.h"
#include "font.h"
#include "pattern.h"

static uint32_t *pixel_row(struct canvas *canvas, int32_t y)
{
	return (uint32_t *)(void *)(canvas->pixels + (uint64_t)canvas->stride * (uint32_t)y);
}

static struct rect bounds(const struct canvas *canvas)
{
	return (struct rect){0, 0, canvas->width, canvas->height};
}

static void blend(struct canvas *canvas, int32_t x, int32_t y, uint32_t colour, uint32_t cover)
{
	if (cover && x >= 0 && y >= 0 && x < canvas->width && y < canvas->height) {
		uint32_t *p = pixel_row(canvas, y) + x;

		*p = colour_mix(*p, colour, cover);
	}
}

void canvas_fill(struct canvas *canvas, struct rect r, uint32_t colour)
{
	r = rect_intersect(r, bounds(canvas));
	for (int32_t y = r.y; y < r.y + r.h; y++) {
		copy_colour(pixel_row(canvas, y) + r.x, colour, (size_t)r.w);
	}
}

/** How much of pixel (x, y), counted from the corner's centre, lies in the circle; 0..255. */
static uint32_t corner_cover(int32_t x, int32_t y, int32_t radius)
{
	int32_t limit = radius * radius * 64;
	uint32_t hits = 0;

	for (int32_t sub = 0; sub < 16; sub++) {
		int32_t sx = x * 8 + (sub % 4) * 2 + 1, sy = y * 8 + (sub / 4) * 2 + 1;

		hits += sx * sx + sy * sy <= limit;
	}
	return hits * 255 / 16;
}

void canvas_round(struct canvas *canvas, struct rect r, int32_t radius, uint32_t colour)
{
	canvas_fill(canvas, (struct rect){r.x, r.y + radius, r.w, r.h - 2 * radius}, colour);
	canvas_fill(canvas, (struct rect){r.x + radius, r.y, r.w - 2 * radius, radius}, colour);
	canvas_fill(canvas,
		    (struct rect){r.x + radius, r.y + r.h - radius, r.w - 2 * radius, radius},
		    colour);
	for (int32_t y = 0; y < radius; y++) {
		for (int32_t x = 0; x < radius; x++) {
			uint32_t cover = corner_cover(x, y, radius);
			int32_t left = r.x + radius - 1 - x, right = r.x + r.w - radius + x;
			int32_t top = r.y + radius - 1 - y, bottom = r.y + r.h - radius + y;

			blend(canvas, left, top, colour, cover);
			blend(canvas, right, top, colour, cover);
			blend(canvas, left, bottom, colour, cover);
			blend(canvas, right, bottom, colour, cover);
		}
	}
}

/** Even-odd rule; x and y in sixteenths. */
static bool polygon_has(const struct canvas_point *points, unsigned count, int32_t x, int32_t y)
{
	bool inside = false;

	for (unsigned i = 0, j = count - 1; i < count; j = i++) {
		const struct canvas_point *a = &points[i], *b = &points[j];

		if ((a->y > y) != (b->y > y)) {
			int64_t cross = (int64_t)(b->x - a->x) * (y - a->y);
			int64_t span = b->y - a->y;

			inside ^= span > 0 ? (x - a->x) * span < cross : (x - a->x) * span > cross;
		}
	}
	return inside;
}

void canvas_polygon(struct canvas *canvas, const struct canvas_point *points, unsigned count,
		    uint32_t colour)
{
	int32_t left = INT32_MAX, top = INT32_MAX, right = INT32_MIN, bottom = INT32_MIN;

	for (unsigned i = 0; i < count; i++) {
		left = points[i].x < left ? points[i].x : left;
		right = points[i].x > right ? points[i].x : right;
		top = points[i].y < top ? points[i].y : top;
		bottom = points[i].y > bottom ? points[i].y : bottom;
	}
	for (int32_t y = top / 16; y <= bottom / 16; y++) {
		for (int32_t x = left / 16; x <= right / 16; x++) {
			uint32_t hits = 0;

			for (int32_t sub = 0; sub < 16; sub++) {
				hits += polygon_has(points, count, x * 16 + (sub % 4) * 4 + 2,
						    y * 16 + (sub / 4) * 4 + 2);
			}
			blend(canvas, x, y, colour, hits * 255 / 16);
		}
	}
}

void canvas_pattern(struct canvas *canvas, struct rect r, enum switcher_pattern pattern,
		    uint32_t ground, uint32_t ink)
{
	uint32_t shades[PATTERN_SHADES];

	for (uint32_t i = 0; i < PATTERN_SHADES; i++) {
		shades[i] = colour_mix(ground, ink, i * 255 / (PATTERN_SHADES - 1));
	}
	struct rect origin = r;

	r = rect_intersect(r, bounds(canvas));
	for (int32_t y = r.y; y < r.y + r.h; y++) {
		const uint8_t *tile = pattern_row(pattern, (uint32_t)(y - origin.y));
		uint32_t *row = pixel_row(canvas, y);

		for (int32_t x = r.x; x < r.x + r.w; x++) {
			row[x] = shades[tile[(x - origin.x) % PATTERN_SIZE]];
		}
	}
}

static void draw_glyph(struct canvas *canvas, const struct font *font, const struct font_glyph *g,
		       int32_t x, int32_t y, uint32_t colour)
{
	const uint8_t *cover = font->atlas + g->offset;

	for (int32_t row = 0; row < g->height; row++) {
		for (int32_t column = 0; column < g->width; column++) {
			blend(canvas, x + g->left + column, y - g->top + row, colour, *cover++);
		}
	}
}

int32_t canvas_text(struct canvas *canvas, const struct font *font, int32_t x, int32_t y,
		    uint32_t colour, const char *text, int32_t max_width)
{
	static const char dots[] = "...";
	int32_t start = x;
	int32_t dots_width = font_width(font, dots);
	bool fits = font_width(font, text) <= max_width;

	for (const char *p = text; *p; p++) {
		const struct font_glyph *g = font_glyph(font, *p);

		if (!fits && x + g->advance + dots_width > start + max_width) {
			if (dots_width > max_width) {
				break;
			}
			return x - start +
			       canvas_text(canvas, font, x, y, colour, dots, dots_width);
		}
		draw_glyph(canvas, font, g, x, y, colour);
		x += g->advance;
	}
	return x - start;
}
