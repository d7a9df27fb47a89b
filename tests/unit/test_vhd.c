/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed VHD files: what is made opens again, what is damaged does not. */
#define _GNU_SOURCE

#include "vhd.h"

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

/* What vhd_create_fixed() makes, vhd_open() opens, with size, UUID and time. */
static void vhd_open_reads_what_was_made(void **state)
{
	int fd = *(int *)*state;
	struct vhd vhd;

	assert_int_equal(vhd_create_fixed(fd, 4 * MIB, uuid, 1234), 0);
	assert_int_equal(file_size(fd), 4 * MIB + VHD_FOOTER_SIZE);
	assert_int_equal(vhd_open(fd, &vhd), 0);
	assert_int_equal(vhd.size, 4 * MIB);
	assert_int_equal(vhd.footer.timestamp, 1234);
	assert_memory_equal(vhd.footer.uuid, uuid, sizeof(uuid));
}

/* The disk's size is rounded up; what was in the file stays, what comes behind it reads as zero. */
static void vhd_create_fixed_rounds_up_and_keeps_data(void **state)
{
	int fd = *(int *)*state;
	struct vhd vhd;
	char bytes[8];

	assert_int_equal(pwrite(fd, "end", 3, 1000 * 1000 - 3), 3);
	assert_int_equal(pwrite(fd, "junk", 4, 1500 * 1000), 4);
	assert_int_equal(vhd_create_fixed(fd, 1000 * 1000, uuid, 0), 0);
	assert_int_equal(vhd_open(fd, &vhd), 0);
	assert_int_equal(vhd.size, 2 * MIB);
	assert_int_equal(pread(fd, bytes, 8, 1000 * 1000 - 3), 8);
	assert_memory_equal(bytes, "end\0\0\0\0\0", 8);
	assert_int_equal(pread(fd, bytes, 4, 1500 * 1000), 4);
	assert_memory_equal(bytes, "\0\0\0\0", 4);
}

/* Nothing, and more than the format holds, cannot be made. */
static void vhd_create_fixed_checks_size(void **state)
{
	int fd = *(int *)*state;

	assert_int_equal(vhd_create_fixed(fd, 0, uuid, 0), -EINVAL);
	assert_int_equal(vhd_create_fixed(fd, VHD_SIZE_MAX, uuid, 0), -EFBIG);
	assert_int_equal(file_size(fd), 0);
}

/* A footer of 511 bytes, as old versions of Virtual PC wrote it, is found. */
static void vhd_open_takes_short_footer(void **state)
{
	int fd = *(int *)*state;
	struct vhd vhd;

	assert_int_equal(vhd_create_fixed(fd, 2 * MIB, uuid, 0), 0);
	assert_int_equal(ftruncate(fd, 2 * MIB + VHD_FOOTER_SIZE_SHORT), 0);
	assert_int_equal(vhd_open(fd, &vhd), 0);
	assert_int_equal(vhd.size, 2 * MIB);
}

/* A footer that a guest wrote to the start of its disk means nothing. */
static void vhd_open_ignores_footer_at_start(void **state)
{
	int fd = *(int *)*state;
	uint8_t footer[VHD_FOOTER_SIZE];
	struct vhd vhd;

	assert_int_equal(vhd_create_fixed(fd, 4 * MIB, uuid, 0), 0);
	assert_int_equal(pread(fd, footer, sizeof(footer), 4 * MIB), sizeof(footer));
	assert_int_equal(pwrite(fd, footer, sizeof(footer), 0), sizeof(footer));
	assert_int_equal(ftruncate(fd, 4 * MIB), 0);
	assert_int_equal(vhd_open(fd, &vhd), -EINVAL);
}

/* A file that is empty, or shorter than a footer, or has none, is no VHD. */
static void vhd_open_refuses_other_files(void **state)
{
	int fd = *(int *)*state;
	struct vhd vhd;

	assert_int_equal(vhd_open(fd, &vhd), -EINVAL);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(vhd_open(fd, &vhd), -EINVAL);
	assert_int_equal(ftruncate(fd, MIB), 0);
	assert_int_equal(vhd_open(fd, &vhd), -EINVAL);
}

/* A file that was cut, so that the disk does not fit any more, is refused. */
static void vhd_open_refuses_cut_disk(void **state)
{
	int fd = *(int *)*state;
	uint8_t footer[VHD_FOOTER_SIZE];
	struct vhd vhd;

	assert_int_equal(vhd_create_fixed(fd, 4 * MIB, uuid, 0), 0);
	assert_int_equal(pread(fd, footer, sizeof(footer), 4 * MIB), sizeof(footer));
	assert_int_equal(ftruncate(fd, 4 * MIB - 512), 0);
	assert_int_equal(pwrite(fd, footer, sizeof(footer), 4 * MIB - 512), sizeof(footer));
	assert_int_equal(vhd_open(fd, &vhd), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_open_reads_what_was_made, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_create_fixed_rounds_up_and_keeps_data, setup,
						teardown),
		cmocka_unit_test_setup_teardown(vhd_create_fixed_checks_size, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_open_takes_short_footer, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_open_ignores_footer_at_start, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_open_refuses_other_files, setup, teardown),
		cmocka_unit_test_setup_teardown(vhd_open_refuses_cut_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
