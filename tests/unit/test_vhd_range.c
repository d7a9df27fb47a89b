/* SPDX-License-Identifier: Apache-2.0 */
/* Stretches of a disk that one request has for itself. */
#define _GNU_SOURCE

#include "vhd_range.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct vhd_ranges ranges;
static struct fiber *parked;
static char order[16];

struct request {
	uint64_t start, end;
	char name;
	bool parks;
};

static void take(void *argument)
{
	struct request *request = argument;
	struct vhd_range range;

	vhd_range_lock(&ranges, &range, request->start, request->end);
	strncat(order, &request->name, 1);
	if (request->parks) {
		parked = fiber_self();
		fiber_park();
	}
	vhd_range_unlock(&ranges, &range);
}

/* Who overlaps waits until the range is free; who does not goes on. */
static void vhd_range_lock_waits_for_overlap_only(void **state)
{
	struct request first = {0, 8192, 'a', true}, overlaps = {4096, 12288, 'b', false},
		       beside = {8192, 16384, 'c', false};

	(void)state;
	order[0] = 0;
	assert_true(fiber_start(take, &first));
	assert_true(fiber_start(take, &overlaps));
	assert_true(fiber_start(take, &beside));
	assert_string_equal(order, "ac");
	fiber_wake(parked);
	assert_string_equal(order, "acb");
	assert_null(ranges.first);
	fiber_trim();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhd_range_lock_waits_for_overlap_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
