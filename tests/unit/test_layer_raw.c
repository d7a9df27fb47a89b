/* SPDX-License-Identifier: Apache-2.0 */
/* A file as a disk, and the checks that every layer gets from layer.c. */
#define _GNU_SOURCE

#include "layer_raw.h"
#include "disk_memory.h"
#include "fiber.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

static struct layer *open_raw(uint64_t size, struct file **ret_file)
{
	struct layer *raw;

	assert_int_equal(file_from_fd(memfd_create("disk", MFD_CLOEXEC), ret_file), 0);
	assert_int_equal(file_resize(*ret_file, size), 0);
	assert_int_equal(layer_raw_open(*ret_file, &raw), 0);
	return raw;
}

/* The last sector of a file that ends inside it reads as filled up with zeros and can be written.
 */
static void layer_raw_fills_the_last_sector(void **state)
{
	uint8_t sector[512], got[512];
	struct file *file;
	struct layer *raw = open_raw(1000, &file);

	(void)state;
	assert_int_equal(raw->size, 1024);
	assert_int_equal(file_write(file, "x", 1, 999), 0);
	assert_int_equal(layer_read(raw, got, 512, 512), 0);
	assert_int_equal(got[487], 'x');
	assert_int_equal(got[488], 0);
	memset(sector, 9, sizeof(sector));
	assert_int_equal(layer_write(raw, sector, 512, 512), 0);
	assert_int_equal(layer_read(raw, got, 512, 512), 0);
	assert_memory_equal(got, sector, 512);
	assert_int_equal(layer_close(raw), 0);
}

/* No request leaves the disk or lies across sectors. */
static void layer_requests_stay_inside(void **state)
{
	uint8_t bytes[1024];
	struct file *file;
	struct layer *raw = open_raw(4096, &file);
	uint64_t size;
	unsigned extent;

	(void)state;
	assert_int_equal(layer_read(raw, bytes, 512, 4096), -EINVAL);
	assert_int_equal(layer_read(raw, bytes, 1024, 3584), -EINVAL);
	assert_int_equal(layer_read(raw, bytes, 100, 0), -EINVAL);
	assert_int_equal(layer_write(raw, bytes, 512, 100), -EINVAL);
	assert_int_equal(layer_zero(raw, 512, UINT64_MAX - 511), -EINVAL);
	assert_int_equal(layer_discard(raw, UINT64_MAX - 511, 512), -EINVAL);
	assert_int_equal(layer_extent(raw, 4096, &size, &extent), -EINVAL);
	assert_int_equal(layer_read(raw, bytes, 0, 4096), 0);
	raw->read_only = true;
	assert_int_equal(layer_write(raw, bytes, 512, 0), -EROFS);
	assert_int_equal(layer_zero(raw, 0, 512), -EROFS);
	assert_int_equal(layer_discard(raw, 0, 512), -EROFS);
	assert_int_equal(layer_flush(raw), 0);
	assert_int_equal(layer_close(raw), 0);
}

/* Extents follow the holes of the file; what is zeroed reads as zeros. */
static void layer_raw_tells_extents(void **state)
{
	uint8_t bytes[4096];
	struct file *file;
	struct layer *raw = open_raw(1u << 20, &file);
	uint64_t size;
	unsigned extent;

	(void)state;
	memset(bytes, 5, sizeof(bytes));
	assert_int_equal(layer_write(raw, bytes, 4096, 65536), 0);
	assert_int_equal(layer_extent(raw, 0, &size, &extent), 0);
	assert_int_equal(extent, LAYER_ZERO | LAYER_HOLE);
	assert_int_equal(size, 65536);
	assert_int_equal(layer_extent(raw, 65536 + 512, &size, &extent), 0);
	assert_int_equal(extent, LAYER_DATA);
	assert_int_equal(size, 3584);
	assert_int_equal(layer_extent(raw, 69632, &size, &extent), 0);
	assert_int_equal(size, (1u << 20) - 69632);
	assert_int_equal(layer_zero(raw, 65536, 512), 0);
	assert_int_equal(layer_read(raw, bytes, 1024, 65536), 0);
	assert_int_equal(bytes[511], 0);
	assert_int_equal(bytes[512], 5);
	assert_int_equal(layer_close(raw), 0);
}

static const struct file_ops *real_ops;

static int fail_flush(struct file *file)
{
	return -EIO;
}

/* After a flush that failed, nothing is acknowledged any more; reads go on. */
static void layer_raw_is_poisoned_by_a_failed_flush(void **state)
{
	uint8_t bytes[512] = {1};
	struct file *file;
	struct layer *raw = open_raw(4096, &file);
	struct file_ops failing = *file->ops;

	(void)state;
	real_ops = file->ops;
	failing.flush = fail_flush;
	file->ops = &failing;
	assert_int_equal(layer_flush(raw), -EIO);
	file->ops = real_ops;
	assert_int_equal(layer_write(raw, bytes, 512, 0), -EIO);
	assert_int_equal(layer_zero(raw, 0, 512), -EIO);
	assert_int_equal(layer_flush(raw), -EIO);
	assert_int_equal(layer_read(raw, bytes, 512, 0), 0);
	assert_int_equal(layer_close(raw), 0);
}

static struct layer *flushed;
static unsigned flushes_refused;

static void flush_one(void *argument)
{
	flushes_refused += layer_flush(flushed) == -EIO;
}

/* A flush that was under way when another one failed promises nothing either: what both were to
 * write may be lost. */
static void layer_raw_flush_ends_after_a_failed_one(void **state)
{
	struct disk_memory *disk = disk_memory_create(true);
	struct file *file;

	(void)state;
	assert_int_equal(folder_open_file(disk_memory_folder(disk), "f", FOLDER_CREATE, &file), 0);
	assert_int_equal(file_resize(file, 4096), 0);
	assert_int_equal(layer_raw_open(file, &flushed), 0);
	disk->fault = (struct disk_fault){DISK_BIT(DISK_FLUSH), 0, -EIO, false, false};
	disk->shuffle = true;
	assert_true(fiber_start(flush_one, NULL));
	assert_true(fiber_start(flush_one, NULL));
	disk_memory_run(disk);
	assert_int_equal(flushes_refused, 2);
	assert_int_equal(layer_close(flushed), 0);
	disk_memory_destroy(disk);
	fiber_trim();
}

/* An empty file is no disk, and stays the caller's. */
static void layer_raw_refuses_an_empty_file(void **state)
{
	struct file *file;
	struct layer *raw = NULL;

	(void)state;
	assert_int_equal(file_from_fd(memfd_create("disk", MFD_CLOEXEC), &file), 0);
	assert_int_equal(layer_raw_open(file, &raw), -EINVAL);
	assert_null(raw);
	file_close(file);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(layer_raw_fills_the_last_sector),
		cmocka_unit_test(layer_requests_stay_inside),
		cmocka_unit_test(layer_raw_tells_extents),
		cmocka_unit_test(layer_raw_is_poisoned_by_a_failed_flush),
		cmocka_unit_test(layer_raw_flush_ends_after_a_failed_one),
		cmocka_unit_test(layer_raw_refuses_an_empty_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
