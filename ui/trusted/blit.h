/* SPDX-License-Identifier: Apache-2.0 */
/** The only way of a guest's pixels to the screen: rows of its mapped memory straight into the
 * screen's memory, clipped to the place that the model gave, with its cursor mixed in on the way.
 * Each screen pixel is written once.
 */
#ifndef BH_BLIT_H
#define BH_BLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/core/message.h"
#include "ui/core/rect.h"
#include "ui/trusted/canvas.h"

struct blit_cursor {
	int32_t x, y; /* of its corner, surface pixels */
	uint32_t pixels[MESSAGE_CURSOR_SIZE * MESSAGE_CURSOR_SIZE]; /* ARGB8888, premultiplied */
};

struct blit_source {
	const uint8_t *pixels; /* first row; read once per draw, may change at any time */
	uint32_t stride;       /* bytes */
	int32_t rows;	       /* that are mapped */
	int32_t columns;
	const struct blit_cursor *cursor; /* NULL: none */
};

/** Copies the pixels under r (screen coordinates) from source, whose corner lies at place. r is cut
 * down to place, to what is mapped and to the canvas. Returns the bytes written. */
uint64_t blit_surface(struct canvas *canvas, struct rect r, struct rect place,
		      const struct blit_source *source);

#endif
