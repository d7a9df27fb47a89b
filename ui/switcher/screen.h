/* SPDX-License-Identifier: Apache-2.0 */
/** Carries draw effects out on the canvas of the output and counts what it wrote. Strips are drawn
 * ahead of time, one picture per partition, so that a switch only copies.
 */
#ifndef BH_SCREEN_H
#define BH_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/core/effect.h"
#include "ui/core/model.h"
#include "ui/trusted/blit.h"
#include "ui/trusted/canvas.h"
#include "ui/trusted/font.h"

#define SCREEN_RECTS_MAX 16u

struct screen_stats {
	uint64_t bytes;	     /* written to the screen's memory */
	uint64_t blit_bytes; /* of these, from a guest */
	uint64_t rows;	     /* of guests' pixels, whole or part */
	uint64_t frames;
};

struct screen {
	struct canvas *canvas;
	struct font_set fonts;
	/* The last one is the greeting's. */
	struct canvas strips[SWITCHER_PARTS_MAX + 1];
	uint32_t strip_version[SWITCHER_PARTS_MAX + 1]; /* model.label_version it was drawn for */
	struct canvas card, question;
	unsigned rect_count; /* drawn since the last present */
	struct rect rects[SCREEN_RECTS_MAX];
	struct screen_stats total;
};

/** Allocates everything that drawing needs. Returns 0, -1 with a line on stderr. */
int screen_init(struct screen *screen, struct canvas *canvas, const char *font_dir);
void screen_fini(struct screen *screen);

/** Draws one picture that is out of date, if any, for later. Returns false when all are up to date.
 */
bool screen_prepare_strip(struct screen *screen, const struct model *model);

/** The effects that draw; source for EFFECT_BLIT. */
void screen_draw(struct screen *screen, const struct model *model, const struct effect *effect,
		 const struct blit_source *source);

#endif
