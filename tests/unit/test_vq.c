/* SPDX-License-Identifier: Apache-2.0 */
/* The split queue: good chains arrive whole, bad ones break the queue and nothing else. */
#define _GNU_SOURCE

#include "fake_ring.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define WRITE	 VRING_DESC_F_WRITE
#define NEXT	 VRING_DESC_F_NEXT
#define INDIRECT VRING_DESC_F_INDIRECT

static struct vq_chain chain;

static int setup(void **state)
{
	static struct fake_ring ring;

	fake_ring_init(&ring, false);
	*state = &ring;
	return 0;
}

static int setup_event_idx(void **state)
{
	static struct fake_ring ring;

	fake_ring_init(&ring, true);
	*state = &ring;
	return 0;
}

static int teardown(void **state)
{
	fake_ring_fini(*state);
	return 0;
}

static void put_desc(struct fake_ring *ring, uint32_t at, uint64_t gpa, uint32_t len,
		     uint16_t flags, uint16_t next)
{
	const struct vring_desc desc = {.addr = gpa, .len = len, .flags = flags, .next = next};

	memcpy(ring->ram + at, &desc, sizeof(desc));
}

/* The offered chain must break the queue, and say so on the error fd. */
static void expect_broken(struct fake_ring *ring)
{
	assert_int_equal(vq_pop(&ring->vq, &chain), -EPROTO);
	assert_true(ring->vq.broken);
	assert_int_equal(fake_ring_errors(ring), 1);
	/* and stays so */
	assert_int_equal(vq_pop(&ring->vq, &chain), -EPROTO);
	assert_int_equal(fake_ring_errors(ring), 0);
}

/* An empty ring gives nothing. */
static void vq_pop_on_empty_ring_returns_0(void **state)
{
	struct fake_ring *ring = *state;

	assert_int_equal(vq_pop(&ring->vq, &chain), 0);
}

/* A direct chain keeps order, lengths, and which half is for writing. */
static void vq_pop_collects_direct_chain(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg[] = {
		{0x10000, 16, false}, {0x20000, 32, false}, {0x30000, 48, true}};
	uint16_t head = fake_ring_add(ring, seg, 3);

	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	assert_int_equal(chain.head, head);
	assert_int_equal(chain.seg_count, 3);
	assert_int_equal(chain.readable_count, 2);
	assert_int_equal(chain.read_left, 48);
	assert_int_equal(chain.write_left, 48);
	assert_int_equal(chain.seg[2].gpa, 0x30000);
	assert_int_equal(vq_pop(&ring->vq, &chain), 0);
}

/* Direct descriptors may be followed by one indirect table. */
static void vq_pop_collects_direct_then_indirect(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_desc(ring, 0, 0x10000, 8, NEXT, 1);
	fake_ring_desc(ring, 1, 0x40000, 32, INDIRECT, 0);
	put_desc(ring, 0x40000, 0x20000, 4, NEXT, 1);
	put_desc(ring, 0x40010, 0x30000, 5, WRITE, 0);
	fake_ring_offer(ring, 0);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	assert_int_equal(chain.seg_count, 3);
	assert_int_equal(chain.read_left, 12);
	assert_int_equal(chain.write_left, 5);
}

/* What the guest writes after the pop does not change the chain. */
static void vq_pop_copies_descriptors(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {0x10000, 16, false};
	uint8_t bytes[16];

	memset(ring->ram + 0x10000, 7, 16);
	fake_ring_add(ring, &seg, 1);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	fake_ring_desc(ring, 0, UINT64_MAX, UINT32_MAX, NEXT, 0xffff);
	assert_int_equal(vq_read(&ring->vq, &chain, bytes, 16), 0);
	assert_int_equal(bytes[15], 7);
}

/* A chain that loops ends. */
static void vq_pop_breaks_on_loop(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_desc(ring, 0, 0x10000, 16, NEXT, 1);
	fake_ring_desc(ring, 1, 0x10000, 16, NEXT, 0);
	fake_ring_offer(ring, 0);
	expect_broken(ring);
}

/* A head beyond the table is refused. */
static void vq_pop_breaks_on_bad_head(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_offer(ring, FAKE_RING_SIZE);
	expect_broken(ring);
}

/* A next beyond the table is refused. */
static void vq_pop_breaks_on_bad_next(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_desc(ring, 0, 0x10000, 16, NEXT, FAKE_RING_SIZE);
	fake_ring_offer(ring, 0);
	expect_broken(ring);
}

/* An index that claims more chains than the ring has entries is refused. */
static void vq_pop_breaks_on_index_jump(void **state)
{
	struct fake_ring *ring = *state;

	ring->avail_idx = FAKE_RING_SIZE;
	fake_ring_offer(ring, 0);
	expect_broken(ring);
}

/* A buffer that is outside of memory in part is refused. */
static void vq_pop_breaks_on_address_outside(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {FAKE_RAM_SIZE - 8, 16, false};

	fake_ring_add(ring, &seg, 1);
	expect_broken(ring);
}

/* A buffer whose end wraps around is refused. */
static void vq_pop_breaks_on_address_wrap(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {UINT64_MAX - 3, 16, false};

	fake_ring_add(ring, &seg, 1);
	expect_broken(ring);
}

/* An empty buffer is refused. */
static void vq_pop_breaks_on_empty_buffer(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {0x10000, 0, false};

	fake_ring_add(ring, &seg, 1);
	expect_broken(ring);
}

/* Readable buffers come before writable ones. */
static void vq_pop_breaks_on_wrong_order(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg[] = {{0x10000, 16, true}, {0x20000, 16, false}};

	fake_ring_add(ring, seg, 2);
	expect_broken(ring);
}

/* An indirect table inside of an indirect table is refused. */
static void vq_pop_breaks_on_nested_indirect(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_desc(ring, 0, 0x40000, 16, INDIRECT, 0);
	put_desc(ring, 0x40000, 0x40000, 16, INDIRECT, 0);
	fake_ring_offer(ring, 0);
	expect_broken(ring);
}

/* An indirect descriptor has no successor. */
static void vq_pop_breaks_on_indirect_with_next(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_desc(ring, 0, 0x40000, 16, INDIRECT | NEXT, 1);
	put_desc(ring, 0x40000, 0x10000, 16, 0, 0);
	fake_ring_offer(ring, 0);
	expect_broken(ring);
}

/* An indirect table of half a descriptor, of none, or of too many, is refused. */
static void vq_pop_breaks_on_indirect_size(void **state)
{
	static const uint32_t sizes[] = {0, 8, 24, (VQ_SEG_MAX + 1) * 16};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fake_ring ring;

		fake_ring_init(&ring, false);
		fake_ring_desc(&ring, 0, 0x40000, sizes[i], INDIRECT, 0);
		put_desc(&ring, 0x40000, 0x10000, 16, 0, 0);
		fake_ring_offer(&ring, 0);
		expect_broken(&ring);
		fake_ring_fini(&ring);
	}
}

/* A chain that adds up to more than VQ_BYTES_MAX is refused, although each buffer lies in memory.
 */
static void vq_pop_breaks_on_total_length(void **state)
{
	struct fake_ring *ring = *state;
	const uint32_t count = VQ_BYTES_MAX / FAKE_RAM_SIZE + 1;

	fake_ring_desc(ring, 0, 0x40000, count * 16, INDIRECT, 0);
	for (uint32_t i = 0; i < count; i++) {
		put_desc(ring, 0x40000 + 16 * i, 0, FAKE_RAM_SIZE, i + 1 < count ? NEXT : 0,
			 (uint16_t)(i + 1));
	}
	fake_ring_offer(ring, 0);
	expect_broken(ring);
}

/* Reads and writes go through segment borders, and not past the end. */
static void vq_read_and_write_cross_segments(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg[] = {
		{0x10000, 3, false}, {0x20000, 5, false}, {0x30000, 2, true}, {0x31000, 6, true}};
	char text[9] = {0};

	memcpy(ring->ram + 0x10000, "abc", 3);
	memcpy(ring->ram + 0x20000, "defgh", 5);
	fake_ring_add(ring, seg, 4);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	assert_int_equal(vq_read(&ring->vq, &chain, text, 8), 0);
	assert_string_equal(text, "abcdefgh");
	assert_int_equal(vq_read(&ring->vq, &chain, text, 1), -EMSGSIZE);
	vq_skip_write(&chain, 1);
	assert_int_equal(vq_write(&ring->vq, &chain, "1234567", 7), 0);
	assert_int_equal(vq_write(&ring->vq, &chain, "8", 1), -EMSGSIZE);
	assert_memory_equal(ring->ram + 0x30000, "\0001", 2);
	assert_memory_equal(ring->ram + 0x31000, "234567", 6);
	assert_int_equal(chain.written, 7);
}

/* The used ring gets head and length, also after the indices have wrapped around. */
static void vq_push_fills_used_ring_past_wrap(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {0x10000, 16, true};
	uint32_t id, len;

	for (unsigned i = 0; i < 3 * FAKE_RING_SIZE; i++) {
		uint16_t head = fake_ring_add(ring, &seg, 1);

		assert_int_equal(vq_pop(&ring->vq, &chain), 1);
		assert_int_equal(vq_write(&ring->vq, &chain, "xy", 2), 0);
		vq_push(&ring->vq, &chain);
		assert_int_equal(fake_ring_used_idx(ring), i + 1);
		fake_ring_used(ring, i, &id, &len);
		assert_int_equal(id, head);
		assert_int_equal(len, 2);
	}
}

/* Pops, pushes one chain, and asks whether the guest was notified. */
static uint64_t push_one(struct fake_ring *ring)
{
	const struct fake_seg seg = {0x10000, 16, true};

	fake_ring_add(ring, &seg, 1);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	vq_push(&ring->vq, &chain);
	vq_notify(&ring->vq);
	return fake_ring_calls(ring);
}

/* The guest is notified once for what was pushed, and not without a push. */
static void vq_notify_needs_a_push(void **state)
{
	struct fake_ring *ring = *state;

	assert_int_equal(push_one(ring), 1);
	vq_notify(&ring->vq);
	assert_int_equal(fake_ring_calls(ring), 0);
}

/* A guest that asked for no interrupts gets none. */
static void vq_notify_honours_no_interrupt(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_set_flags(ring, VRING_AVAIL_F_NO_INTERRUPT);
	assert_int_equal(push_one(ring), 0);
}

static uint16_t used_flags(const struct fake_ring *ring)
{
	uint16_t flags;

	memcpy(&flags, ring->ram + FAKE_USED, sizeof(flags));
	return flags;
}

/* While there is work the guest is asked not to ring; on an empty ring it may again. */
static void vq_pop_asks_for_quiet(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 16, true};

	fake_ring_add(ring, &seg, 1);
	fake_ring_add(ring, &seg, 1);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	assert_int_equal(vq_pop(&ring->vq, &chain), 0);
	assert_int_equal(used_flags(ring), 0);
	fake_ring_add(ring, &seg, 1);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	assert_int_equal(used_flags(ring), VRING_USED_F_NO_NOTIFY);
	assert_int_equal(vq_pop(&ring->vq, &chain), 0);
	assert_int_equal(used_flags(ring), 0);
}

/* Neighbouring parts become one, whatever the guest's descriptors are; the cursor moves on. */
static void vq_iov_joins_neighbours(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg[] = {{FAKE_BUFFERS, 16, false},
				       {FAKE_BUFFERS + 16, 512, false},
				       {FAKE_BUFFERS + 528, 512, false},
				       {FAKE_BUFFERS + 4096, 512, false},
				       {FAKE_BUFFERS + 8192, 513, true}};
	struct iovec iov[4];
	char header[16];

	fake_ring_add(ring, seg, 5);
	assert_int_equal(vq_pop(&ring->vq, &chain), 1);
	assert_int_equal(vq_read(&ring->vq, &chain, header, sizeof(header)), 0);
	assert_int_equal(vq_read_iov(&ring->vq, &chain, 1537, iov, 4), -EMSGSIZE);
	assert_int_equal(vq_read_iov(&ring->vq, &chain, 1536, iov, 4), 2);
	assert_int_equal(iov[0].iov_len, 1024);
	assert_int_equal(iov[1].iov_len, 512);
	assert_int_equal(chain.read_left, 0);
	assert_int_equal(vq_write_iov(&ring->vq, &chain, 512, iov, 4), 1);
	assert_int_equal(iov[0].iov_len, 512);
	assert_int_equal(vq_write_iov(&ring->vq, &chain, 1, iov, 4), 1);
	assert_int_equal(chain.write_left, 0);
	assert_int_equal(chain.written, 0);
}

/* With event indices the guest is notified when the index that it named is passed. */
static void vq_notify_honours_used_event(void **state)
{
	struct fake_ring *ring = *state;

	fake_ring_set_used_event(ring, 1);
	assert_int_equal(push_one(ring), 0);
	assert_int_equal(push_one(ring), 1);
	assert_int_equal(push_one(ring), 0);
}

/* An empty ring is announced by the event index, so that the guest rings for the next chain. */
static void vq_pop_announces_empty_ring(void **state)
{
	struct fake_ring *ring = *state;

	push_one(ring);
	push_one(ring);
	assert_int_equal(vq_pop(&ring->vq, &chain), 0);
	assert_int_equal(fake_ring_avail_event(ring), 2);
}

/* A ring of a wrong size, misaligned or outside of memory is not set up. */
static void vq_setup_checks_ring(void **state)
{
	struct fake_ring *ring = *state;
	struct vq vq = {.call_fd = -1, .err_fd = -1};

	assert_int_equal(vq_setup(&vq, &ring->mem, 0, 0, 0x4000, 0x8000, 0, false), -EINVAL);
	assert_int_equal(vq_setup(&vq, &ring->mem, 3, 0, 0x4000, 0x8000, 0, false), -EINVAL);
	assert_int_equal(vq_setup(&vq, &ring->mem, 2 * VQ_SIZE_MAX, 0, 0x4000, 0x8000, 0, false),
			 -EINVAL);
	assert_int_equal(vq_setup(&vq, &ring->mem, 64, 8, 0x4000, 0x8000, 0, false), -EINVAL);
	assert_int_equal(vq_setup(&vq, &ring->mem, 64, 0, 0x4001, 0x8000, 0, false), -EINVAL);
	assert_int_equal(vq_setup(&vq, &ring->mem, 64, 0, 0x4000, 0x8002, 0, false), -EINVAL);
	assert_int_equal(vq_setup(&vq, &ring->mem, 64, 0, 0x4000, FAKE_RAM_SIZE - 256, 0, false),
			 -EINVAL);
	assert_int_equal(vq_pop(&vq, &chain), -EAGAIN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(vq_pop_on_empty_ring_returns_0),
		TEST(vq_pop_collects_direct_chain),
		TEST(vq_pop_collects_direct_then_indirect),
		TEST(vq_pop_copies_descriptors),
		TEST(vq_pop_breaks_on_loop),
		TEST(vq_pop_breaks_on_bad_head),
		TEST(vq_pop_breaks_on_bad_next),
		TEST(vq_pop_breaks_on_index_jump),
		TEST(vq_pop_breaks_on_address_outside),
		TEST(vq_pop_breaks_on_address_wrap),
		TEST(vq_pop_breaks_on_empty_buffer),
		TEST(vq_pop_breaks_on_wrong_order),
		TEST(vq_pop_breaks_on_nested_indirect),
		TEST(vq_pop_breaks_on_indirect_with_next),
		TEST(vq_pop_breaks_on_indirect_size),
		TEST(vq_pop_breaks_on_total_length),
		TEST(vq_read_and_write_cross_segments),
		TEST(vq_push_fills_used_ring_past_wrap),
		TEST(vq_notify_needs_a_push),
		TEST(vq_notify_honours_no_interrupt),
		TEST(vq_pop_asks_for_quiet),
		TEST(vq_iov_joins_neighbours),
		cmocka_unit_test_setup_teardown(vq_notify_honours_used_event, setup_event_idx,
						teardown),
		cmocka_unit_test_setup_teardown(vq_pop_announces_empty_ring, setup_event_idx,
						teardown),
		TEST(vq_setup_checks_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
