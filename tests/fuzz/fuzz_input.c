/* SPDX-License-Identifier: Apache-2.0 */
/* Input: any events of the switcher, any selectors and buffers of the guest. */
#define _GNU_SOURCE

#include "fake_ring.h"
#include "input.h"

#include <string.h>

#define EVENT_COUNT 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input input;
	uint8_t config[INPUT_CONFIG_SIZE];
	struct fake_ring ring;

	if (size < 4) {
		return 0;
	}
	input_init(&input, data[0] & 1 ? INPUT_TABLET : INPUT_KEYBOARD);
	input_set_config(&input, data[3] % 3, data + 1, 2);
	input_get_config(&input, config);
	data += 4;
	size -= 4;
	for (unsigned i = 0; i < EVENT_COUNT && size >= sizeof(struct surface_input); i++) {
		struct surface_input event;

		memcpy(&event, data, sizeof(event));
		input_event(&input, &event, true);
		data += sizeof(event);
		size -= sizeof(event);
	}
	fake_ring_init(&ring, false);
	fake_ring_load(&ring, data, size);
	for (uint16_t i = 1; i < 8; i++) {
		fake_ring_offer(&ring, i);
	}
	input_flush(&input, &ring.vq);
	while (input_handle_status(&input, &ring.vq)) {
	}
	fake_ring_fini(&ring);
	return 0;
}
