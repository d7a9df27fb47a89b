/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the model say to each other and to nobody else. */
#ifndef BH_MODEL_PRIVATE_H
#define BH_MODEL_PRIVATE_H

#include "model.h"

/** Does what a complete chord asks for (keys->action). */
void model_chord(struct model *model, const struct keys_result *keys, struct effects *effects);

/** What strips say has changed, whichever partition is focused. */
void model_change_labels(struct model *model);

/** A key while a question is shown; chords have been taken out. */
void model_question_key(struct model *model, uint32_t code, int32_t value, struct effects *effects);
/** Draw effects of the question that is shown. */
void model_question_frame(struct model *model, bool whole, bool card, struct effects *effects);

#endif
