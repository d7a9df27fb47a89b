/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of the model say to each other and to nobody else. */
#ifndef BH_MODEL_PRIVATE_H
#define BH_MODEL_PRIVATE_H

#include "model.h"

/** Does what a complete chord asks for (keys->action). */
void model_chord(struct model *model, const struct keys_result *keys, struct effects *effects);

#endif
