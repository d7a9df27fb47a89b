/* SPDX-License-Identifier: Apache-2.0 */
/* Throw-away writes over a raw file, kept in memory or in a file. */
#define _GNU_SOURCE

#include "layer_cow.h"
#include "layer_fault.h"
#include "layer_raw.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#define DISK_SIZE ((3u << 20) + 1536u)

static uint8_t plain[DISK_SIZE], wanted[DISK_SIZE], got[DISK_SIZE];

static struct file *memory_file(void)
{
	struct file *file;

	assert_int_equal(file_from_fd(memfd_create("disk", MFD_CLOEXEC), &file), 0);
	return file;
}

/* A raw disk of random bytes, read-only, under a cow layer. */
static struct layer *open_disk(struct file *store, uint64_t bound)
{
	struct file *file = memory_file();
	struct layer *raw, *cow;

	for (unsigned i = 0; i < DISK_SIZE; i++) {
		plain[i] = (uint8_t)rand();
	}
	memcpy(wanted, plain, DISK_SIZE);
	assert_int_equal(file_write(file, plain, DISK_SIZE, 0), 0);
	file->read_only = true;
	assert_int_equal(layer_raw_open(file, &raw), 0);
	assert_int_equal(layer_cow_open(raw, store, bound, &cow), 0);
	return cow;
}

/* A range that ends inside the disk, by sectors. */
static void pick(uint64_t *ret_offset, size_t *ret_size)
{
	uint64_t sectors = DISK_SIZE / LAYER_SECTOR;
	uint64_t at = (uint64_t)rand() % sectors;
	uint64_t count = 1 + (uint64_t)rand() % 40;

	count = count < sectors - at ? count : sectors - at;
	*ret_offset = at * LAYER_SECTOR;
	*ret_size = (size_t)count * LAYER_SECTOR;
}

static void change(struct layer *cow)
{
	uint64_t offset;
	size_t size;
	struct iovec iov[2];

	pick(&offset, &size);
	if (rand() % 3 == 0) {
		memset(wanted + offset, 0, size);
		assert_int_equal(layer_zero(cow, offset, size), 0);
		return;
	}
	for (size_t i = 0; i < size; i++) {
		wanted[offset + i] = (uint8_t)rand();
	}
	iov[0] = (struct iovec){wanted + offset, size / 3};
	iov[1] = (struct iovec){wanted + offset + size / 3, size - size / 3};
	assert_int_equal(layer_writev(cow, iov, 2, size, offset), 0);
}

static void check(struct layer *cow)
{
	uint64_t offset;
	size_t size;
	struct iovec iov[3];

	pick(&offset, &size);
	iov[0] = (struct iovec){got, 100};
	iov[1] = (struct iovec){got + 100, 0};
	iov[2] = (struct iovec){got + 100, size - 100};
	assert_int_equal(layer_readv(cow, iov, 3, size, offset), 0);
	assert_memory_equal(got, wanted + offset, size);
}

static void run(struct file *store)
{
	struct layer *cow = open_disk(store, 0);

	for (unsigned i = 0; i < 300; i++) {
		change(cow);
		check(cow);
	}
	assert_int_equal(layer_flush(cow), 0);
	assert_int_equal(layer_read(cow, got, DISK_SIZE, 0), 0);
	assert_memory_equal(got, wanted, DISK_SIZE);
	assert_int_equal(layer_read(cow->below, got, DISK_SIZE, 0), 0);
	assert_memory_equal(got, plain, DISK_SIZE);
	assert_int_equal(layer_close(cow), 0);
}

/* What was written is read, what was not comes from below, and below nothing changes. */
static void layer_cow_keeps_writes_in_memory(void **state)
{
	(void)state;
	srand(1);
	run(NULL);
}

static void layer_cow_keeps_writes_in_a_file(void **state)
{
	(void)state;
	srand(2);
	run(memory_file());
}

/* At the bound a write into a new block fails and the disk reads as before; old blocks can still be
 * written, and zeros need no room. */
static void layer_cow_stops_at_its_bound(void **state)
{
	struct layer *cow = open_disk(NULL, 2 * LAYER_COW_BLOCK);
	uint8_t ones[LAYER_COW_BLOCK];

	(void)state;
	memset(ones, 1, sizeof(ones));
	assert_int_equal(layer_write(cow, ones, 512, 4096), 0);
	assert_int_equal(layer_write(cow, ones, 4096, 40960), 0);
	assert_int_equal(layer_write(cow, ones, 4096, 81920), -ENOSPC);
	assert_int_equal(layer_zero(cow, 122880, 4096), 0);
	assert_int_equal(layer_write(cow, ones, 512, 4608), 0);
	assert_int_equal(layer_cow_get_used(cow), 2 * LAYER_COW_BLOCK);
	assert_int_equal(layer_read(cow, got, 4096, 81920), 0);
	assert_memory_equal(got, plain + 81920, 4096);
	assert_int_equal(layer_read(cow, got, 4096, 122880), 0);
	assert_true(got[0] == 0 && memcmp(got, got + 1, 4095) == 0);
	assert_int_equal(layer_close(cow), 0);
}

/* A write that cannot read the rest of its block changes nothing and takes no room. */
static void layer_cow_fails_without_change(void **state)
{
	struct file *file = memory_file();
	struct layer_fault plan = {
		.kinds = LAYER_REQUEST_BIT(LAYER_REQUEST_READ), .count = 1, .error = -EIO};
	struct layer *raw, *fault, *cow;

	(void)state;
	assert_int_equal(file_write(file, "old", 3, 0), 0);
	assert_int_equal(file_resize(file, 8192), 0);
	assert_int_equal(layer_raw_open(file, &raw), 0);
	assert_int_equal(layer_fault_open(raw, &fault), 0);
	assert_int_equal(layer_cow_open(fault, NULL, 0, &cow), 0);
	assert_int_equal(layer_fault_add(fault, &plan), 0);
	memset(wanted, 7, 512);
	assert_int_equal(layer_write(cow, wanted, 512, 512), -EIO);
	assert_int_equal(layer_cow_get_used(cow), 0);
	assert_int_equal(layer_read(cow, got, 8192, 0), 0);
	assert_memory_equal(got, "old\0", 4);
	assert_int_equal(got[512], 0);
	assert_int_equal(layer_close(cow), 0);
}

/* Extents: zeros that were written, data that was written, then what is below. */
static void layer_cow_tells_extents(void **state)
{
	struct layer *cow = open_disk(NULL, 0);
	uint64_t size;
	unsigned extent;

	(void)state;
	assert_int_equal(layer_zero(cow, 0, 4096), 0);
	assert_int_equal(layer_write(cow, plain, 512, 4096), 0);
	assert_int_equal(layer_extent(cow, 0, &size, &extent), 0);
	assert_int_equal(size, 4096);
	assert_int_equal(extent & LAYER_ZERO, LAYER_ZERO);
	assert_int_equal(layer_extent(cow, 4608, &size, &extent), 0);
	assert_int_equal(size, 3584);
	assert_int_equal(extent, LAYER_DATA);
	assert_int_equal(layer_extent(cow, 8192, &size, &extent), 0);
	assert_int_equal(size, DISK_SIZE - 8192);
	assert_int_equal(layer_close(cow), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(layer_cow_keeps_writes_in_memory),
		cmocka_unit_test(layer_cow_keeps_writes_in_a_file),
		cmocka_unit_test(layer_cow_stops_at_its_bound),
		cmocka_unit_test(layer_cow_fails_without_change),
		cmocka_unit_test(layer_cow_tells_extents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
