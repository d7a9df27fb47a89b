/* SPDX-License-Identifier: Apache-2.0 */
/** virtio-gpu, 2D, one scan-out: decodes the guest's commands and acts on them.
 *
 *  A command is a flat private buffer, copied once from the queue; all commands finish before they
 * are answered, so fences are done at once.
 *
 *  Source: virtio 1.2, "GPU Device".
 */
#ifndef BH_DEVICES_GPU_H
#define BH_DEVICES_GPU_H

#include "gpu_resource.h"
#include "screen.h"

#define GPU_QUEUE_COUNT 2u

enum { GPU_QUEUE_CONTROL = 0, GPU_QUEUE_CURSOR = 1 };

/** Longest request: ATTACH_BACKING with all its entries. Longest response: the EDID. */
#define GPU_REQUEST_MAX                                                                            \
	(sizeof(struct virtio_gpu_resource_attach_backing) +                                       \
	 GPU_ENTRY_MAX * sizeof(struct virtio_gpu_mem_entry))
#define GPU_RESPONSE_MAX sizeof(struct virtio_gpu_resp_edid)
#define GPU_CONFIG_SIZE	 ((uint32_t)sizeof(struct virtio_gpu_config))

struct gpu {
	struct screen screen;
	struct gpu_store store;
	uint32_t width, height;		/* what the guest should use */
	uint32_t events;		/* VIRTIO_GPU_EVENT_* that the guest has not cleared */
	uint32_t scanout_id;		/* resource that is shown, 0: none */
	struct virtio_gpu_rect scanout; /* the part of it that is shown */
	struct vq_chain chain;
	uint8_t request[GPU_REQUEST_MAX] __attribute__((aligned(8)));
	uint8_t response[GPU_RESPONSE_MAX] __attribute__((aligned(8)));
};

/** screen_sock: connection to the switcher or -1. bytes_max: cap on pixels of all resources. */
void gpu_init(struct gpu *gpu, int screen_sock, uint32_t width, uint32_t height,
	      uint64_t bytes_max);

/** Forgets all that the guest made; tells the switcher. */
void gpu_reset(struct gpu *gpu);

uint64_t gpu_features(void);
void gpu_get_config(const struct gpu *gpu, uint8_t *config);
void gpu_set_config(struct gpu *gpu, uint32_t offset, const uint8_t *data, uint32_t size);

/** Executes one request of `size` bytes. Returns the bytes of the response, at most
 * GPU_RESPONSE_MAX; 0: the request is too short to be one. */
uint32_t gpu_execute(struct gpu *gpu, const struct guest_mem *mem, const uint8_t *request,
		     uint32_t size, uint8_t *ret_response);

/** Serves either queue; true when there may be more. */
bool gpu_handle_queue(struct gpu *gpu, struct vq *vq);

/** A switcher is there and wants this size: it is given the picture again. True when the guest
 * should be told. */
bool gpu_resize(struct gpu *gpu, uint32_t width, uint32_t height);

#endif
