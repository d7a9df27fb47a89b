/* SPDX-License-Identifier: Apache-2.0 */
/** A few buffers that requests of one thread take turns with: memory stays bounded whatever the
 * queue depth, and the one used last, still in the cache, is handed out first. They hold plaintext
 * and are wiped at the end and left out of core dumps.
 */
#ifndef VHD_BOUNCE_H
#define VHD_BOUNCE_H

#include "fiber.h"

#include <stdint.h>

/** Bytes of one buffer, on a page: small enough for the second-level cache, large enough that a
 * request of 1 MiB waits for its file twice and not more. */
#define BOUNCE_SIZE  (512u << 10)
#define BOUNCE_COUNT 64u

struct bounce {
	uint8_t *idle[BOUNCE_COUNT];
	unsigned idle_count, made_count;
	struct fiber_mutex mutex;
	struct fiber_queue waiting;
};

/** A buffer; a fiber waits for one when all are in use. NULL: no memory, and none in use. */
uint8_t *bounce_get(struct bounce *bounce);
void bounce_put(struct bounce *bounce, uint8_t *buffer);

/** All buffers must be back. */
void bounce_fini(struct bounce *bounce);

#endif
