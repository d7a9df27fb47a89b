/* SPDX-License-Identifier: Apache-2.0 */
/** virtio-rng: random bytes for the guest, at a bounded rate.
 *
 *  Source: virtio 1.2, "Entropy Device".
 */
#ifndef BH_DEVICES_RNG_H
#define BH_DEVICES_RNG_H

#include "vq.h"

#define RNG_QUEUE_COUNT	 1u
#define RNG_RATE_DEFAULT 65536u
/** Most bytes of one answer; the guest asks again when it wants more. */
#define RNG_REQUEST_MAX 4096u

struct rng {
	uint64_t rate;	    /* bytes per second; also the most that is saved up while nobody asks */
	uint64_t allowance; /* bytes that may be given now */
	uint64_t last_ns;   /* when the allowance was counted */
	struct vq_chain chain;
};

/** rate: bytes per second, > 0. now_ns: monotonic clock. */
void rng_init(struct rng *rng, uint64_t rate, uint64_t now_ns);

/** Answers requests while the allowance lasts. Returns true when it stopped for another reason than
 * that. */
bool rng_handle_queue(struct rng *rng, struct vq *vq, uint64_t now_ns);

/** Milliseconds until requests may be answered again; -1 when they may now. */
int rng_wait_ms(const struct rng *rng);

#endif
