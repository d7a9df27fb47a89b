/* SPDX-License-Identifier: Apache-2.0 */
/** The card of a trusted question: what it is about, the choices, which one is marked, how to
 * answer and what happens without an answer. Drawn by the switcher; no guest has a part in it.
 */
#ifndef BH_QUESTION_CARD_H
#define BH_QUESTION_CARD_H

#include "ui/core/model.h"
#include "ui/trusted/canvas.h"
#include "ui/trusted/font.h"

#define QUESTION_CARD_WIDTH  680
#define QUESTION_CARD_HEIGHT 330

/** The card within `inner` (both in screen pixels); the rest of inner is LOOK_GROUND. */
struct rect question_card_place(struct rect inner);

/** Draws the question that the model shows at 0, 0 of a canvas of the card's size. */
void question_card_draw(const struct model *model, const struct font_set *fonts,
			struct canvas *canvas);

#endif
