/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers: a request parks, others run, it goes on where it was. */
#include "fiber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define MANY 100u

struct request {
	struct fiber *fiber;
	unsigned steps;
	unsigned sum;
};

static struct fiber_mutex mutex;
static struct fiber_queue queue;
static char order[8];
static bool open_now;

static void note(char c)
{
	order[strlen(order)] = c;
}

static int setup(void **state)
{
	(void)state;
	memset(order, 0, sizeof(order));
	memset(&mutex, 0, sizeof(mutex));
	memset(&queue, 0, sizeof(queue));
	open_now = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fiber_trim();
	return 0;
}

/* Some 8 KiB of stack that must be the same after each park. */
static void work(void *argument)
{
	struct request *request = argument;
	volatile uint8_t bytes[8192];

	request->fiber = fiber_self();
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i * 7 + (uintptr_t)request);
	}
	while (request->steps--) {
		fiber_park();
	}
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		request->sum += bytes[i] == (uint8_t)(i * 7 + (uintptr_t)request);
	}
	request->fiber = NULL;
}

/* Many requests are parked at a time, each goes on with its own stack, and stacks are used again.
 */
static void fiber_park_keeps_the_stack(void **state)
{
	struct request requests[MANY];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		memset(requests, 0, sizeof(requests));
		for (unsigned i = 0; i < MANY; i++) {
			requests[i].steps = i % 4;
			assert_true(fiber_start(work, &requests[i]));
		}
		for (unsigned step = 0; step < 4; step++) {
			for (unsigned i = MANY; i-- > 0;) {
				if (requests[i].fiber) {
					fiber_wake(requests[i].fiber);
				}
			}
		}
		for (unsigned i = 0; i < MANY; i++) {
			assert_null(requests[i].fiber);
			assert_int_equal(requests[i].sum, 8192);
		}
	}
	assert_null(fiber_self());
}

static struct fiber *holder;

static void hold(void *argument)
{
	fiber_mutex_lock(&mutex);
	note('a');
	holder = fiber_self();
	fiber_park();
	note('b');
	fiber_mutex_unlock(&mutex);
	note('c');
}

static void enter_after(void *argument)
{
	fiber_mutex_lock(&mutex);
	note(*(const char *)argument);
	fiber_mutex_unlock(&mutex);
}

/* Who waits for a mutex gets it in order of arrival, when its holder lets go. */
static void fiber_mutex_is_taken_in_order(void **state)
{
	(void)state;
	assert_true(fiber_start(hold, NULL));
	assert_true(fiber_start(enter_after, (char[]){"1"}));
	assert_true(fiber_start(enter_after, (char[]){"2"}));
	assert_string_equal(order, "a");
	fiber_wake(holder);
	assert_string_equal(order, "abc12");
	fiber_mutex_lock(&mutex);
	fiber_mutex_unlock(&mutex);
}

static void wait_open(void *argument)
{
	fiber_mutex_lock(&mutex);
	while (!open_now) {
		note('w');
		fiber_queue_wait(&queue, &mutex);
	}
	note('x');
	fiber_mutex_unlock(&mutex);
}

/* Everybody in a queue looks again when it is woken, with the mutex held. */
static void fiber_queue_wakes_all(void **state)
{
	(void)state;
	assert_true(fiber_start(wait_open, NULL));
	assert_true(fiber_start(wait_open, NULL));
	fiber_queue_wake_all(&queue);
	open_now = true;
	fiber_queue_wake_all(&queue);
	assert_string_equal(order, "wwwwxx");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fiber_park_keeps_the_stack, setup, teardown),
		cmocka_unit_test_setup_teardown(fiber_mutex_is_taken_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(fiber_queue_wakes_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
