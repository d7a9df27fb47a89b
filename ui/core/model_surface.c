/* SPDX-License-Identifier: Apache-2.0 */
/** Surfaces and cursors of the model; see model.h. Damage of a partition that is not shown is
 * dropped: the whole surface is drawn when it comes back.
 */
#include "model.h"

#include "message.h"

static bool is_shown(const struct model *model, uint32_t part)
{
	return part == model->focus && model_part_live(&model->parts[part]);
}

static struct rect surface_rect(const struct model_part *p)
{
	return (struct rect){0, 0, (int32_t)p->surface_width, (int32_t)p->surface_height};
}

static void add_damage(struct model *model, uint32_t part, struct rect r)
{
	struct model_part *p = &model->parts[part];

	if (is_shown(model, part)) {
		damage_add(&p->damage, rect_intersect(r, surface_rect(p)));
	}
}

static void add_cursor_damage(struct model *model, uint32_t part)
{
	const struct model_cursor *c = &model->parts[part].cursor;

	if (c->on) {
		add_damage(model, part,
			   (struct rect){c->x - (int32_t)c->hot_x, c->y - (int32_t)c->hot_y,
					 MESSAGE_CURSOR_SIZE, MESSAGE_CURSOR_SIZE});
	}
}

static void scanout(struct model *model, uint32_t part, const struct surface_msg *msg)
{
	struct model_part *p = &model->parts[part];
	bool same =
		p->surface_on && p->surface_width == msg->width && p->surface_height == msg->height;

	damage_clear(&p->damage);
	if (!same) {
		p->pointer_x = (int32_t)msg->width / 2;
		p->pointer_y = (int32_t)msg->height / 2;
	}
	p->surface_on = msg->width != 0;
	p->surface_width = msg->width;
	p->surface_height = msg->width ? msg->height : 0;
	if (part != model->focus) {
		return;
	}
	if (same) {
		add_damage(model, part, surface_rect(p));
	} else {
		model->whole_dirty = true;
	}
}

void model_surface(struct model *model, uint32_t part, const struct surface_msg *msg)
{
	struct model_part *p = &model->parts[part];

	switch (msg->type) {
	case SURFACE_SCANOUT:
		scanout(model, part, msg);
		break;
	case SURFACE_DAMAGE:
		add_damage(model, part,
			   (struct rect){(int32_t)msg->x, (int32_t)msg->y, (int32_t)msg->width,
					 (int32_t)msg->height});
		break;
	case SURFACE_CURSOR:
		add_cursor_damage(model, part);
		p->cursor.on = msg->width != 0;
		p->cursor.hot_x = msg->x;
		p->cursor.hot_y = msg->y;
		add_cursor_damage(model, part);
		break;
	case SURFACE_CURSOR_MOVE:
		add_cursor_damage(model, part);
		p->cursor.x = (int32_t)msg->x;
		p->cursor.y = (int32_t)msg->y;
		add_cursor_damage(model, part);
		break;
	case SURFACE_RESET:
		model_surface_lost(model, part);
		break;
	default:
		break;
	}
}

void model_surface_lost(struct model *model, uint32_t part)
{
	struct model_part *p = &model->parts[part];

	if (part == model->focus && p->surface_on) {
		model->whole_dirty = true;
	}
	p->surface_on = false;
	p->surface_width = 0;
	p->surface_height = 0;
	p->cursor = (struct model_cursor){0};
	damage_clear(&p->damage);
}
