/* SPDX-License-Identifier: Apache-2.0 */
/** What the inner rectangle shows of a partition that has no picture: its name, what it is doing or
 * why it is not, and what to do about it. Drawn by the switcher; no guest has a part in it.
 */
#ifndef BH_PANEL_H
#define BH_PANEL_H

#include "ui/core/model.h"
#include "ui/trusted/canvas.h"
#include "ui/trusted/font.h"

#define PANEL_WIDTH_MAX 560
#define PANEL_HEIGHT	240

/** The card within `inner` (both in screen pixels); the rest of inner is LOOK_GROUND. */
struct rect panel_card(struct rect inner);

/** Draws the card of a partition (NULL: the greeting) at 0, 0 of a canvas of the card's size. */
void panel_draw(const struct model_part *part, const struct font_set *fonts, struct canvas *canvas);

#endif
