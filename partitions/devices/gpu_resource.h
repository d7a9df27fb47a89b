/* SPDX-License-Identifier: Apache-2.0 */
/** The 2D resources of a virtio-gpu: pixels in a memory fd each, and the guest memory behind them.
 *
 *  Pixels live in a memfd sealed against growing and shrinking, so that the switcher can map what
 * the guest shows: the transfer from guest memory into it is the only copy. Functions that can fail
 * return a response type of virtio-gpu, VIRTIO_GPU_RESP_OK_NODATA when all is well; a failure
 * changes nothing.
 *
 *  Source: virtio 1.2, "GPU Device", "Device Operation: controlq".
 */
#ifndef BH_DEVICES_GPU_RESOURCE_H
#define BH_DEVICES_GPU_RESOURCE_H

#include "vq.h"

#include <linux/virtio_gpu.h>

#define GPU_SIZE_MAX	 8192u /* pixels, each way */
#define GPU_RESOURCE_MAX 256u
/** Ranges of guest memory behind one resource, and behind all. */
#define GPU_ENTRY_MAX	    65536u
#define GPU_ENTRY_TOTAL_MAX 262144u
#define GPU_BYTES_DEFAULT   (128ull << 20)

struct gpu_resource {
	uint32_t id;
	uint32_t format; /* enum virtio_gpu_formats */
	uint32_t width, height;
	uint32_t stride; /* bytes; pixels are 4 bytes, B G R X or B G R A */
	uint64_t size;	 /* bytes of pixels */
	int fd;
	uint8_t *pixels;
	unsigned entry_count; /* 0: no backing */
	uint64_t backing_size;
	struct vq_seg *entry;
};

/** All resources of one device. */
struct gpu_store {
	uint64_t bytes, bytes_max;
	unsigned entries;
	unsigned count;
	struct gpu_resource *resource[GPU_RESOURCE_MAX];
};

/** An empty store for at most bytes_max bytes of pixels. */
void gpu_store_init(struct gpu_store *store, uint64_t bytes_max);
/** Destroys all resources; the store is empty then. */
void gpu_store_clear(struct gpu_store *store);

/** NULL when there is none of that id. */
struct gpu_resource *gpu_store_find(const struct gpu_store *store, uint32_t id);

VIRTIO_MUST_CHECK uint32_t gpu_resource_create(struct gpu_store *store,
					       const struct virtio_gpu_resource_create_2d *create);
VIRTIO_MUST_CHECK uint32_t gpu_resource_destroy(struct gpu_store *store, uint32_t id);

/** Puts `count` ranges of guest memory behind the resource; each must lie within memory. A resource
 * that has some already is refused. */
VIRTIO_MUST_CHECK uint32_t gpu_resource_attach(struct gpu_store *store, const struct guest_mem *mem,
					       uint32_t id,
					       const struct virtio_gpu_mem_entry *entry,
					       uint32_t count);
VIRTIO_MUST_CHECK uint32_t gpu_resource_detach(struct gpu_store *store, uint32_t id);

/** Copies a rectangle from guest memory into the pixels. */
VIRTIO_MUST_CHECK uint32_t
gpu_resource_transfer(const struct gpu_store *store, const struct guest_mem *mem,
		      const struct virtio_gpu_transfer_to_host_2d *transfer);

/** True when the rectangle is not empty and lies within the resource. */
bool gpu_resource_contains(const struct gpu_resource *resource, const struct virtio_gpu_rect *rect);

#endif
