/* SPDX-License-Identifier: Apache-2.0 */
/* The layers that only look at requests: stats, fault, delay; and all of them in one stack. */
#define _GNU_SOURCE

#include "layer_cow.h"
#include "layer_delay.h"
#include "layer_fault.h"
#include "layer_raw.h"
#include "layer_stats.h"
#include "layer_throttle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

static uint64_t time_ns;

static uint64_t fake_now(const struct layer_clock *clock)
{
	return time_ns;
}

static void fake_wait(const struct layer_clock *clock, uint64_t ns)
{
	time_ns += ns;
}

static const struct layer_clock fake_clock = {fake_now, fake_wait};

static struct layer *open_raw(void)
{
	struct file *file;
	struct layer *raw;

	assert_int_equal(file_from_fd(memfd_create("disk", MFD_CLOEXEC), &file), 0);
	assert_int_equal(file_resize(file, 1u << 20), 0);
	assert_int_equal(layer_raw_open(file, &raw), 0);
	return raw;
}

/* Requests, bytes, errors and times are counted by kind; JSON has them all. */
static void layer_stats_counts(void **state)
{
	struct layer_fault plan = {.kinds = LAYER_REQUEST_BIT(LAYER_REQUEST_WRITE),
				   .skip = 1,
				   .count = 1,
				   .error = -EIO};
	struct layer_delay delays = {.ns = {[LAYER_REQUEST_READ] = 3000}, .clock = &fake_clock};
	struct layer *fault, *delay, *stats;
	const struct layer_stats_counts *reads;
	uint8_t bytes[4096] = {0};
	char json[4096];

	(void)state;
	assert_int_equal(layer_fault_open(open_raw(), &fault), 0);
	assert_int_equal(layer_fault_add(fault, &plan), 0);
	assert_int_equal(layer_delay_open(fault, &delays, &delay), 0);
	assert_int_equal(layer_stats_open(delay, &fake_clock, &stats), 0);
	assert_int_equal(layer_write(stats, bytes, 4096, 0), 0);
	assert_int_equal(layer_write(stats, bytes, 4096, 0), -EIO);
	assert_int_equal(layer_read(stats, bytes, 512, 0), 0);
	assert_int_equal(layer_flush(stats), 0);
	reads = layer_stats_get(stats, LAYER_REQUEST_READ);
	assert_int_equal(reads->busy_ns, 3000);
	assert_int_equal(reads->buckets[2], 1);
	assert_int_equal(layer_stats_get(stats, LAYER_REQUEST_WRITE)->bytes, 4096);
	assert_true(layer_stats_json(stats, json, sizeof(json)) < sizeof(json));
	assert_non_null(strstr(json, "\"write\": {\"requests\": 2, \"bytes\": 4096, \"errors\": 1, "
				     "\"busy_us\": 0, \"latency_us\": [2]}"));
	assert_non_null(strstr(json, "\"flush\": {\"requests\": 1, "));
	assert_true(layer_stats_json(stats, json, 10) > 100 && strlen(json) == 9);
	assert_int_equal(layer_close(stats), 0);
}

/* The n-th request that touches the range fails, as often as planned. */
static void layer_fault_fails_by_plan(void **state)
{
	struct layer_fault range = {.kinds = LAYER_REQUEST_BIT(LAYER_REQUEST_READ),
				    .offset = 8192,
				    .size = 512,
				    .skip = 1,
				    .count = 2,
				    .error = -EBADMSG};
	struct layer_fault flushes = {.kinds = LAYER_REQUEST_BIT(LAYER_REQUEST_FLUSH),
				      .count = LAYER_FAULT_EVER,
				      .error = -ENOSPC};
	struct layer_fault wrong = {.kinds = LAYER_REQUEST_ALL, .count = 1, .error = EIO};
	struct layer *fault;
	uint8_t bytes[8192];

	(void)state;
	assert_int_equal(layer_fault_open(open_raw(), &fault), 0);
	assert_int_equal(layer_fault_add(fault, &wrong), -EINVAL);
	assert_int_equal(layer_fault_add(fault, &range), 0);
	assert_int_equal(layer_fault_add(fault, &flushes), 0);
	assert_int_equal(layer_read(fault, bytes, 8192, 4096), 0);
	assert_int_equal(layer_read(fault, bytes, 8192, 0), 0);
	assert_int_equal(layer_read(fault, bytes, 512, 8704), 0);
	assert_int_equal(layer_read(fault, bytes, 8192, 4096), -EBADMSG);
	assert_int_equal(layer_read(fault, bytes, 512, 8192), -EBADMSG);
	assert_int_equal(layer_read(fault, bytes, 512, 8192), 0);
	assert_int_equal(layer_flush(fault), -ENOSPC);
	assert_int_equal(layer_flush(fault), -ENOSPC);
	assert_int_equal(layer_fault_get_count(fault), 4);
	layer_fault_clear(fault);
	assert_int_equal(layer_flush(fault), 0);
	assert_int_equal(layer_close(fault), 0);
}

/* Only requests of the kind and in the range wait. */
static void layer_delay_waits(void **state)
{
	struct layer_delay plan = {.ns = {[LAYER_REQUEST_WRITE] = 500},
				   .offset = 4096,
				   .size = 4096,
				   .clock = &fake_clock};
	struct layer *delay;
	uint8_t bytes[512] = {0};

	(void)state;
	time_ns = 1000;
	assert_int_equal(layer_delay_open(open_raw(), &plan, &delay), 0);
	assert_int_equal(layer_write(delay, bytes, 512, 0), 0);
	assert_int_equal(layer_read(delay, bytes, 512, 4096), 0);
	assert_int_equal(layer_write(delay, bytes, 512, 8192), 0);
	assert_int_equal(time_ns, 1000);
	assert_int_equal(layer_write(delay, bytes, 512, 4096), 0);
	assert_int_equal(time_ns, 1500);
	assert_int_equal(layer_close(delay), 0);
}

/* A stack of all of them behaves like the disk below; each layer is found by its name. */
static void layer_stack_of_all(void **state)
{
	static uint8_t wanted[1u << 20], got[1u << 20];
	struct layer_throttle_limits limits = {.limit = {.iops = 1000}, .clock = &fake_clock};
	struct layer_delay plan = {.ns = {1, 2, 3, 4, 5}, .clock = &fake_clock};
	struct layer *top = open_raw();

	(void)state;
	assert_int_equal(layer_fault_open(top, &top), 0);
	assert_int_equal(layer_delay_open(top, &plan, &top), 0);
	assert_int_equal(layer_cow_open(top, NULL, 0, &top), 0);
	assert_int_equal(layer_throttle_open(top, &limits, &top), 0);
	assert_int_equal(layer_stats_open(top, &fake_clock, &top), 0);
	assert_int_equal(top->size, 1u << 20);
	assert_non_null(layer_find(top, "raw"));
	assert_non_null(layer_find(top, "throttle"));
	assert_null(layer_find(top, "crypt"));
	srand(3);
	for (unsigned i = 0; i < 500; i++) {
		uint64_t offset = (uint64_t)(rand() % 2000) * 512;
		size_t size = (size_t)(1 + rand() % 48) * 512;

		memset(wanted + offset, rand() % 4 ? (int)i : 0, size);
		if (wanted[offset] == 0) {
			assert_int_equal(layer_zero(top, offset, size), 0);
		} else {
			assert_int_equal(layer_write(top, wanted + offset, size, offset), 0);
		}
	}
	assert_int_equal(layer_discard(top, 0, 1u << 20), 0);
	assert_int_equal(layer_flush(top), 0);
	assert_int_equal(layer_read(top, got, sizeof(got), 0), 0);
	assert_memory_equal(got, wanted, sizeof(got));
	assert_int_equal(layer_close(top), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(layer_stats_counts),
		cmocka_unit_test(layer_fault_fails_by_plan),
		cmocka_unit_test(layer_delay_waits),
		cmocka_unit_test(layer_stack_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
