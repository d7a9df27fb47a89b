/* SPDX-License-Identifier: Apache-2.0 */
/** The fake of /dev/bulkhead keeps the promises of bulkhead_dev.h that others test against. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "bulkhead_dev_fake.h"

#define RAM_SIZE (2u << 20)

struct fixture {
	int dev, part;
};

static int setup(void **state)
{
	static struct fixture fix;

	fake_dev_reset();
	fake_dev_add_part(1, "desktop", RAM_SIZE, 1);
	fix.dev = dev_open();
	fix.part = dev_create(fix.dev, 1);
	*state = &fix;
	return fix.part < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	close(fix->part);
	close(fix->dev);
	fake_dev_reset();
	return 0;
}

/* A partition goes CREATED, RUNNING, PAUSED, RUNNING, CREATED, and refuses steps out of order. */
static void fake_walks_the_states_in_order(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(dev_part_pause(fix->part), -EBUSY);
	assert_int_equal(dev_part_start(fix->part), 0);
	assert_int_equal(dev_part_start(fix->part), -EBUSY);
	assert_int_equal(dev_part_pause(fix->part), 0);
	assert_int_equal(dev_part_resume(fix->part), 0);
	assert_int_equal(dev_part_reset(fix->part), 0);
	assert_int_equal(fake_dev_state(1), BH_PART_CREATED);
}

/* What is written through a RAM fd is what the guest sees; sizes outside RAM are refused. */
static void fake_maps_ram_by_ram_fd(void **state)
{
	struct fixture *fix = *state;
	int ram = dev_ram_fd(fix->part);
	void *addr;

	assert_true(ram >= 0);
	assert_int_equal(dev_map_ram(ram, 4096, 4096, &addr), 0);
	strcpy(addr, "hello");
	assert_string_equal((char *)fake_dev_ram(1) + 4096, "hello");
	dev_unmap(addr, 4096);
	assert_int_equal(dev_map_ram(ram, RAM_SIZE, 4096, &addr), -EINVAL);
	assert_int_equal(dev_map_ram(ram, 4096, UINT64_MAX - 4095, &addr), -EINVAL);
	close(ram);
}

static void *guest_reads_port(void *arg)
{
	uint64_t *data = arg;

	if (fake_dev_access(1, 0, BH_IOREQ_PIO, BH_IOREQ_READ, 0x3fd, 1, data, 2000)) {
		*data = UINT64_MAX;
	}
	return NULL;
}

static void *guest_stops_after(void *arg)
{
	pthread_join(*(pthread_t *)arg, NULL);
	fake_dev_stop(1, BH_STOP_TRIPLE_FAULT, 0);
	return NULL;
}

/* An access waits in its slot until the runner answers, and gets the low bytes
 * of the answer. A stop ends the wait for the next one. */
static void fake_passes_ioreq_and_answer(void **state)
{
	struct fixture *fix = *state;
	struct bh_ioreq *slots;
	uint64_t data = 0;
	pthread_t guest, stopper;

	assert_int_equal(dev_map_ioreq(fix->part, &slots), 0);
	assert_int_equal(dev_part_start(fix->part), 0);
	pthread_create(&guest, NULL, guest_reads_port, &data);
	assert_int_equal(dev_ioreq_next(fix->part, 0), 0);
	assert_int_equal(slots[0].addr, 0x3fd);
	slots[0].data = 0x1160;
	slots[0].state = BH_IOREQ_DONE;
	pthread_create(&stopper, NULL, guest_stops_after, &guest);
	assert_int_equal(dev_ioreq_next(fix->part, 0), -ENODEV);
	pthread_join(stopper, NULL);
	assert_int_equal(data, 0x60);
	dev_unmap(slots, BH_PAGE_SIZE);
}

/* A change of state is readable on the partition fd until somebody asks for it. */
static void fake_polls_state_change(void **state)
{
	struct fixture *fix = *state;
	struct pollfd pfd = {.fd = fix->part, .events = POLLIN};
	struct bh_part_info info;

	assert_int_equal(dev_part_info(fix->part, &info), 0);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	fake_dev_stop(1, BH_STOP_TRIPLE_FAULT, 7);
	assert_int_equal(poll(&pfd, 1, 0), 1);
	assert_int_equal(dev_part_info(fix->part, &info), 0);
	assert_int_equal(info.state, BH_PART_STOPPED);
	assert_int_equal(info.stop_detail, 7);
	assert_int_equal(poll(&pfd, 1, 0), 0);
}

/* A ring reaches the eventfd of its page and queue, a write to an irqfd becomes an MSI; reset ends
 * both. */
static void fake_carries_doorbells_and_interrupts(void **state)
{
	struct fixture *fix = *state;
	int kick = eventfd(0, EFD_NONBLOCK), call = eventfd(0, EFD_NONBLOCK);
	uint64_t value = 1, addr;
	uint32_t data;

	assert_int_equal(dev_doorbell_window(fix->part, 0x1000, 1), -ERANGE);
	assert_int_equal(dev_doorbell_window(fix->part, 0xc0000000, 2), 0);
	assert_int_equal(dev_doorbell(fix->part, 1, 3, kick), 0);
	assert_false(fake_dev_ring(1, 0xc0000000));
	assert_true(fake_dev_ring(1, 0xc0001000 + 12));
	assert_int_equal(read(kick, &value, sizeof(value)), sizeof(value));

	assert_int_equal(dev_irqfd(fix->part, call, 0xfee00000, 0x41), 0);
	assert_int_equal(dev_irqfd(fix->part, call, 0xfee00000, 0x42), 0);
	assert_int_equal(write(call, &value, sizeof(value)), sizeof(value));
	assert_true(fake_dev_take_msi(1, &addr, &data, 2000));
	assert_int_equal(data, 0x42);
	assert_int_equal(dev_irqfd_remove(fix->part, call), 0);
	assert_int_equal(dev_irqfd_remove(fix->part, call), -ENOENT);

	assert_int_equal(dev_part_reset(fix->part), 0);
	assert_false(fake_dev_ring(1, 0xc0001000 + 12));
	close(kick);
	close(call);
}

/* Only one may hold a partition; when the holder is gone it can be created anew. */
static void fake_creates_again_after_last_close(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(dev_create(fix->dev, 1), -EBUSY);
	assert_int_equal(dev_create(fix->dev, 3), -ENOENT);
	close(fix->part);
	fix->part = dev_create(fix->dev, 1);
	assert_true(fix->part >= 0);
}

/* Devices: only the owner's fd, only assigned ones; a reset takes back what was given. */
static void fake_gives_a_device_to_its_partition_only(void **state)
{
	struct fixture *fix = *state;
	struct bh_device_info nic = {.role = "nic",
				     .state = BH_DEVICE_ASSIGNED,
				     .part = 1,
				     .msix_count = 2,
				     .bar = {0xfeb00000},
				     .bar_size = {0x20000}};
	const uint32_t first = fake_dev_add_device(&nic);
	struct bh_device_info info;
	uint32_t other, held;

	nic.part = 2;
	other = fake_dev_add_device(&nic);
	nic.part = 1;
	nic.state = BH_DEVICE_CONTROL;
	held = fake_dev_add_device(&nic);
	assert_int_equal(dev_device_info(fix->part, first, &info), 0);
	assert_string_equal(info.role, "nic");
	assert_int_equal(dev_device_info(fix->part, other, &info), -EPERM);
	assert_int_equal(dev_device_info(fix->part, held + 1, &info), -ENOENT);
	assert_int_equal(dev_device_map(fix->part, held, 0, 0xd0000000), -EOPNOTSUPP);
	assert_int_equal(dev_device_map(fix->part, first, 0, 0x1000), -ERANGE);
	assert_int_equal(dev_device_map(fix->part, first, 1, 0xd0000000), -EOPNOTSUPP);
	assert_int_equal(dev_device_map(fix->part, first, 0, 0xd0000000), 0);
	assert_int_equal(dev_device_irq(fix->part, first, 1, 0xfee00000, 0x41, false), 0);
	assert_int_equal(dev_device_irq(fix->part, first, 2, 0xfee00000, 0x41, false), -EINVAL);
	assert_int_equal(dev_device_control(fix->part, first, BULKHEAD_DEVICE_MASTER), 0);
	assert_int_equal(fake_dev_device(first)->bar[0], 0xd0000000);
	assert_int_equal(fake_dev_device(first)->irq[1].data, 0x41);
	assert_int_equal(dev_part_reset(fix->part), 0);
	assert_int_equal(fake_dev_device(first)->bar[0], 0);
	assert_int_equal(fake_dev_device(first)->irq[1].address, 0);
	assert_int_equal(fake_dev_device(first)->flags, 0);
}

/* A table is in force once it is taken; one that is none changes nothing. */
static void fake_takes_a_policy_table(void **state)
{
	struct fixture *fix = *state;
	struct bh_policy table = {.magic = BH_POLICY_MAGIC, .hash = {7}, .serial = 3};
	struct bh_policy_info info = {.boot_hash = {1}};

	fake_dev_set_policy(&info);
	assert_int_equal(dev_policy_load(fix->dev, &table, sizeof(table) - 1), -EBADMSG);
	assert_int_equal(dev_policy_load(fix->dev, &table, sizeof(table)), 0);
	fake_dev_fail_next(BULKHEAD_POLICY_LOAD, EPERM);
	table.hash[0] = 8;
	assert_int_equal(dev_policy_load(fix->dev, &table, sizeof(table)), -EPERM);
	assert_int_equal(dev_policy_info(fix->dev, &info), 0);
	assert_int_equal(info.hash[0], 7);
	assert_int_equal(info.boot_hash[0], 1);
	assert_int_equal(info.serial, 3);
	assert_int_equal(info.loads, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fake_walks_the_states_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(fake_maps_ram_by_ram_fd, setup, teardown),
		cmocka_unit_test_setup_teardown(fake_passes_ioreq_and_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(fake_polls_state_change, setup, teardown),
		cmocka_unit_test_setup_teardown(fake_gives_a_device_to_its_partition_only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(fake_carries_doorbells_and_interrupts, setup,
						teardown),
		cmocka_unit_test_setup_teardown(fake_takes_a_policy_table, setup, teardown),
		cmocka_unit_test_setup_teardown(fake_creates_again_after_last_close, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
