/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the allowance of random bytes. Invariant: over any second a guest gets at most twice its
 * rate. */
#define _GNU_SOURCE

#include "rng.h"

#include <sys/random.h>

#define NS_PER_SECOND 1000000000ull
#define BATCH	      64u
/* Below this the requests wait, so that answers stay worth their notification. */
#define ALLOWANCE_MIN 64u

void rng_init(struct rng *rng, uint64_t rate, uint64_t now_ns)
{
	rng->rate = rate;
	rng->allowance = rate;
	rng->last_ns = now_ns;
}

static void refill(struct rng *rng, uint64_t now_ns)
{
	uint64_t passed = now_ns - rng->last_ns;
	uint64_t earned;

	if (passed >= NS_PER_SECOND) {
		passed = NS_PER_SECOND;
	}
	earned = passed * rng->rate / NS_PER_SECOND;
	if (!earned) {
		return; /* the time is kept until it makes a whole byte */
	}
	rng->last_ns = now_ns;
	rng->allowance += earned;
	if (rng->allowance > rng->rate) {
		rng->allowance = rng->rate;
	}
}

static bool may_give(const struct rng *rng)
{
	return rng->allowance >= (rng->rate < ALLOWANCE_MIN ? rng->rate : ALLOWANCE_MIN);
}

int rng_wait_ms(const struct rng *rng)
{
	return may_give(rng) ? -1 : (int)(ALLOWANCE_MIN * 1000 / rng->rate + 1);
}

/* Fills one request with at most `size` bytes. */
static uint32_t fill(struct vq *vq, struct vq_chain *chain, uint32_t size)
{
	uint8_t bytes[RNG_REQUEST_MAX];
	ssize_t got = getrandom(bytes, size, 0);

	if (got < 0 || vq_write(vq, chain, bytes, (uint32_t)got) < 0) {
		return 0;
	}
	return (uint32_t)got;
}

bool rng_handle_queue(struct rng *rng, struct vq *vq, uint64_t now_ns)
{
	unsigned served = 0;

	refill(rng, now_ns);
	while (served < BATCH && may_give(rng) && vq_pop(vq, &rng->chain) > 0) {
		uint32_t size = rng->chain.write_left;

		size = size < RNG_REQUEST_MAX ? size : RNG_REQUEST_MAX;
		size = size < rng->allowance ? size : (uint32_t)rng->allowance;
		rng->allowance -= fill(vq, &rng->chain, size);
		vq_push(vq, &rng->chain);
		served++;
	}
	vq_notify(vq);
	return served == BATCH;
}
