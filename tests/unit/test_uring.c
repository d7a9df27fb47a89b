/* SPDX-License-Identifier: Apache-2.0 */
/* Files behind the kernel's ring: bytes are true on and off a fiber, and nobody waits for others.
 */
#define _GNU_SOURCE

#include "fiber.h"
#include "uring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/scratch.h"

#define SIZE (256u << 10)

static struct uring *ring;

static int setup(void **state)
{
	int rc = uring_open(&ring);

	if (rc < 0) {
		ring = NULL;
		printf("# no io_uring here: %s\n", strerror(-rc));
	}
	return 0;
}

static int teardown(void **state)
{
	uring_close(ring);
	ring = NULL;
	fiber_trim();
	return 0;
}

#define NEED_RING()                                                                                \
	do {                                                                                       \
		if (!ring) {                                                                       \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static struct file *wrap(int fd)
{
	struct file *inner, *file;

	assert_true(fd >= 0);
	assert_int_equal(file_from_fd(fd, &inner), 0);
	assert_int_equal(uring_file_wrap(ring, inner, &file), 0);
	return file;
}

/* A file without a name on the file system of the build, which is not in memory as a rule. */
static int disk_file(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC | O_NONBLOCK, 0600);

	return fd >= 0 ? fd : memfd_create("disk", MFD_CLOEXEC);
}

static void run(void (*body)(void *), void *argument)
{
	assert_true(fiber_start(body, argument));
	while (uring_in_flight(ring)) {
		uring_wait(ring);
	}
}

struct job {
	struct file *file;
	int rc;
	uint64_t offset;
	size_t size;
	char *bytes;
};

static void write_job(void *argument)
{
	struct job *job = argument;

	job->rc = file_write(job->file, job->bytes, job->size, job->offset);
}

static void read_job(void *argument)
{
	struct job *job = argument;

	job->rc = file_read(job->file, job->bytes, job->size, job->offset);
}

static void check_round_trip(int fd, uint64_t offset, size_t size)
{
	struct job job = {.file = wrap(fd), .offset = offset, .size = size};
	char *expect = malloc(size);

	job.bytes = malloc(size);
	for (size_t i = 0; i < size; i++) {
		expect[i] = job.bytes[i] = (char)(i * 7 + i / 512);
	}
	run(write_job, &job);
	assert_int_equal(job.rc, 0);
	memset(job.bytes, 0, size);
	run(read_job, &job);
	assert_int_equal(job.rc, 0);
	assert_memory_equal(job.bytes, expect, size);
	memset(job.bytes, 0, size);
	read_job(&job); /* off a fiber */
	assert_memory_equal(job.bytes, expect, size);
	file_close(job.file);
	free(job.bytes);
	free(expect);
}

/* What a fiber wrote is read back, aligned or not, from memory and from a disk. */
static void uring_file_writes_and_reads(void **state)
{
	NEED_RING();
	check_round_trip(memfd_create("memory", MFD_CLOEXEC), 8192, SIZE);
	check_round_trip(memfd_create("memory", MFD_CLOEXEC), 512, 1024);
	check_round_trip(disk_file(), 0, SIZE);
	check_round_trip(disk_file(), 513, 5000);
}

/* A vector of more parts than fit into one call is whole. */
static void uring_file_passes_long_vectors(void **state)
{
	enum { PARTS = 200 };
	struct iovec iov[PARTS];
	static char from[PARTS * 4], to[PARTS * 4];
	struct file *file;

	NEED_RING();
	file = wrap(disk_file());
	for (unsigned i = 0; i < PARTS; i++) {
		iov[i] = (struct iovec){from + 4 * i, 4};
		memset(from + 4 * i, (int)i, 4);
	}
	assert_int_equal(file_writev(file, iov, PARTS, sizeof(from), 100), 0);
	assert_int_equal(file_read(file, to, sizeof(to), 100), 0);
	assert_memory_equal(from, to, sizeof(to));
	file_close(file);
}

/* Bytes past the end of the file are zeros. */
static void uring_file_reads_zeros_past_end(void **state)
{
	char bytes[1024];
	struct job job = {.size = sizeof(bytes), .bytes = bytes};

	NEED_RING();
	memset(bytes, 'x', sizeof(bytes));
	job.file = wrap(disk_file());
	job.size = 512;
	run(write_job, &job);
	job.size = sizeof(bytes);
	run(read_job, &job);
	assert_int_equal(job.rc, 0);
	assert_int_equal(bytes[511], 'x');
	assert_int_equal(bytes[512], 0);
	assert_int_equal(bytes[1023], 0);
	file_close(job.file);
}

static void flush_job(void *argument)
{
	struct job *job = argument;

	job->rc = file_flush(job->file);
}

/* While one fiber waits for a flush, another one reads. */
static void uring_file_flush_stops_nobody(void **state)
{
	char bytes[512];
	struct job flush = {.rc = 1}, read = {.rc = 1, .size = sizeof(bytes), .bytes = bytes};
	struct file *file;

	NEED_RING();
	file = flush.file = read.file = wrap(disk_file());
	assert_int_equal(file_resize(file, 4096), 0);
	assert_true(fiber_start(flush_job, &flush));
	if (flush.rc == 1) { /* a file in memory has nothing to wait for */
		assert_int_equal(uring_in_flight(ring), 1);
	}
	run(read_job, &read);
	assert_int_equal(read.rc, 0);
	assert_int_equal(flush.rc, 0);
	file_close(file);
}

static void zero_job(void *argument)
{
	struct job *job = argument;

	job->rc = file_zero(job->file, job->offset, job->size);
}

/* A zeroed range reads as zeros, and the size of the file stays. */
static void uring_file_zeroes(void **state)
{
	char bytes[512];
	struct job job = {.size = sizeof(bytes), .bytes = bytes, .offset = 4096};
	uint64_t size;

	NEED_RING();
	memset(bytes, 'x', sizeof(bytes));
	job.file = wrap(disk_file());
	run(write_job, &job);
	job.size = 1u << 20;
	run(zero_job, &job);
	assert_int_equal(job.rc, 0);
	job.size = sizeof(bytes);
	run(read_job, &job);
	assert_int_equal(bytes[0] | bytes[511], 0);
	assert_int_equal(file_get_size(job.file, &size), 0);
	assert_int_equal(size, 4096 + 512);
	file_close(job.file);
}

/* A file that cannot be written says so through the ring, too. */
static void uring_file_passes_errors(void **state)
{
	char bytes[512] = {0};
	struct job job = {.size = sizeof(bytes), .bytes = bytes};
	int ends[2];

	NEED_RING();
	assert_int_equal(pipe(ends), 0);
	job.file = wrap(open("/dev/full", O_RDWR | O_CLOEXEC));
	run(write_job, &job);
	assert_int_equal(job.rc, -ENOSPC);
	file_close(job.file);
	close(ends[0]);
	close(ends[1]);
}

struct sleeper {
	uint64_t us;
	unsigned *turn;
	unsigned place;
};

static void sleep_job(void *argument)
{
	struct sleeper *sleeper = argument;

	uring_sleep(ring, sleeper->us);
	sleeper->place = ++*sleeper->turn;
}

/* Who sleeps less goes on first; a sleep of nothing still lets others go on. */
static void uring_sleep_orders_fibers(void **state)
{
	unsigned turn = 0;
	struct sleeper sleeper[3] = {{.us = 300000, .turn = &turn},
				     {.us = 2000, .turn = &turn},
				     {.us = 0, .turn = &turn}};

	NEED_RING();
	for (unsigned i = 0; i < 3; i++) {
		assert_true(fiber_start(sleep_job, &sleeper[i]));
	}
	assert_int_equal(turn, 0);
	while (uring_in_flight(ring)) {
		uring_wait(ring);
	}
	assert_int_equal(sleeper[2].place, 1);
	assert_int_equal(sleeper[1].place, 2);
	assert_int_equal(sleeper[0].place, 3);
}

/* More requests than the ring has room for are all answered. */
static void uring_takes_more_than_its_depth(void **state)
{
	enum { COUNT = 700 };
	unsigned turn = 0;
	static struct sleeper sleeper[COUNT];

	NEED_RING();
	for (unsigned i = 0; i < COUNT; i++) {
		sleeper[i] = (struct sleeper){.turn = &turn};
		assert_true(fiber_start(sleep_job, &sleeper[i]));
	}
	while (uring_in_flight(ring)) {
		uring_wait(ring);
	}
	assert_int_equal(turn, COUNT);
}

/* Files of a wrapped folder go through the ring, and names work as before. */
static void uring_folder_opens_files(void **state)
{
	struct folder *inner, *folder;
	struct file *file;
	const char *name;

	NEED_RING();
	assert_int_equal(scratch_make("/tmp"), 0);
	assert_int_equal(folder_of_path(scratch_path("a"), &inner, &name), 0);
	assert_int_equal(uring_folder_wrap(ring, inner, &folder), 0);
	assert_int_equal(folder_open_file(folder, name, FOLDER_READ, &file), -ENOENT);
	assert_int_equal(folder_open_file(folder, name, FOLDER_CREATE, &file), 0);
	assert_int_equal(file_fd(file), -1);
	file_close(file);
	assert_int_equal(folder_rename(folder, "a", "b"), 0);
	assert_int_equal(folder_flush(folder), 0);
	assert_int_equal(folder_remove(folder, "b"), 0);
	folder_close(folder);
	assert_int_equal(scratch_remove(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(uring_file_writes_and_reads),
		TEST(uring_file_passes_long_vectors),
		TEST(uring_file_reads_zeros_past_end),
		TEST(uring_file_flush_stops_nobody),
		TEST(uring_file_zeroes),
		TEST(uring_file_passes_errors),
		TEST(uring_sleep_orders_fibers),
		TEST(uring_takes_more_than_its_depth),
		TEST(uring_folder_opens_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
