/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-rng: random bytes, no faster than allowed. */
#define _GNU_SOURCE

#include "fake_ring.h"
#include "rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define SECOND 1000000000ull

static struct rng rng;

static int setup(void **state)
{
	static struct fake_ring ring;

	fake_ring_init(&ring, false);
	rng_init(&rng, 8192, 0);
	*state = &ring;
	return 0;
}

static int teardown(void **state)
{
	fake_ring_fini(*state);
	return 0;
}

static void ask(struct fake_ring *ring, uint32_t size)
{
	const struct fake_seg seg = {FAKE_BUFFERS, size, true};

	fake_ring_add(ring, &seg, 1);
}

static uint32_t used_len(const struct fake_ring *ring, unsigned i)
{
	uint32_t id, len;

	fake_ring_used(ring, i, &id, &len);
	return len;
}

/* A request is filled with bytes that are not all the same. */
static void rng_fills_buffer(void **state)
{
	struct fake_ring *ring = *state;
	bool differ = false;

	ask(ring, 64);
	assert_false(rng_handle_queue(&rng, &ring->vq, 0));
	assert_int_equal(used_len(ring, 0), 64);
	for (unsigned i = 1; i < 64; i++) {
		differ = differ || ring->ram[FAKE_BUFFERS + i] != ring->ram[FAKE_BUFFERS];
	}
	assert_true(differ);
	assert_int_equal(fake_ring_calls(ring), 1);
}

/* A large request gets a part. */
static void rng_caps_one_answer(void **state)
{
	struct fake_ring *ring = *state;

	ask(ring, 100000);
	rng_handle_queue(&rng, &ring->vq, 0);
	assert_int_equal(used_len(ring, 0), RNG_REQUEST_MAX);
}

/* When the allowance is used up requests wait, and are answered when time has passed. */
static void rng_makes_greedy_guest_wait(void **state)
{
	struct fake_ring *ring = *state;

	for (unsigned i = 0; i < 4; i++) {
		ask(ring, 4096);
	}
	assert_int_equal(rng_wait_ms(&rng), -1);
	rng_handle_queue(&rng, &ring->vq, 0);
	assert_int_equal(fake_ring_used_idx(ring), 2);
	assert_true(rng_wait_ms(&rng) > 0);
	rng_handle_queue(&rng, &ring->vq, SECOND / 1000);
	assert_int_equal(fake_ring_used_idx(ring), 2);
	rng_handle_queue(&rng, &ring->vq, SECOND / 2 + SECOND / 1000);
	assert_int_equal(fake_ring_used_idx(ring), 3);
}

/* Idle time earns no more than one second's worth. */
static void rng_saves_up_one_second(void **state)
{
	struct fake_ring *ring = *state;

	for (unsigned i = 0; i < 4; i++) {
		ask(ring, 4096);
	}
	rng_handle_queue(&rng, &ring->vq, 100 * SECOND);
	assert_int_equal(fake_ring_used_idx(ring), 2);
}

/* A request with nothing to write into is answered with nothing. */
static void rng_answers_readable_request_with_nothing(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 16, false};

	fake_ring_add(ring, &seg, 1);
	rng_handle_queue(&rng, &ring->vq, 0);
	assert_int_equal(used_len(ring, 0), 0);
	assert_int_equal(fake_ring_used_idx(ring), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rng_fills_buffer),
		TEST(rng_caps_one_answer),
		TEST(rng_makes_greedy_guest_wait),
		TEST(rng_saves_up_one_second),
		TEST(rng_answers_readable_request_with_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
