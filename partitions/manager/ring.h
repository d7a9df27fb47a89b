/* SPDX-License-Identifier: Apache-2.0 */
/** The last RING_SIZE bytes of a text stream, read by position in the stream. */
#ifndef MANAGER_RING_H
#define MANAGER_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_SIZE 65536u

struct ring {
	uint64_t written; /* bytes ever */
	char data[RING_SIZE];
};

void ring_write(struct ring *ring, const char *text, size_t size);
/** Copies up to `max` bytes from *cursor on and moves *cursor behind them; starts at the oldest
 * byte kept if *cursor is older, at the end if it is in the future. Returns the number of bytes. */
size_t ring_read(const struct ring *ring, uint64_t *cursor, char *text, size_t max);

#endif
