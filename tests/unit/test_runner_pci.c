/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration space by ports 0xcf8 and 0xcfc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "pci.h"

static struct bus bus;
static struct pci_host host;
static struct pci_function function;

static int setup(void **state)
{
	static const struct pci_id id = {
		.vendor = 0x1234, .device = 0x5678, .class_code = 0x010203, .revision = 4};

	memset(&bus, 0, sizeof(bus));
	pci_function_init(&function, &id);
	return pci_host_init(&host, &bus) ? 0 : -1;
}

static uint32_t port_read(unsigned port, unsigned size)
{
	const struct bh_ioreq request = {.addr = port, .size = size};

	return (uint32_t)bus_access(&bus, &request);
}

static void port_write(unsigned port, unsigned size, uint32_t value)
{
	const struct bh_ioreq request = {
		.addr = port, .size = size, .dir = BH_IOREQ_WRITE, .data = value};

	bus_access(&bus, &request);
}

static uint32_t config(unsigned bus_number, unsigned slot, unsigned func, unsigned reg)
{
	port_write(PCI_PORT_ADDRESS, 4,
		   0x80000000u | bus_number << 16 | slot << 11 | func << 8 | reg);
	return port_read(PCI_PORT_DATA, 4);
}

/* The probe of Linux: a byte to 0xcfb does not matter, the address register reads back what was
 * written. */
static void pci_answers_the_mechanism_1_probe(void **state)
{
	port_write(0xcfb, 1, 1);
	port_write(PCI_PORT_ADDRESS, 4, 0x80000000u);
	assert_int_equal(port_read(PCI_PORT_ADDRESS, 4), 0x80000000u);
	assert_int_equal(port_read(PCI_PORT_DATA + 2, 2), 0x0008);
}

/* Slot 0 is a host bridge; empty slots, other functions and other buses read all ones. */
static void pci_shows_only_what_is_there(void **state)
{
	assert_int_equal(config(0, 0, 0, 8) >> 16, 0x0600);
	assert_int_equal(config(0, 1, 0, 0), 0xffffffffu);
	assert_int_equal(config(0, 0, 1, 0), 0xffffffffu);
	assert_int_equal(config(1, 0, 0, 0), 0xffffffffu);
}

/* Without the enable bit nothing answers. */
static void pci_needs_the_enable_bit(void **state)
{
	port_write(PCI_PORT_ADDRESS, 4, 0);
	assert_int_equal(port_read(PCI_PORT_DATA, 4), 0xffffffffu);
}

/* Ids, class and revision do not change by writes. */
static void pci_identity_is_read_only(void **state)
{
	pci_host_add(&host, 5, &function);
	config(0, 5, 0, 0);
	port_write(PCI_PORT_DATA, 4, 0);
	assert_int_equal(config(0, 5, 0, 0), 0x56781234u);
	config(0, 5, 0, 8);
	port_write(PCI_PORT_DATA, 4, 0);
	assert_int_equal(config(0, 5, 0, 8), 0x01020304u);
}

/* Capabilities are linked in the order of their making and end with 0. */
static void pci_capabilities_form_a_list(void **state)
{
	unsigned first = pci_capability_add(&function, 0x11, 12);
	unsigned second = pci_capability_add(&function, 0x09, 16);

	assert_true(function.config[0x06] & 0x10);
	assert_int_equal(function.config[PCI_CAPABILITIES], first);
	assert_int_equal(function.config[first + 1], second);
	assert_int_equal(function.config[second + 1], 0);
	assert_true(second >= first + 12);
}

/* A read that would leave configuration space gives all ones. */
static void pci_reads_end_at_256(void **state)
{
	assert_int_equal(pci_config_read(&function, 255, 2), 0xffff);
	pci_config_write(&function, 254, 4, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pci_answers_the_mechanism_1_probe, setup),
		cmocka_unit_test_setup(pci_shows_only_what_is_there, setup),
		cmocka_unit_test_setup(pci_needs_the_enable_bit, setup),
		cmocka_unit_test_setup(pci_identity_is_read_only, setup),
		cmocka_unit_test_setup(pci_capabilities_form_a_list, setup),
		cmocka_unit_test_setup(pci_reads_end_at_256, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
