/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of any alignment: exactly their bytes are read and changed. */
#include "plugin_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE 8192u

static uint8_t bytes[SIZE];
static uint64_t discarded_from, discarded_size;

static int disk_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	memcpy(iov[0].iov_base, bytes + offset, size);
	return 0;
}

static int disk_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	memcpy(bytes + offset, iov[0].iov_base, size);
	return 0;
}

static int disk_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	discarded_from = offset;
	discarded_size = size;
	return 0;
}

static const struct layer_ops ops = {
	.name = "fake", .read = disk_read, .write = disk_write, .discard = disk_discard};
static struct layer disk = {.ops = &ops, .size = SIZE};

/* Every offset and size around sector borders, against a plain array. */
static void plugin_range_acts_on_exact_bytes(void **state)
{
	static const unsigned at[] = {0, 1, 511, 512, 513, 1023, 1024, 4000};
	static const unsigned sizes[] = {0, 1, 2, 511, 512, 513, 1024, 1537, 4096};
	uint8_t expect[SIZE], data[SIZE];

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (unsigned j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			for (unsigned k = 0; k < SIZE; k++) {
				bytes[k] = (uint8_t)(k * 31);
				data[k] = (uint8_t)~k;
			}
			memcpy(expect, bytes, SIZE);
			memcpy(expect + at[i], data, sizes[j]);
			assert_int_equal(plugin_write(&disk, data, sizes[j], at[i]), 0);
			assert_memory_equal(bytes, expect, SIZE);
			memset(data, 0, SIZE);
			assert_int_equal(plugin_read(&disk, data, sizes[j], at[i]), 0);
			assert_memory_equal(data, expect + at[i], sizes[j]);
			memset(expect + at[i], 0, sizes[j]);
			assert_int_equal(plugin_zero(&disk, sizes[j], at[i]), 0);
			assert_memory_equal(bytes, expect, SIZE);
		}
	}
}

/* Only whole sectors are given back. */
static void plugin_trim_keeps_partial_sectors(void **state)
{
	discarded_size = 0;
	assert_int_equal(plugin_trim(&disk, 1022, 1), 0);
	assert_int_equal(discarded_size, 0);
	assert_int_equal(plugin_trim(&disk, 1500, 1), 0);
	assert_int_equal(discarded_from, 512);
	assert_int_equal(discarded_size, 512);
	assert_int_equal(plugin_trim(&disk, 1024, 1024), 0);
	assert_int_equal(discarded_from, 1024);
	assert_int_equal(discarded_size, 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plugin_range_acts_on_exact_bytes),
		cmocka_unit_test(plugin_trim_keeps_partial_sectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
