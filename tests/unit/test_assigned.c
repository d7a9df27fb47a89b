/* SPDX-License-Identifier: Apache-2.0 */
/* A real device in the guest's PCI: what the guest sees of it, and what of its writes reaches the
 * device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "assigned_guest.h"

#define MEMORY 0x02u
#define MASTER 0x04u
#define TABLE  (LAYOUT_ASSIGNED_GPA + 0x40000u) /* behind the two BARs of 128 KiB */

static int setup(void **state)
{
	*state = assigned_guest_create();
	return *state == NULL ? -1 : 0;
}

static int setup_prepared(void **state)
{
	*state = assigned_guest_prepare();
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	assigned_guest_destroy(*state);
	return 0;
}

static void enable(struct assigned_guest *guest)
{
	assigned_guest_config_write(guest, PCI_COMMAND, 2, MEMORY | MASTER);
}

static void set_msix(struct assigned_guest *guest, uint32_t control)
{
	assigned_guest_config_write(guest, assigned_guest_capability(guest, 0x11) + 2, 2, control);
}

static void set_vector(struct assigned_guest *guest, unsigned vector, uint64_t addr, uint32_t data,
		       uint32_t control)
{
	assigned_guest_write(guest, TABLE + 16 * vector, 4, addr);
	assigned_guest_write(guest, TABLE + 16 * vector + 4, 4, addr >> 32);
	assigned_guest_write(guest, TABLE + 16 * vector + 8, 4, data);
	assigned_guest_write(guest, TABLE + 16 * vector + 12, 4, control);
}

/* Vendor, device, class, revision and subsystem are the device's own. */
static void identity_is_the_devices(void **state)
{
	struct assigned_guest *guest = *state;

	assert_int_equal(assigned_guest_config_read(guest, 0x00, 4), 0x10d38086);
	assert_int_equal(assigned_guest_config_read(guest, 0x08, 4), 0x02000007);
	assert_int_equal(assigned_guest_config_read(guest, 0x2c, 4), 0x00011af4);
	assert_int_equal(assigned_guest_config_read(guest, 0x0e, 1), 0);
}

/* Of the capabilities only MSI-X, PCI Express and power management are there; no MSI, no INTx. */
static void other_capabilities_are_left_out(void **state)
{
	struct assigned_guest *guest = *state;

	assert_int_not_equal(assigned_guest_capability(guest, 0x01), 0);
	assert_int_not_equal(assigned_guest_capability(guest, 0x10), 0);
	assert_int_not_equal(assigned_guest_capability(guest, 0x11), 0);
	assert_int_equal(assigned_guest_capability(guest, 0x05), 0);
	assert_int_equal(assigned_guest_config_read(guest, 0x3d, 1), 0);
}

/* The PCI Express capability is an integrated endpoint's, without function-level reset, and its
 * control register does not change. */
static void express_has_no_reset_and_is_read_only(void **state)
{
	struct assigned_guest *guest = *state;
	unsigned cap = assigned_guest_capability(guest, 0x10);
	uint32_t control = assigned_guest_config_read(guest, cap + 8, 2);

	assert_int_equal(assigned_guest_config_read(guest, cap + 2, 2), 0x0092);
	assert_int_equal(assigned_guest_config_read(guest, cap + 4, 4) & 0x10000000, 0);
	assert_int_equal(assigned_guest_config_read(guest, cap + 4, 4) & 7, control >> 5 & 7);
	assigned_guest_config_write(guest, cap + 8, 2, 0xffff);
	assert_int_equal(assigned_guest_config_read(guest, cap + 8, 2), control);
}

/* The device is in D0 and stays there. */
static void power_state_is_read_only(void **state)
{
	struct assigned_guest *guest = *state;
	unsigned cap = assigned_guest_capability(guest, 0x01);

	assigned_guest_config_write(guest, cap + 4, 2, 3);
	assert_int_equal(assigned_guest_config_read(guest, cap + 4, 2) & 3, 0);
	assert_int_equal(assigned_guest_config_read(guest, cap + 2, 2) & 0xfe00, 0);
}

/* Memory BARs are placed one behind the other, each aligned to its size; BARs of ports are not
 * there. */
static void bars_are_placed_and_sized(void **state)
{
	struct assigned_guest *guest = *state;

	assert_int_equal(assigned_guest_config_read(guest, 0x10, 4), LAYOUT_ASSIGNED_GPA);
	assert_int_equal(assigned_guest_config_read(guest, 0x14, 4), LAYOUT_ASSIGNED_GPA + 0x20000);
	assert_int_equal(assigned_guest_config_read(guest, 0x1c, 4), TABLE);
	for (unsigned reg = 0x10; reg <= 0x24; reg += 4) {
		assigned_guest_config_write(guest, reg, 4, 0xffffffff);
	}
	assert_int_equal(assigned_guest_config_read(guest, 0x10, 4), 0xfffe0000);
	assert_int_equal(assigned_guest_config_read(guest, 0x18, 4), 0);
	assert_int_equal(assigned_guest_config_read(guest, 0x1c, 4), 0xffffc000);
	assert_int_equal(assigned_guest_config_read(guest, 0x20, 4), 0);
}

/* Before the guest enables anything, nothing was asked of the device. */
static void untouched_until_enabled(void **state)
{
	struct assigned_guest *guest = *state;

	assert_int_equal(assigned_guest_card(guest)->changes, 0);
	assigned_guest_config_write(guest, 0x0c, 1, 16);
	assert_int_equal(assigned_guest_card(guest)->changes, 0);
}

/* Memory enable maps the BARs where they are; without it they are taken away. */
static void memory_enable_maps_the_bars(void **state)
{
	struct assigned_guest *guest = *state;
	const struct fake_dev_device *card = assigned_guest_card(guest);

	assigned_guest_config_write(guest, PCI_COMMAND, 2, MEMORY);
	assert_int_equal(card->bar[0], LAYOUT_ASSIGNED_GPA);
	assert_int_equal(card->bar[1], LAYOUT_ASSIGNED_GPA + 0x20000);
	assert_int_equal(card->bar[3], TABLE);
	assert_int_equal(card->flags, 0);
	assigned_guest_config_write(guest, PCI_COMMAND, 2, 0);
	assert_int_equal(card->bar[0] | card->bar[1] | card->bar[3], 0);
}

/* A BAR that the guest moves is mapped at its new place. */
static void bar_moves(void **state)
{
	struct assigned_guest *guest = *state;

	enable(guest);
	assigned_guest_config_write(guest, 0x10, 4, 0xe0000000);
	assert_int_equal(assigned_guest_card(guest)->bar[0], 0xe0000000);
}

/* A BAR over RAM, behind the PCI window, over the doorbells or over another BAR is not mapped. */
static void bar_in_a_wrong_place_is_not_mapped(void **state)
{
	static const uint32_t wrong[] = {0x00000000,
					 0x00100000,
					 0xfffe0000,
					 0xfec00000,
					 (uint32_t)LAYOUT_DOORBELL_GPA,
					 (uint32_t)LAYOUT_ASSIGNED_GPA + 0x20000};
	struct assigned_guest *guest = *state;

	enable(guest);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assigned_guest_config_write(guest, 0x10, 4, wrong[i]);
		assert_int_equal(assigned_guest_card(guest)->bar[0], 0);
	}
	assigned_guest_config_write(guest, 0x10, 4, (uint32_t)LAYOUT_ASSIGNED_GPA);
	assert_int_equal(assigned_guest_card(guest)->bar[0], LAYOUT_ASSIGNED_GPA);
}

/* When root mode refuses a BAR the guest goes on without it. */
static void refused_bar_leaves_the_rest(void **state)
{
	struct assigned_guest *guest = *state;

	fake_dev_fail_next(BULKHEAD_DEVICE_MAP, EPERM);
	enable(guest);
	assert_int_equal(assigned_guest_card(guest)->bar[0], 0);
	assert_int_equal(assigned_guest_card(guest)->bar[3], TABLE);
	assert_int_equal(assigned_guest_card(guest)->flags, BULKHEAD_DEVICE_MASTER);
}

/* The bus master bit reaches the device, in both directions. */
static void bus_master_is_forwarded(void **state)
{
	struct assigned_guest *guest = *state;

	enable(guest);
	assert_int_equal(assigned_guest_card(guest)->flags, BULKHEAD_DEVICE_MASTER);
	assigned_guest_config_write(guest, PCI_COMMAND, 2, MEMORY);
	assert_int_equal(assigned_guest_card(guest)->flags, 0);
}

/* Enable and mask-all of MSI-X reach the device; the size of the table does not change. */
static void msix_control_is_forwarded(void **state)
{
	struct assigned_guest *guest = *state;
	unsigned cap = assigned_guest_capability(guest, 0x11);

	enable(guest);
	set_msix(guest, 0xffff);
	assert_int_equal(assigned_guest_config_read(guest, cap + 2, 2), 0xc004);
	assert_int_equal(assigned_guest_card(guest)->flags, BULKHEAD_DEVICE_MASTER |
								    BULKHEAD_DEVICE_MSIX |
								    BULKHEAD_DEVICE_MSIX_MASKED);
	set_msix(guest, 0x8000);
	assert_int_equal(assigned_guest_card(guest)->flags,
			 BULKHEAD_DEVICE_MASTER | BULKHEAD_DEVICE_MSIX);
}

/* An entry that is unmasked while MSI-X is on gets its message; the guest reads back what it wrote.
 */
static void unmasked_entry_gets_its_message(void **state)
{
	struct assigned_guest *guest = *state;
	const struct fake_dev_device *card = assigned_guest_card(guest);

	enable(guest);
	set_msix(guest, 0x8000);
	set_vector(guest, 2, 0xfee01000, 0x51, 0);
	assert_int_equal(card->irq[2].address, 0xfee01000);
	assert_int_equal(card->irq[2].data, 0x51);
	assert_false(card->irq[2].masked);
	assert_int_equal(assigned_guest_read(guest, TABLE + 32, 4), 0xfee01000);
	assert_int_equal(assigned_guest_read(guest, TABLE + 40, 8), 0x51);
	assert_int_equal(card->irq[0].address | card->irq[1].address, 0);
}

/* What was written before MSI-X is switched on counts from then on. */
static void entry_written_before_enable_counts(void **state)
{
	struct assigned_guest *guest = *state;

	enable(guest);
	set_vector(guest, 0, 0xfee01000, 0x51, 0);
	assert_int_equal(assigned_guest_card(guest)->irq[0].address, 0);
	set_msix(guest, 0x8000);
	assert_int_equal(assigned_guest_card(guest)->irq[0].address, 0xfee01000);
}

/* A masked entry keeps its message and is held back by the device; unmasked with another message it
 * gets that one, in one step. */
static void masked_entry_is_held_back_by_the_device(void **state)
{
	struct assigned_guest *guest = *state;
	const struct fake_dev_device *card = assigned_guest_card(guest);
	unsigned changes;

	enable(guest);
	set_msix(guest, 0x8000);
	set_vector(guest, 1, 0xfee01000, 0x51, 0);
	assigned_guest_write(guest, TABLE + 16 + 12, 4, 1);
	assert_true(card->irq[1].masked);
	assert_int_equal(card->irq[1].address, 0xfee01000);
	changes = card->changes;
	assigned_guest_write(guest, TABLE + 16, 4, 0xfee02000);
	assigned_guest_write(guest, TABLE + 16 + 8, 4, 0x61);
	assert_int_equal(card->changes, changes);
	assigned_guest_write(guest, TABLE + 16 + 12, 4, 0);
	assert_int_equal(card->changes, changes + 1);
	assert_int_equal(card->irq[1].address, 0xfee02000);
	assert_int_equal(card->irq[1].data, 0x61);
	assert_false(card->irq[1].masked);
}

/* Switching MSI-X off gives the interrupts back. */
static void disable_gives_interrupts_back(void **state)
{
	struct assigned_guest *guest = *state;

	enable(guest);
	set_msix(guest, 0x8000);
	set_vector(guest, 0, 0xfee01000, 0x51, 0);
	set_msix(guest, 0);
	assert_int_equal(assigned_guest_card(guest)->irq[0].address, 0);
	assert_int_equal(assigned_guest_card(guest)->flags, BULKHEAD_DEVICE_MASTER);
}

/* A message that root mode refuses leaves the entry masked; a good one works afterwards. */
static void refused_message_leaves_the_entry_masked(void **state)
{
	struct assigned_guest *guest = *state;

	enable(guest);
	set_msix(guest, 0x8000);
	set_vector(guest, 0, 0x1000, 0x51, 0);
	assert_true(assigned_guest_card(guest)->irq[0].masked);
	set_vector(guest, 0, 0xfee00000, 0x51, 0);
	assert_false(assigned_guest_card(guest)->irq[0].masked);
}

/* Behind the table its pages read 0 and take no write; so do BARs that are not mapped. */
static void nothing_but_the_table_answers(void **state)
{
	struct assigned_guest *guest = *state;
	unsigned changes;

	enable(guest);
	changes = assigned_guest_card(guest)->changes;
	assigned_guest_write(guest, TABLE + 16 * ASSIGNED_GUEST_VECTORS, 4, 0xfee01000);
	assigned_guest_write(guest, TABLE + 0x1000, 4, 1);
	assigned_guest_write(guest, LAYOUT_ASSIGNED_GPA, 4, 1);
	assert_int_equal(assigned_guest_read(guest, TABLE + 16 * ASSIGNED_GUEST_VECTORS, 4), 0);
	assert_int_equal(assigned_guest_read(guest, LAYOUT_ASSIGNED_GPA, 4), 0);
	assert_int_equal(assigned_guest_card(guest)->changes, changes);
}

/* A table with more entries than there are interrupts is shown shorter. */
static void table_is_cut_to_what_there_is(void **state)
{
	struct assigned_guest *guest = *state;

	guest->setup.info.msix_count = 64;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(
		assigned_guest_config_read(guest, assigned_guest_capability(guest, 0x11) + 2, 2),
		BH_DEVICE_IRQ_MAX - 1);
}

/* A table that does not lie in its BAR is not offered, nor one in a BAR that is not. */
static void table_outside_its_bar_is_not_offered(void **state)
{
	struct assigned_guest *guest = *state;

	guest->setup.info.msix_offset = 0x3ff0;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(assigned_guest_capability(guest, 0x11), 0);
	assigned_guest_destroy(guest);
	*state = guest = assigned_guest_prepare();
	guest->setup.info.msix_bar = 2;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(assigned_guest_capability(guest, 0x11), 0);
	assigned_guest_destroy(guest);
	*state = guest = assigned_guest_prepare();
	guest->setup.info.msix_bar = 77;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(assigned_guest_capability(guest, 0x11), 0);
}

/* Configuration space of another device, or of a bridge, is refused. */
static void other_configuration_space_is_refused(void **state)
{
	struct assigned_guest *guest = *state;

	guest->setup.config[2] ^= 1;
	assert_int_equal(assigned_guest_build(guest), -EINVAL);
	guest->setup.config[2] ^= 1;
	guest->setup.config[0x0e] = 0x01;
	assert_int_equal(assigned_guest_build(guest), -EINVAL);
	guest->setup.config[0x0e] = 0x80;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(assigned_guest_config_read(guest, 0x0e, 1), 0);
}

/* BARs that do not fit into the PCI window are an error; one smaller than a page is left out. */
static void bars_that_do_not_fit(void **state)
{
	struct assigned_guest *guest = *state;

	guest->setup.info.bar_size[0] = 0x40000000;
	assert_int_equal(assigned_guest_build(guest), -ENOSPC);
	memset(&guest->bus, 0, sizeof(guest->bus));
	guest->next_gpa = LAYOUT_ASSIGNED_GPA;
	guest->setup.info.bar_size[0] = 256;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(assigned_guest_config_read(guest, 0x10, 4), 0);
}

/* A device whose list of capabilities runs in a circle, or out of the space, ends the search. */
static void capability_list_of_the_device_may_be_broken(void **state)
{
	struct assigned_guest *guest = *state;

	guest->setup.config[ASSIGNED_GUEST_MSI + 1] = ASSIGNED_GUEST_POWER;
	guest->setup.config[ASSIGNED_GUEST_POWER] = 0xff;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(assigned_guest_config_read(guest, PCI_CAPABILITIES, 1), 0);
	memset(&guest->bus, 0, sizeof(guest->bus));
	guest->next_gpa = LAYOUT_ASSIGNED_GPA;
	guest->setup.config[PCI_CAPABILITIES] = 0xfc;
	guest->setup.config[0xfc] = 0x10;
	assert_int_equal(assigned_guest_build(guest), 0);
	assert_int_equal(assigned_guest_capability(guest, 0x10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(identity_is_the_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(other_capabilities_are_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(express_has_no_reset_and_is_read_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(power_state_is_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(bars_are_placed_and_sized, setup, teardown),
		cmocka_unit_test_setup_teardown(untouched_until_enabled, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_enable_maps_the_bars, setup, teardown),
		cmocka_unit_test_setup_teardown(bar_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(bar_in_a_wrong_place_is_not_mapped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(refused_bar_leaves_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(bus_master_is_forwarded, setup, teardown),
		cmocka_unit_test_setup_teardown(msix_control_is_forwarded, setup, teardown),
		cmocka_unit_test_setup_teardown(unmasked_entry_gets_its_message, setup, teardown),
		cmocka_unit_test_setup_teardown(entry_written_before_enable_counts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(masked_entry_is_held_back_by_the_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(disable_gives_interrupts_back, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_message_leaves_the_entry_masked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(nothing_but_the_table_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(table_is_cut_to_what_there_is, setup_prepared,
						teardown),
		cmocka_unit_test_setup_teardown(table_outside_its_bar_is_not_offered,
						setup_prepared, teardown),
		cmocka_unit_test_setup_teardown(other_configuration_space_is_refused,
						setup_prepared, teardown),
		cmocka_unit_test_setup_teardown(bars_that_do_not_fit, setup_prepared, teardown),
		cmocka_unit_test_setup_teardown(capability_list_of_the_device_may_be_broken,
						setup_prepared, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
