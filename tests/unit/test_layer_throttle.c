/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and shares on a clock that the test turns: disks that ask all the time run on fibers, and
 * a small loop wakes whoever has waited long enough. */
#define _GNU_SOURCE

#include "fiber.h"
#include "layer_raw.h"
#include "layer_throttle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#define SECOND 1000000000ull

static uint64_t time_ns, end_ns;

static struct sleeper {
	struct fiber *fiber;
	uint64_t until;
} sleepers[8];

static uint64_t fake_now(const struct layer_clock *clock)
{
	return time_ns;
}

static void fake_wait(const struct layer_clock *clock, uint64_t ns)
{
	unsigned i = 0;

	if (!fiber_self()) {
		time_ns += ns;
		return;
	}
	while (sleepers[i].fiber) {
		i++;
	}
	sleepers[i] = (struct sleeper){fiber_self(), time_ns + ns};
	fiber_park();
}

static const struct layer_clock fake_clock = {fake_now, fake_wait};

/* Turns the clock to the next sleeper until nobody sleeps. */
static void run_clock(void)
{
	for (;;) {
		struct sleeper *first = NULL;
		struct fiber *fiber;

		for (unsigned i = 0; i < 8; i++) {
			if (sleepers[i].fiber && (!first || sleepers[i].until < first->until)) {
				first = &sleepers[i];
			}
		}
		if (!first) {
			return;
		}
		fiber = first->fiber;
		time_ns = first->until > time_ns ? first->until : time_ns;
		first->fiber = NULL;
		fiber_wake(fiber);
	}
}

static struct layer *open_disk(const struct layer_throttle_limits *limits)
{
	struct file *file;
	struct layer *raw, *top;

	assert_int_equal(file_from_fd(memfd_create("disk", MFD_CLOEXEC), &file), 0);
	assert_int_equal(file_resize(file, 64u << 20), 0);
	assert_int_equal(layer_raw_open(file, &raw), 0);
	assert_int_equal(layer_throttle_open(raw, limits, &top), 0);
	return top;
}

/* A disk that asks for one block after the other, and how many it got. */
struct user {
	struct layer *disk;
	size_t size;
	uint64_t pause_ns; /* between two requests */
	uint64_t count;
	uint64_t worst_ns; /* longest wait */
};

static void use(void *argument)
{
	static uint8_t bytes[1u << 20];
	struct user *user = argument;

	while (time_ns < end_ns) {
		uint64_t from = time_ns;

		if (layer_read(user->disk, bytes, user->size, 0)) {
			abort();
		}
		user->count++;
		user->worst_ns = time_ns - from > user->worst_ns ? time_ns - from : user->worst_ns;
		if (user->pause_ns) {
			fake_wait(&fake_clock, user->pause_ns);
		}
	}
}

static void run_users(struct user *users, unsigned count, uint64_t span_ns)
{
	end_ns = time_ns + span_ns;
	for (unsigned i = 0; i < count; i++) {
		assert_true(fiber_start(use, &users[i]));
	}
	run_clock();
	fiber_trim();
}

/* A burst passes at once, then requests come at the rate; bytes alike. */
static void layer_throttle_limits_one_disk(void **state)
{
	struct layer_throttle_limits requests = {.limit = {.iops = 100, .iops_burst = 20},
						 .clock = &fake_clock};
	struct layer_throttle_limits bytes = {.limit = {.bytes = 10u << 20}, .clock = &fake_clock};
	struct user user = {.disk = open_disk(&requests), .size = 4096};

	(void)state;
	run_users(&user, 1, 10 * SECOND);
	assert_in_range(user.count, 1015, 1025);
	assert_int_equal(layer_close(user.disk), 0);
	user = (struct user){.disk = open_disk(&bytes), .size = 1u << 20};
	run_users(&user, 1, 10 * SECOND);
	assert_in_range(user.count, 100, 103);
	layer_throttle_set_limit(user.disk, &(struct throttle_rate){0});
	user.count = 0;
	assert_int_equal(layer_read(user.disk, (uint8_t[512]){0}, 512, 0), 0);
	assert_int_equal(layer_close(user.disk), 0);
}

/* Flushes are never held back; a huge zeroing is paid for in full. */
static void layer_throttle_charges_by_kind(void **state)
{
	struct layer_throttle_limits limits = {.limit = {.iops = 10, .bytes = 32u << 20},
					       .clock = &fake_clock};
	struct layer *disk = open_disk(&limits);

	(void)state;
	time_ns = 1000 * SECOND;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(layer_flush(disk), 0);
	}
	assert_int_equal(time_ns, 1000 * SECOND);
	assert_int_equal(layer_zero(disk, 0, 64u << 20), 0);
	assert_int_equal(layer_read(disk, (uint8_t[512]){0}, 512, 0), 0);
	assert_in_range(time_ns, 1001 * SECOND + SECOND / 2, 1002 * SECOND);
	assert_int_equal(layer_close(disk), 0);
}

/* A disk with a share gets it, without waiting, however much another one asks for, also after it
 * was idle or had taken more than its share. The budget is never exceeded. */
static void layer_throttle_guarantees_a_share(void **state)
{
	struct throttle_rate budget = {.iops = 1000};
	struct layer_throttle_limits limits = {.share = {.iops = 300}, .clock = &fake_clock};
	struct user users[3];

	(void)state;
	assert_int_equal(throttle_group_create(&budget, &limits.group), 0);
	users[0] = (struct user){.disk = open_disk(&limits), .size = 512, .pause_ns = SECOND / 250};
	limits.share.iops = 0;
	users[1] = (struct user){.disk = open_disk(&limits), .size = 512};
	users[2] = (struct user){.disk = open_disk(&limits), .size = 512};
	run_users(users, 3, 10 * SECOND);
	assert_in_range(users[0].count, 2490, 2510);
	assert_int_equal(users[0].worst_ns, 0);
	assert_in_range(users[0].count + users[1].count + users[2].count, 9900, 10150);
	assert_true(users[1].count > 3000 && users[2].count > 3000);

	users[0].pause_ns = 0; /* alone it may take everything */
	users[0].count = users[1].count = users[2].count = 0;
	run_users(users, 1, 10 * SECOND);
	assert_in_range(users[0].count, 9900, 10450);
	users[0].count = 0;
	run_users(users, 3, 10 * SECOND);
	assert_true(users[0].count >= 2990);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(layer_close(users[i].disk), 0);
	}
	throttle_group_destroy(limits.group);
}

/* Shares cannot sum up to more than there is; closing a disk gives its share back. */
static void layer_throttle_refuses_too_large_shares(void **state)
{
	struct throttle_rate budget = {.bytes = 1000000};
	struct layer_throttle_limits limits = {.share = {.bytes = 600000, .iops = 5},
					       .clock = &fake_clock};
	struct layer *first, *second = NULL;

	(void)state;
	assert_int_equal(throttle_group_create(&budget, &limits.group), 0);
	first = open_disk(&limits);
	assert_int_equal(layer_throttle_open(first, &limits, &second), -EDQUOT);
	assert_null(second);
	assert_int_equal(layer_close(first), 0);
	first = open_disk(&limits);
	assert_int_equal(layer_close(first), 0);
	throttle_group_destroy(limits.group);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(layer_throttle_limits_one_disk),
		cmocka_unit_test(layer_throttle_charges_by_kind),
		cmocka_unit_test(layer_throttle_guarantees_a_share),
		cmocka_unit_test(layer_throttle_refuses_too_large_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
