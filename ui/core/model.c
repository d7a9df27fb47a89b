/* SPDX-License-Identifier: Apache-2.0 */
/** Partitions, focus and frames; see model.h. Surfaces are in model_surface.c, input in
 * model_input.c. */
#include "model.h"
#include "model_private.h"

#include <stdio.h>
#include <string.h>

void model_init(struct model *model, int32_t width, int32_t height)
{
	memset(model, 0, sizeof(*model));
	model->width = width;
	model->height = height;
	model->focus = MODEL_PART_NONE;
	model->strip_dirty = true;
	model->whole_dirty = true;
	model->label_version = 1;
	page_metrics_init(&model->questions.metrics, model_inner(model));
}

void model_change_labels(struct model *model)
{
	model->strip_dirty = true;
	if (++model->label_version == 0) {
		model->label_version = 1;
	}
}

struct rect model_inner(const struct model *model)
{
	return (struct rect){0, MODEL_STRIP_HEIGHT, model->width,
			     model->height - MODEL_STRIP_HEIGHT};
}

uint32_t model_find(const struct model *model, uint32_t id)
{
	for (uint32_t i = 0; i < SWITCHER_PARTS_MAX; i++) {
		if (model->parts[i].used && model->parts[i].id == id) {
			return i;
		}
	}
	return MODEL_PART_NONE;
}

uint32_t model_find_order(const struct model *model, uint32_t order)
{
	for (uint32_t i = 0; i < SWITCHER_PARTS_MAX; i++) {
		if (model->parts[i].used && model->parts[i].order == order) {
			return i;
		}
	}
	return MODEL_PART_NONE;
}

bool model_part_live(const struct model_part *part)
{
	return part->surface_on && part->state != SWITCHER_STOPPED &&
	       part->state != SWITCHER_FAILED;
}

struct rect model_place(const struct model *model, const struct model_part *part)
{
	struct rect inner = model_inner(model);
	struct rect place = {inner.x, inner.y, (int32_t)part->surface_width,
			     (int32_t)part->surface_height};

	if (place.w < inner.w) {
		place.x += (inner.w - place.w) / 2;
	}
	if (place.h < inner.h) {
		place.y += (inner.h - place.h) / 2;
	}
	return rect_intersect(place, inner);
}

/** Lowest order of all, or the next one up (down) from `from`, around the end. */
static uint32_t neighbour(const struct model *model, uint32_t from, bool backwards)
{
	uint32_t order = from == MODEL_PART_NONE ? 0 : model->parts[from].order;

	for (uint32_t i = 0; i < SWITCHER_ORDER_MAX; i++) {
		order = backwards ? (order + SWITCHER_ORDER_MAX - 2) % SWITCHER_ORDER_MAX + 1
				  : order % SWITCHER_ORDER_MAX + 1;
		uint32_t part = model_find_order(model, order);

		if (part != MODEL_PART_NONE) {
			return part;
		}
	}
	return MODEL_PART_NONE;
}

static void set_focus(struct model *model, uint32_t part, struct effects *effects)
{
	if (part == model->focus) {
		return;
	}
	model_release_all(model, effects);
	model->focus = part;
	model->pointer_moved = false;
	model->wheel_moved = false;
	model->strip_dirty = true;
	model->whole_dirty = true;
	if (part != MODEL_PART_NONE) {
		effects_push(effects, (struct effect){.type = EFFECT_FOCUSED, .part = part});
	}
}

void model_focus(struct model *model, uint32_t part, struct effects *effects)
{
	if (part < SWITCHER_PARTS_MAX && model->parts[part].used) {
		model->focus_chosen = true;
		set_focus(model, part, effects);
	}
}

uint32_t model_add(struct model *model, const struct switcher_msg *msg, struct effects *effects)
{
	uint32_t part = model_find(model, msg->id);
	uint32_t holder = model_find_order(model, msg->order);

	if (holder != MODEL_PART_NONE && holder != part) {
		return MODEL_PART_NONE;
	}
	for (uint32_t i = 0; part == MODEL_PART_NONE && i < SWITCHER_PARTS_MAX; i++) {
		if (!model->parts[i].used) {
			part = i;
			memset(&model->parts[i], 0, sizeof(model->parts[i]));
		}
	}
	if (part == MODEL_PART_NONE) {
		return MODEL_PART_NONE;
	}
	struct model_part *p = &model->parts[part];

	if (part == model->focus) {
		/* New sockets: what the old back end believed to be down dies with it. */
		model_release_all(model, effects);
	}
	p->used = true;
	p->id = msg->id;
	p->order = msg->order;
	p->colour = msg->colour;
	p->pattern = msg->pattern;
	memcpy(p->name, msg->name, sizeof(p->name));
	memcpy(p->title, msg->title, sizeof(p->title));
	model_surface_lost(model, part);
	model_change_labels(model);
	effects_push(
		effects,
		(struct effect){.type = EFFECT_RESIZE, .part = part, .rect = model_inner(model)});
	if (!model->focus_chosen) {
		set_focus(model, neighbour(model, MODEL_PART_NONE, false), effects);
	}
	if (part == model->focus) {
		model->whole_dirty = true;
	}
	return part;
}

void model_warning(struct model *model, const char *text)
{
	snprintf(model->warning, sizeof(model->warning), "%s", text);
	model_change_labels(model);
}

void model_state(struct model *model, const struct switcher_msg *msg, struct effects *effects)
{
	uint32_t part = model_find(model, msg->id);

	if (part == MODEL_PART_NONE) {
		return;
	}
	struct model_part *p = &model->parts[part];
	bool live = model_part_live(p);
	bool same = p->state == msg->state && p->progress == msg->progress &&
		    strcmp(p->text, msg->text) == 0;

	if (same) {
		return;
	}
	if (part == model->focus && msg->state != p->state) {
		/* Whatever was down in a partition that stops, pauses or starts is not down
		 * afterwards. */
		model_release_all(model, effects);
	}
	p->state = msg->state;
	p->progress = msg->progress;
	memcpy(p->text, msg->text, sizeof(p->text));
	model_change_labels(model);
	if (part == model->focus && live != model_part_live(p)) {
		model->whole_dirty = true;
	} else if (part == model->focus && !live) {
		model->card_dirty = true;
	}
}

void model_remove(struct model *model, uint32_t part, struct effects *effects)
{
	if (part >= SWITCHER_PARTS_MAX || !model->parts[part].used) {
		return;
	}
	if (part == model->focus) {
		model_release_all(model, effects);
		model->focus = MODEL_PART_NONE;
		model->focus_chosen = false;
		model->whole_dirty = true;
	}
	memset(&model->parts[part], 0, sizeof(model->parts[part]));
	model_change_labels(model);
	if (model->focus == MODEL_PART_NONE) {
		set_focus(model, neighbour(model, MODEL_PART_NONE, false), effects);
	}
}

void model_chord(struct model *model, const struct keys_result *keys, struct effects *effects)
{
	switch (keys->action) {
	case KEYS_FOCUS:
		model_focus(model, model_find_order(model, keys->order), effects);
		break;
	case KEYS_NEXT:
		model_focus(model, neighbour(model, model->focus, false), effects);
		break;
	case KEYS_PREVIOUS:
		model_focus(model, neighbour(model, model->focus, true), effects);
		break;
	case KEYS_NONE:
		break;
	}
}

bool model_frame_urgent(const struct model *model)
{
	return model->strip_dirty || model->whole_dirty || model->card_dirty;
}

bool model_frame_due(const struct model *model)
{
	if (model_frame_urgent(model)) {
		return true;
	}
	return !model_asking(model) && model->focus != MODEL_PART_NONE &&
	       model_part_live(&model->parts[model->focus]) &&
	       model->parts[model->focus].damage.count;
}

static void push_draw(struct effects *effects, enum effect_type type, uint32_t part, struct rect r)
{
	if (!rect_empty(r)) {
		effects_push(effects, (struct effect){.type = type, .part = part, .rect = r});
	}
}

/** The parts of the inner rectangle that the surface does not cover. */
static void frame_border(const struct model *model, struct rect place, struct effects *effects)
{
	struct rect in = model_inner(model);
	int32_t bottom = place.y + place.h, right = place.x + place.w;

	push_draw(effects, EFFECT_FILL, model->focus,
		  (struct rect){in.x, in.y, in.w, place.y - in.y});
	push_draw(effects, EFFECT_FILL, model->focus,
		  (struct rect){in.x, bottom, in.w, in.y + in.h - bottom});
	push_draw(effects, EFFECT_FILL, model->focus,
		  (struct rect){in.x, place.y, place.x - in.x, place.h});
	push_draw(effects, EFFECT_FILL, model->focus,
		  (struct rect){right, place.y, in.x + in.w - right, place.h});
}

void model_frame(struct model *model, struct effects *effects)
{
	if (model->strip_dirty) {
		uint32_t part = model_asking(model) ? MODEL_PART_NONE : model->focus;

		effects_push(effects, (struct effect){.type = EFFECT_STRIP, .part = part});
		model->strip_dirty = false;
	}
	bool whole = model->whole_dirty, card = model->card_dirty;

	model->whole_dirty = false;
	model->card_dirty = false;
	if (model_asking(model)) {
		model_question_frame(model, whole, card, effects);
		return;
	}
	if (model->focus == MODEL_PART_NONE) {
		if (whole) {
			push_draw(effects, EFFECT_PANEL, EFFECT_PART_NONE, model_inner(model));
		}
		return;
	}
	struct model_part *p = &model->parts[model->focus];

	if (!model_part_live(p)) {
		if (whole || card) {
			push_draw(effects, whole ? EFFECT_PANEL : EFFECT_CARD, model->focus,
				  model_inner(model));
		}
		return;
	}
	struct rect place = model_place(model, p);

	if (whole) {
		frame_border(model, place, effects);
		push_draw(effects, EFFECT_BLIT, model->focus, place);
	} else {
		for (unsigned i = 0; i < p->damage.count; i++) {
			struct rect r = p->damage.list[i];

			r.x += place.x;
			r.y += place.y;
			push_draw(effects, EFFECT_BLIT, model->focus, rect_intersect(r, place));
		}
	}
	damage_clear(&p->damage);
}
