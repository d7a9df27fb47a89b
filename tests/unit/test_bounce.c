/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers that requests take turns with. */
#include "bounce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define MORE 5u

static struct bounce bounce;
static uint8_t *taken[BOUNCE_COUNT + MORE];
static unsigned got_count;

static void take_one(void *argument)
{
	uint8_t *buffer = bounce_get(&bounce);

	assert_non_null(buffer);
	*(uint8_t **)argument = buffer;
	got_count++;
}

/* The one used last comes first: it is still in the cache. */
static void last_used_comes_first(void **state)
{
	uint8_t *a = bounce_get(&bounce), *b = bounce_get(&bounce);

	assert_ptr_not_equal(a, b);
	memset(b, 1, BOUNCE_SIZE);
	bounce_put(&bounce, a);
	bounce_put(&bounce, b);
	assert_ptr_equal(bounce_get(&bounce), b);
	bounce_put(&bounce, b);
	bounce_fini(&bounce);
}

/* Requests beyond the bound wait, and each gets its own when one comes back. */
static void requests_beyond_the_bound_wait(void **state)
{
	got_count = 0;
	for (unsigned i = 0; i < BOUNCE_COUNT + MORE; i++) {
		assert_true(fiber_start(take_one, &taken[i]));
	}
	assert_int_equal(got_count, BOUNCE_COUNT);
	for (unsigned i = 0; i < MORE; i++) {
		bounce_put(&bounce, taken[i]);
		taken[i] = NULL;
		assert_int_equal(got_count, BOUNCE_COUNT + i + 1);
	}
	assert_null(bounce_get(&bounce)); /* not on a fiber: it could wait for ever */
	for (unsigned i = 0; i < BOUNCE_COUNT + MORE; i++) {
		for (unsigned j = 0; taken[i] && j < i; j++) {
			assert_ptr_not_equal(taken[i], taken[j]);
		}
	}
	for (unsigned i = 0; i < BOUNCE_COUNT + MORE; i++) {
		if (taken[i]) {
			bounce_put(&bounce, taken[i]);
		}
	}
	bounce_fini(&bounce);
	fiber_trim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_used_comes_first),
		cmocka_unit_test(requests_beyond_the_bound_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
