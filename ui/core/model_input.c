/* SPDX-License-Identifier: Apache-2.0 */
/** Input of the model; see model.h. The chord is taken out first; what is left goes to the focused
 * partition, and only while that one runs. The switcher keeps the pointer: guests get absolute
 * places on their surface.
 */
#include "model.h"
#include "model_private.h"

#include <linux/input-event-codes.h>

static void push_input(struct model *model, enum effect_type type, uint16_t ev_type, uint16_t code,
		       int32_t value, struct effects *effects)
{
	effects_push(effects, (struct effect){.type = type,
					      .part = model->focus,
					      .input = {ev_type, code, value}});
}

static void push_key(struct model *model, uint16_t code, bool down, struct effects *effects)
{
	enum effect_type type = keys_is_button(code) ? EFFECT_POINTER : EFFECT_INPUT;

	push_input(model, type, EV_KEY, code, down, effects);
	push_input(model, type, EV_SYN, SYN_REPORT, 0, effects);
}

void model_release_all(struct model *model, struct effects *effects)
{
	uint16_t code;

	while (keys_take_sent(&model->keys, &code)) {
		push_key(model, code, false, effects);
	}
}

static bool takes_input(const struct model *model)
{
	if (model->focus == MODEL_PART_NONE || model_asking(model)) {
		return false;
	}
	enum switcher_state state = model->parts[model->focus].state;

	return state == SWITCHER_RUNNING || state == SWITCHER_STARTING;
}

static void input_key(struct model *model, uint32_t code, int32_t value, struct effects *effects)
{
	struct keys_result keys = keys_feed(&model->keys, code, value);

	if (keys.action != KEYS_NONE) {
		model_chord(model, &keys, effects);
		return;
	}
	for (unsigned i = 0; i < keys.count; i++) {
		if (takes_input(model)) {
			push_key(model, keys.events[i].code, keys.events[i].down, effects);
		} else {
			/* Not sent after all: nothing to release later. */
			model->keys.sent[keys.events[i].code / 8] &=
				(uint8_t) ~(1u << keys.events[i].code % 8);
		}
	}
	if (model_asking(model)) {
		model_question_key(model, code, value, effects);
	}
}

static int32_t clamp(int64_t value, int32_t max)
{
	return (int32_t)(value < 0 ? 0 : value > max ? max : value);
}

static void move_pointer(struct model *model, int64_t x, int64_t y)
{
	struct model_part *p = &model->parts[model->focus];
	struct rect place = model_place(model, p);

	if (rect_empty(place)) {
		return;
	}
	p->pointer_x = clamp(x, place.w - 1);
	p->pointer_y = clamp(y, place.h - 1);
	model->pointer_moved = true;
}

static int32_t to_axis(int32_t pixel, uint32_t size)
{
	return size > 1 ? (int32_t)((int64_t)pixel * MODEL_ABS_MAX / (size - 1)) : 0;
}

static void input_syn(struct model *model, struct effects *effects)
{
	const struct model_part *p = &model->parts[model->focus];

	if (model->pointer_moved) {
		push_input(model, EFFECT_POINTER, EV_ABS, ABS_X,
			   to_axis(p->pointer_x, p->surface_width), effects);
		push_input(model, EFFECT_POINTER, EV_ABS, ABS_Y,
			   to_axis(p->pointer_y, p->surface_height), effects);
	}
	if (model->pointer_moved || model->wheel_moved) {
		push_input(model, EFFECT_POINTER, EV_SYN, SYN_REPORT, 0, effects);
	}
	model->pointer_moved = false;
	model->wheel_moved = false;
}

static void input_pointer(struct model *model, uint32_t type, uint32_t code, int32_t value,
			  struct effects *effects)
{
	struct model_part *p = &model->parts[model->focus];
	struct rect place = model_place(model, p);

	if (type == EV_REL && code == REL_X) {
		move_pointer(model, (int64_t)p->pointer_x + value, p->pointer_y);
	} else if (type == EV_REL && code == REL_Y) {
		move_pointer(model, p->pointer_x, (int64_t)p->pointer_y + value);
	} else if (type == EV_ABS && code == ABS_X) {
		move_pointer(model, (int64_t)value - place.x, p->pointer_y);
	} else if (type == EV_ABS && code == ABS_Y) {
		move_pointer(model, p->pointer_x, (int64_t)value - place.y);
	} else if (type == EV_REL && (code == REL_WHEEL || code == REL_HWHEEL)) {
		push_input(model, EFFECT_POINTER, EV_REL, (uint16_t)code,
			   clamp((int64_t)value + 64, 128) - 64, effects);
		model->wheel_moved = true;
	}
}

void model_input(struct model *model, uint32_t type, uint32_t code, int32_t value,
		 struct effects *effects)
{
	if (type == EV_KEY) {
		/* A button acts where the pointer is: say so first. */
		if (takes_input(model) && keys_is_button(code)) {
			input_syn(model, effects);
		}
		input_key(model, code, value, effects);
	} else if (takes_input(model) && model->parts[model->focus].surface_on) {
		if (type == EV_SYN && code == SYN_REPORT) {
			input_syn(model, effects);
		} else {
			input_pointer(model, type, code, value, effects);
		}
	}
}
