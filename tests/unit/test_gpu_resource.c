/* SPDX-License-Identifier: Apache-2.0 */
/* 2D resources: caps hold, rectangles stay inside, transfers copy the right bytes. */
#define _GNU_SOURCE

#include "fake_ring.h"
#include "gpu_resource.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define OK	  VIRTIO_GPU_RESP_OK_NODATA
#define BAD_ID	  VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID
#define BAD_PARAM VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER
#define NO_MEMORY VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY
#define BYTES_MAX (4u << 20)

static struct gpu_store store;

static int setup(void **state)
{
	static struct fake_ring ring;

	fake_ring_init(&ring, false);
	gpu_store_init(&store, BYTES_MAX);
	*state = &ring;
	return 0;
}

static int teardown(void **state)
{
	gpu_store_clear(&store);
	fake_ring_fini(*state);
	return 0;
}

static uint32_t create_format(uint32_t id, uint32_t width, uint32_t height, uint32_t format)
{
	const struct virtio_gpu_resource_create_2d create = {
		.resource_id = id,
		.format = format,
		.width = width,
		.height = height,
	};

	return gpu_resource_create(&store, &create);
}

static uint32_t create(uint32_t id, uint32_t width, uint32_t height)
{
	return create_format(id, width, height, VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM);
}

static uint32_t attach_one(struct fake_ring *ring, uint32_t id, uint64_t gpa, uint32_t size)
{
	const struct virtio_gpu_mem_entry entry = {.addr = gpa, .length = size};

	return gpu_resource_attach(&store, &ring->mem, id, &entry, 1);
}

static uint32_t transfer(struct fake_ring *ring, uint32_t id, uint32_t x, uint32_t y,
			 uint32_t width, uint32_t height, uint64_t offset)
{
	const struct virtio_gpu_transfer_to_host_2d command = {
		.resource_id = id,
		.r = {.x = x, .y = y, .width = width, .height = height},
		.offset = offset,
	};

	return gpu_resource_transfer(&store, &ring->mem, &command);
}

/* The pixels' file has exactly the resource's size, for ever. */
static void gpu_resource_create_seals_pixels(void **state)
{
	struct gpu_resource *resource;

	assert_int_equal(create(1, 64, 32), OK);
	resource = gpu_store_find(&store, 1);
	assert_non_null(resource);
	assert_int_equal(lseek(resource->fd, 0, SEEK_END), 64 * 32 * 4);
	assert_int_equal(fcntl(resource->fd, F_GET_SEALS),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	assert_int_not_equal(ftruncate(resource->fd, 0), 0);
}

/* Id 0, an id in use, no pixels, too many, and an unknown format are refused. */
static void gpu_resource_create_checks_arguments(void **state)
{
	assert_int_equal(create(0, 64, 32), BAD_ID);
	assert_int_equal(create(1, 64, 32), OK);
	assert_int_equal(create(1, 64, 32), BAD_ID);
	assert_int_equal(create(2, 0, 32), BAD_PARAM);
	assert_int_equal(create(2, GPU_SIZE_MAX + 1, 1), BAD_PARAM);
	assert_int_equal(create(2, 1, 0xffffffff), BAD_PARAM);
	assert_int_equal(create(2, 0x40000001, 4), BAD_PARAM);
	assert_int_equal(create_format(2, 64, 32, 0), BAD_PARAM);
	assert_int_equal(store.count, 1);
}

/* All resources together stay under the cap, and what one gives back another may have. */
static void gpu_resource_create_holds_total_cap(void **state)
{
	assert_int_equal(create(1, 1024, 1024), OK);
	assert_int_equal(create(2, 1, 1), NO_MEMORY);
	assert_int_equal(gpu_resource_destroy(&store, 1), OK);
	assert_int_equal(store.bytes, 0);
	assert_int_equal(create(2, 1, 1), OK);
	assert_int_equal(create(3, GPU_SIZE_MAX, GPU_SIZE_MAX), NO_MEMORY);
}

/* There is a largest number of resources, however small they are. */
static void gpu_resource_create_holds_count_cap(void **state)
{
	for (uint32_t id = 1; id <= GPU_RESOURCE_MAX; id++) {
		assert_int_equal(create(id, 1, 1), OK);
	}
	assert_int_equal(create(GPU_RESOURCE_MAX + 1, 1, 1), NO_MEMORY);
}

/* A resource that is not there cannot be used. */
static void gpu_resource_refuses_unknown_id(void **state)
{
	struct fake_ring *ring = *state;

	assert_int_equal(gpu_resource_destroy(&store, 5), BAD_ID);
	assert_int_equal(attach_one(ring, 5, 0, 4096), BAD_ID);
	assert_int_equal(gpu_resource_detach(&store, 5), BAD_ID);
	assert_int_equal(transfer(ring, 5, 0, 0, 1, 1, 0), BAD_ID);
}

/* Backing that is outside of memory, empty, or there already, is refused. */
static void gpu_resource_attach_checks_ranges(void **state)
{
	struct fake_ring *ring = *state;

	assert_int_equal(create(1, 16, 16), OK);
	assert_int_equal(attach_one(ring, 1, FAKE_RAM_SIZE - 512, 1024), BAD_PARAM);
	assert_int_equal(attach_one(ring, 1, UINT64_MAX, 1024), BAD_PARAM);
	assert_int_equal(attach_one(ring, 1, 0, 0), BAD_PARAM);
	assert_int_equal(gpu_resource_attach(&store, &ring->mem, 1, NULL, 0),
			 VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_int_equal(gpu_resource_attach(&store, &ring->mem, 1, NULL, GPU_ENTRY_MAX + 1),
			 VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_int_equal(attach_one(ring, 1, 0, 1024), OK);
	assert_int_equal(attach_one(ring, 1, 0, 1024), VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_int_equal(gpu_resource_detach(&store, 1), OK);
	assert_int_equal(gpu_resource_detach(&store, 1), VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_int_equal(store.entries, 0);
}

/* A transfer copies the rectangle, and only that, from backing in pieces of any size. */
static void gpu_resource_transfer_copies_rectangle(void **state)
{
	struct fake_ring *ring = *state;
	const struct virtio_gpu_mem_entry entries[] = {{.addr = 0x20000, .length = 100},
						       {.addr = 0x30000, .length = 3},
						       {.addr = 0x40000, .length = 921}};
	const struct gpu_resource *resource;
	uint8_t backing[1024];

	for (unsigned i = 0; i < sizeof(backing); i++) {
		backing[i] = (uint8_t)(i * 7 + i / 256);
	}
	memcpy(ring->ram + 0x20000, backing, 100);
	memcpy(ring->ram + 0x30000, backing + 100, 3);
	memcpy(ring->ram + 0x40000, backing + 103, 921);
	assert_int_equal(create(1, 16, 16), OK);
	assert_int_equal(gpu_resource_attach(&store, &ring->mem, 1, entries, 3), OK);
	assert_int_equal(transfer(ring, 1, 3, 1, 5, 4, 1 * 64 + 3 * 4), OK);
	resource = gpu_store_find(&store, 1);
	for (unsigned y = 0; y < 16; y++) {
		for (unsigned x = 0; x < 16; x++) {
			const bool inside = x >= 3 && x < 8 && y >= 1 && y < 5;
			const uint8_t zero[4] = {0};

			assert_memory_equal(resource->pixels + y * 64 + x * 4,
					    inside ? backing + y * 64 + x * 4 : zero, 4);
		}
	}
}

/* A rectangle that leaves the resource is refused, also where the sum wraps around. */
static void gpu_resource_transfer_checks_rectangle(void **state)
{
	struct fake_ring *ring = *state;

	assert_int_equal(create(1, 16, 16), OK);
	assert_int_equal(attach_one(ring, 1, 0, 1024), OK);
	assert_int_equal(transfer(ring, 1, 0, 0, 17, 1, 0), BAD_PARAM);
	assert_int_equal(transfer(ring, 1, 8, 0, 9, 1, 0), BAD_PARAM);
	assert_int_equal(transfer(ring, 1, 0xffffffff, 0, 2, 1, 0), BAD_PARAM);
	assert_int_equal(transfer(ring, 1, 0, 0xfffffff8, 1, 16, 0), BAD_PARAM);
	assert_int_equal(transfer(ring, 1, 0, 0, 0, 1, 0), BAD_PARAM);
	assert_int_equal(transfer(ring, 1, 0, 0, 16, 16, 0), OK);
}

/* A transfer that needs more backing than there is, is refused. */
static void gpu_resource_transfer_checks_backing(void **state)
{
	struct fake_ring *ring = *state;

	assert_int_equal(create(1, 16, 16), OK);
	assert_int_equal(transfer(ring, 1, 0, 0, 1, 1, 0), BAD_PARAM);
	assert_int_equal(attach_one(ring, 1, 0, 1000), OK);
	assert_int_equal(transfer(ring, 1, 0, 0, 16, 16, 0), BAD_PARAM);
	assert_int_equal(transfer(ring, 1, 0, 0, 16, 15, 0), OK);
	assert_int_equal(transfer(ring, 1, 0, 0, 16, 1, 1000 - 63), BAD_PARAM);
	assert_int_equal(transfer(ring, 1, 0, 0, 16, 1, UINT64_MAX), BAD_PARAM);
}

/* Pixels of each byte order arrive as B G R and the fourth one. */
static void gpu_resource_transfer_orders_bytes(void **state)
{
	static const struct {
		uint32_t format;
		const char *bytes;
	} formats[] = {
		{VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM, "bgra"},
		{VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM, "bgra"},
		{VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM, "argb"},
		{VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM, "argb"},
		{VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM, "rgba"},
		{VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM, "rgba"},
		{VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM, "abgr"},
		{VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM, "abgr"},
	};
	struct fake_ring *ring = *state;

	for (uint32_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const uint32_t id = i + 1;

		memcpy(ring->ram + 0x20000, formats[i].bytes, 4);
		assert_int_equal(create_format(id, 1, 1, formats[i].format), OK);
		assert_int_equal(attach_one(ring, id, 0x20000, 4), OK);
		assert_int_equal(transfer(ring, id, 0, 0, 1, 1, 0), OK);
		assert_memory_equal(gpu_store_find(&store, id)->pixels, "bgra", 4);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gpu_resource_create_seals_pixels),
		TEST(gpu_resource_create_checks_arguments),
		TEST(gpu_resource_create_holds_total_cap),
		TEST(gpu_resource_create_holds_count_cap),
		TEST(gpu_resource_refuses_unknown_id),
		TEST(gpu_resource_attach_checks_ranges),
		TEST(gpu_resource_transfer_copies_rectangle),
		TEST(gpu_resource_transfer_checks_rectangle),
		TEST(gpu_resource_transfer_checks_backing),
		TEST(gpu_resource_transfer_orders_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
