/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor table of any content: a chain comes out valid as a whole, or the queue breaks. */
#define _GNU_SOURCE

#include "fake_ring.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct fake_ring *ring, const struct vq_chain *chain)
{
	uint64_t read = 0, write = 0;

	for (unsigned i = 0; i < chain->seg_count; i++) {
		if (!guest_check_range(&ring->mem, chain->seg[i].gpa, chain->seg[i].len)) {
			abort();
		}
		*(i < chain->readable_count ? &read : &write) += chain->seg[i].len;
	}
	if (read != chain->read_left || write != chain->write_left || read + write > VQ_BYTES_MAX) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vq_chain chain;
	struct fake_ring ring;
	uint8_t bytes[4096];

	fake_ring_init(&ring, size & 1);
	fake_ring_load(&ring, data, size);
	for (unsigned i = 0; i < 4; i++) {
		fake_ring_offer(&ring, (uint16_t)i);
	}
	while (vq_pop(&ring.vq, &chain) > 0) {
		check(&ring, &chain);
		if (vq_read(&ring.vq, &chain, bytes,
			    chain.read_left < 4096 ? chain.read_left : 4096) < 0) {
			abort();
		}
		vq_skip_write(&chain, chain.write_left / 2);
		if (vq_write(&ring.vq, &chain, bytes,
			     chain.write_left < 4096 ? chain.write_left : 4096) < 0) {
			abort();
		}
		vq_push(&ring.vq, &chain);
		vq_notify(&ring.vq);
	}
	fake_ring_fini(&ring);
	return 0;
}
