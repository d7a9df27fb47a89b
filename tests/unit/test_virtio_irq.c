/* SPDX-License-Identifier: Apache-2.0 */
/* From the back end's call eventfd to the interrupt in the guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>
#include "bulkhead_dev_fake.h"
#include "virtio_guest.h"

#define WAIT_MS 1000
#define NONE_MS 30

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

static void call(struct virtio_guest *guest)
{
	const uint64_t one = 1;

	assert_int_equal(write(guest->dev.queue[0].call, &one, sizeof(one)), sizeof(one));
}

static void assert_msi(uint32_t wanted)
{
	uint64_t addr;
	uint32_t data;

	assert_true(fake_dev_take_msi(1, &addr, &data, WAIT_MS));
	assert_int_equal(addr, 0xfee00000u);
	assert_int_equal(data, wanted);
}

static void assert_no_msi(void)
{
	uint64_t addr;
	uint32_t data;

	assert_false(fake_dev_take_msi(1, &addr, &data, NONE_MS));
}

/* With its vector unmasked, a call goes to the guest without the event loop. */
static void call_is_routed_while_unmasked(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	assert_false(virtio_irq_listens(&guest->dev, 0));
	call(guest);
	assert_msi(0x41);
}

/* A call while masked becomes the pending bit, and the interrupt when the vector is unmasked. */
static void call_while_masked_is_delivered_at_unmask(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	virtio_guest_mask(guest, 1);
	assert_true(virtio_irq_listens(&guest->dev, 0));
	call(guest);
	virtio_irq_call(&guest->dev, 0);
	assert_no_msi();
	assert_int_equal(
		virtio_guest_read(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + VIRTIO_BAR_PBA, 8), 2);
	virtio_guest_unmask(guest, 1);
	assert_msi(0x41);
	assert_int_equal(
		virtio_guest_read(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + VIRTIO_BAR_PBA, 8), 0);
}

/* A call that the event loop has not seen yet when the vector is unmasked is not lost. */
static void call_between_mask_and_loop_is_not_lost(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	virtio_guest_mask(guest, 1);
	call(guest);
	virtio_guest_unmask(guest, 1);
	assert_msi(0x41);
}

/* The function's own mask bit holds all vectors back, and lets pending ones go. */
static void function_mask_holds_interrupts_back(void **state)
{
	struct virtio_guest *guest = *state;
	unsigned control = guest->dev.msix_capability + 2;

	virtio_guest_start(guest);
	virtio_guest_config_write(guest, 1, control, 2, 0xc000);
	call(guest);
	virtio_irq_call(&guest->dev, 0);
	assert_no_msi();
	virtio_guest_config_write(guest, 1, control, 2, 0x8000);
	assert_msi(0x41);
}

/* A new message in an unmasked entry replaces the route. */
static void message_changes_with_the_entry(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	virtio_guest_write(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + VIRTIO_BAR_MSIX + 16 + 8, 4,
			   0x77);
	call(guest);
	assert_msi(0x77);
}

/* Without MSI-X a call sets the ISR bit, which reading clears. */
static void call_without_msix_sets_isr(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	virtio_guest_config_write(guest, 1, guest->dev.msix_capability + 2, 2, 0);
	call(guest);
	virtio_irq_call(&guest->dev, 0);
	assert_no_msi();
	assert_int_equal(
		virtio_guest_read(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + VIRTIO_BAR_ISR, 1), 1);
	assert_int_equal(
		virtio_guest_read(guest, BH_IOREQ_MMIO, LAYOUT_DEVICE_GPA + VIRTIO_BAR_ISR, 1), 0);
}

/* A change of the back end's configuration counts the generation and raises the configuration
 * vector. */
static void config_change_interrupts(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	virtio_dev_config_changed(&guest->dev);
	assert_msi(0x40);
	assert_int_equal(virtio_guest_common_read(guest, 0x15, 1), 1);
}

/* After a reset of the device a late call does not reach the guest. */
static void no_interrupt_after_reset(void **state)
{
	struct virtio_guest *guest = *state;

	virtio_guest_start(guest);
	virtio_guest_common_write(guest, 0x14, 1, 0);
	call(guest);
	assert_no_msi();
	assert_false(virtio_irq_listens(&guest->dev, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(call_is_routed_while_unmasked, setup, teardown),
		cmocka_unit_test_setup_teardown(call_while_masked_is_delivered_at_unmask, setup,
						teardown),
		cmocka_unit_test_setup_teardown(call_between_mask_and_loop_is_not_lost, setup,
						teardown),
		cmocka_unit_test_setup_teardown(function_mask_holds_interrupts_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(message_changes_with_the_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(call_without_msix_sets_isr, setup, teardown),
		cmocka_unit_test_setup_teardown(config_change_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(no_interrupt_after_reset, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
