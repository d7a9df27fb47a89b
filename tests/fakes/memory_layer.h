/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in memory as the bottom of a stack. On a fiber its reads and writes park until
 * memory_layer_go(): before a read looks, and before a write is done. */
#ifndef MEMORY_LAYER_H
#define MEMORY_LAYER_H

#include "layer.h"

struct memory_layer {
	struct layer layer;
	uint8_t *bytes;
	unsigned reads, writes, flushes, discards;
	int fail_next; /* -errno of the next write, once */
	bool park;
	struct fiber *parked[64];
	unsigned parked_count;
};

struct memory_layer *memory_layer_create(uint64_t size);
/* Wakes the one that waits longest; false: nobody. */
bool memory_layer_go(struct memory_layer *memory);

#endif
