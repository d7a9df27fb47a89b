/* SPDX-License-Identifier: Apache-2.0 */
/* A footer behind a raw disk. */
#define _GNU_SOURCE

#include "vhd_fixed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define MIB (1ull << 20)

static const uint8_t uuid[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static int setup(void **state)
{
	static int fd;

	fd = memfd_create("vhd", MFD_CLOEXEC);
	assert_true(fd >= 0);
	*state = &fd;
	return 0;
}

static int teardown(void **state)
{
	close(*(int *)*state);
	return 0;
}

static off_t file_size(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_size;
}

/* The footer tells size, UUID and time, at the end of the file. */
static void vhd_fixed_make_adds_footer(void **state)
{
	int fd = *(int *)*state;
	uint8_t bytes[VHD_FOOTER_SIZE];
	struct vhd_footer footer;

	assert_int_equal(vhd_fixed_make(fd, 4 * MIB, uuid, 1234), 0);
	assert_int_equal(file_size(fd), 4 * MIB + VHD_FOOTER_SIZE);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 4 * MIB), sizeof(bytes));
	assert_int_equal(vhd_footer_decode(bytes, &footer), 0);
	assert_int_equal(footer.type, VHD_FIXED);
	assert_int_equal(footer.size, 4 * MIB);
	assert_int_equal(footer.timestamp, 1234);
	assert_memory_equal(footer.uuid, uuid, sizeof(uuid));
}

/* A raw disk keeps its bytes; up to the next 2 MiB it becomes zeros, whatever lay there. */
static void vhd_fixed_make_rounds_up_and_keeps_data(void **state)
{
	int fd = *(int *)*state;
	char byte = 0;

	assert_int_equal(pwrite(fd, "a", 1, 999999), 1);
	assert_int_equal(pwrite(fd, "b", 1, 1000000), 1);
	assert_int_equal(vhd_fixed_make(fd, 1000 * 1000, uuid, 0), 0);
	assert_int_equal(file_size(fd), 2 * MIB + VHD_FOOTER_SIZE);
	assert_int_equal(pread(fd, &byte, 1, 999999), 1);
	assert_int_equal(byte, 'a');
	assert_int_equal(pread(fd, &byte, 1, 1000000), 1);
	assert_int_equal(byte, 0);
}

/* Sizes that no VHD has are refused. */
static void vhd_fixed_make_checks_size(void **state)
{
	int fd = *(int *)*state;

	assert_int_equal(vhd_fixed_make(fd, 0, uuid, 0), -EINVAL);
	assert_int_equal(vhd_fixed_make(fd, VHD_SIZE_MAX, uuid, 0), -EFBIG);
	assert_int_equal(file_size(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_fixed_make_adds_footer, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_fixed_make_rounds_up_and_keeps_data, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_fixed_make_checks_size, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
