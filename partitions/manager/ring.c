/* SPDX-License-Identifier: Apache-2.0 */
/** A bounded tail of a text stream. */
#include "ring.h"

#include <string.h>

void ring_write(struct ring *ring, const char *text, size_t size)
{
	if (size > RING_SIZE) {
		ring->written += size - RING_SIZE;
		text += size - RING_SIZE;
		size = RING_SIZE;
	}
	while (size > 0) {
		size_t at = ring->written % RING_SIZE;
		size_t part = size < RING_SIZE - at ? size : RING_SIZE - at;

		memcpy(ring->data + at, text, part);
		ring->written += part;
		text += part;
		size -= part;
	}
}

size_t ring_read(const struct ring *ring, uint64_t *cursor, char *text, size_t max)
{
	uint64_t oldest = ring->written > RING_SIZE ? ring->written - RING_SIZE : 0;
	size_t done = 0;

	if (*cursor < oldest) {
		*cursor = oldest;
	} else if (*cursor > ring->written) {
		*cursor = ring->written;
	}
	while (done < max && *cursor < ring->written) {
		size_t at = *cursor % RING_SIZE;
		size_t part = RING_SIZE - at;

		part = part < max - done ? part : max - done;
		part = part < ring->written - *cursor ? part : (size_t)(ring->written - *cursor);
		memcpy(text + done, ring->data + at, part);
		done += part;
		*cursor += part;
	}
	return done;
}
