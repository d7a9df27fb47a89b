/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's walk through the common configuration structure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "vhost_fake.h"
#include "virtio_guest.h"

static int setup(void **state)
{
	*state = virtio_guest_create("blk");
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	virtio_guest_destroy(*state);
	return 0;
}

static uint8_t status(struct virtio_guest *guest)
{
	return (uint8_t)virtio_guest_common_read(guest, 0x14, 1);
}

/* The driver sees the device's and the transport's features, not those of vhost-user or of packed
 * rings. */
static void features_offered_are_filtered(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_common_write(guest, 0x00, 4, 0);
	assert_int_equal(virtio_guest_common_read(guest, 0x04, 4), (1u << 5) | (1u << 29));
	virtio_guest_common_write(guest, 0x00, 4, 1);
	assert_int_equal(virtio_guest_common_read(guest, 0x04, 4), 1);
	virtio_guest_common_write(guest, 0x00, 4, 2);
	assert_int_equal(virtio_guest_common_read(guest, 0x04, 4), 0);
}

/* FEATURES_OK stays when the driver accepted a subset with VERSION_1. */
static void features_ok_on_a_subset(void **state)
{
	assert_int_equal(virtio_guest_negotiate(*state, VIRTIO_F_VERSION_1 | 1u << 29), 0x0b);
}

/* FEATURES_OK is refused for a feature that was not offered, and without VERSION_1. */
static void features_ok_refused_otherwise(void **state)
{
	assert_int_equal(virtio_guest_negotiate(*state, VIRTIO_F_VERSION_1 | 1u << 6), 0x03);
	assert_int_equal(virtio_guest_negotiate(*state, 1u << 29), 0x03);
}

/* After FEATURES_OK the accepted features do not change any more. */
static void features_stay_after_features_ok(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_negotiate(guest, VIRTIO_F_VERSION_1);
	virtio_guest_common_write(guest, 0x08, 4, 0);
	virtio_guest_common_write(guest, 0x0c, 4, 1u << 29);
	assert_true(guest->dev.accepted == VIRTIO_F_VERSION_1);
}

/* DRIVER_OK hands features and enabled queues, with their addresses, to the back end. */
static void driver_ok_starts_enabled_queues(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	assert_int_equal(status(guest), 0x0f);
	assert_true(fake_vhost.features_set == VIRTIO_F_VERSION_1);
	assert_int_equal(fake_vhost.starts, 1);
	assert_int_equal(fake_vhost.ring[0].size, 4);
	assert_int_equal(fake_vhost.ring[0].desc, 0x10000);
	assert_int_equal(fake_vhost.ring[0].driver, 0x10040);
	assert_int_equal(fake_vhost.ring[0].device, 0x10080);
}

/* DRIVER_OK without FEATURES_OK starts nothing. */
static void driver_ok_alone_starts_nothing(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_enable_queue(guest, 0, 0x10000, 1);
	virtio_guest_common_write(guest, 0x14, 1, 0x07);
	assert_int_equal(fake_vhost.starts, 0);
	assert_int_equal(fake_vhost.features_calls, 0);
}

/* Status 0 stops the rings and brings every register back; then the device starts again. */
static void reset_stops_and_allows_a_new_start(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	virtio_guest_common_write(guest, 0x14, 1, 0);
	assert_int_equal(status(guest), 0);
	assert_int_equal(fake_vhost.stops, 1);
	virtio_guest_common_write(guest, 0x16, 2, 0);
	assert_int_equal(virtio_guest_common_read(guest, 0x18, 2), 128);
	assert_int_equal(virtio_guest_common_read(guest, 0x1a, 2), MSIX_NO_VECTOR);
	assert_int_equal(virtio_guest_common_read(guest, 0x1c, 2), 0);
	virtio_guest_start(guest);
	assert_int_equal(fake_vhost.starts, 2);
	assert_true(fake_vhost.running[0]);
}

/* A ring that is not wholly in RAM, or not aligned, is not given to the back end: the device
 * breaks. */
static void ring_outside_ram_breaks_the_device(void **state)
{
	static const uint64_t bad[] = {VIRTIO_GUEST_RAM - 64, VIRTIO_GUEST_RAM, 0x10008,
				       UINT64_MAX - 15, 1ull << 40};
	struct virtio_guest *guest = *state;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		virtio_guest_negotiate(guest, VIRTIO_F_VERSION_1);
		virtio_guest_enable_queue(guest, 0, bad[i], 1);
		assert_int_equal(virtio_guest_common_read(guest, 0x1c, 2), 0);
		assert_true(status(guest) & VIRTIO_STATUS_NEEDS_RESET);
		virtio_guest_common_write(guest, 0x14, 1, 0x0f);
		assert_int_equal(fake_vhost.starts, 0);
	}
}

/* Sizes that are 0, no power of two, or above the maximum are ignored. */
static void queue_size_accepts_only_what_fits(void **state)
{
	static const unsigned bad[] = {0, 3, 129, 256, 0xffff};
	struct virtio_guest *guest = *state;

	virtio_guest_common_write(guest, 0x16, 2, 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		virtio_guest_common_write(guest, 0x18, 2, bad[i]);
		assert_int_equal(virtio_guest_common_read(guest, 0x18, 2), 128);
	}
	virtio_guest_common_write(guest, 0x18, 2, 32);
	assert_int_equal(virtio_guest_common_read(guest, 0x18, 2), 32);
}

/* An enabled queue keeps size and place until reset. */
static void enabled_queue_does_not_move(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_enable_queue(guest, 0, 0x10000, 1);
	virtio_guest_common_write(guest, 0x20, 8, 0x20000);
	virtio_guest_common_write(guest, 0x18, 2, 8);
	assert_int_equal(virtio_guest_common_read(guest, 0x20, 8), 0x10000);
	assert_int_equal(virtio_guest_common_read(guest, 0x18, 2), 4);
}

/* A queue number that does not exist has size 0 and takes no writes. */
static void queue_that_is_not_there_reads_zero(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_common_write(guest, 0x16, 2, 0xffff);
	assert_int_equal(virtio_guest_common_read(guest, 0x18, 2), 0);
	virtio_guest_common_write(guest, 0x1c, 2, 1);
	assert_int_equal(virtio_guest_common_read(guest, 0x1c, 2), 0);
}

/* A vector beyond the table is answered with "no vector", so that the driver knows. */
static void vector_beyond_the_table_is_refused(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_common_write(guest, 0x10, 2, 2);
	assert_int_equal(virtio_guest_common_read(guest, 0x10, 2), MSIX_NO_VECTOR);
	virtio_guest_common_write(guest, 0x10, 2, 1);
	assert_int_equal(virtio_guest_common_read(guest, 0x10, 2), 1);
}

/* A back end that fails at DRIVER_OK leaves a device that wants a reset. */
static void lost_back_end_breaks_the_device(void **state)
{
	struct virtio_guest *guest = *state;

	fake_vhost.fail = true;
	virtio_guest_start(guest);
	assert_true(status(guest) & VIRTIO_STATUS_NEEDS_RESET);
}

/* A queue that is enabled after DRIVER_OK starts at once. */
static void late_queue_starts_at_once(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_negotiate(guest, VIRTIO_F_VERSION_1);
	virtio_guest_common_write(guest, 0x14, 1, 0x0f);
	assert_int_equal(fake_vhost.starts, 0);
	virtio_guest_enable_queue(guest, 0, 0x10000, 1);
	assert_int_equal(fake_vhost.starts, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(features_offered_are_filtered, setup, teardown),
		cmocka_unit_test_setup_teardown(features_ok_on_a_subset, setup, teardown),
		cmocka_unit_test_setup_teardown(features_ok_refused_otherwise, setup, teardown),
		cmocka_unit_test_setup_teardown(features_stay_after_features_ok, setup, teardown),
		cmocka_unit_test_setup_teardown(driver_ok_starts_enabled_queues, setup, teardown),
		cmocka_unit_test_setup_teardown(driver_ok_alone_starts_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(reset_stops_and_allows_a_new_start, setup,
						teardown),
		cmocka_unit_test_setup_teardown(ring_outside_ram_breaks_the_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(queue_size_accepts_only_what_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(enabled_queue_does_not_move, setup, teardown),
		cmocka_unit_test_setup_teardown(queue_that_is_not_there_reads_zero, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vector_beyond_the_table_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(lost_back_end_breaks_the_device, setup, teardown),
		cmocka_unit_test_setup_teardown(late_queue_starts_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
