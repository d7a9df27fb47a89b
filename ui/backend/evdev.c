/* SPDX-License-Identifier: Apache-2.0 */
/** Raw input devices; see evdev.h. Source: Linux Documentation/input/event-codes.rst. */
#include "evdev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/input.h>

#define BITS_SIZE(count) ((count) / 8 + 1)

void evdev_init(struct evdev *evdev, int32_t width, int32_t height)
{
	memset(evdev, 0, sizeof(*evdev));
	evdev->width = width;
	evdev->height = height;
}

static bool has(const uint8_t *bits, unsigned bit)
{
	return bits[bit / 8] & 1u << bit % 8;
}

/** Keys that a person types with; not a lone power or lid button, which the control partition
 * keeps. */
static bool is_keyboard(const uint8_t *keys)
{
	for (unsigned code = KEY_ESC; code < BTN_MISC; code++) {
		if (has(keys, code) && code != KEY_POWER && code != KEY_SLEEP &&
		    code != KEY_WAKEUP) {
			return true;
		}
	}
	return false;
}

static void learn_axis(int fd, unsigned code, struct evdev_axis *axis)
{
	struct input_absinfo info;

	if (ioctl(fd, EVIOCGABS(code), &info) == 0 && info.maximum > info.minimum) {
		axis->min = info.minimum;
		axis->max = info.maximum;
		axis->known = true;
	}
}

bool evdev_add(struct evdev *evdev, int fd)
{
	uint8_t keys[BITS_SIZE(KEY_MAX)] = {0}, rel[BITS_SIZE(REL_MAX)] = {0};
	uint8_t abs[BITS_SIZE(ABS_MAX)] = {0};
	struct evdev_device device = {.fd = fd};
	char name[80] = "?";

	if (ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) < 0) {
		close(fd);
		return false;
	}
	ioctl(fd, EVIOCGBIT(EV_REL, sizeof(rel)), rel);
	ioctl(fd, EVIOCGBIT(EV_ABS, sizeof(abs)), abs);
	bool pointer = has(rel, REL_X) || (has(abs, ABS_X) && has(abs, ABS_Y));

	if ((!is_keyboard(keys) && !pointer) || evdev->count == EVDEV_DEVICES_MAX ||
	    ioctl(fd, EVIOCGRAB, 1) < 0) {
		close(fd);
		return false;
	}
	if (has(abs, ABS_X) && has(abs, ABS_Y)) {
		learn_axis(fd, ABS_X, &device.x);
		learn_axis(fd, ABS_Y, &device.y);
		device.touchpad = has(keys, BTN_TOOL_FINGER) && !has(keys, BTN_TOOL_PEN);
	}
	ioctl(fd, EVIOCGNAME(sizeof(name) - 1), name);
	name[sizeof(name) - 1] = '\0';
	fprintf(stderr, "bulkhead-switcher: input device \"%s\"\n", name);
	evdev->devices[evdev->count++] = device;
	return true;
}

/** Touchpad: half a device unit per pixel would be too coarse for some and too fine for others; the
 * whole pad is two thirds of the screen. */
static void touch(struct evdev_device *d, const struct input_event *e, int32_t screen,
		  struct evdev_axis *axis, evdev_event_fn *event, void *context)
{
	int32_t span = axis->max - axis->min;

	if (d->touching && axis->known && axis->last != INT32_MIN) {
		int64_t moved = ((int64_t)e->value - axis->last) * screen * 2 / (3 * (int64_t)span);

		if (moved == 0) {
			return; /* keep the remainder for the next event */
		}
		event(context, EV_REL, e->code == ABS_X ? REL_X : REL_Y, (int32_t)moved);
	}
	axis->last = e->value;
}

static void absolute(struct evdev *evdev, struct evdev_device *d, const struct input_event *e,
		     evdev_event_fn *event, void *context)
{
	struct evdev_axis *axis = e->code == ABS_X ? &d->x : &d->y;
	int32_t screen = e->code == ABS_X ? evdev->width : evdev->height;

	if (e->code != ABS_X && e->code != ABS_Y) {
		return;
	}
	if (d->touchpad) {
		touch(d, e, screen, axis, event, context);
	} else if (axis->known) {
		int64_t span = (int64_t)axis->max - axis->min;

		event(context, EV_ABS, e->code,
		      (int32_t)(((int64_t)e->value - axis->min) * (screen - 1) / span));
	}
}

static void pass_event(struct evdev *evdev, struct evdev_device *d, const struct input_event *e,
		       evdev_event_fn *event, void *context)
{
	switch (e->type) {
	case EV_KEY:
		if (d->touchpad && e->code == BTN_TOUCH) {
			d->touching = e->value;
			d->x.last = INT32_MIN;
			d->y.last = INT32_MIN;
		} else if (!d->touchpad || e->code < BTN_DIGI || e->code >= BTN_WHEEL) {
			event(context, EV_KEY, e->code, e->value);
		}
		break;
	case EV_REL:
	case EV_SYN:
		event(context, e->type, e->code, e->value);
		break;
	case EV_ABS:
		absolute(evdev, d, e, event, context);
		break;
	default:
		break;
	}
}

int evdev_read(struct evdev *evdev, unsigned index, evdev_event_fn *event, void *context)
{
	struct evdev_device *d = &evdev->devices[index];
	struct input_event events[32];
	int result = 0;
	ssize_t size = read(d->fd, events, sizeof(events));

	if (size < 0) {
		if (errno == EAGAIN || errno == EINTR) {
			return 0;
		}
		close(d->fd);
		*d = evdev->devices[--evdev->count];
		return -1;
	}
	for (size_t i = 0; i < (size_t)size / sizeof(events[0]); i++) {
		const struct input_event *e = &events[i];

		if (e->type == EV_SYN && e->code == SYN_DROPPED) {
			d->lost = true;
			result = 1;
		} else if (!d->lost) {
			pass_event(evdev, d, e, event, context);
		} else if (e->type == EV_SYN && e->code == SYN_REPORT) {
			d->lost = false;
		}
	}
	return result;
}
