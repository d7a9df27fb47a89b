/* SPDX-License-Identifier: Apache-2.0 */
/** What the model decided: a short list of things for the shell around it to do, in this order. The
 * model itself touches no screen, socket or device.
 */
#ifndef BH_EFFECT_H
#define BH_EFFECT_H

#include "rect.h"
#include "keys.h"
#include "ui/proto/surface.h"
#include "ui/proto/switcher.h"

enum effect_type {
	EFFECT_INPUT,	      /* send .input to the keyboard of .part */
	EFFECT_POINTER,	      /* send .input to the tablet of .part */
	EFFECT_RESIZE,	      /* tell the GPU back end of .part the size .rect.w x .rect.h */
	EFFECT_FOCUSED,	      /* the focus moved to .part: report it when the frame is done */
	EFFECT_ANSWER,	      /* send .answer to bulkheadd */
	EFFECT_STRIP,	      /* draw the trusted strip */
	EFFECT_PANEL,	      /* fill the inner rectangle with the trusted panel of .part */
	EFFECT_CARD,	      /* the same, but only its words changed */
	EFFECT_FILL,	      /* fill .rect (screen pixels) with the neutral colour */
	EFFECT_BLIT,	      /* copy .rect (screen pixels) from the surface of .part */
	EFFECT_QUESTION,      /* fill the inner rectangle with the question that is shown */
	EFFECT_QUESTION_CARD, /* the same, but only the card changed */
};

/** No partition: the panel that greets before the first one is there. */
#define EFFECT_PART_NONE UINT32_MAX

struct effect {
	enum effect_type type;
	uint32_t part; /* index into model.parts */
	struct rect rect;
	struct surface_input input;
	struct switcher_answer answer;
};

/* One call of the model gives at most a release and a SYN for each key, and a few things besides.
 */
#define EFFECTS_MAX (2u * KEYS_COUNT + 64u)

struct effects {
	unsigned count;
	struct effect list[EFFECTS_MAX];
};

static inline void effects_push(struct effects *effects, struct effect effect)
{
	if (effects->count < EFFECTS_MAX) {
		effects->list[effects->count++] = effect;
	}
}

#endif
