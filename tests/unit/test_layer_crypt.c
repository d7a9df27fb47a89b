/* SPDX-License-Identifier: Apache-2.0 */
/* The crypt layer over a disk in memory: what lies below is XTS of what is above, whatever the
 * shape and the order of requests. */
#include "layer_crypt.h"
#include "fiber.h"
#include "fakes/memory_layer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define START	(64u << 10)
#define SIZE	(1u << 20)
#define SECTORS (SIZE / 512)

static struct memory_layer *memory;
static struct layer *crypt;
static uint8_t key[XTS_KEY_SIZE];
static uint8_t model[SIZE], got[SIZE];

static void open_crypt(uint32_t sector_size, bool pass_discards)
{
	struct luks_segment segment = {START, SIZE, sector_size, "u"};

	for (unsigned i = 0; i < sizeof(key); i++) {
		key[i] = (uint8_t)(i * 3 + 1);
	}
	memory = memory_layer_create(START + SIZE + 4096);
	assert_int_equal(
		layer_crypt_open(&memory->layer, &segment, key, NULL, pass_discards, &crypt), 0);
}

static int setup(void **state)
{
	open_crypt(4096, false);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(layer_close(crypt), 0);
	fiber_trim();
	return 0;
}

static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

/* Sets the disk to known bytes, here and in the model. */
static void fill_disk(unsigned seed)
{
	fill(model, SIZE, seed);
	assert_int_equal(layer_write(crypt, model, SIZE, 0), 0);
}

static void check_disk(void)
{
	assert_int_equal(layer_read(crypt, got, SIZE, 0), 0);
	assert_memory_equal(got, model, SIZE);
}

/* The area below is XTS with the tweak counted from its start; nothing outside it is touched. */
static void write_puts_xts_of_plaintext_below(void **state)
{
	struct xts *xts;

	fill_disk(1);
	assert_int_equal(xts_open("openssl", key, &xts), 0);
	assert_int_equal(xts->ops->decrypt(xts, got, memory->bytes + START, SIZE, 4096, 0), 0);
	assert_memory_equal(got, model, SIZE);
	xts_close(xts);
	memset(got, 0, sizeof(got));
	assert_memory_equal(memory->bytes, got, START);
	assert_memory_equal(memory->bytes + START + SIZE, got, 4096);
}

/* Random ranges by 512 bytes, in vectors of random pieces, equal a plain array. */
static void random_ranges_equal_a_plain_array(void **state)
{
	static uint8_t bytes[SIZE];
	struct iovec iov[64];
	unsigned r = 7;

	fill_disk(2);
	for (unsigned i = 0; i < 300; i++) {
		unsigned from, n, count = 0;
		size_t done = 0;

		r = r * 1103515245u + 12345u;
		from = (r >> 8) % SECTORS;
		n = 1 + (r >> 20) % (i % 10 ? 40 : SECTORS);
		n = n < SECTORS - from ? n : SECTORS - from;
		fill(bytes, n * 512, r);
		while (done < n * 512) {
			size_t piece = count == 63 ? n * 512 - done : 1 + (r >> count % 16) % 9000;

			piece = piece < n * 512 - done ? piece : n * 512 - done;
			iov[count++] = (struct iovec){bytes + done, piece};
			done += piece;
		}
		if (r >> 30) {
			assert_int_equal(layer_writev(crypt, iov, count, n * 512, from * 512), 0);
			memcpy(model + from * 512, bytes, n * 512);
		} else {
			assert_int_equal(layer_readv(crypt, iov, count, n * 512, from * 512), 0);
			assert_memory_equal(bytes, model + from * 512, n * 512);
		}
	}
	check_disk();
}

/* Zeroing writes encrypted zeros, also over part of a sector. */
static void zero_reads_as_zeros(void **state)
{
	fill_disk(3);
	assert_int_equal(layer_zero(crypt, 512, 300 << 10), 0);
	memset(model + 512, 0, 300 << 10);
	check_disk();
	assert_memory_not_equal(memory->bytes + START + 4096, model + 4096, 4096);
}

/* A sector that was never written reads as the decryption of zeros, as dm-crypt shows it. */
static void unwritten_sector_reads_as_decrypted_zeros(void **state)
{
	struct xts *xts;

	assert_int_equal(xts_open(NULL, key, &xts), 0);
	memset(model, 0, 4096);
	assert_int_equal(xts->ops->decrypt(xts, model, model, 4096, 4096, 8), 0);
	xts_close(xts);
	assert_int_equal(layer_read(crypt, got, 4096, 4096), 0);
	assert_memory_equal(got, model, 4096);
}

/* Discards stay here unless asked for; passed down, they never touch a sector they cover in part.
 */
static void discard_goes_down_by_whole_sectors_when_asked(void **state)
{
	uint64_t size;
	unsigned extent;

	fill_disk(4);
	assert_int_equal(layer_discard(crypt, 0, SIZE), 0);
	assert_int_equal(memory->discards, 0);
	check_disk();
	assert_int_equal(layer_close(crypt), 0);
	open_crypt(4096, true);
	fill_disk(5);
	assert_int_equal(layer_discard(crypt, 512, 8192), 0);
	assert_int_equal(memory->discards, 1);
	assert_int_equal(layer_read(crypt, got, SIZE, 0), 0);
	assert_memory_equal(got, model, 4096);
	assert_memory_equal(got + 8192, model + 8192, SIZE - 8192);
	assert_int_equal(layer_extent(crypt, 4096, &size, &extent), 0);
	assert_int_equal(extent, LAYER_HOLE);
	assert_int_equal(size, 4096);
}

/* 512-byte cipher sectors need no merging. */
static void small_sectors_are_written_alone(void **state)
{
	assert_int_equal(layer_close(crypt), 0);
	open_crypt(512, false);
	assert_int_equal(crypt->block_size, 512);
	fill_disk(6);
	memory->reads = 0;
	fill(model + 512, 512, 9);
	assert_int_equal(layer_write(crypt, model + 512, 512, 512), 0);
	assert_int_equal(memory->reads, 0);
	check_disk();
}

/* A failed write is reported and the next one works. */
static void failed_write_is_reported_once(void **state)
{
	fill_disk(7);
	memory->fail_next = -ENOSPC;
	assert_int_equal(layer_write(crypt, model, 512, 0), -ENOSPC);
	check_disk();
	assert_int_equal(layer_write(crypt, model, 512, 0), 0);
	check_disk();
}

struct request {
	uint8_t *bytes;
	size_t size;
	uint64_t offset;
	bool zero, read;
	int rc;
};

static void run(void *argument)
{
	struct request *r = argument;

	r->rc = r->zero	  ? layer_zero(crypt, r->offset, r->size)
		: r->read ? layer_read(crypt, r->bytes, r->size, r->offset)
			  : layer_write(crypt, r->bytes, r->size, r->offset);
}

/* Eight writers of one cipher sector at a time, each 512 bytes of it: no write is lost. */
static void parts_of_one_sector_written_at_once_are_all_there(void **state)
{
	struct request requests[9];

	fill_disk(8);
	memory->park = true;
	fill(model + 4096, 4096, 11);
	for (unsigned i = 0; i < 8; i++) {
		requests[i] = (struct request){
			model + 4096 + i * 512, 512, 4096 + i * 512, false, false, 1};
		assert_true(fiber_start(run, &requests[i]));
	}
	memset(model + 8192, 0, 4096);
	requests[8] = (struct request){NULL, 4096, 8192, true, false, 1};
	assert_true(fiber_start(run, &requests[8]));
	while (memory_layer_go(memory)) {
	}
	for (unsigned i = 0; i < 9; i++) {
		assert_int_equal(requests[i].rc, 0);
	}
	memory->park = false;
	check_disk();
}

/* A write of a whole sector waits for one that merges into it, and is not undone by it. */
static void whole_write_waits_for_a_merging_one(void **state)
{
	struct request part, whole;

	fill_disk(9);
	memory->park = true;
	fill(model + 512, 512, 12);
	part = (struct request){model + 512, 512, 512, false, false, 1};
	assert_true(fiber_start(run, &part));
	assert_true(memory_layer_go(memory)); /* has read */
	fill(model, 4096, 13);
	whole = (struct request){model, 4096, 0, false, false, 1};
	assert_true(fiber_start(run, &whole));
	assert_int_equal(memory->parked_count, 1);
	while (memory_layer_go(memory)) {
	}
	memory->park = false;
	assert_int_equal(part.rc | whole.rc, 0);
	check_disk();
}

/* More requests than buffers: they take turns. */
static void many_requests_share_the_buffers(void **state)
{
	static struct request requests[64];

	fill_disk(10);
	memory->park = true;
	memset(got, 0, sizeof(got));
	for (unsigned i = 0; i < 64; i++) {
		requests[i] = (struct request){got + i * 8192, 8192, i * 8192, false, true, 1};
		assert_true(fiber_start(run, &requests[i]));
	}
	while (memory_layer_go(memory)) {
	}
	memory->park = false;
	assert_memory_equal(got, model, 64 * 8192);
}

/* An area that does not lie on the disk is refused. */
static void open_refuses_an_area_outside(void **state)
{
	struct luks_segment segment = {START, SIZE + 8192, 4096, "u"};
	struct layer *other = NULL;

	assert_int_equal(layer_crypt_open(&memory->layer, &segment, key, NULL, false, &other),
			 -EINVAL);
	segment.size = SIZE;
	segment.sector_size = 1024;
	assert_int_equal(layer_crypt_open(&memory->layer, &segment, key, NULL, false, &other),
			 -EINVAL);
	assert_null(other);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(write_puts_xts_of_plaintext_below),
		T(random_ranges_equal_a_plain_array),
		T(zero_reads_as_zeros),
		T(unwritten_sector_reads_as_decrypted_zeros),
		T(discard_goes_down_by_whole_sectors_when_asked),
		T(small_sectors_are_written_alone),
		T(failed_write_is_reported_once),
		T(parts_of_one_sector_written_at_once_are_all_there),
		T(whole_write_waits_for_a_merging_one),
		T(many_requests_share_the_buffers),
		T(open_refuses_an_area_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
