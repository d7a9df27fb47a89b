/* SPDX-License-Identifier: Apache-2.0 */
/* Holds its bytes in one piece; zeros by 4 KiB count as holes. */
#include "memory_layer.h"

#include "fiber.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void pass(struct memory_layer *memory)
{
	if (memory->park && fiber_self()) {
		assert(memory->parked_count < 64);
		memory->parked[memory->parked_count++] = fiber_self();
		fiber_park();
	}
}

bool memory_layer_go(struct memory_layer *memory)
{
	struct fiber *fiber = memory->parked[0];

	if (!memory->parked_count) {
		return false;
	}
	memory->parked_count--;
	memmove(memory->parked, memory->parked + 1, memory->parked_count * sizeof(fiber));
	fiber_wake(fiber);
	return true;
}

static int memory_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		       uint64_t offset)
{
	struct memory_layer *memory = (struct memory_layer *)layer;

	pass(memory);
	memory->reads++;
	for (unsigned i = 0; i < count; i++) {
		memcpy(iov[i].iov_base, memory->bytes + offset, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return 0;
}

static int memory_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
			uint64_t offset)
{
	struct memory_layer *memory = (struct memory_layer *)layer;
	int rc = memory->fail_next;

	memory->fail_next = 0;
	pass(memory);
	memory->writes++;
	for (unsigned i = 0; !rc && i < count; i++) {
		memcpy(memory->bytes + offset, iov[i].iov_base, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return rc;
}

static int memory_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	struct memory_layer *memory = (struct memory_layer *)layer;

	memory->discards++;
	memset(memory->bytes + offset, 0, size);
	return 0;
}

static int memory_flush(struct layer *layer)
{
	((struct memory_layer *)layer)->flushes++;
	return 0;
}

/* By 4 KiB: zeros are holes. */
static int memory_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
			 unsigned *ret_extent)
{
	static const uint8_t zeros[4096];
	const uint8_t *bytes = ((struct memory_layer *)layer)->bytes;
	uint64_t left = layer->size - offset, n = 4096 - offset % 4096;

	n = n < left ? n : left;
	*ret_size = n;
	*ret_extent = memcmp(bytes + offset, zeros, n) ? LAYER_DATA : LAYER_ZERO | LAYER_HOLE;
	return 0;
}

static int memory_close(struct layer *layer)
{
	free(((struct memory_layer *)layer)->bytes);
	free(layer);
	return 0;
}

static const struct layer_ops memory_ops = {
	.name = "memory",
	.read = memory_read,
	.write = memory_write,
	.discard = memory_discard,
	.flush = memory_flush,
	.extent = memory_extent,
	.close = memory_close,
};

struct memory_layer *memory_layer_create(uint64_t size)
{
	struct memory_layer *memory = calloc(1, sizeof(*memory));

	assert(memory);
	memory->bytes = calloc(1, size);
	assert(memory->bytes);
	memory->layer.ops = &memory_ops;
	memory->layer.size = size;
	memory->layer.block_size = LAYER_SECTOR;
	return memory;
}
