/* SPDX-License-Identifier: Apache-2.0 */
/* The memory table: what is mapped, what is refused, and that copies stay inside of it. */
#define _GNU_SOURCE

#include "guest_mem.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define PAGE 4096ull

struct fixture {
	struct guest_mem mem;
	int fd;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.fd = memfd_create("ram", MFD_CLOEXEC);
	assert_true(f.fd >= 0);
	assert_int_equal(ftruncate(f.fd, 16 * PAGE), 0);
	/* Two regions that touch, and a third one apart. */
	assert_int_equal(guest_mem_map(&f.mem, 0, 2 * PAGE, 0x10000000, f.fd, 0), 0);
	assert_int_equal(guest_mem_map(&f.mem, 2 * PAGE, PAGE, 0x20000000, f.fd, 4 * PAGE), 0);
	assert_int_equal(guest_mem_map(&f.mem, 8 * PAGE, PAGE, 0x30000000, f.fd, 8 * PAGE), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_mem_fini(&f->mem);
	close(f->fd);
	return 0;
}

/* A region that overlaps another one, in either address space, is refused. */
static void guest_mem_map_refuses_overlap(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(guest_mem_map(&f->mem, PAGE, PAGE, 0x40000000, f->fd, 0), -EINVAL);
	assert_int_equal(guest_mem_map(&f->mem, 16 * PAGE, PAGE, 0x10001000, f->fd, 0), -EINVAL);
	assert_int_equal(f->mem.region_count, 3);
}

/* Addresses that wrap around, or are not page aligned, are refused. */
static void guest_mem_map_refuses_wrap_and_misalignment(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		guest_mem_map(&f->mem, UINT64_MAX - PAGE + 1, 2 * PAGE, 0x40000000, f->fd, 0),
		-EINVAL);
	assert_int_equal(
		guest_mem_map(&f->mem, 16 * PAGE, 2 * PAGE, UINT64_MAX - PAGE + 1, f->fd, 0),
		-EINVAL);
	assert_int_equal(
		guest_mem_map(&f->mem, 16 * PAGE, PAGE, 0x40000000, f->fd, UINT64_MAX - PAGE + 1),
		-EINVAL);
	assert_int_equal(guest_mem_map(&f->mem, 16 * PAGE + 1, PAGE, 0x40000000, f->fd, 0),
			 -EINVAL);
	assert_int_equal(guest_mem_map(&f->mem, 16 * PAGE, 0, 0x40000000, f->fd, 0), -EINVAL);
}

/* A file that does not hold the whole region is refused, because touching its end would kill the
 * process. */
static void guest_mem_map_refuses_short_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(guest_mem_map(&f->mem, 32 * PAGE, 2 * PAGE, 0x40000000, f->fd, 15 * PAGE),
			 -EINVAL);
}

/* The table takes no more regions than it has room for. */
static void guest_mem_map_stops_when_full(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 3; i < GUEST_REGION_MAX; i++) {
		assert_int_equal(guest_mem_map(&f->mem, (16 + i) * PAGE, PAGE,
					       0x50000000 + i * PAGE, f->fd, 0),
				 0);
	}
	assert_int_equal(guest_mem_map(&f->mem, 64 * PAGE, PAGE, 0x60000000, f->fd, 0), -ENOSPC);
}

/* A range is valid when each of its bytes lies in some region. */
static void guest_check_range_wants_every_byte(void **state)
{
	struct fixture *f = *state;

	assert_true(guest_check_range(&f->mem, 0, 3 * PAGE));
	assert_true(guest_check_range(&f->mem, 2 * PAGE - 1, 2));
	assert_false(guest_check_range(&f->mem, 0, 3 * PAGE + 1));
	assert_false(guest_check_range(&f->mem, 3 * PAGE, 1));
	assert_false(guest_check_range(&f->mem, 0, 0));
	assert_false(guest_check_range(&f->mem, 8 * PAGE, UINT64_MAX));
}

/* A copy may cross from one region into the next. */
static void guest_copy_crosses_regions(void **state)
{
	struct fixture *f = *state;
	uint8_t out[64], in[64];

	for (unsigned i = 0; i < sizeof(out); i++) {
		out[i] = (uint8_t)(i + 1);
	}
	assert_int_equal(guest_copy_out(&f->mem, 2 * PAGE - 32, out, sizeof(out)), 0);
	assert_int_equal(guest_copy_in(&f->mem, in, 2 * PAGE - 32, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(in));
}

/* A copy to memory that is there only in part writes nothing. */
static void guest_copy_out_writes_all_or_nothing(void **state)
{
	struct fixture *f = *state;
	const uint8_t ones[32] = {1, 1, 1, 1};
	uint8_t in[16];

	assert_int_equal(guest_copy_out(&f->mem, 3 * PAGE - 16, ones, sizeof(ones)), -EFAULT);
	assert_int_equal(guest_copy_in(&f->mem, in, 3 * PAGE - 16, sizeof(in)), 0);
	for (unsigned i = 0; i < sizeof(in); i++) {
		assert_int_equal(in[i], 0);
	}
}

/* A front-end address is translated within one region only. */
static void guest_from_user_stays_in_one_region(void **state)
{
	struct fixture *f = *state;
	uint64_t gpa = 1;

	assert_int_equal(guest_from_user(&f->mem, 0x20000010, 16, &gpa), 0);
	assert_int_equal(gpa, 2 * PAGE + 16);
	assert_int_equal(guest_from_user(&f->mem, 0x10000000, 2 * PAGE + 1, &gpa), -EFAULT);
	assert_int_equal(guest_from_user(&f->mem, 0x0fffffff, 1, &gpa), -EFAULT);
	assert_int_equal(guest_from_user(&f->mem, 0x10000010, UINT64_MAX, &gpa), -EFAULT);
}

/* Ring indices are accessed aligned and inside of memory, or not at all. */
static void guest_load_u16_checks_address(void **state)
{
	struct fixture *f = *state;
	uint16_t value;

	assert_int_equal(guest_store_u16(&f->mem, 2, 0x1234), 0);
	assert_int_equal(guest_load_u16(&f->mem, 2, &value), 0);
	assert_int_equal(value, 0x1234);
	assert_int_equal(guest_load_u16(&f->mem, 3, &value), -EFAULT);
	assert_int_equal(guest_store_u16(&f->mem, 3 * PAGE, 1), -EFAULT);
}

/* A range over two regions is two parts; one that leaves memory, or needs more, is refused. */
static void guest_get_iov_crosses_regions(void **state)
{
	struct fixture *f = *state;
	struct iovec iov[2];
	const char *text = "over the border";

	assert_int_equal(guest_copy_out(&f->mem, 2 * PAGE - 5, text, 15), 0);
	assert_int_equal(guest_get_iov(&f->mem, 2 * PAGE - 5, 15, iov, 2), 2);
	assert_int_equal(iov[0].iov_len, 5);
	assert_int_equal(iov[1].iov_len, 10);
	assert_memory_equal(iov[0].iov_base, text, 5);
	assert_memory_equal(iov[1].iov_base, text + 5, 10);
	assert_int_equal(guest_get_iov(&f->mem, 2 * PAGE - 5, 15, iov, 1), -E2BIG);
	assert_int_equal(guest_get_iov(&f->mem, 3 * PAGE - 5, 15, iov, 2), -EFAULT);
	assert_int_equal(guest_get_iov(&f->mem, UINT64_MAX, 2, iov, 2), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(guest_mem_map_refuses_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_mem_map_refuses_wrap_and_misalignment, setup,
						teardown),
		cmocka_unit_test_setup_teardown(guest_mem_map_refuses_short_file, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_mem_map_stops_when_full, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_check_range_wants_every_byte, setup,
						teardown),
		cmocka_unit_test_setup_teardown(guest_copy_crosses_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_get_iov_crosses_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_copy_out_writes_all_or_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(guest_from_user_stays_in_one_region, setup,
						teardown),
		cmocka_unit_test_setup_teardown(guest_load_u16_checks_address, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
