/* SPDX-License-Identifier: Apache-2.0 */
/* A differencing image under several requests at a time. */
#include "disk_memory.h"
#include "fiber.h"
#include "vhd_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define SIZE (4u << 20)

struct request {
	uint64_t offset;
	size_t size;
	char with;
};

static struct disk_memory *disk;
static struct layer *top;

static void write_one(void *argument)
{
	const struct request *request = argument;
	char bytes[8192];

	memset(bytes, request->with, sizeof(bytes));
	assert_int_equal(layer_write(top, bytes, request->size, request->offset), 0);
}

static int setup(void **state)
{
	struct vhd_disk_create base = {.type = VHD_DYNAMIC, .size = SIZE};
	struct vhd_disk_create child = {.type = VHD_DIFFERENCING, .parent = "base.vhd"};
	struct folder *folder;

	(void)state;
	disk = disk_memory_create(false);
	folder = disk_memory_folder(disk);
	return vhd_disk_create(folder, "base.vhd", &base, NULL) ||
	       vhd_disk_create(folder, "child.vhd", &child, NULL) ||
	       vhd_disk_open(folder, "child.vhd", VHD_DISK_WRITE, &top, NULL);
}

static int teardown(void **state)
{
	(void)state;
	disk->shuffle = false;
	assert_int_equal(layer_close(top), 0);
	disk_memory_destroy(disk);
	fiber_trim();
	return 0;
}

/* A write that begins in a grain that the image holds already, and sets the next one, leaves what
 * another request writes to the first grain meanwhile. */
static void vhd_chain_write_keeps_its_neighbours(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 40; i++) {
		uint64_t at = i * 8192;
		struct request first = {at, 4096, 'a'}, across = {at + 2048, 4096, 'b'};
		struct request beside = {at, 1024, 'c'};
		char got[8192];

		disk->shuffle = false;
		write_one(&first);
		disk->shuffle = true;
		assert_true(fiber_start(write_one, &across));
		assert_true(fiber_start(write_one, &beside));
		disk_memory_run(disk);
		disk->shuffle = false;
		assert_int_equal(layer_read(top, got, sizeof(got), at), 0);
		assert_int_equal(got[0], 'c');
		assert_int_equal(got[1023], 'c');
		assert_int_equal(got[1024], 'a');
		assert_int_equal(got[2048], 'b');
		assert_int_equal(got[6143], 'b');
		assert_int_equal(got[6144], 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(vhd_chain_write_keeps_its_neighbours, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
