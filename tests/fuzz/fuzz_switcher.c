/* SPDX-License-Identifier: Apache-2.0 */
/** Messages of bulkheadd and events of devices, mixed, through decoder and model. The first byte of
 * each record says which: 0..7 a message with that many fds, 8 a question, 9 time that passes (its
 * second byte, in tenths of a second), otherwise an event of seven bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ui/core/message.h"
#include "ui/core/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model model;
static struct effects effects;

static void obey(const struct switcher_msg *msg)
{
	uint32_t part = model_find(&model, msg->id);

	switch (msg->type) {
	case SWITCHER_ADD:
		model_add(&model, msg, &effects);
		break;
	case SWITCHER_STATE:
		model_state(&model, msg, &effects);
		break;
	case SWITCHER_REMOVE:
		model_remove(&model, part, &effects);
		break;
	case SWITCHER_WARNING:
		model_warning(&model, msg->text);
		break;
	case SWITCHER_WITHDRAW:
		model_withdraw(&model, msg->id);
		break;
	case SWITCHER_FOCUS:
		model_focus(&model, part, &effects);
		break;
	default:
		abort();
	}
}

/** Input goes to one partition only, and the list never overflows. */
static void check(void)
{
	if (effects.count >= EFFECTS_MAX) {
		abort();
	}
	for (unsigned i = 0; i < effects.count; i++) {
		const struct effect *e = &effects.list[i];

		if ((e->type == EFFECT_INPUT || e->type == EFFECT_POINTER) &&
		    e->part >= SWITCHER_PARTS_MAX) {
			abort();
		}
		if (e->type == EFFECT_ANSWER && e->answer.choice >= SWITCHER_CHOICES_MAX) {
			abort();
		}
	}
	if (model.focus != MODEL_PART_NONE && !model.parts[model.focus].used) {
		abort();
	}
	effects.count = 0;
	model_frame(&model, &effects);
	for (unsigned i = 0; i < effects.count; i++) {
		if (model_asking(&model) && effects.list[i].part != EFFECT_PART_NONE) {
			abort(); /* something of a guest beside a question */
		}
	}
	effects.count = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	model_init(&model, 1024, 768);
	effects.count = 0;
	while (size > 0) {
		uint8_t head = data[0];
		struct switcher_question question;
		struct switcher_msg msg;
		size_t room = head < 8	  ? sizeof(msg)
			      : head == 8 ? sizeof(question)
			      : head == 9 ? 1
					  : 7;
		size_t take = size - 1 < room ? size - 1 : room;

		if (head < 8) {
			if (message_decode_switcher(data + 1, take, head, &msg)) {
				obey(&msg);
			}
		} else if (head == 8) {
			if (message_decode_question(data + 1, take, 0, &question)) {
				model_ask(&model, &question, &effects);
			}
		} else if (head == 9) {
			model_time(&model, model.now_ms + (take ? data[1] * 100u : 0), &effects);
		} else if (take == 7) {
			uint16_t code;
			int32_t value;

			memcpy(&code, data + 2, sizeof(code));
			memcpy(&value, data + 4, sizeof(value));
			model_input(&model, data[1] & 3, code, value, &effects);
		}
		check();
		data += 1 + take;
		size -= 1 + take;
	}
	return 0;
}
