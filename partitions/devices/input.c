/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what an input device is and the events that wait for the guest. Invariant: the guest gets
 * only events whose bits the configuration space announced. */
#define _GNU_SOURCE

#include "input.h"
#include "debug.h"

#include <linux/input-event-codes.h>
#include <linux/input.h>
#include <linux/virtio_input.h>
#include <stddef.h>
#include <string.h>

#define STATUS_BATCH 64u

_Static_assert(sizeof(struct virtio_input_config) == INPUT_CONFIG_SIZE, "virtio_input_config");
_Static_assert(sizeof(struct virtio_input_event) == sizeof(struct surface_input),
	       "virtio_input_event");

/* Codes [first, last] of one event type. */
struct code_range {
	enum input_kind kind;
	uint16_t type;
	uint16_t first, last;
};

static const struct code_range ranges[] = {
	{INPUT_KEYBOARD, EV_KEY, KEY_ESC, KEY_MICMUTE},
	{INPUT_TABLET, EV_KEY, BTN_LEFT, BTN_EXTRA},
	{INPUT_TABLET, EV_REL, REL_HWHEEL, REL_HWHEEL},
	{INPUT_TABLET, EV_REL, REL_WHEEL, REL_WHEEL},
	{INPUT_TABLET, EV_ABS, ABS_X, ABS_Y},
};
#define RANGE_COUNT (sizeof(ranges) / sizeof(ranges[0]))

static bool has_code(enum input_kind kind, uint16_t type, uint16_t code)
{
	for (unsigned i = 0; i < RANGE_COUNT; i++) {
		if (ranges[i].kind == kind && ranges[i].type == type && code >= ranges[i].first &&
		    code <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

static bool test_bit(const uint8_t *bits, unsigned i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static void assign_bit(uint8_t *bits, unsigned i, bool value)
{
	bits[i / 8] = (uint8_t)((bits[i / 8] & ~(1u << (i % 8))) | (unsigned)value << (i % 8));
}

void input_init(struct input *input, enum input_kind kind)
{
	memset(input, 0, offsetof(struct input, chain));
	input->kind = kind;
}

/* The bitmap of codes of one event type; size 0 says that the device has none. */
static void fill_event_bits(enum input_kind kind, uint8_t type, struct virtio_input_config *config)
{
	for (unsigned i = 0; i < RANGE_COUNT; i++) {
		if (ranges[i].kind != kind || ranges[i].type != type) {
			continue;
		}
		for (unsigned code = ranges[i].first; code <= ranges[i].last; code++) {
			assign_bit(config->u.bitmap, code, true);
		}
		if (config->size < ranges[i].last / 8 + 1) {
			config->size = (uint8_t)(ranges[i].last / 8 + 1);
		}
	}
	/* The guest repeats held keys by itself. */
	if (kind == INPUT_KEYBOARD && type == EV_REP) {
		config->size = 1;
	}
}

static void fill_string(struct virtio_input_config *config, const char *text)
{
	config->size = (uint8_t)strlen(text);
	memcpy(config->u.string, text, config->size);
}

static void fill_abs_info(enum input_kind kind, uint8_t axis, struct virtio_input_config *config)
{
	if (has_code(kind, EV_ABS, axis)) {
		config->size = sizeof(config->u.abs);
		config->u.abs.max = INPUT_ABS_MAX;
	}
}

void input_get_config(const struct input *input, uint8_t *config)
{
	struct virtio_input_config space = {.select = input->select, .subsel = input->subsel};
	const bool keyboard = input->kind == INPUT_KEYBOARD;

	switch (input->select) {
	case VIRTIO_INPUT_CFG_ID_NAME:
		fill_string(&space, keyboard ? "Bulkhead keyboard" : "Bulkhead tablet");
		break;
	case VIRTIO_INPUT_CFG_ID_SERIAL:
		fill_string(&space, keyboard ? "keyboard0" : "tablet0");
		break;
	case VIRTIO_INPUT_CFG_ID_DEVIDS:
		space.size = sizeof(space.u.ids);
		space.u.ids.bustype = BUS_VIRTUAL;
		space.u.ids.vendor = 0x4248; /* "BH" */
		space.u.ids.product = keyboard ? 1 : 2;
		space.u.ids.version = 1;
		break;
	case VIRTIO_INPUT_CFG_EV_BITS:
		fill_event_bits(input->kind, input->subsel, &space);
		break;
	case VIRTIO_INPUT_CFG_ABS_INFO:
		fill_abs_info(input->kind, input->subsel, &space);
		break;
	default:
		break;
	}
	memcpy(config, &space, sizeof(space));
}

void input_set_config(struct input *input, uint32_t offset, const uint8_t *data, uint32_t size)
{
	if (offset == 0 && size > 0) {
		input->select = data[0];
	}
	if (offset <= 1 && offset + size > 1) {
		input->subsel = data[1 - offset];
	}
}

static void queue_event(struct input *input, uint16_t type, uint16_t code, int32_t value)
{
	unsigned at = (input->pending_start + input->pending_count) % INPUT_PENDING_MAX;

	input->pending[at] = (struct surface_input){.type = type, .code = code, .value = value};
	input->pending_count++;
	if (type == EV_KEY) {
		assign_bit(input->queued, code, value);
	}
	input->in_group = type != EV_SYN;
}

/* The keys that the guest knows of are those before the dropped events: take these back. */
static void drop_pending(struct input *input)
{
	for (unsigned i = input->pending_count; i-- > 0;) {
		const struct surface_input *event =
			&input->pending[(input->pending_start + i) % INPUT_PENDING_MAX];

		if (event->type == EV_KEY) {
			assign_bit(input->queued, event->code, !event->value);
		}
	}
	input->pending_count = 0;
	input->in_group = false;
	input->lost = true;
	debug_trace(DEBUG_DEVICE_HOST, "guest is slow: events dropped");
}

/* After a loss: releases what the guest believes held and is not. */
static void release_keys(struct input *input)
{
	bool any = false;

	for (unsigned code = 0; code < INPUT_KEY_MAX; code++) {
		if (test_bit(input->queued, code) && !test_bit(input->held, code) &&
		    input->pending_count < INPUT_PENDING_MAX - 1) {
			queue_event(input, EV_KEY, (uint16_t)code, 0);
			any = true;
		}
	}
	if (any) {
		queue_event(input, EV_SYN, SYN_REPORT, 0);
	}
	input->lost = false;
}

/* Whether the event changes anything and belongs to this device. Keeps the state of keys. */
static bool accept(struct input *input, const struct surface_input *event)
{
	if (event->type == EV_SYN) {
		return event->code == SYN_REPORT && input->in_group;
	}
	if (!has_code(input->kind, event->type, event->code)) {
		return false;
	}
	if (event->type == EV_KEY) {
		if (event->value != 0 && event->value != 1) {
			return false; /* 2: repeated, which the guest does by itself */
		}
		assign_bit(input->held, event->code, event->value);
		return test_bit(input->queued, event->code) != (bool)event->value;
	}
	return event->type != EV_ABS || (event->value >= 0 && event->value <= INPUT_ABS_MAX);
}

void input_event(struct input *input, const struct surface_input *event, bool listening)
{
	debug_trace(DEBUG_DEVICE_HOST, "event %u %u %d", event->type, event->code, event->value);
	if (!accept(input, event) || !listening || input->lost) {
		return;
	}
	if (input->pending_count == INPUT_PENDING_MAX) {
		drop_pending(input);
		return;
	}
	queue_event(input, event->type, event->code, event->value);
}

static void flush_pending(struct input *input, struct vq *vq)
{
	while (input->pending_count && vq_pop(vq, &input->chain) > 0) {
		const struct surface_input *event = &input->pending[input->pending_start];

		if (vq_write(vq, &input->chain, event, sizeof(*event)) < 0) {
			vq_break(vq); /* too small for an event */
			return;
		}
		vq_push(vq, &input->chain);
		input->pending_start = (input->pending_start + 1) % INPUT_PENDING_MAX;
		input->pending_count--;
	}
}

void input_flush(struct input *input, struct vq *vq)
{
	flush_pending(input, vq);
	if (input->lost && !input->pending_count) {
		release_keys(input);
		flush_pending(input, vq);
	}
	vq_notify(vq);
}

bool input_handle_status(struct input *input, struct vq *vq)
{
	unsigned served = 0;

	while (served < STATUS_BATCH && vq_pop(vq, &input->chain) > 0) {
		vq_push(vq, &input->chain);
		served++;
	}
	vq_notify(vq);
	return served == STATUS_BATCH;
}

void input_reset(struct input *input)
{
	input->select = 0;
	input->subsel = 0;
	input->lost = false;
	input->in_group = false;
	input->pending_count = 0;
	memset(input->queued, 0, sizeof(input->queued));
}
