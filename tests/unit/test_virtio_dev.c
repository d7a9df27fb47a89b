/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI function of a virtio device: capabilities, BARs, doorbell, configuration space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>
#include "bulkhead_dev_fake.h"
#include "vhost_fake.h"
#include "virtio_guest.h"

static int setup(void **state)
{
	*state = virtio_guest_create("gpu");
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	virtio_guest_destroy(*state);
	return 0;
}

/* Offset of the vendor capability of that type; 0: none. Fails on a list that does not end. */
static unsigned find_cap(struct virtio_guest *guest, unsigned type)
{
	unsigned cap = virtio_guest_config_read(guest, 1, PCI_CAPABILITIES, 1);

	for (unsigned i = 0; cap != 0; i++) {
		assert_true(i < 16);
		if (virtio_guest_config_read(guest, 1, cap, 1) == 0x09 &&
		    virtio_guest_config_read(guest, 1, cap + 3, 1) == type) {
			return cap;
		}
		cap = virtio_guest_config_read(guest, 1, cap + 1, 1);
	}
	return 0;
}

static uint64_t count_of(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) < 0 ? 0 : count;
}

/* The device id is 0x1040 plus the virtio id, and all five kinds of capability are there. */
static void function_has_all_capabilities(void **state)
{
	struct virtio_guest *guest = *state;

	assert_int_equal(virtio_guest_config_read(guest, 1, 0, 4), 0x10501af4u);
	for (unsigned type = 1; type <= 5; type++) {
		assert_int_not_equal(find_cap(guest, type), 0);
	}
}

/* The notify structure is the device's page of the doorbell window, queues 4 bytes apart. */
static void notify_lies_in_the_doorbell_window(void **state)
{
	struct virtio_guest *guest = *state;
	unsigned cap = find_cap(guest, 2);
	unsigned bar = virtio_guest_config_read(guest, 1, cap + 4, 1);

	assert_int_equal(virtio_guest_config_read(guest, 1, PCI_BAR0 + 4 * bar, 4),
			 LAYOUT_DOORBELL_GPA);
	assert_int_equal(virtio_guest_config_read(guest, 1, cap + 16, 4), 4);
	assert_true(fake_dev_ring(1, LAYOUT_DOORBELL_GPA + 4));
	assert_int_equal(count_of(guest->dev.queue[1].kick), 1);
	assert_int_equal(count_of(guest->dev.queue[0].kick), 0);
}

/* A BAR that the guest moves answers at its new place, and the notify BAR still kicks. */
static void bars_move(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_config_write(guest, 1, PCI_BAR0, 4, 0xd0000000u);
	virtio_guest_config_write(guest, 1, PCI_BAR0 + 8, 4, 0xd0010000u);
	assert_int_equal(virtio_guest_read(guest, BH_IOREQ_MMIO, 0xd0000012u, 2), 2);
	assert_int_equal(virtio_guest_read(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + 0x12, 2),
			 0xffff);
	virtio_guest_write(guest, BH_IOREQ_MMIO, 0xd0010004u, 2, 1);
	assert_int_equal(count_of(guest->dev.queue[1].kick), 1);
	virtio_guest_write(guest, BH_IOREQ_MMIO, 0xd0010008u, 2, 2);
	virtio_guest_write(guest, BH_IOREQ_MMIO, 0xd0010001u, 1, 0);
	assert_int_equal(count_of(guest->dev.queue[0].kick), 0);
}

/* Sizing: all ones read back as the size mask. */
static void bars_can_be_sized(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_config_write(guest, 1, PCI_BAR0, 4, 0xffffffffu);
	assert_int_equal(virtio_guest_config_read(guest, 1, PCI_BAR0, 4), 0xffffc000u);
	virtio_guest_config_write(guest, 1, PCI_BAR0 + 8, 4, 0xffffffffu);
	assert_int_equal(virtio_guest_config_read(guest, 1, PCI_BAR0 + 8, 4), 0xfffff000u);
	virtio_guest_config_write(guest, 1, PCI_BAR0 + 4, 4, 0xffffffffu);
	assert_int_equal(virtio_guest_config_read(guest, 1, PCI_BAR0 + 4, 4), 0);
}

/* With memory decoding off the function answers nothing. */
static void memory_decoding_can_be_switched_off(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_config_write(guest, 1, PCI_COMMAND, 2, 0);
	assert_int_equal(virtio_guest_common_read(guest, 0x12, 2), 0xffff);
}

/* Byte-wise reads of the configuration space ask the back end once, until it says that it changed.
 */
static void config_is_read_once_until_it_changes(void **state)
{
	struct virtio_guest *guest = *state;
	uint64_t config = LAYOUT_DEVICE_GPA + VIRTIO_BAR_CONFIG;

	memcpy(fake_vhost.config, "\1\2\3\4", 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(virtio_guest_read(guest, BH_IOREQ_MMIO, config + i, 1), i + 1);
	}
	assert_int_equal(fake_vhost.config_reads, 1);
	fake_vhost.config[0] = 9;
	virtio_dev_config_changed(&guest->dev);
	assert_int_equal(virtio_guest_read(guest, BH_IOREQ_MMIO, config, 4), 0x04030209);
	virtio_guest_write(guest, BH_IOREQ_MMIO, config + 4, 4, 0xaabbccdd);
	assert_int_equal(virtio_guest_read(guest, BH_IOREQ_MMIO, config + 4, 4), 0xaabbccdd);
	assert_int_equal(fake_vhost.config_reads, 3);
}

/* Accesses that reach past the configuration space read 0 and are not passed on. */
static void config_ends_where_the_type_says(void **state)
{
	struct virtio_guest *guest = *state;
	uint64_t config = LAYOUT_DEVICE_GPA + VIRTIO_BAR_CONFIG;

	memset(fake_vhost.config, 0xee, sizeof(fake_vhost.config));
	assert_int_equal(virtio_guest_read(guest, BH_IOREQ_MMIO, config + 14, 4), 0);
	assert_int_equal(virtio_guest_read(guest, BH_IOREQ_MMIO, config + 0xff0, 4), 0);
	virtio_guest_write(guest, BH_IOREQ_MMIO, config + 15, 2, 0);
	assert_int_equal(fake_vhost.config[15], 0xee);
}

/* The access capability reaches a BAR by configuration space: reads a register, rings a queue. */
static void access_capability_reaches_the_bars(void **state)
{
	struct virtio_guest *guest = *state;
	unsigned cap = find_cap(guest, 5);

	virtio_guest_config_write(guest, 1, cap + 4, 1, 0);
	virtio_guest_config_write(guest, 1, cap + 8, 4, 0x12);
	virtio_guest_config_write(guest, 1, cap + 12, 4, 2);
	assert_int_equal(virtio_guest_config_read(guest, 1, cap + 16, 2), 2);
	virtio_guest_config_write(guest, 1, cap + 4, 1, 2);
	virtio_guest_config_write(guest, 1, cap + 8, 4, 4);
	virtio_guest_config_write(guest, 1, cap + 16, 2, 1);
	assert_int_equal(count_of(guest->dev.queue[1].kick), 1);
}

/* A window that lies outside the BAR, is unaligned or of a wrong BAR does nothing. */
static void access_capability_is_checked(void **state)
{
	struct virtio_guest *guest = *state;
	unsigned cap = find_cap(guest, 5);

	virtio_guest_config_write(guest, 1, cap + 4, 1, 2);
	virtio_guest_config_write(guest, 1, cap + 8, 4, 0x1000);
	virtio_guest_config_write(guest, 1, cap + 12, 4, 4);
	virtio_guest_config_write(guest, 1, cap + 16, 4, 1);
	virtio_guest_config_write(guest, 1, cap + 8, 4, 0xfffffffc);
	virtio_guest_config_write(guest, 1, cap + 16, 4, 1);
	virtio_guest_config_write(guest, 1, cap + 4, 1, 1);
	virtio_guest_config_write(guest, 1, cap + 8, 4, 0);
	virtio_guest_config_write(guest, 1, cap + 16, 4, 1);
	assert_int_equal(count_of(guest->dev.queue[0].kick), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(function_has_all_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(notify_lies_in_the_doorbell_window, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bars_move, setup, teardown),
		cmocka_unit_test_setup_teardown(bars_can_be_sized, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_decoding_can_be_switched_off, setup,
						teardown),
		cmocka_unit_test_setup_teardown(config_is_read_once_until_it_changes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(config_ends_where_the_type_says, setup, teardown),
		cmocka_unit_test_setup_teardown(access_capability_reaches_the_bars, setup,
						teardown),
		cmocka_unit_test_setup_teardown(access_capability_is_checked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
