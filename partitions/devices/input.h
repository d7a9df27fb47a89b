/* SPDX-License-Identifier: Apache-2.0 */
/** virtio-input: a keyboard or a tablet for the guest, fed with evdev events by the switcher.
 *
 *  Events wait in a bounded queue when the guest is slow. When that overflows, its content is
 * dropped, and as soon as the guest takes events again it gets a release for each key that it
 * believes held and that is not: no key sticks.
 *
 *  Source: virtio 1.2, "Input Device"; Linux, "Input event codes".
 */
#ifndef BH_DEVICES_INPUT_H
#define BH_DEVICES_INPUT_H

#include "proto/surface.h"
#include "vq.h"

#define INPUT_QUEUE_COUNT 2u
#define INPUT_CONFIG_SIZE 136u
#define INPUT_PENDING_MAX 512u
#define INPUT_KEY_MAX	  768u
#define INPUT_ABS_MAX	  32767

enum { INPUT_QUEUE_EVENT = 0, INPUT_QUEUE_STATUS = 1 };

enum input_kind { INPUT_KEYBOARD, INPUT_TABLET };

struct input {
	enum input_kind kind;
	uint8_t select, subsel; /* what the guest asked the configuration space for */
	bool lost;		/* events were dropped */
	bool in_group;		/* an event was queued since the last SYN_REPORT */
	unsigned pending_start, pending_count;
	uint8_t held[INPUT_KEY_MAX / 8]; /* keys that are down */
	uint8_t queued[INPUT_KEY_MAX /
		       8]; /* keys that the guest believes down after all pending events */
	struct surface_input pending[INPUT_PENDING_MAX];
	struct vq_chain chain;
};

void input_init(struct input *input, enum input_kind kind);

/** The configuration space: get fills INPUT_CONFIG_SIZE bytes; set takes a write of the guest. */
void input_get_config(const struct input *input, uint8_t *config);
void input_set_config(struct input *input, uint32_t offset, const uint8_t *data, uint32_t size);

/** One event of the switcher. Events that this kind of device does not have are ignored. Without a
 * listening guest (vq NULL) only the state of keys is kept. */
void input_event(struct input *input, const struct surface_input *event, bool listening);

/** Gives pending events to the guest. */
void input_flush(struct input *input, struct vq *vq);

/** Takes what the guest says on the status queue (LEDs), which concerns nobody. True when there may
 * be more. */
bool input_handle_status(struct input *input, struct vq *vq);

/** The guest driver has gone; a new one starts with all keys up. */
void input_reset(struct input *input);

#endif
