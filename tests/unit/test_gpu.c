/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-gpu commands: what a stock driver says works, what is malformed is answered with an error.
 */
#define _GNU_SOURCE

#include "edid.h"
#include "fake_ring.h"
#include "gpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define REQUEST	 FAKE_BUFFERS
#define RESPONSE (FAKE_BUFFERS + 0x1000u)
#define BACKING	 (FAKE_BUFFERS + 0x4000u)

static struct gpu gpu;
static uint8_t response[GPU_RESPONSE_MAX] __attribute__((aligned(8)));

struct fixture {
	struct fake_ring ring;
	int peer;
};

static int setup(void **state)
{
	static struct fixture f;
	int pair[2];

	fake_ring_init(&f.ring, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	f.peer = pair[0];
	gpu_init(&gpu, pair[1], 1024, 736, 16u << 20);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gpu_reset(&gpu);
	if (gpu.screen.sock >= 0) {
		close(gpu.screen.sock);
	}
	close(f->peer);
	fake_ring_fini(&f->ring);
	return 0;
}

/* Executes a command; returns the type of the response. */
static uint32_t execute(struct fixture *f, uint32_t type, void *command, uint32_t size)
{
	struct virtio_gpu_ctrl_hdr hdr;

	((struct virtio_gpu_ctrl_hdr *)command)->type = type;
	assert_true(gpu_execute(&gpu, &f->ring.mem, command, size, response) >= sizeof(hdr));
	memcpy(&hdr, response, sizeof(hdr));
	return hdr.type;
}

static uint32_t create(struct fixture *f, uint32_t id, uint32_t width, uint32_t height)
{
	struct virtio_gpu_resource_create_2d command = {
		.resource_id = id,
		.format = VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM,
		.width = width,
		.height = height,
	};

	return execute(f, VIRTIO_GPU_CMD_RESOURCE_CREATE_2D, &command, sizeof(command));
}

static uint32_t attach(struct fixture *f, uint32_t id, uint64_t gpa, uint32_t size)
{
	struct {
		struct virtio_gpu_resource_attach_backing command;
		struct virtio_gpu_mem_entry entry;
	} request = {
		.command = {.resource_id = id, .nr_entries = 1},
		.entry = {.addr = gpa, .length = size},
	};

	return execute(f, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, &request, sizeof(request));
}

static uint32_t set_scanout(struct fixture *f, uint32_t scanout, uint32_t id, uint32_t x,
			    uint32_t y, uint32_t width, uint32_t height)
{
	struct virtio_gpu_set_scanout command = {
		.r = {.x = x, .y = y, .width = width, .height = height},
		.scanout_id = scanout,
		.resource_id = id,
	};

	return execute(f, VIRTIO_GPU_CMD_SET_SCANOUT, &command, sizeof(command));
}

static uint32_t flush(struct fixture *f, uint32_t id, uint32_t x, uint32_t y, uint32_t width,
		      uint32_t height)
{
	struct virtio_gpu_resource_flush command = {
		.r = {.x = x, .y = y, .width = width, .height = height},
		.resource_id = id,
	};

	return execute(f, VIRTIO_GPU_CMD_RESOURCE_FLUSH, &command, sizeof(command));
}

static uint32_t unref(struct fixture *f, uint32_t id)
{
	struct virtio_gpu_resource_unref command = {.resource_id = id};

	return execute(f, VIRTIO_GPU_CMD_RESOURCE_UNREF, &command, sizeof(command));
}

/* Next message to the switcher; type 0 when there is none. Fds are not taken. */
static struct surface_msg receive(struct fixture *f)
{
	struct surface_msg msg = {0};

	if (recv(f->peer, &msg, sizeof(msg), MSG_DONTWAIT) < 0) {
		msg.type = 0;
	}
	return msg;
}

/* The guest is told one screen, of the present size. */
static void gpu_tells_display_info(void **state)
{
	struct fixture *f = *state;
	struct virtio_gpu_ctrl_hdr command = {0};
	struct virtio_gpu_resp_display_info info;

	assert_int_equal(execute(f, VIRTIO_GPU_CMD_GET_DISPLAY_INFO, &command, sizeof(command)),
			 VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	memcpy(&info, response, sizeof(info));
	assert_int_equal(info.pmodes[0].enabled, 1);
	assert_int_equal(info.pmodes[0].r.width, 1024);
	assert_int_equal(info.pmodes[0].r.height, 736);
	assert_int_equal(info.pmodes[1].enabled, 0);
}

/* The EDID is there for screen 0 only. */
static void gpu_tells_edid(void **state)
{
	struct fixture *f = *state;
	struct virtio_gpu_cmd_get_edid command = {.scanout = 0};
	struct virtio_gpu_resp_edid edid;

	assert_int_equal(execute(f, VIRTIO_GPU_CMD_GET_EDID, &command, sizeof(command)),
			 VIRTIO_GPU_RESP_OK_EDID);
	memcpy(&edid, response, sizeof(edid));
	assert_int_equal(edid.size, EDID_SIZE);
	assert_int_equal(edid.edid[1], 0xff);
	command.scanout = 1;
	assert_int_equal(execute(f, VIRTIO_GPU_CMD_GET_EDID, &command, sizeof(command)),
			 VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID);
}

/* What a driver does to show a frame ends with pixels at the switcher and its damage. */
static void gpu_shows_a_frame(void **state)
{
	struct fixture *f = *state;
	struct virtio_gpu_transfer_to_host_2d transfer = {.r = {.width = 64, .height = 32},
							  .resource_id = 1};
	struct surface_msg msg;

	memset(f->ring.ram + BACKING, 0x5a, 64 * 32 * 4);
	assert_int_equal(create(f, 1, 64, 32), VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(attach(f, 1, BACKING, 64 * 32 * 4), VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(set_scanout(f, 0, 1, 8, 4, 40, 20), VIRTIO_GPU_RESP_OK_NODATA);
	msg = receive(f);
	assert_int_equal(msg.type, SURFACE_SCANOUT);
	assert_int_equal(msg.width, 40);
	assert_int_equal(msg.height, 20);
	assert_int_equal(msg.stride, 256);
	assert_int_equal(msg.offset, 4 * 256 + 8 * 4);
	assert_int_equal(
		execute(f, VIRTIO_GPU_CMD_TRANSFER_TO_HOST_2D, &transfer, sizeof(transfer)),
		VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(gpu_store_find(&gpu.store, 1)->pixels[0], 0x5a);
	/* Damage is cut to what is shown, and relative to it. */
	assert_int_equal(flush(f, 1, 0, 0, 16, 32), VIRTIO_GPU_RESP_OK_NODATA);
	msg = receive(f);
	assert_int_equal(msg.type, SURFACE_DAMAGE);
	assert_int_equal(msg.x, 0);
	assert_int_equal(msg.y, 0);
	assert_int_equal(msg.width, 8);
	assert_int_equal(msg.height, 20);
	/* Outside of it there is none. */
	assert_int_equal(flush(f, 1, 60, 0, 4, 4), VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(receive(f).type, 0);
}

/* A scan-out must lie within its resource, and there is one screen. */
static void gpu_set_scanout_checks_arguments(void **state)
{
	struct fixture *f = *state;

	create(f, 1, 64, 32);
	assert_int_equal(set_scanout(f, 1, 1, 0, 0, 64, 32),
			 VIRTIO_GPU_RESP_ERR_INVALID_SCANOUT_ID);
	assert_int_equal(set_scanout(f, 0, 2, 0, 0, 64, 32),
			 VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	assert_int_equal(set_scanout(f, 0, 1, 1, 0, 64, 32), VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	assert_int_equal(set_scanout(f, 0, 1, 0, 0xffffffff, 64, 2),
			 VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	assert_int_equal(set_scanout(f, 0, 1, 0, 0, 0, 0), VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	assert_int_equal(receive(f).type, 0);
}

/* When the resource that is shown goes, the screen goes dark first. */
static void gpu_unref_of_shown_resource_disables_scanout(void **state)
{
	struct fixture *f = *state;
	struct surface_msg msg;

	create(f, 1, 64, 32);
	set_scanout(f, 0, 1, 0, 0, 64, 32);
	receive(f);
	assert_int_equal(unref(f, 1), VIRTIO_GPU_RESP_OK_NODATA);
	msg = receive(f);
	assert_int_equal(msg.type, SURFACE_SCANOUT);
	assert_int_equal(msg.width, 0);
	assert_int_equal(flush(f, 1, 0, 0, 1, 1), VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
	assert_int_equal(unref(f, 1), VIRTIO_GPU_RESP_ERR_INVALID_RESOURCE_ID);
}

/* A cursor is a resource of 64 x 64. */
static void gpu_update_cursor_checks_image(void **state)
{
	struct fixture *f = *state;
	struct virtio_gpu_update_cursor command = {
		.resource_id = 1, .pos = {.x = 5, .y = 6}, .hot_x = 1, .hot_y = 2};

	create(f, 1, 64, 64);
	create(f, 2, 64, 32);
	assert_int_equal(execute(f, VIRTIO_GPU_CMD_UPDATE_CURSOR, &command, sizeof(command)),
			 VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(receive(f).type, SURFACE_CURSOR);
	assert_int_equal(receive(f).type, SURFACE_CURSOR_MOVE);
	command.resource_id = 2;
	assert_int_equal(execute(f, VIRTIO_GPU_CMD_UPDATE_CURSOR, &command, sizeof(command)),
			 VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	command.resource_id = 0; /* hidden */
	assert_int_equal(execute(f, VIRTIO_GPU_CMD_UPDATE_CURSOR, &command, sizeof(command)),
			 VIRTIO_GPU_RESP_OK_NODATA);
	assert_int_equal(receive(f).width, 0);
}

/* More entries announced than sent are refused; the count is not trusted. */
static void gpu_attach_checks_entry_count(void **state)
{
	struct fixture *f = *state;
	struct virtio_gpu_resource_attach_backing command = {.resource_id = 1,
							     .nr_entries = 0x10000001};

	create(f, 1, 64, 32);
	assert_int_equal(
		execute(f, VIRTIO_GPU_CMD_RESOURCE_ATTACH_BACKING, &command, sizeof(command)),
		VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
}

/* A command cut short is answered with an error, an unknown one too. */
static void gpu_refuses_malformed_commands(void **state)
{
	struct fixture *f = *state;
	struct virtio_gpu_set_scanout command = {.resource_id = 0};

	assert_int_equal(execute(f, VIRTIO_GPU_CMD_SET_SCANOUT, &command, sizeof(command) - 1),
			 VIRTIO_GPU_RESP_ERR_INVALID_PARAMETER);
	assert_int_equal(execute(f, 0, &command, sizeof(command)), VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_int_equal(execute(f, VIRTIO_GPU_CMD_GET_CAPSET, &command, sizeof(command)),
			 VIRTIO_GPU_RESP_ERR_UNSPEC);
	assert_int_equal(gpu_execute(&gpu, &f->ring.mem, (uint8_t *)&command, 23, response), 0);
}

/* A fence comes back with the answer, also with an error. */
static void gpu_signals_fences(void **state)
{
	struct fixture *f = *state;
	struct virtio_gpu_ctrl_hdr command = {
		.flags = VIRTIO_GPU_FLAG_FENCE, .fence_id = 77, .ctx_id = 3};
	struct virtio_gpu_ctrl_hdr answer;

	execute(f, 0x999, &command, sizeof(command));
	memcpy(&answer, response, sizeof(answer));
	assert_int_equal(answer.flags, VIRTIO_GPU_FLAG_FENCE);
	assert_int_equal(answer.fence_id, 77);
	assert_int_equal(answer.ctx_id, 3);
}

/* Each switcher that connects is given the picture that is there. */
static void gpu_resize_shows_picture_again(void **state)
{
	struct fixture *f = *state;
	struct surface_msg msg;

	assert_false(gpu_resize(&gpu, 1024, 736));
	create(f, 1, 64, 32);
	set_scanout(f, 0, 1, 0, 0, 64, 32);
	receive(f);
	assert_false(gpu_resize(&gpu, 1024, 736));
	msg = receive(f);
	assert_int_equal(msg.type, SURFACE_SCANOUT);
	assert_int_equal(msg.width, 64);
}

/* A new size is an event that the guest reads and clears. */
static void gpu_resize_raises_event(void **state)
{
	struct virtio_gpu_config config;
	uint32_t clear = VIRTIO_GPU_EVENT_DISPLAY;

	assert_false(gpu_resize(&gpu, 1024, 736));
	assert_true(gpu_resize(&gpu, 800, 600));
	gpu_get_config(&gpu, (uint8_t *)&config);
	assert_int_equal(config.events_read, VIRTIO_GPU_EVENT_DISPLAY);
	assert_int_equal(config.num_scanouts, 1);
	gpu_set_config(&gpu, offsetof(struct virtio_gpu_config, num_scanouts), (uint8_t *)&clear,
		       4);
	gpu_set_config(&gpu, 5, (uint8_t *)&clear, 3);
	gpu_get_config(&gpu, (uint8_t *)&config);
	assert_int_equal(config.events_read, VIRTIO_GPU_EVENT_DISPLAY);
	gpu_set_config(&gpu, offsetof(struct virtio_gpu_config, events_clear), (uint8_t *)&clear,
		       4);
	gpu_get_config(&gpu, (uint8_t *)&config);
	assert_int_equal(config.events_read, 0);
}

/* A reset drops every resource and tells the switcher. */
static void gpu_reset_forgets_everything(void **state)
{
	struct fixture *f = *state;

	create(f, 1, 64, 32);
	set_scanout(f, 0, 1, 0, 0, 64, 32);
	receive(f);
	gpu_reset(&gpu);
	assert_int_equal(receive(f).type, SURFACE_RESET);
	assert_int_equal(gpu.store.count, 0);
	assert_int_equal(create(f, 1, 64, 32), VIRTIO_GPU_RESP_OK_NODATA);
}

/* Requests come by the queue, their answers go back there. */
static void gpu_handle_queue_answers(void **state)
{
	struct fixture *f = *state;
	const struct virtio_gpu_ctrl_hdr command = {.type = VIRTIO_GPU_CMD_GET_DISPLAY_INFO};
	const struct fake_seg seg[] = {{REQUEST, sizeof(command), false}, {RESPONSE, 408, true}};
	struct virtio_gpu_ctrl_hdr answer;
	uint32_t id, len;

	memcpy(f->ring.ram + REQUEST, &command, sizeof(command));
	fake_ring_add(&f->ring, seg, 2);
	assert_false(gpu_handle_queue(&gpu, &f->ring.vq));
	memcpy(&answer, f->ring.ram + RESPONSE, sizeof(answer));
	assert_int_equal(answer.type, VIRTIO_GPU_RESP_OK_DISPLAY_INFO);
	fake_ring_used(&f->ring, 0, &id, &len);
	assert_int_equal(len, 408);
}

/* A cursor command has no room for an answer, and needs none. */
static void gpu_handle_queue_needs_no_answer_buffer(void **state)
{
	struct fixture *f = *state;
	const struct virtio_gpu_update_cursor command = {
		.hdr = {.type = VIRTIO_GPU_CMD_MOVE_CURSOR}};
	const struct fake_seg seg = {REQUEST, sizeof(command), false};

	memcpy(f->ring.ram + REQUEST, &command, sizeof(command));
	fake_ring_add(&f->ring, &seg, 1);
	assert_false(gpu_handle_queue(&gpu, &f->ring.vq));
	assert_int_equal(fake_ring_used_idx(&f->ring), 1);
}

/* A request too short to be one breaks the queue. */
static void gpu_handle_queue_breaks_on_runt(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg seg = {REQUEST, 8, false};

	fake_ring_add(&f->ring, &seg, 1);
	assert_false(gpu_handle_queue(&gpu, &f->ring.vq));
	assert_true(f->ring.vq.broken);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gpu_tells_display_info),
		TEST(gpu_tells_edid),
		TEST(gpu_shows_a_frame),
		TEST(gpu_set_scanout_checks_arguments),
		TEST(gpu_unref_of_shown_resource_disables_scanout),
		TEST(gpu_update_cursor_checks_image),
		TEST(gpu_attach_checks_entry_count),
		TEST(gpu_refuses_malformed_commands),
		TEST(gpu_signals_fences),
		TEST(gpu_resize_shows_picture_again),
		TEST(gpu_resize_raises_event),
		TEST(gpu_reset_forgets_everything),
		TEST(gpu_handle_queue_answers),
		TEST(gpu_handle_queue_needs_no_answer_buffer),
		TEST(gpu_handle_queue_breaks_on_runt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
