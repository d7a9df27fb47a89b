/* SPDX-License-Identifier: Apache-2.0 */
/** Drawing into pixels in memory (XRGB8888): rectangles, round shapes, patterns, text. Everything
 * is clipped to the canvas. Trusted code only; guests' pixels go by blit.h.
 */
#ifndef BH_CANVAS_H
#define BH_CANVAS_H

#include <stdint.h>

#include "ui/core/rect.h"
#include "ui/proto/switcher.h"

struct font;

struct canvas {
	uint8_t *pixels;
	int32_t width, height;
	uint32_t stride; /* bytes, a multiple of 4 */
};

void canvas_fill(struct canvas *canvas, struct rect r, uint32_t colour);

/** A rectangle with round corners; radius in pixels, at most half of the shorter side. */
void canvas_round(struct canvas *canvas, struct rect r, int32_t radius, uint32_t colour);

/** A closed polygon, antialiased; x and y in sixteenths of a pixel. 3..8 points. */
struct canvas_point {
	int32_t x, y;
};
void canvas_polygon(struct canvas *canvas, const struct canvas_point *points, unsigned count,
		    uint32_t colour);

/** Fills r with ground and draws the pattern over it in ink. The pattern hangs on r's upper left
 * corner. */
void canvas_pattern(struct canvas *canvas, struct rect r, enum switcher_pattern pattern,
		    uint32_t ground, uint32_t ink);

/** Text from x on its baseline y. Stops before it would pass x + max_width and ends with "..."
 * then. Returns the width that it took. */
int32_t canvas_text(struct canvas *canvas, const struct font *font, int32_t x, int32_t y,
		    uint32_t colour, const char *text, int32_t max_width);

#endif
