/* SPDX-License-Identifier: Apache-2.0 */
/** The card of a trusted question: what it is about, its lines, page by page where they do not fit,
 * the choices, which one is marked, how to answer and what happens without an answer. Drawn by the
 * switcher; no guest has a part in it.
 */
#ifndef BH_QUESTION_CARD_H
#define BH_QUESTION_CARD_H

#include "ui/core/model.h"
#include "ui/trusted/canvas.h"
#include "ui/trusted/font.h"

#define QUESTION_CARD_WIDTH PAGE_CARD_WIDTH
/* Of the tallest one. */
#define QUESTION_CARD_HEIGHT (PAGE_CARD_FIXED + ((int32_t)PAGE_ROWS_MAX + 1) * PAGE_ROW_HEIGHT)

/** Letters of the lines; the model is told their widths. */
#define QUESTION_CARD_FONT FONT_BODY

/** The card of the question that the model shows, within `inner` (both in screen pixels); the rest
 * of inner is LOOK_GROUND. It stays where it is while pages are turned. */
struct rect question_card_place(const struct model *model, struct rect inner);

/** Draws the question that the model shows at 0, 0 of a canvas of the card's size. */
void question_card_draw(const struct model *model, const struct font_set *fonts,
			struct canvas *canvas);

#endif
