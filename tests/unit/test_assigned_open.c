/* SPDX-License-Identifier: Apache-2.0 */
/** A partition's real devices in the manager: which one is meant, and that no driver keeps it. The
 * sysfs is a folder of files. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes/scratch.h"
#include "bulkhead_dev_fake.h"
#include "part.h"

#define DEVICE "bus/pci/devices/0000:00:02.0"

struct part_env part_env;
static struct part part;
static uint32_t nic;

static void make(const char *path, bool folder)
{
	if (folder) {
		assert_int_equal(mkdir(scratch_path(path), 0755), 0);
	} else {
		scratch_write(path, "config");
	}
}

static const char *content(const char *path)
{
	static char text[64];
	int fd = open(scratch_path(path), O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	close(fd);
	return text;
}

static void add_nic(enum bh_device_state state, uint32_t owner)
{
	const struct bh_device_info info = {.role = "nic",
					    .state = state,
					    .part = owner,
					    .source = 0x0010,
					    .vendor = 0x8086,
					    .device = 0x10d3};

	nic = fake_dev_add_device(&info);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(scratch_make("/tmp"), 0);
	make("bus", true);
	make("bus/pci", true);
	make("bus/pci/devices", true);
	make(DEVICE, true);
	make(DEVICE "/config", false);
	make(DEVICE "/driver_override", false);
	fake_dev_reset();
	fake_dev_add_part(1, "management", 2u << 20, 1);
	part_env = (struct part_env){.dev = dev_open(), .sysfs_dir = scratch_folder};
	part = (struct part){.config = {.assigned = {"nic"}, .assigned_count = 1},
			     .fd_source = {.fd = dev_create(part_env.dev, 1)}};
	return part.fd_source.fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(part.fd_source.fd);
	close(part_env.dev);
	fake_dev_reset();
	return scratch_remove();
}

/* A device that is assigned is told apart from the policy's others, gets no driver, and comes as an
 * fd for reading only. */
static void assigned_device_is_opened(void **state)
{
	char byte;
	int fd;

	(void)state;
	add_nic(BH_DEVICE_ASSIGNED, 2);
	add_nic(BH_DEVICE_ASSIGNED, 1);
	fd = assigned_open(&part, 0);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(write(fd, &byte, 1), -1);
	close(fd);
	assert_true(part.assigned[0].has);
	assert_int_equal(part.assigned[0].number, nic);
	assert_string_equal(part.assigned[0].text, "0000:00:02.0, 8086:10d3");
	assert_int_equal(strncmp(content(DEVICE "/driver_override"), "bulkhead", 8), 0);
}

/* A role can be one of several devices: the one that this machine has and holds back is taken. */
static void assigned_device_is_found_behind_absent_ones(void **state)
{
	int fd;

	(void)state;
	add_nic(BH_DEVICE_ABSENT, 1);
	add_nic(BH_DEVICE_CONTROL, 1);
	add_nic(BH_DEVICE_ASSIGNED, 1);
	fd = assigned_open(&part, 0);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(part.assigned[0].number, nic);
}

/* The driver that the control kernel bound to it is told to let go. */
static void driver_is_unbound(void **state)
{
	(void)state;
	make(DEVICE "/driver", true);
	make(DEVICE "/driver/unbind", false);
	add_nic(BH_DEVICE_ASSIGNED, 1);
	close(assigned_open(&part, 0));
	assert_string_equal(content(DEVICE "/driver/unbind"), "0000:00:02.0");
}

/* No device, no IOMMU, no word in the policy: the partition starts without it, and each has its
 * reason. */
static void device_that_is_not_assigned_is_left_out(void **state)
{
	(void)state;
	assert_int_equal(assigned_open(&part, 0), -1);
	assert_string_equal(part.assigned[0].text, "the policy gives it no such device");
	add_nic(BH_DEVICE_CONTROL, 1);
	assert_int_equal(assigned_open(&part, 0), -1);
	assert_string_equal(part.assigned[0].text,
			    "no IOMMU holds it back, so it stays with the control partition");
	assert_false(part.assigned[0].has);
	assert_int_equal(strncmp(content(DEVICE "/driver_override"), "config", 6), 0);
}

/* A device that root mode knows and this kernel does not. */
static void device_that_the_kernel_does_not_see_is_left_out(void **state)
{

	(void)state;
	unlink(scratch_path(DEVICE "/driver_override"));
	add_nic(BH_DEVICE_ASSIGNED, 1);
	assert_int_equal(assigned_open(&part, 0), -1);
	assert_string_equal(part.assigned[0].text,
			    "0000:00:02.0, driver_override: No such file or directory");
}

/* A partition that failed keeps its memory, but its devices are stopped. */
static void stop_takes_bus_master_away(void **state)
{
	(void)state;
	add_nic(BH_DEVICE_ASSIGNED, 1);
	close(assigned_open(&part, 0));
	assert_int_equal(dev_device_control(part.fd_source.fd, nic, BULKHEAD_DEVICE_MASTER), 0);
	assigned_stop(&part);
	assert_int_equal(fake_dev_device(nic)->flags, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(assigned_device_is_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(assigned_device_is_found_behind_absent_ones, setup,
						teardown),
		cmocka_unit_test_setup_teardown(driver_is_unbound, setup, teardown),
		cmocka_unit_test_setup_teardown(device_that_is_not_assigned_is_left_out, setup,
						teardown),
		cmocka_unit_test_setup_teardown(device_that_the_kernel_does_not_see_is_left_out,
						setup, teardown),
		cmocka_unit_test_setup_teardown(stop_takes_bus_master_away, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
