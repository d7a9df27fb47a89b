/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-input: announces what it has, passes only that, and lets no key stick. */
#define _GNU_SOURCE

#include "fake_ring.h"
#include "input.h"

#include <linux/input-event-codes.h>
#include <linux/virtio_input.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct input input;

static int setup(void **state)
{
	static struct fake_ring ring;

	fake_ring_init(&ring, false);
	input_init(&input, INPUT_KEYBOARD);
	*state = &ring;
	return 0;
}

static int teardown(void **state)
{
	fake_ring_fini(*state);
	return 0;
}

static struct virtio_input_config query(uint8_t select, uint8_t subsel)
{
	const uint8_t both[2] = {select, subsel};
	struct virtio_input_config config;

	input_set_config(&input, 0, both, sizeof(both));
	input_get_config(&input, (uint8_t *)&config);
	return config;
}

static bool has_bit(const struct virtio_input_config *config, unsigned bit)
{
	return bit / 8 < config->size && config->u.bitmap[bit / 8] >> (bit % 8) & 1;
}

static void send(uint16_t type, uint16_t code, int32_t value)
{
	const struct surface_input event = {.type = type, .code = code, .value = value};

	input_event(&input, &event, true);
}

/* Gives the guest `count` buffers; event i goes to FAKE_BUFFERS + 8 i. */
static void give_buffers(struct fake_ring *ring, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct fake_seg seg = {FAKE_BUFFERS + 8 * i, 8, true};

		fake_ring_add(ring, &seg, 1);
	}
}

static void expect_event(const struct fake_ring *ring, unsigned i, uint16_t type, uint16_t code,
			 int32_t value)
{
	struct virtio_input_event event;

	memcpy(&event, ring->ram + FAKE_BUFFERS + 8 * i, sizeof(event));
	assert_int_equal(event.type, type);
	assert_int_equal(event.code, code);
	assert_int_equal((int32_t)event.value, value);
}

/* A keyboard announces its keys and that it repeats, and no axes. */
static void input_keyboard_announces_keys(void **state)
{
	struct virtio_input_config config = query(VIRTIO_INPUT_CFG_EV_BITS, EV_KEY);

	assert_true(has_bit(&config, KEY_A));
	assert_true(has_bit(&config, KEY_LEFTMETA));
	assert_false(has_bit(&config, BTN_LEFT));
	assert_false(has_bit(&config, 0));
	assert_int_equal(query(VIRTIO_INPUT_CFG_EV_BITS, EV_REP).size, 1);
	assert_int_equal(query(VIRTIO_INPUT_CFG_EV_BITS, EV_ABS).size, 0);
	assert_int_equal(query(VIRTIO_INPUT_CFG_ABS_INFO, ABS_X).size, 0);
}

/* A tablet announces two axes with their range, buttons and wheels. */
static void input_tablet_announces_axes(void **state)
{
	struct virtio_input_config config;

	input_init(&input, INPUT_TABLET);
	config = query(VIRTIO_INPUT_CFG_EV_BITS, EV_ABS);
	assert_true(has_bit(&config, ABS_X) && has_bit(&config, ABS_Y));
	config = query(VIRTIO_INPUT_CFG_EV_BITS, EV_KEY);
	assert_true(has_bit(&config, BTN_LEFT));
	assert_false(has_bit(&config, KEY_A));
	config = query(VIRTIO_INPUT_CFG_EV_BITS, EV_REL);
	assert_true(has_bit(&config, REL_WHEEL));
	assert_false(has_bit(&config, REL_X));
	config = query(VIRTIO_INPUT_CFG_ABS_INFO, ABS_Y);
	assert_int_equal(config.size, sizeof(config.u.abs));
	assert_int_equal(config.u.abs.max, INPUT_ABS_MAX);
}

/* Name and ids are there; what is unknown has size 0. */
static void input_tells_name_and_ids(void **state)
{
	struct virtio_input_config config = query(VIRTIO_INPUT_CFG_ID_NAME, 0);

	assert_int_equal(config.size, strlen("Bulkhead keyboard"));
	assert_memory_equal(config.u.string, "Bulkhead keyboard", config.size);
	assert_int_equal(query(VIRTIO_INPUT_CFG_ID_DEVIDS, 0).size, sizeof(config.u.ids));
	assert_int_equal(query(0x77, 0).size, 0);
	assert_int_equal(query(VIRTIO_INPUT_CFG_EV_BITS, 0xff).size, 0);
}

/* The two selectors may be written one by one, or with all of the space. */
static void input_set_config_takes_any_write(void **state)
{
	uint8_t space[INPUT_CONFIG_SIZE] = {VIRTIO_INPUT_CFG_EV_BITS, EV_KEY};
	const uint8_t subsel = EV_REP;

	input_set_config(&input, 0, space, sizeof(space));
	assert_int_equal(input.subsel, EV_KEY);
	input_set_config(&input, 1, &subsel, 1);
	assert_int_equal(input.subsel, EV_REP);
	input_set_config(&input, 2, space, 8);
	assert_int_equal(input.select, VIRTIO_INPUT_CFG_EV_BITS);
	assert_int_equal(input.subsel, EV_REP);
}

/* Events reach the guest in order, closed by a SYN. */
static void input_passes_events_in_order(void **state)
{
	struct fake_ring *ring = *state;

	give_buffers(ring, 8);
	send(EV_KEY, KEY_A, 1);
	send(EV_SYN, SYN_REPORT, 0);
	send(EV_KEY, KEY_A, 0);
	send(EV_SYN, SYN_REPORT, 0);
	input_flush(&input, &ring->vq);
	assert_int_equal(fake_ring_used_idx(ring), 4);
	expect_event(ring, 0, EV_KEY, KEY_A, 1);
	expect_event(ring, 1, EV_SYN, SYN_REPORT, 0);
	expect_event(ring, 2, EV_KEY, KEY_A, 0);
	assert_int_equal(fake_ring_calls(ring), 1);
}

/* Repeats, foreign codes, and their then empty group do not reach the guest. */
static void input_ignores_what_was_not_announced(void **state)
{
	struct fake_ring *ring = *state;

	give_buffers(ring, 8);
	send(EV_KEY, KEY_A, 2);
	send(EV_KEY, BTN_LEFT, 1);
	send(EV_KEY, 0xffff, 1);
	send(EV_ABS, ABS_X, 5);
	send(EV_MSC, MSC_SCAN, 30);
	send(EV_SYN, SYN_REPORT, 0);
	input_flush(&input, &ring->vq);
	assert_int_equal(fake_ring_used_idx(ring), 0);
}

/* A position outside of the announced range does not reach the guest. */
static void input_checks_axis_range(void **state)
{
	struct fake_ring *ring = *state;

	input_init(&input, INPUT_TABLET);
	give_buffers(ring, 8);
	send(EV_ABS, ABS_X, -1);
	send(EV_ABS, ABS_Y, INPUT_ABS_MAX + 1);
	send(EV_ABS, ABS_Y, INPUT_ABS_MAX);
	input_flush(&input, &ring->vq);
	assert_int_equal(fake_ring_used_idx(ring), 1);
	expect_event(ring, 0, EV_ABS, ABS_Y, INPUT_ABS_MAX);
}

/* Events wait for buffers. */
static void input_keeps_events_for_slow_guest(void **state)
{
	struct fake_ring *ring = *state;

	send(EV_KEY, KEY_A, 1);
	send(EV_SYN, SYN_REPORT, 0);
	input_flush(&input, &ring->vq);
	assert_int_equal(fake_ring_used_idx(ring), 0);
	give_buffers(ring, 2);
	input_flush(&input, &ring->vq);
	assert_int_equal(fake_ring_used_idx(ring), 2);
}

/* A key that went up while events were lost is released as soon as the guest listens again. */
static void input_releases_keys_after_loss(void **state)
{
	struct fake_ring *ring = *state;

	give_buffers(ring, 2);
	send(EV_KEY, KEY_LEFTSHIFT, 1);
	send(EV_SYN, SYN_REPORT, 0);
	input_flush(&input, &ring->vq); /* the guest knows that Shift is down, then takes nothing */
	for (unsigned i = 0; i < INPUT_PENDING_MAX; i++) {
		send(EV_KEY, KEY_A, i % 2 == 0);
		send(EV_SYN, SYN_REPORT, 0);
	}
	send(EV_KEY, KEY_LEFTSHIFT, 0);
	send(EV_SYN, SYN_REPORT, 0);
	assert_true(input.lost);
	ring->next_desc = 0;
	give_buffers(ring, 4);
	input_flush(&input, &ring->vq);
	assert_int_equal(fake_ring_used_idx(ring), 4);
	expect_event(ring, 0, EV_KEY, KEY_LEFTSHIFT, 0);
	expect_event(ring, 1, EV_SYN, SYN_REPORT, 0);
	assert_false(input.lost);
	send(EV_KEY, KEY_B, 1);
	input_flush(&input, &ring->vq);
	expect_event(ring, 2, EV_KEY, KEY_B, 1);
}

/* After a reset all keys are up: the release of one that was pressed before says nothing new. */
static void input_reset_lifts_keys(void **state)
{
	struct fake_ring *ring = *state;

	give_buffers(ring, 4);
	send(EV_KEY, KEY_A, 1);
	input_flush(&input, &ring->vq);
	input_reset(&input);
	send(EV_KEY, KEY_A, 0);
	send(EV_SYN, SYN_REPORT, 0);
	input_flush(&input, &ring->vq);
	assert_int_equal(fake_ring_used_idx(ring), 1);
}

/* A buffer too small for an event breaks the queue. */
static void input_breaks_on_small_buffer(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 4, true};

	fake_ring_add(ring, &seg, 1);
	send(EV_KEY, KEY_A, 1);
	input_flush(&input, &ring->vq);
	assert_true(ring->vq.broken);
}

/* What the guest says on the status queue comes back and changes nothing. */
static void input_takes_status(void **state)
{
	struct fake_ring *ring = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 8, false};

	fake_ring_add(ring, &seg, 1);
	assert_false(input_handle_status(&input, &ring->vq));
	assert_int_equal(fake_ring_used_idx(ring), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(input_keyboard_announces_keys),  TEST(input_tablet_announces_axes),
		TEST(input_tells_name_and_ids),	      TEST(input_set_config_takes_any_write),
		TEST(input_passes_events_in_order),   TEST(input_ignores_what_was_not_announced),
		TEST(input_checks_axis_range),	      TEST(input_keeps_events_for_slow_guest),
		TEST(input_releases_keys_after_loss), TEST(input_reset_lifts_keys),
		TEST(input_breaks_on_small_buffer),   TEST(input_takes_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
