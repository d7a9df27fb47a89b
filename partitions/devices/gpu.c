/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the commands of a 2D virtio-gpu. Invariant: what is shown lies within a resource that
 * exists. */
#define _GNU_SOURCE

#include "gpu.h"
#include "debug.h"
#include "edid.h"

#include <stddef.h>
#include <string.h>

#define BATCH	    64u
#define CURSOR_SIZE 64u

void gpu_init(struct gpu *gpu, int screen_sock, uint32_t width, uint32_t height, uint64_t bytes_max)
{
	memset(gpu, 0, offsetof(struct gpu, chain));
	screen_init(&gpu->screen, screen_sock);
	gpu_store_init(&gpu->store, bytes_max);
	gpu->width = width;
	gpu->height = height;
}

void gpu_reset(struct gpu *gpu)
{
	gpu_store_clear(&gpu->store);
	gpu->scanout_id = 0;
	gpu->events = 0;
	screen_reset(&gpu->screen);
}

uint64_t gpu_features(void)
{
	return 1ull << VIRTIO_GPU_F_EDID;
}

void gpu_get_config(const struct gpu *gpu, uint8_t *config)
{
	const struct virtio_gpu_config space = {.events_read = gpu->events, .num_scanouts = 1};

	memcpy(config, &space, sizeof(space));
}

/* Only events_clear is there to be written. */
void gpu_set_config(struct gpu *gpu, uint32_t offset, const uint8_t *data, uint32_t size)
{
	const uint32_t at = offsetof(struct virtio_gpu_config, events_clear);
	uint32_t bits;

	if (offset <= at && offset + size >= at + sizeof(bits)) {
		memcpy(&bits, data + (at - offset), sizeof(bits));
		gpu->events &= ~bits;
	}
}

static void show(struct gpu *gpu, const struct gpu_resource *resource)
{
	const struct virtio_gpu_rect *r = &gpu->scanout;
	/* A resource has at most 8192 x 8192 x 4 bytes, which 32 bits hold. */
	uint32_t offset = r->y * resource->stride + r->x * 4;

	screen_set_scanout(&gpu->screen, resource->fd, r->width, r->height, resource->stride,
			   offset);
}

bool gpu_resize(struct gpu *gpu, uint32_t width, uint32_t height)
{
	const struct gpu_resource *resource = gpu_store_find(&gpu->store, gpu->scanout_id);

	/* It may be another switcher, which has not seen the picture yet. */
	if (gpu->scanout_id && resource) {
		show(gpu, resource);
	}
	if (gpu->width == width && gpu->height == height) {
		return false;
	}
	gpu->width = width;
	gpu->height = height;
	gpu->events |= VIRTIO_GPU_EVENT_DISPLAY;
	return true;
}

/* The response's payload, behind the header that gpu_execute() has written. Each command returns
 * the response type and may raise *ret_size above the header's. */
static uint32_t get_display_info(struct gpu *gpu, uint8_t *response, uint32_t *ret_size)
{
	struct virtio_gpu_resp_display_info info = {0};

	info.pmodes[0].r.width = gpu->width;
	info.pmodes[0].r.height = gpu->height;
	info.pmodes[0].enabled = 1;
	memcpy(response + sizeof(info.hdr), (uint8_t *)&info + sizeof(info.hdr),
	       sizeof(info) - sizeof(info.hdr));
	*ret_size = sizeof(info);
	return VIRTIO_GPU_RESP_OK_DISPLAY_INFO;
}

static uint32_t get_edid(struct gpu *gpu, const struct virtio_gpu_cmd_get_edid *command,
			 uint8_t *response, uint32_t *ret_size)
{
	struct virtio_gpu_resp_edid edid = {.size = EDID_SIZE};

	if (command->scanout != 0) {
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	if (!edid_make(gpu->width, gpu->height, edid.edid)) {
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
	memcpy(response + sizeof(edid.hdr), (uint8_t *)&edid + sizeof(edid.hdr),
	       sizeof(edid) - sizeof(edid.hdr));
	*ret_size = sizeof(edid);
	return VIRTIO_GPU_RESP_OK_EDID;
}

static void disable_scanout(struct gpu *gpu)
{
	gpu->scanout_id = 0;
	screen_set_scanout(&gpu->screen, -1, 0, 0, 0, 0);
}

static uint32_t unref(struct gpu *gpu, uint32_t id)
{
	if (id && id == gpu->scanout_id) {
		disable_scanout(gpu);
	}
	return gpu_resource_destroy(&gpu->store, id);
}

static uint32_t set_scanout(struct gpu *gpu, const struct virtio_gpu_set_scanout *command)
{
	const struct gpu_resource *resource;

	if (command->scanout_id != 0) {
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	if (!command->resource_id) {
		disable_scanout(gpu);
		return VIRTIO_GPU_RESP_OK_NODATA;
	}
	resource = gpu_store_find(&gpu->store, command->resource_id);
	if (!resource) {
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!gpu_resource_contains(resource, &command->r)) {
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	gpu->scanout_id = resource->id;
	gpu->scanout = command->r;
	show(gpu, resource);
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t flush(struct gpu *gpu, const struct virtio_gpu_resource_flush *command)
{
	const struct gpu_resource *resource = gpu_store_find(&gpu->store, command->resource_id);
	const struct virtio_gpu_rect *shown = &gpu->scanout;
	uint32_t left, top, right, bottom;

	if (!resource) {
		return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
	}
	if (!gpu_resource_contains(resource, &command->r)) {
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	if (resource->id != gpu->scanout_id) {
		return VIRTIO_GPU_RESP_OK_NODATA;
	}
	left = max_u32(command->r.x, shown->x);
	top = max_u32(command->r.y, shown->y);
	right = min_u32(command->r.x + command->r.width, shown->x + shown->width);
	bottom = min_u32(command->r.y + command->r.height, shown->y + shown->height);
	if (left < right && top < bottom) {
		screen_damage(&gpu->screen, left - shown->x, top - shown->y, right - left,
			      bottom - top);
	}
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t attach(struct gpu *gpu, const struct guest_mem *mem, const uint8_t *request,
		       uint32_t size)
{
	const struct virtio_gpu_resource_attach_backing *command = (const void *)request;
	const uint32_t fixed = sizeof(*command);
	const uint32_t entry_size = sizeof(struct virtio_gpu_mem_entry);

	if (command->nr_entries > (size - fixed) / entry_size) {
		return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	return gpu_resource_attach(&gpu->store, mem, command->resource_id,
				   (const void *)(request + fixed), command->nr_entries);
}

static uint32_t move_cursor(struct gpu *gpu, const struct virtio_gpu_cursor_pos *pos)
{
	if (pos->scanout_id != 0) {
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	/* Signed, and past the edges within reason; further out is not shown anyway. */
	if (pos->x + SURFACE_SIZE_MAX <= 2 * SURFACE_SIZE_MAX &&
	    pos->y + SURFACE_SIZE_MAX <= 2 * SURFACE_SIZE_MAX) {
		screen_move_cursor(&gpu->screen, pos->x, pos->y);
	}
	return VIRTIO_GPU_RESP_OK_NODATA;
}

static uint32_t update_cursor(struct gpu *gpu, const struct virtio_gpu_update_cursor *command)
{
	const struct gpu_resource *resource = NULL;

	if (command->pos.scanout_id != 0) {
		return VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID;
	}
	if (command->resource_id) {
		resource = gpu_store_find(&gpu->store, command->resource_id);
		if (!resource) {
			return VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID;
		}
		if (resource->width != CURSOR_SIZE || resource->height != CURSOR_SIZE ||
		    command->hot_x >= CURSOR_SIZE || command->hot_y >= CURSOR_SIZE) {
			return VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
		}
	}
	/* Linux gives the place of the picture's corner, whatever its hot spot (virtgpu_plane.c:
	 * pos = crtc_x, crtc_y); for the switcher the two are one then. */
	screen_set_cursor(&gpu->screen, resource ? resource->fd : -1, 0, 0);
	return move_cursor(gpu, &command->pos);
}

/* Bytes that a command must have at least; 0: there is no such command. */
static uint32_t command_size(uint32_t type)
{
	switch (type) {
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
		return sizeof(struct virtio_gpu_ctrl_hdr);
	case VIRTIO_GPU_CMD_GET_EDID:
		return sizeof(struct virtio_gpu_cmd_get_edid);
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
		return sizeof(struct virtio_gpu_resource_create_2d);
	case VIRTIO_GPU_CMD_RESOURCE_UNREF:
		return sizeof(struct virtio_gpu_resource_unref);
	case VIRTIO_GPU_CMD_SET_SCANOUT:
		return sizeof(struct virtio_gpu_set_scanout);
	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		return sizeof(struct virtio_gpu_resource_flush);
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
		return sizeof(struct virtio_gpu_transfer_to_host_2d);
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
		return sizeof(struct virtio_gpu_resource_attach_backing);
	case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING:
		return sizeof(struct virtio_gpu_resource_detach_backing);
	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		return sizeof(struct virtio_gpu_update_cursor);
	default:
		return 0;
	}
}

/* The request is long enough for its type. */
static uint32_t dispatch(struct gpu *gpu, const struct guest_mem *mem, const uint8_t *request,
			 uint32_t size, uint8_t *response, uint32_t *ret_size)
{
	const struct virtio_gpu_ctrl_hdr *hdr = (const void *)request;

	switch (hdr->type) {
	case VIRTIO_GPU_CMD_GET_DISPLAY_INFO:
		return get_display_info(gpu, response, ret_size);
	case VIRTIO_GPU_CMD_GET_EDID:
		return get_edid(gpu, (const void *)request, response, ret_size);
	case VIRTIO_GPU_CMD_RESOURCE_CREATE_2D:
		return gpu_resource_create(&gpu->store, (const void *)request);
	case VIRTIO_GPU_CMD_RESOURCE_UNREF:
		return unref(gpu, ((const struct virtio_gpu_resource_unref *)(const void *)request)
					  ->resource_id);
	case VIRTIO_GPU_CMD_SET_SCANOUT:
		return set_scanout(gpu, (const void *)request);
	case VIRTIO_GPU_CMD_RESOURCE_FLUSH:
		return flush(gpu, (const void *)request);
	case VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D:
		return gpu_resource_transfer(&gpu->store, mem, (const void *)request);
	case VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING:
		return attach(gpu, mem, request, size);
	case VIRTIO_GPU_CMD_RESOURCE_DETACH_BACKING:
		return gpu_resource_detach(
			&gpu->store,
			((const struct virtio_gpu_resource_detach_backing *)(const void *)request)
				->resource_id);
	case VIRTIO_GPU_CMD_UPDATE_CURSOR:
		return update_cursor(gpu, (const void *)request);
	case VIRTIO_GPU_CMD_MOVE_CURSOR:
		return move_cursor(
			gpu,
			&((const struct virtio_gpu_update_cursor *)(const void *)request)->pos);
	default:
		return VIRTIO_GPU_RESP_ERR_UNSPEC;
	}
}

uint32_t gpu_execute(struct gpu *gpu, const struct guest_mem *mem, const uint8_t *request,
		     uint32_t size, uint8_t *ret_response)
{
	const struct virtio_gpu_ctrl_hdr *hdr = (const void *)request;
	struct virtio_gpu_ctrl_hdr answer = {.type = VIRTIO_GPU_RESP_ERR_UNSPEC};
	uint32_t answer_size = sizeof(answer);
	uint32_t needed;

	if (size < sizeof(*hdr)) {
		return 0;
	}
	needed = command_size(hdr->type);
	if (needed && size >= needed) {
		answer.type = dispatch(gpu, mem, request, size, ret_response, &answer_size);
	} else if (needed) {
		answer.type = VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER;
	}
	if (hdr->flags & VIRTIO_GPU_FLAG_FENCE) {
		answer.flags = VIRTIO_GPU_FLAG_FENCE;
		answer.fence_id = hdr->fence_id;
		answer.ctx_id = hdr->ctx_id;
	}
	debug_trace(DEBUG_DEVICE_QUEUE, "command 0x%x, %u bytes: 0x%x", hdr->type, size,
		    answer.type);
	memcpy(ret_response, &answer, sizeof(answer));
	return answer_size;
}

/* False: the request cannot be answered, not even with an error. */
static bool serve(struct gpu *gpu, struct vq *vq)
{
	struct vq_chain *chain = &gpu->chain;
	uint32_t size = chain->read_left;
	uint32_t answer_size;

	if (size > GPU_REQUEST_MAX || vq_read(vq, chain, gpu->request, size) < 0) {
		return false;
	}
	answer_size = gpu_execute(gpu, vq->mem, gpu->request, size, gpu->response);
	if (!answer_size) {
		return false;
	}
	/* Cursor commands come without room for a response. */
	if (chain->write_left < answer_size) {
		answer_size = chain->write_left;
	}
	if (vq_write(vq, chain, gpu->response, answer_size) < 0) {
		return false;
	}
	vq_push(vq, chain);
	return true;
}

bool gpu_handle_queue(struct gpu *gpu, struct vq *vq)
{
	unsigned served = 0;

	while (served < BATCH && vq_pop(vq, &gpu->chain) > 0) {
		if (!serve(gpu, vq)) {
			vq_break(vq);
			break;
		}
		served++;
	}
	vq_notify(vq);
	return served == BATCH;
}
