/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-blk: requests act within the disk, answers are true, a flush is one, and the guest hears
 * of all of them. */
#define _GNU_SOURCE

#include "blk.h"
#include "fake_ring.h"
#include "fiber.h"

#include <errno.h>
#include <linux/virtio_blk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define DISK_SIZE (1u << 20)
#define HEADER	  FAKE_BUFFERS
#define DATA	  (FAKE_BUFFERS + 0x1000u)
#define STATUS	  (FAKE_BUFFERS + 0x800u)

static struct blk blk;

/* A disk in memory whose flush can fail, and whose requests can be made to wait. */
struct fake_disk {
	struct layer layer;
	uint8_t bytes[DISK_SIZE + 512];
	unsigned flushes;
	int flush_error;
	bool waits;		  /* reads park until let_go() */
	struct fiber *waiting[8]; /* in order of arrival */
	unsigned waiting_count;
};

static struct fake_disk disk;

static int disk_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	if (disk.waits) {
		disk.waiting[disk.waiting_count++] = fiber_self();
		fiber_park();
	}
	for (unsigned i = 0; i < count; i++) {
		memcpy(iov[i].iov_base, disk.bytes + offset, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return 0;
}

static int disk_write(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	for (unsigned i = 0; i < count; i++) {
		memcpy(disk.bytes + offset, iov[i].iov_base, iov[i].iov_len);
		offset += iov[i].iov_len;
	}
	return 0;
}

static int disk_discard(struct layer *layer, uint64_t offset, uint64_t size)
{
	memset(disk.bytes + offset, 'd', size);
	return 0;
}

static int disk_flush(struct layer *layer)
{
	disk.flushes++;
	return disk.flush_error;
}

static const struct layer_ops disk_ops = {
	.name = "fake",
	.read = disk_read,
	.write = disk_write,
	.discard = disk_discard,
	.flush = disk_flush,
};

struct fixture {
	struct fake_ring ring;
};

static int setup(void **state)
{
	static struct fixture f;

	fake_ring_init(&f.ring, false);
	memset(&disk, 0, sizeof(disk));
	disk.layer = (struct layer){.ops = &disk_ops, .size = DISK_SIZE, .block_size = 4096};
	blk_init(&blk, &disk.layer, NULL, 1, "0123456789abcdef0123456789");
	blk_set_features(&blk, blk_features(&blk));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_ring_fini(&f->ring);
	fiber_trim();
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
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
	return f->ring.ram[STATUS];
}

/* The same with one range as data. */
static uint8_t request_range(struct fixture *f, uint32_t type, uint64_t sector, uint32_t count,
			     uint32_t flags)
{
	const struct virtio_blk_discard_write_zeroes range = {
		.sector = sector, .num_sectors = count, .flags = flags};

	memcpy(f->ring.ram + DATA, &range, sizeof(range));
	return request(f, type, 0, sizeof(range), false);
}

/* What was written is read back, at the place that was named. */
static void blk_writes_and_reads(void **state)
{
	struct fixture *f = *state;

	memcpy(f->ring.ram + DATA, "ping", 4);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 7, 1024, false), VIRTIO_BLK_S_OK);
	assert_memory_equal(disk.bytes + 7 * 512, "ping", 4);
	memset(f->ring.ram + DATA, 0, 4);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 7, 512, true), VIRTIO_BLK_S_OK);
	assert_memory_equal(f->ring.ram + DATA, "ping", 4);
}

/* A long request is whole, too. */
static void blk_passes_long_request(void **state)
{
	struct fixture *f = *state;
	const uint32_t size = (512u << 10) + 512;

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

	memset(f->ring.ram + DATA, 'x', 1024);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, last, 512, false), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, last, 1024, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, last + 1, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, last + 1, 512, true), VIRTIO_BLK_S_IOERR);
	assert_memory_equal(disk.bytes + DISK_SIZE, "\0\0\0\0", 4);
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

	disk.layer.read_only = true;
	blk_init(&blk, &disk.layer, NULL, 1, "");
	assert_true(blk_features(&blk) & 1ull << VIRTIO_BLK_F_RO);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request_range(f, VIRTIO_BLK_T_DISCARD, 0, 1, 0), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
}

/* Flush answers OK when the disk has flushed; a write by itself flushes nothing. */
static void blk_flush_succeeds(void **state)
{
	assert_int_equal(request(*state, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.flushes, 0);
	assert_int_equal(request(*state, VIRTIO_BLK_T_FLUSH, 0, 0, true), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.flushes, 1);
}

/* After a flush that failed no flush and no write is acknowledged any more. */
static void blk_failed_flush_is_final(void **state)
{
	struct fixture *f = *state;

	disk.flush_error = -EIO;
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, true), VIRTIO_BLK_S_IOERR);
	disk.flush_error = 0;
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, true), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
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
static void blk_refuses_unknown_politely(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VIRTIO_BLK_T_SECURE_ERASE, 0, 16, false), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(request(f, 0xffffffff, 0, 0, true), VIRTIO_BLK_S_UNSUPP);
	assert_false(f->ring.vq.broken);
}

/* Discard and write-zeroes act on exactly their range. */
static void blk_discards_and_zeroes_range(void **state)
{
	struct fixture *f = *state;

	memset(disk.bytes, 'x', DISK_SIZE);
	assert_int_equal(request_range(f, VIRTIO_BLK_T_DISCARD, 8, 2, 0), VIRTIO_BLK_S_OK);
	assert_int_equal(request_range(f, VIRTIO_BLK_T_WRITE_ZEROES, 16, 2, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(disk.bytes[8 * 512 - 1], 'x');
	assert_int_equal(disk.bytes[8 * 512], 'd');
	assert_int_equal(disk.bytes[10 * 512 - 1], 'd');
	assert_int_equal(disk.bytes[10 * 512], 'x');
	assert_int_equal(disk.bytes[16 * 512], 0);
	assert_int_equal(disk.bytes[18 * 512 - 1], 0);
	assert_int_equal(disk.bytes[18 * 512], 'x');
}

/* Of several ranges none is touched when one is wrong. */
static void blk_checks_all_ranges_first(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_discard_write_zeroes range[2] = {
		{.sector = 0, .num_sectors = 8}, {.sector = DISK_SIZE / 512, .num_sectors = 1}};

	memset(disk.bytes, 'x', DISK_SIZE);
	memcpy(f->ring.ram + DATA, range, sizeof(range));
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, sizeof(range), false),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk.bytes[0], 'x');
}

/* Ranges that are too long, half, none, too many, or have unknown flags are refused. */
static void blk_refuses_bad_ranges(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request_range(f, VIRTIO_BLK_T_DISCARD, 0, 1, 1), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(request_range(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 2), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(request_range(f, VIRTIO_BLK_T_DISCARD, 0, 0xffffffff, 0),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request_range(f, VIRTIO_BLK_T_DISCARD, UINT64_MAX, 1, 0),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 15, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 0, false), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 17 * 16, false), VIRTIO_BLK_S_IOERR);
	assert_false(f->ring.vq.broken);
}

/* Data in more parts than a request may have is refused, not cut. */
static void blk_refuses_too_many_parts(void **state)
{
	struct fixture *f = *state;
	const struct virtio_blk_outhdr header = {.type = VIRTIO_BLK_T_IN};
	enum { PARTS = BLK_IOV_MAX + 1 };
	struct vring_desc {
		uint64_t gpa;
		uint32_t len;
		uint16_t flags, next;
	} table[PARTS + 2];
	const uint32_t at = FAKE_BUFFERS + 0x80000;

	memcpy(f->ring.ram + HEADER, &header, sizeof(header));
	table[0] = (struct vring_desc){HEADER, sizeof(header), 1, 1};
	for (unsigned i = 1; i <= PARTS; i++) { /* apart, so that they cannot be joined */
		table[i] = (struct vring_desc){DATA + 1024 * i, 512, 3, (uint16_t)(i + 1)};
	}
	table[PARTS + 1] = (struct vring_desc){STATUS, 1, 2, 0};
	memcpy(f->ring.ram + at, table, sizeof(table));
	fake_ring_desc(&f->ring, 0, at, sizeof(table), 4, 0);
	fake_ring_offer(&f->ring, 0);
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
	assert_int_equal(f->ring.ram[STATUS], VIRTIO_BLK_S_IOERR);
	assert_false(f->ring.vq.broken);
}

/* A request without room for a status, or with half a header, breaks the queue. */
static void blk_breaks_on_malformed_request(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg no_status = {HEADER, 16, false};

	fake_ring_add(&f->ring, &no_status, 1);
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
	assert_true(f->ring.vq.broken);
}

/* Same, for the header. */
static void blk_breaks_on_short_header(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg seg[] = {{HEADER, 15, false}, {STATUS, 1, true}};

	fake_ring_add(&f->ring, seg, 2);
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
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

/* Several queues are offered only when there are some. */
static void blk_offers_queues(void **state)
{
	struct virtio_blk_config config;

	assert_false(blk_features(&blk) & 1ull << VIRTIO_BLK_F_MQ);
	blk_init(&blk, &disk.layer, NULL, 4, "");
	assert_true(blk_features(&blk) & 1ull << VIRTIO_BLK_F_MQ);
	blk_get_config(&blk, (uint8_t *)&config);
	assert_int_equal(config.num_queues, 4);
}

/* Puts a read of sector i into the queue; its status lies at STATUS + i. */
static void offer_read(struct fixture *f, unsigned i)
{
	const struct virtio_blk_outhdr header = {.type = VIRTIO_BLK_T_IN, .sector = i};
	const struct fake_seg seg[] = {{HEADER + 16 * i, sizeof(header), false},
				       {DATA + 512 * i, 512, true},
				       {STATUS + i, 1, true}};

	memcpy(f->ring.ram + HEADER + 16 * i, &header, sizeof(header));
	f->ring.ram[STATUS + i] = 0xee;
	fake_ring_add(&f->ring, seg, 3);
}

static void use_ring(void)
{
	struct uring *ring;

	if (uring_open(&ring) < 0) {
		skip();
	}
	blk_init(&blk, &disk.layer, ring, 1, "");
	blk_set_features(&blk, blk_features(&blk));
	disk.waits = true;
}

/* A request that waits holds back none that came after it. */
static void blk_answers_out_of_order(void **state)
{
	struct fixture *f = *state;
	uint32_t id, len;

	use_ring();
	offer_read(f, 0);
	offer_read(f, 1);
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
	assert_int_equal(blk.in_flight, 2);
	assert_int_equal(fake_ring_used_idx(&f->ring), 0);
	fiber_wake(disk.waiting[1]);
	assert_int_equal(fake_ring_used_idx(&f->ring), 1);
	fake_ring_used(&f->ring, 0, &id, &len);
	assert_int_equal(id, 3);
	assert_int_equal(f->ring.ram[STATUS], 0xee);
	assert_int_equal(f->ring.ram[STATUS + 1], VIRTIO_BLK_S_OK);
	assert_int_equal(fake_ring_calls(&f->ring), 0);
	blk_reap(&blk); /* tells the guest */
	assert_int_equal(fake_ring_calls(&f->ring), 1);
	fiber_wake(disk.waiting[0]);
	assert_int_equal(blk.in_flight, 0);
	uring_close(blk.ring);
}

/* Without a free request the queue is left alone, and remembered. */
static void blk_stops_taking_without_room(void **state)
{
	struct fixture *f = *state;

	use_ring();
	blk.free->next = NULL;
	offer_read(f, 0);
	offer_read(f, 1);
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
	assert_int_equal(blk.in_flight, 1);
	assert_int_equal(blk_take_starved(&blk), 0);
	fiber_wake(disk.waiting[0]);
	assert_int_equal(blk_take_starved(&blk), 1);
	assert_int_equal(blk_take_starved(&blk), 0);
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
	fiber_wake(disk.waiting[1]);
	assert_int_equal(f->ring.ram[STATUS + 1], VIRTIO_BLK_S_OK);
	uring_close(blk.ring);
}

static int sleepy_read(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		       uint64_t offset)
{
	uring_sleep(blk.ring, 1000);
	return 0;
}

/* After the drain every request was answered. */
static void blk_drain_waits_for_all(void **state)
{
	struct fixture *f = *state;
	struct layer_ops sleepy = disk_ops;

	use_ring();
	sleepy.read = sleepy_read;
	disk.layer.ops = &sleepy;
	for (unsigned i = 0; i < 8; i++) {
		offer_read(f, i);
	}
	assert_false(blk_handle_queue(&blk, &f->ring.vq, 0));
	assert_int_equal(blk.in_flight, 8);
	blk_drain(&blk);
	assert_int_equal(blk.in_flight, 0);
	assert_int_equal(fake_ring_used_idx(&f->ring), 8);
	assert_int_equal(fake_ring_calls(&f->ring), 1);
	uring_close(blk.ring);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blk_writes_and_reads),
		TEST(blk_passes_long_request),
		TEST(blk_reports_written_bytes),
		TEST(blk_ends_at_disk_size),
		TEST(blk_refuses_sector_overflow),
		TEST(blk_refuses_partial_sector),
		TEST(blk_read_only_refuses_write),
		TEST(blk_flush_succeeds),
		TEST(blk_failed_flush_is_final),
		TEST(blk_writes_through_without_flush_feature),
		TEST(blk_get_id_fills_buffer),
		TEST(blk_refuses_unknown_politely),
		TEST(blk_discards_and_zeroes_range),
		TEST(blk_checks_all_ranges_first),
		TEST(blk_refuses_bad_ranges),
		TEST(blk_refuses_too_many_parts),
		TEST(blk_offers_queues),
		TEST(blk_answers_out_of_order),
		TEST(blk_stops_taking_without_room),
		TEST(blk_drain_waits_for_all),
		TEST(blk_breaks_on_malformed_request),
		TEST(blk_breaks_on_short_header),
		TEST(blk_config_tells_capacity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
