/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the resources of a GPU. Invariants: the sizes of all pixels and lists stay under their caps;
 * a rectangle is checked against its resource in 64 bits before the first pixel moves. */
#define _GNU_SOURCE

#include "gpu_resource.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PIXEL_SIZE 4u

void gpu_store_init(struct gpu_store *store, uint64_t bytes_max)
{
	memset(store, 0, sizeof(*store));
	store->bytes_max = bytes_max;
}

struct gpu_resource *gpu_store_find(const struct gpu_store *store, uint32_t id)
{
	for (unsigned i = 0; i < store->count; i++) {
		if (store->resource[i]->id == id) {
			return store->resource[i];
		}
	}
	return NULL;
}

/* Where the blue, green, red and fourth byte of a pixel are in guest memory; NULL: no such format.
 */
static const uint8_t *find_order(uint32_t format)
{
	static const uint8_t bgra[4] = {0, 1, 2, 3};
	static const uint8_t argb[4] = {3, 2, 1, 0};
	static const uint8_t rgba[4] = {2, 1, 0, 3};
	static const uint8_t abgr[4] = {1, 2, 3, 0};

	switch (format) {
	case VIRTIO_GPU_FORMAT_B8G8R8A8_UNORM:
	case VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM:
		return bgra;
	case VIRTIO_GPU_FORMAT_A8R8G8B8_UNORM:
	case VIRTIO_GPU_FORMAT_X8R8G8B8_UNORM:
		return argb;
	case VIRTIO_GPU_FORMAT_R8G8B8A8_UNORM:
	case VIRTIO_GPU_FORMAT_R8G8B8X8_UNORM:
		return rgba;
	case VIRTIO_GPU_FORMAT_A8B8G8R8_UNORM:
	case VIRTIO_GPU_FORMAT_X8B8G8R8_UNORM:
		return abgr;
	default:
		return NULL;
	}
}

/* Memory fd of exactly `size` bytes, and its mapping. */
static int make_pixels(uint64_t size, uint8_t **ret_pixels)
{
	int fd = memfd_create("bulkhead-gpu", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *pixels;

	if (fd < 0) {
		return -1;
	}
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		close(fd);
		return -1;
	}
	pixels = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pixels == MAP_FAILED) {
		close(fd);
		return -1;
	}
	*ret_pixels = pixels;
	return fd;
}

uint32_t gpu_resource_create(struct gpu_store *store,
			     const struct virtio_gpu_resource_create_2d *create)
{
	struct gpu_resource *resource;
	uint64_t size;

	if (!create->resource_id || gpu_store_find(store, create->resource_id)) {
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!create->width || !create->height || create->width > GPU_SIZE_MAX ||
	    create->height > GPU_SIZE_MAX || !find_order(create->format)) {
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	size = (uint64_t)create->width * create->height * PIXEL_SIZE;
	if (store->count >= GPU_RESOURCE_MAX || size > store->bytes_max - store->bytes) {
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	resource = calloc(1, sizeof(*resource));
	if (!resource) {
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	resource->fd = make_pixels(size, &resource->pixels);
	if (resource->fd < 0) {
		free(resource);
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	resource->id = create->resource_id;
	resource->format = create->format;
	resource->width = create->width;
	resource->height = create->height;
	resource->stride = create->width * PIXEL_SIZE;
	resource->size = size;
	store->bytes += size;
	store->resource[store->count++] = resource;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static void drop_backing(struct gpu_store *store, struct gpu_resource *resource)
{
	store->entries -= resource->entry_count;
	free(resource->entry);
	resource->entry = NULL;
	resource->entry_count = 0;
	resource->backing_size = 0;
}

static void destroy_at(struct gpu_store *store, unsigned i)
{
	struct gpu_resource *resource = store->resource[i];

	drop_backing(store, resource);
	munmap(resource->pixels, resource->size);
	close(resource->fd);
	store->bytes -= resource->size;
	store->resource[i] = store->resource[--store->count];
	free(resource);
}

uint32_t gpu_resource_destroy(struct gpu_store *store, uint32_t id)
{
	for (unsigned i = 0; i < store->count; i++) {
		if (store->resource[i]->id == id) {
			destroy_at(store, i);
			return VIRTIO_GPU_RESP_OK_NODATA;
		}
	}
	return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
}

void gpu_store_clear(struct gpu_store *store)
{
	while (store->count) {
		destroy_at(store, store->count - 1);
	}
}

uint32_t gpu_resource_attach(struct gpu_store *store, const struct guest_mem *mem, uint32_t id,
			     const struct virtio_gpu_mem_entry *entry, uint32_t count)
{
	struct gpu_resource *resource = gpu_store_find(store, id);
	struct vq_seg *list;
	uint64_t total = 0;

	if (!resource) {
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (resource->entry_count || !count || count > GPU_ENTRY_MAX) {
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	if (count > GPU_ENTRY_TOTAL_MAX - store->entries) {
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!guest_check_range(mem, entry[i].addr, entry[i].length)) {
			return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
		}
		total += entry[i].length;
	}
	list = calloc(count, sizeof(*list));
	if (!list) {
		return VIRTIO_GPU_RESP_ERR_OUT_OF_MEMORY;
	}
	for (uint32_t i = 0; i < count; i++) {
		list[i] = (struct vq_seg){.gpa = entry[i].addr, .len = entry[i].length};
	}
	resource->entry = list;
	resource->entry_count = count;
	resource->backing_size = total;
	store->entries += count;
	return VIRTIO_GPU_RESP_OK_NODATA;
}

uint32_t gpu_resource_detach(struct gpu_store *store, uint32_t id)
{
	struct gpu_resource *resource = gpu_store_find(store, id);

	if (!resource) {
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!resource->entry_count) {
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	drop_backing(store, resource);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

bool gpu_resource_contains(const struct gpu_resource *resource, const struct virtio_gpu_rect *rect)
{
	return rect->width && rect->height && rect->width <= resource->width &&
	       rect->height <= resource->height && rect->x <= resource->width - rect->width &&
	       rect->y <= resource->height - rect->height;
}

/* A place in the backing that only moves forward: rows are copied from top to bottom. */
struct cursor {
	unsigned entry;
	uint64_t start; /* offset of that entry in the backing */
};

/* Copies [offset, offset + size) of the backing; the caller has checked that it is there. */
static bool copy_backing(const struct gpu_resource *resource, const struct guest_mem *mem,
			 struct cursor *cursor, uint64_t offset, uint8_t *to, uint32_t size)
{
	while (size) {
		const struct vq_seg *entry = &resource->entry[cursor->entry];
		uint64_t skip = offset - cursor->start;
		uint32_t part;

		if (skip >= entry->len) {
			cursor->start += entry->len;
			cursor->entry++;
			continue;
		}
		part = entry->len - (uint32_t)skip;
		part = part < size ? part : size;
		if (guest_copy_in(mem, to, entry->gpa + skip, part) < 0) {
			return false; /* memory was taken away since the attachment */
		}
		to += part;
		offset += part;
		size -= part;
	}
	return true;
}

/* Brings pixels of another byte order into B G R A. */
static void reorder(uint8_t *pixels, uint32_t count, const uint8_t *order)
{
	for (uint32_t i = 0; i < count; i++, pixels += PIXEL_SIZE) {
		uint8_t pixel[PIXEL_SIZE];

		memcpy(pixel, pixels, sizeof(pixel));
		for (unsigned b = 0; b < PIXEL_SIZE; b++) {
			pixels[b] = pixel[order[b]];
		}
	}
}

uint32_t gpu_resource_transfer(const struct gpu_store *store, const struct guest_mem *mem,
			       const struct virtio_gpu_transfer_to_host_2d *transfer)
{
	const struct gpu_resource *resource = gpu_store_find(store, transfer->resource_id);
	const struct virtio_gpu_rect *rect = &transfer->r;
	const uint8_t *order;
	struct cursor cursor = {0};
	uint64_t span;

	if (!resource) {
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!gpu_resource_contains(resource, rect)) {
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	/* From the first byte of the first row to the last one of the last row. */
	span = (uint64_t)(rect->height - 1) * resource->stride + (uint64_t)rect->width * PIXEL_SIZE;
	if (span > resource->backing_size || transfer->offset > resource->backing_size - span) {
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	order = find_order(resource->format);
	for (uint32_t row = 0; row < rect->height; row++) {
		uint8_t *to = resource->pixels + (uint64_t)(rect->y + row) * resource->stride +
			      (uint64_t)rect->x * PIXEL_SIZE;

		if (!copy_backing(resource, mem, &cursor,
				  transfer->offset + (uint64_t)row * resource->stride, to,
				  rect->width * PIXEL_SIZE)) {
			return VIRTIO_GPU_RESP_ERR_UNSPEC;
		}
		if (order[0] != 0) {
			reorder(to, rect->width, order);
		}
	}
	return VIRTIO_GPU_RESP_OK_NODATA;
}
