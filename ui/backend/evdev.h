/* SPDX-License-Identifier: Apache-2.0 */
/** Keyboards and pointers of the machine, read as raw evdev and held exclusively (EVIOCGRAB), so
 * that neither the kernel's console nor anything else in the control partition sees a key.
 */
#ifndef BH_EVDEV_H
#define BH_EVDEV_H

#include <stdbool.h>
#include <stdint.h>

#define EVDEV_DEVICES_MAX 32u

struct evdev_axis {
	int32_t min, max;
	int32_t last; /* touchpad: where the finger was */
	bool known;
};

struct evdev_device {
	int fd;
	bool touchpad; /* absolute device that moves the pointer by difference */
	bool touching;
	bool lost; /* events were dropped: ignore the rest up to the next SYN */
	struct evdev_axis x, y;
};

struct evdev {
	unsigned count;
	struct evdev_device devices[EVDEV_DEVICES_MAX];
	int32_t width, height; /* of the screen, for absolute devices */
};

/** EV_ABS comes out in screen pixels. */
typedef void evdev_event_fn(void *context, uint32_t type, uint32_t code, int32_t value);

void evdev_init(struct evdev *evdev, int32_t width, int32_t height);

/** Takes fd over when it is a keyboard or pointer; closes it when not, or when there are too many.
 * Returns true when taken. */
bool evdev_add(struct evdev *evdev, int fd);

/** Reads what device `index` has to say. Returns 0; 1 when events were lost, so that every key may
 * be up again; -1 when it is gone: it was removed, the last device now has its index. */
int evdev_read(struct evdev *evdev, unsigned index, evdev_event_fn *event, void *context);

#endif
