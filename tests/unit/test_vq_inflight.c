/* SPDX-License-Identifier: Apache-2.0 */
/* The record of what is in flight: a back end that dies at any point leaves one from which the next
 * serves each chain once, in order. */
#define _GNU_SOURCE

#include "fake_ring.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct vq_chain chain;

struct fixture {
	struct fake_ring ring;
	struct vq_inflight inflight;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	fake_ring_init(&f.ring, false);
	f.inflight.record = calloc(1, vq_inflight_size(FAKE_RING_SIZE));
	assert_int_equal(vq_resume(&f.ring.vq, &f.inflight), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->inflight.record);
	fake_ring_fini(&f->ring);
	return 0;
}

static uint16_t offer(struct fixture *f)
{
	const struct fake_seg seg = {FAKE_BUFFERS, 16, true};

	return fake_ring_add(&f->ring, &seg, 1);
}

static int pop(struct fixture *f)
{
	int rc = vq_pop(&f->ring.vq, &chain);

	return rc > 0 ? chain.head : rc < 0 ? rc : -1;
}

/* A new back end on the same ring and record; what it was told as base does not matter. */
static void restart(struct fixture *f)
{
	struct vq_inflight_record *record = f->inflight.record;

	memset(&f->inflight, 0, sizeof(f->inflight));
	f->inflight.record = record;
	assert_int_equal(vq_setup(&f->ring.vq, &f->ring.mem, FAKE_RING_SIZE, FAKE_DESC, FAKE_AVAIL,
				  FAKE_USED, 77, false),
			 0);
	assert_int_equal(vq_resume(&f->ring.vq, &f->inflight), 0);
}

/* A fresh record starts where the ring stands. */
static void vq_resume_from_fresh_record(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->inflight.record->version, VQ_INFLIGHT_VERSION);
	assert_int_equal(f->inflight.record->size, FAKE_RING_SIZE);
	offer(f);
	assert_int_equal(pop(f), 0);
	assert_int_equal(f->inflight.record->entry[0].inflight, 1);
	vq_push(&f->ring.vq, &chain);
	assert_int_equal(f->inflight.record->entry[0].inflight, 0);
	assert_int_equal(f->inflight.record->used, 1);
}

/* What was taken and not given back comes again, in the order it was taken, then what is new. */
static void vq_resume_serves_unfinished_in_order(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 5; i++) {
		offer(f);
	}
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pop(f), i);
	}
	vq_push_head(&f->ring.vq, 2, 0); /* out of order */
	restart(f);
	assert_int_equal(pop(f), 0);
	assert_int_equal(pop(f), 1);
	assert_int_equal(pop(f), 3);
	assert_int_equal(pop(f), 4); /* the first one never taken */
	assert_int_equal(pop(f), -1);
	for (uint16_t i = 0; i < 5; i++) {
		if (i != 2) {
			vq_push_head(&f->ring.vq, i, 0);
		}
	}
	assert_int_equal(fake_ring_used_idx(&f->ring), 5);
	restart(f);
	assert_int_equal(pop(f), -1);
}

/* The order holds over several deaths. */
static void vq_resume_keeps_order_twice(void **state)
{
	struct fixture *f = *state;

	offer(f);
	offer(f);
	assert_int_equal(pop(f), 0);
	assert_int_equal(pop(f), 1);
	restart(f);
	assert_int_equal(pop(f), 0);
	offer(f);
	assert_int_equal(pop(f), 1);
	assert_int_equal(pop(f), 2);
	restart(f);
	assert_int_equal(pop(f), 0);
	assert_int_equal(pop(f), 1);
	assert_int_equal(pop(f), 2);
	assert_int_equal(pop(f), -1);
}

/* A death between the used ring and the record: the guest has the answer, it is not done again. */
static void vq_resume_trusts_used_ring(void **state)
{
	struct fixture *f = *state;

	offer(f);
	offer(f);
	assert_int_equal(pop(f), 0);
	assert_int_equal(pop(f), 1);
	vq_push_head(&f->ring.vq, 1, 0);
	f->inflight.record->entry[1].inflight = 1; /* as if the last two stores were missing */
	f->inflight.record->used = 0;
	restart(f);
	assert_int_equal(pop(f), 0);
	assert_int_equal(pop(f), -1);
}

/* A death before the used ring: it is done again. */
static void vq_resume_repeats_what_guest_does_not_know(void **state)
{
	struct fixture *f = *state;

	offer(f);
	assert_int_equal(pop(f), 0);
	vq_inflight_finish(&f->inflight, 0);
	restart(f);
	assert_int_equal(pop(f), 0);
	assert_int_equal(pop(f), -1);
}

/* A record full of lies breaks the queue at most. */
static void vq_resume_survives_garbage(void **state)
{
	struct fixture *f = *state;
	const size_t size = vq_inflight_size(FAKE_RING_SIZE);

	for (unsigned fill = 0; fill < 256; fill += 51) {
		memset(f->inflight.record, (int)fill, size);
		restart(f);
		while (pop(f) >= 0) {
			vq_push(&f->ring.vq, &chain);
		}
		memset(f->inflight.record->entry, 1, size - sizeof(*f->inflight.record));
		restart(f);
		for (unsigned i = 0; i < 2 * FAKE_RING_SIZE && pop(f) >= 0; i++) {
			vq_push(&f->ring.vq, &chain);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(vq_resume_from_fresh_record),
		TEST(vq_resume_serves_unfinished_in_order),
		TEST(vq_resume_keeps_order_twice),
		TEST(vq_resume_trusts_used_ring),
		TEST(vq_resume_repeats_what_guest_does_not_know),
		TEST(vq_resume_survives_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
