/* SPDX-License-Identifier: Apache-2.0 */
/** The trusted strip: name, colour and pattern of the partition that has the keyboard, a warning
 * about the machine if there is one, and a tab with its key for each partition. Its rows belong to
 * the switcher alone, whatever a guest shows.
 */
#ifndef BH_STRIP_H
#define BH_STRIP_H

#include "ui/core/model.h"
#include "ui/trusted/canvas.h"
#include "ui/trusted/font.h"

struct strip_tab {
	uint32_t part;
	struct rect all; /* the tab */
	struct rect key; /* the key cap */
	int32_t name_x;
	int32_t name_width;
	struct rect mark; /* state */
};

/** Where things are. All rectangles lie in the strip and those of different tabs do not overlap. */
struct strip_layout {
	struct rect title;   /* solid ground under name and state */
	struct rect pattern; /* the band */
	struct rect tabs;
	int32_t name_x, name_width;
	struct rect warning;	      /* width 0: none */
	int32_t state_x, state_width; /* width 0: left out */
	unsigned tab_count;
	struct strip_tab tab[SWITCHER_PARTS_MAX];
};

/** focus: index of the partition whose strip it is (MODEL_PART_NONE: the greeting). */
void strip_lay_out(const struct model *model, uint32_t focus, const struct font_set *fonts,
		   struct strip_layout *ret_layout);

/** Draws rows 0..MODEL_STRIP_HEIGHT of the canvas, which is as wide as the screen. */
void strip_draw(const struct model *model, uint32_t focus, const struct font_set *fonts,
		struct canvas *canvas);

#endif
