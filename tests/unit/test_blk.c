/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-blk: requests act within the disk, answers are true, a flush is one. */
#define _GNU_SOURCE

#include "blk.h"
#include "fake_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define DISK_SIZE (1u << 20)
#define HEADER	  FAKE_BUFFERS
#define DATA	  (FAKE_BUFFERS + 0x1000u)
#define STATUS	  (FAKE_BUFFERS + 0x800u)

static struct blk blk;

struct fixture {
	struct fake_ring ring;
	int fd;
};

static int setup(void **state)
{
	static struct fixture f;

	fake_ring_init(&f.ring, false);
	f.fd = memfd_create("disk", MFD_CLOEXEC);
	/* More than the disk: the footer's place. */
	assert_int_equal(ftruncate(f.fd, DISK_SIZE + 512), 0);
	blk_init(&blk, f.fd, DISK_SIZE, false, "0123456789abcdef0123456789");
	blk_set_features(&blk, blk_features(&blk));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	fake_ring_fini(&f->ring);
	return 0;
}

/* One request with one data buffer of `size` bytes at DATA (0: none); returns its status. */
static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t size,
		       bool to_guest)
{
	const struct virtio_blk_outhdr header = {.type = type, .sector = sector};
	struct fake_seg seg[3] = {{HEADER, sizeof(header), false}};
	unsigned count = 1;

	memcpy(f->ring.ram + HEADER, &header, sizeof(header));
	f->ring.ram[STATUS] = 0xee;
	if (size) {
		seg[count++] = (struct fake_seg){DATA, size, to_guest};
	}
	seg[count++] = (struct fake_seg){STATUS, 1, true};
	fake_ring_add(&f->ring, seg, count);
	assert_false(blk_handle_queue(&blk, &f->ring.vq));
	return f->ring.ram[STATUS];
}

/* What was written is read back, at the place that was named. */
static void blk_writes_and_reads(void **state)
{
	struct fixture *f = *state;
	char bytes[4];

	memcpy(f->ring.ram + DATA, "ping", 4);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 7, 1024, false), VIRTIO_BLK_S_OK);
	assert_int_equal(pread(f->fd, bytes, 4, 7 * 512), 4);
	assert_memory_equal(bytes, "ping", 4);
	memset(f->ring.ram + DATA, 0, 4);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 7, 512, true), VIRTIO_BLK_S_OK);
	assert_memory_equal(f->ring.ram + DATA, "ping", 4);
}

/* A request longer than the bounce buffer is whole, too. */
static void blk_passes_bounce_buffer_size(void **state)
{
	struct fixture *f = *state;
	const uint32_t size = 2 * BLK_BOUNCE_SIZE + 512;

	for (uint32_t i = 0; i < size; i++) {
		f->ring.ram[DATA + i] = (uint8_t)(i >> 9);
	}
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 1, size, false), VIRTIO_BLK_S_OK);
	memset(f->ring.ram + DATA, 0, size);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 1, size, true), VIRTIO_BLK_S_OK);
	for (uint32_t i = 0; i < size; i++) {
		assert_int_equal(f->ring.ram[DATA + i], (uint8_t)(i >> 9));
	}
}

/* The used ring tells data and status as written. */
static void blk_reports_written_bytes(void **state)
{
	struct fixture *f = *state;
	uint32_t id, len;

	request(f, VIRTIO_BLK_T_IN, 0, 512, true);
	fake_ring_used(&f->ring, 0, &id, &len);
	assert_int_equal(len, 513);
	assert_int_equal(fake_ring_calls(&f->ring), 1);
}

/* The last sector is in reach, the first one behind it is not: there begins the footer. */
static void blk_ends_at_disk_size(void **state)
{
	struct fixture *f = *state;
	const uint64_t last = DISK_SIZE / 512 - 1;
	char footer[4];

	memset(f->ring.ram + DATA, 'x', 1024);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, last, 512, false), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, last, 1024, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, last + 1, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, last + 1, 512, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(pread(f->fd, footer, 4, DISK_SIZE), 4);
	assert_memory_equal(footer, "\0\0\0\0", 4);
}

/* A sector number that wraps around when turned into bytes is refused. */
static void blk_refuses_sector_overflow(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VIRTIO_BLK_T_IN, UINT64_MAX, 512, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 1ull << 55, 512, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, UINT64_MAX / 512 + 1, 512, false),
			 VIRTIO_BLK_S_IOERR);
}

/* A length that is no whole number of sectors is refused. */
static void blk_refuses_partial_sector(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 100, false), VIRTIO_BLK_S_IOERR);
}

/* A read-only disk says so, and refuses writes. */
static void blk_read_only_refuses_write(void **state)
{
	struct fixture *f = *state;

	blk_init(&blk, f->fd, DISK_SIZE, true, "");
	assert_true(blk_features(&blk) & 1ull << VIRTIO_BLK_F_RO);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
}

/* Flush answers OK when the file could be flushed. */
static void blk_flush_succeeds(void **state)
{
	assert_int_equal(request(*state, VIRTIO_BLK_T_FLUSH, 0, 0, true), VIRTIO_BLK_S_OK);
}

/* After a flush that failed no flush and no write is acknowledged any more. */
static void blk_failed_flush_is_final(void **state)
{
	struct fixture *f = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	blk.fd = ends[1]; /* fdatasync() fails on a pipe */
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, true), VIRTIO_BLK_S_IOERR);
	blk.fd = f->fd;
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
	close(ends[0]);
	close(ends[1]);
}

/* For a guest that knows no flush, a write that cannot be flushed is no success. */
static void blk_writes_through_without_flush_feature(void **state)
{
	struct fixture *f = *state;

	blk_set_features(&blk, 0);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_OK);
	blk.failed = true;
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
}

/* The identification is cut to its 20 bytes, and to the guest's buffer. */
static void blk_get_id_fills_buffer(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 20, true), VIRTIO_BLK_S_OK);
	assert_memory_equal(f->ring.ram + DATA, "0123456789abcdef0123", 20);
	memset(f->ring.ram + DATA, 0, 20);
	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 3, true), VIRTIO_BLK_S_OK);
	assert_memory_equal(f->ring.ram + DATA, "012\0", 4);
}

/* Requests that were not offered are answered as unsupported. */
static void blk_refuses_discard_politely(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(request(f, 0xffffffff, 0, 0, true), VIRTIO_BLK_S_UNSUPP);
	assert_false(f->ring.vq.broken);
}

/* A request without room for a status, or with half a header, breaks the queue. */
static void blk_breaks_on_malformed_request(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg no_status = {HEADER, 16, false};

	fake_ring_add(&f->ring, &no_status, 1);
	assert_false(blk_handle_queue(&blk, &f->ring.vq));
	assert_true(f->ring.vq.broken);
}

/* Same, for the header. */
static void blk_breaks_on_short_header(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg seg[] = {{HEADER, 15, false}, {STATUS, 1, true}};

	fake_ring_add(&f->ring, seg, 2);
	assert_false(blk_handle_queue(&blk, &f->ring.vq));
	assert_true(f->ring.vq.broken);
}

/* The configuration space tells the disk's size. */
static void blk_config_tells_capacity(void **state)
{
	struct virtio_blk_config config;

	blk_get_config(&blk, (uint8_t *)&config);
	assert_int_equal(config.capacity, DISK_SIZE / 512);
	assert_int_equal(config.blk_size, 512);
	assert_int_equal(blk_config_size(), sizeof(config));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blk_writes_and_reads),
		TEST(blk_passes_bounce_buffer_size),
		TEST(blk_reports_written_bytes),
		TEST(blk_ends_at_disk_size),
		TEST(blk_refuses_sector_overflow),
		TEST(blk_refuses_partial_sector),
		TEST(blk_read_only_refuses_write),
		TEST(blk_flush_succeeds),
		TEST(blk_failed_flush_is_final),
		TEST(blk_writes_through_without_flush_feature),
		TEST(blk_get_id_fills_buffer),
		TEST(blk_refuses_discard_politely),
		TEST(blk_breaks_on_malformed_request),
		TEST(blk_breaks_on_short_header),
		TEST(blk_config_tells_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
