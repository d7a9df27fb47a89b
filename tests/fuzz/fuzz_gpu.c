/* SPDX-License-Identifier: Apache-2.0 */
/* GPU commands of any content: a sequence of requests, each with two bytes of length before it.
 * Sums of memory stay right, and all is given back at the end. */
#define _GNU_SOURCE

#include "fake_ring.h"
#include "gpu.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct gpu_store *store)
{
	uint64_t bytes = 0;
	unsigned entries = 0;

	for (unsigned i = 0; i < store->count; i++) {
		bytes += store->resource[i]->size;
		entries += store->resource[i]->entry_count;
	}
	if (bytes != store->bytes || bytes > BYTES_MAX || entries != store->entries) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gpu gpu;
	static uint8_t request[65536] __attribute__((aligned(8)));
	static uint8_t response[GPU_RESPONSE_MAX] __attribute__((aligned(8)));
	struct fake_ring ring;

	fake_ring_init(&ring, false);
	gpu_init(&gpu, -1, 640, 480, BYTES_MAX);
	while (size >= 2) {
		size_t length = data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		length = length < size ? length : size;
		memcpy(request, data, length);
		if (gpu_execute(&gpu, &ring.mem, request, (uint32_t)length, response) >
		    GPU_RESPONSE_MAX) {
			abort();
		}
		check(&gpu.store);
		data += length;
		size -= length;
	}
	gpu_reset(&gpu);
	if (gpu.store.bytes || gpu.store.entries || gpu.store.count) {
		abort();
	}
	fake_ring_fini(&ring);
	return 0;
}
