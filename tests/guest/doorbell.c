/* SPDX-License-Identifier: Apache-2.0 */
/** Writes to the doorbell page reach the control partition without an ioreq, one bit per queue.
 *  expect: exit 1 */
#include "guest.h"

static uint32_t rings(void)
{
	return cpu_in32(GUEST_PORT_COUNT);
}

static uint32_t queues(void)
{
	return cpu_in32(GUEST_PORT_QUEUES);
}

static volatile void *bell(uint32_t queue)
{
	return (volatile void *)(GUEST_DOORBELL_PAGE + 4ull * queue);
}

static void check_queues(void)
{
	uint32_t before = rings();

	(void)queues();
	*(volatile uint32_t *)bell(0) = 0;
	tap_equal(queues(), 1, "queue 0");
	tap_equal(rings() - before, 1, "one ring");
	*(volatile uint32_t *)bell(5) = 12345;
	tap_equal(queues(), 1u << 5, "queue 5, the value does not matter");
	*(volatile uint32_t *)bell(3) = 3;
	*(volatile uint32_t *)bell(31) = 31;
	tap_equal(queues(), 1u << 3 | 1u << 31, "two queues");
	tap_equal(queues(), 0, "no ring, no bit");
}

static void check_sizes(void)
{
	*(volatile uint8_t *)bell(1) = 1;
	tap_equal(queues(), 1u << 1, "a write of 1 byte");
	*(volatile uint16_t *)bell(2) = 2;
	tap_equal(queues(), 1u << 2, "a write of 2 bytes");
	*(volatile uint64_t *)bell(4) = 4;
	tap_equal(queues(), 1u << 4, "a write of 8 bytes");
	__asm__ volatile("movl $7, (%0)" : : "r"(bell(7)) : "memory");
	tap_equal(queues(), 1u << 7, "MOV with an immediate");
}

static void check_outside(void)
{
	uint32_t before = rings();

	*(volatile uint32_t *)bell(64) = 0;
	*(volatile uint32_t *)(GUEST_DOORBELL_PAGE + 0xffc) = 0;
	tap_equal(rings(), before, "no queue 64 and above");
	*(volatile uint32_t *)(GUEST_DOORBELL_PAGE + 0x1000) = 0;
	tap_equal(rings(), before, "the page behind is not a doorbell");
	/* What a read gives is left open (docs/decisions/006), but it does no harm. */
	(void)*(volatile uint32_t *)bell(0);
	tap_ok(rings() - before <= 1, "a read goes on behind the instruction");
}

static void check_many(void)
{
	uint32_t before = rings();

	for (uint32_t i = 0; i < 1000; i++) {
		*(volatile uint32_t *)bell(i % 8) = i;
	}
	tap_ok(rings() - before >= 8 && rings() - before <= 1000, "a thousand rings, merged at most");
	tap_equal(queues(), 0xff, "all eight queues");
}

int guest_main(void)
{
	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	check_queues();
	check_sizes();
	check_outside();
	check_many();
	return tap_done();
}
