/* SPDX-License-Identifier: Apache-2.0 */
/* Owns one vhost-user connection. A table says for each request how large its payload is, how many
 * fds come along and who handles it; the dispatcher checks all of that before the handler runs. */
#define _GNU_SOURCE

#include "vhost_server.h"
#include "vhost_inflight.h"
#include "vhost_ring.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TRANSPORT_FEATURES                                                                         \
	((1ull << VIRTIO_F_VERSION_1) | (1ull << VIRTIO_RING_F_INDIRECT_DESC) |                    \
	 (1ull << VIRTIO_RING_F_EVENT_IDX) | (1ull << VHOST_F_PROTOCOL_FEATURES))
#define PROTOCOL_FEATURES                                                                          \
	(VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_BACKEND_REQ |               \
	 VHOST_PROTOCOL_RESET_DEVICE)

#define ANY_SIZE UINT32_MAX
#define ANY_FDS	 UINT32_MAX
/* A message that was begun must be whole within this many seconds. */
#define RECEIVE_SECONDS 5

/* What a handler returns besides -errno. */
enum { DONE = 0, REPLY = 1, REPLIED = 2 };

void vhost_server_init(struct vhost_server *server, const struct vhost_ops *ops, void *dev,
		       uint64_t features, unsigned queue_count, uint32_t config_size)
{
	memset(server, 0, sizeof(*server));
	server->ops = ops;
	server->dev = dev;
	server->features_offered = features | TRANSPORT_FEATURES;
	server->queue_count = queue_count;
	server->config_size = config_size;
	server->sock = -1;
	server->backend_fd = -1;
	for (unsigned i = 0; i < VHOST_QUEUE_MAX; i++) {
		server->ring[i].kick_fd = -1;
		server->ring[i].vq.call_fd = -1;
		server->ring[i].vq.err_fd = -1;
	}
}

void vhost_server_attach(struct vhost_server *server, int sock)
{
	const struct timeval limit = {.tv_sec = RECEIVE_SECONDS};

	server->sock = sock;
	/* Failure leaves a socket without the limit, which only the peer's own device suffers from.
	 */
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static void reset_device(struct vhost_server *server)
{
	if (server->ops->reset) {
		server->ops->reset(server->dev);
	}
}

static void drain(struct vhost_server *server)
{
	if (server->ops->drain) {
		server->ops->drain(server->dev);
	}
}

static void reset_rings(struct vhost_server *server)
{
	drain(server);
	for (unsigned i = 0; i < server->queue_count; i++) {
		vhost_ring_reset(&server->ring[i]);
	}
}

void vhost_server_detach(struct vhost_server *server)
{
	if (server->sock < 0) {
		return;
	}
	reset_rings(server);
	reset_device(server);
	vhost_inflight_fini(&server->inflight);
	guest_mem_fini(&server->mem);
	server->features = 0;
	server->protocol_features = 0;
	if (server->backend_fd >= 0) {
		close(server->backend_fd);
	}
	server->backend_fd = -1;
	close(server->sock);
	server->sock = -1;
}

static int reply_u64(struct vhost_msg *msg, uint64_t value)
{
	msg->body.u64 = value;
	msg->header.size = sizeof(uint64_t);
	return REPLY;
}

static int get_features(struct vhost_server *server, struct vhost_msg *msg)
{
	return reply_u64(msg, server->features_offered);
}

/* Front-ends pass on transport bits of theirs that mean nothing here: what was not offered is
 * dropped. */
static int set_features(struct vhost_server *server, struct vhost_msg *msg)
{
	server->features = msg->body.u64 & server->features_offered;
	if (server->ops->set_features) {
		server->ops->set_features(server->dev, server->features);
	}
	return DONE;
}

/* A device without configuration space does not offer messages about it. */
static uint64_t offered_protocol_features(const struct vhost_server *server)
{
	return PROTOCOL_FEATURES | (server->config_size ? VHOST_PROTOCOL_CONFIG : 0) |
	       (server->keeps_inflight ? VHOST_PROTOCOL_INFLIGHT_SHMFD : 0);
}

static int get_protocol_features(struct vhost_server *server, struct vhost_msg *msg)
{
	return reply_u64(msg, offered_protocol_features(server));
}

static int set_protocol_features(struct vhost_server *server, struct vhost_msg *msg)
{
	if (msg->body.u64 & ~offered_protocol_features(server)) {
		return -EPROTO;
	}
	server->protocol_features = msg->body.u64;
	return DONE;
}

static int get_queue_num(struct vhost_server *server, struct vhost_msg *msg)
{
	return reply_u64(msg, server->queue_count);
}

static int set_owner(struct vhost_server *server, struct vhost_msg *msg)
{
	return DONE;
}

static int reset_all(struct vhost_server *server, struct vhost_msg *msg)
{
	reset_rings(server);
	reset_device(server);
	return DONE;
}

/* The new table is whole before the old one goes. */
static int set_mem_table(struct vhost_server *server, struct vhost_msg *msg)
{
	const struct vhost_mem_table *table = &msg->body.mem;
	struct guest_mem mem = {0};
	struct guest_mem old;

	if (msg->header.size < VHOST_MEM_TABLE_SIZE(0) || table->region_count > GUEST_REGION_MAX ||
	    msg->header.size != VHOST_MEM_TABLE_SIZE(table->region_count) ||
	    msg->fd_count != table->region_count) {
		return -EPROTO;
	}
	for (unsigned i = 0; i < table->region_count; i++) {
		const struct vhost_mem_region *region = &table->region[i];
		int rc = guest_mem_map(&mem, region->gpa, region->size, region->user_addr,
				       msg->fd[i], region->fd_offset);

		if (rc < 0) {
			guest_mem_fini(&mem);
			return rc;
		}
	}
	drain(server);
	old = server->mem;
	server->mem = mem;
	guest_mem_fini(&old);
	return vhost_ring_remap(server);
}

static int set_vring_num(struct vhost_server *server, struct vhost_msg *msg)
{
	return vhost_ring_set_num(server, msg);
}

static int set_vring_base(struct vhost_server *server, struct vhost_msg *msg)
{
	return vhost_ring_set_base(server, msg);
}

static int set_vring_addr(struct vhost_server *server, struct vhost_msg *msg)
{
	drain(server);
	return vhost_ring_set_addr(server, msg);
}

static int set_vring_enable(struct vhost_server *server, struct vhost_msg *msg)
{
	return vhost_ring_set_enable(server, msg);
}

static bool any_started(const struct vhost_server *server)
{
	for (unsigned i = 0; i < server->queue_count; i++) {
		if (server->ring[i].started) {
			return true;
		}
	}
	return false;
}

static int get_vring_base(struct vhost_server *server, struct vhost_msg *msg)
{
	const bool before = any_started(server);

	drain(server);
	if (vhost_ring_get_base(server, msg) < 0) {
		return -EPROTO;
	}
	if (before && !any_started(server)) {
		reset_device(server);
	}
	return REPLY;
}

static int set_backend_req_fd(struct vhost_server *server, struct vhost_msg *msg)
{
	if (server->backend_fd >= 0) {
		close(server->backend_fd);
	}
	server->backend_fd = vhost_msg_take_fd(msg, 0);
	return DONE;
}

/* Form of a configuration access: its size fits the message, its range the largest space there is.
 */
static bool check_config(const struct vhost_msg *msg)
{
	const struct vhost_config *config = &msg->body.config;

	return msg->header.size >= VHOST_CONFIG_SIZE(0) && config->size <= VHOST_CONFIG_MAX &&
	       msg->header.size == VHOST_CONFIG_SIZE(config->size) &&
	       config->offset <= VHOST_CONFIG_MAX - config->size;
}

/* Front-ends pass on offsets of the guest's choice: what lies behind the device's space reads as
 * zero. */
static int get_config(struct vhost_server *server, struct vhost_msg *msg)
{
	struct vhost_config *config = &msg->body.config;
	uint8_t space[VHOST_CONFIG_MAX] = {0};

	if (!check_config(msg)) {
		return -EPROTO;
	}
	if (server->ops->get_config) {
		server->ops->get_config(server->dev, space);
	}
	memcpy(config->data, space + config->offset, config->size);
	return REPLY;
}

/* A write that is not within the device's space as a whole is ignored. */
static int set_config(struct vhost_server *server, struct vhost_msg *msg)
{
	const struct vhost_config *config = &msg->body.config;

	if (!check_config(msg)) {
		return -EPROTO;
	}
	if (server->ops->set_config && config->offset + config->size <= server->config_size) {
		server->ops->set_config(server->dev, config->offset, config->data, config->size);
	}
	return DONE;
}

/* The GPU back end shows its pictures by itself; the socket offered for them is closed. */
static int gpu_set_socket(struct vhost_server *server, struct vhost_msg *msg)
{
	return DONE;
}

/* The reply takes the fd along; the mapping stays. */
static int get_inflight_fd(struct vhost_server *server, struct vhost_msg *msg)
{
	int fd;
	int rc;

	if (any_started(server)) {
		return -EPROTO;
	}
	rc = vhost_inflight_create(server, msg, &fd);
	if (rc < 0) {
		return rc;
	}
	msg->header.flags = VHOST_VERSION | VHOST_FLAG_REPLY;
	rc = vhost_msg_send_fd(server->sock, msg, fd);
	close(fd);
	return rc < 0 ? rc : REPLIED;
}

static int set_inflight_fd(struct vhost_server *server, struct vhost_msg *msg)
{
	return any_started(server) ? -EPROTO : vhost_inflight_set(server, msg);
}

#define STATE_SIZE sizeof(struct vhost_ring_state)

static const struct request {
	const char *name;
	int (*handle)(struct vhost_server *server, struct vhost_msg *msg);
	uint32_t size;
	uint32_t fds;
} requests[] = {
	[VHOST_GET_FEATURES] = {"GET_FEATURES", get_features, 0, 0},
	[VHOST_SET_FEATURES] = {"SET_FEATURES", set_features, 8, 0},
	[VHOST_SET_OWNER] = {"SET_OWNER", set_owner, 0, 0},
	[VHOST_RESET_OWNER] = {"RESET_OWNER", reset_all, 0, 0},
	[VHOST_SET_MEM_TABLE] = {"SET_MEM_TABLE", set_mem_table, ANY_SIZE, ANY_FDS},
	[VHOST_SET_VRING_NUM] = {"SET_VRING_NUM", set_vring_num, STATE_SIZE, 0},
	[VHOST_SET_VRING_ADDR] = {"SET_VRING_ADDR", set_vring_addr, sizeof(struct vhost_ring_addr),
				  0},
	[VHOST_SET_VRING_BASE] = {"SET_VRING_BASE", set_vring_base, STATE_SIZE, 0},
	[VHOST_GET_VRING_BASE] = {"GET_VRING_BASE", get_vring_base, STATE_SIZE, 0},
	[VHOST_SET_VRING_KICK] = {"SET_VRING_KICK", vhost_ring_set_kick, 8, ANY_FDS},
	[VHOST_SET_VRING_CALL] = {"SET_VRING_CALL", vhost_ring_set_call, 8, ANY_FDS},
	[VHOST_SET_VRING_ERR] = {"SET_VRING_ERR", vhost_ring_set_err, 8, ANY_FDS},
	[VHOST_GET_PROTOCOL_FEATURES] = {"GET_PROTOCOL_FEATURES", get_protocol_features, 0, 0},
	[VHOST_SET_PROTOCOL_FEATURES] = {"SET_PROTOCOL_FEATURES", set_protocol_features, 8, 0},
	[VHOST_GET_QUEUE_NUM] = {"GET_QUEUE_NUM", get_queue_num, 0, 0},
	[VHOST_SET_VRING_ENABLE] = {"SET_VRING_ENABLE", set_vring_enable, STATE_SIZE, 0},
	[VHOST_SET_BACKEND_REQ_FD] = {"SET_BACKEND_REQ_FD", set_backend_req_fd, 0, 1},
	[VHOST_GET_CONFIG] = {"GET_CONFIG", get_config, ANY_SIZE, 0},
	[VHOST_SET_CONFIG] = {"SET_CONFIG", set_config, ANY_SIZE, 0},
	[VHOST_GET_INFLIGHT_FD] = {"GET_INFLIGHT_FD", get_inflight_fd, ANY_SIZE, 0},
	[VHOST_SET_INFLIGHT_FD] = {"SET_INFLIGHT_FD", set_inflight_fd, ANY_SIZE, 1},
	[VHOST_GPU_SET_SOCKET] = {"GPU_SET_SOCKET", gpu_set_socket, 0, 1},
	[VHOST_RESET_DEVICE] = {"RESET_DEVICE", reset_all, 0, 0},
};

static const struct request *find_request(const struct vhost_msg *msg)
{
	const struct request *request;

	if (msg->header.request >= sizeof(requests) / sizeof(requests[0])) {
		return NULL;
	}
	request = &requests[msg->header.request];
	if (!request->handle || (request->size != ANY_SIZE && request->size != msg->header.size) ||
	    (request->fds != ANY_FDS && request->fds != msg->fd_count)) {
		return NULL;
	}
	return request;
}

static int send_reply(struct vhost_server *server, struct vhost_msg *msg)
{
	msg->header.flags = VHOST_VERSION | VHOST_FLAG_REPLY;
	return vhost_msg_send(server->sock, msg);
}

int vhost_server_receive(struct vhost_server *server)
{
	const struct request *request;
	struct vhost_msg msg;
	bool need_reply;
	int sent = 0;
	int rc;

	rc = vhost_msg_receive(server->sock, &msg);
	if (rc <= 0) {
		return rc;
	}
	request = find_request(&msg);
	/* Whether this request wants an acknowledgement is settled before it can change the answer.
	 */
	need_reply = (msg.header.flags & VHOST_FLAG_NEED_REPLY) &&
		     (server->protocol_features & VHOST_PROTOCOL_REPLY_ACK);
	if (server->trace) {
		fprintf(stderr, "vhost: %s (%" PRIu32 "), %" PRIu32 " bytes, %u fds\n",
			request ? request->name : "refused", msg.header.request, msg.header.size,
			msg.fd_count);
	}
	rc = request ? request->handle(server, &msg) : -EPROTO;
	vhost_msg_close_fds(&msg);
	if (rc == REPLY) {
		sent = send_reply(server, &msg);
	} else if (need_reply && rc != REPLIED) {
		reply_u64(&msg, rc < 0);
		sent = send_reply(server, &msg);
	}
	if (rc < 0) {
		return rc;
	}
	return sent < 0 ? sent : 1;
}

static bool runs(const struct vhost_ring *ring)
{
	return ring->started && ring->enabled && !ring->vq.broken;
}

unsigned vhost_server_poll(const struct vhost_server *server, struct pollfd *fds)
{
	unsigned count = 0;

	if (server->sock < 0) {
		return 0;
	}
	fds[count++] = (struct pollfd){.fd = server->sock, .events = POLLIN};
	for (unsigned i = 0; i < server->queue_count; i++) {
		const struct vhost_ring *ring = &server->ring[i];

		/* poll() skips negative fds; a slot for each queue keeps the order. */
		fds[count++] =
			(struct pollfd){.fd = runs(ring) ? ring->kick_fd : -1, .events = POLLIN};
	}
	return count;
}

bool vhost_server_busy(const struct vhost_server *server)
{
	for (unsigned i = 0; i < server->queue_count; i++) {
		if (server->ring[i].again && runs(&server->ring[i])) {
			return true;
		}
	}
	return false;
}

static void serve_ring(struct vhost_server *server, unsigned i, bool kicked)
{
	struct vhost_ring *ring = &server->ring[i];
	uint64_t count;

	if (!runs(ring)) {
		return;
	}
	/* The count does not matter; reading it arms the eventfd again. */
	if (kicked && read(ring->kick_fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
		vq_break(&ring->vq);
		return;
	}
	if (kicked || ring->again) {
		ring->again = server->ops->handle_queue(server->dev, &ring->vq, i);
	}
}

int vhost_server_dispatch(struct vhost_server *server, const struct pollfd *fds, unsigned count)
{
	if (!count || server->sock < 0) {
		return 1;
	}
	for (unsigned i = 0; i < server->queue_count && i + 1 < count; i++) {
		const struct pollfd *kick = &fds[i + 1];

		if (kick->fd >= 0 && (kick->revents & ~POLLIN)) {
			vq_break(&server->ring[i].vq); /* not an eventfd, or gone: it would wake us
							  for ever */
		}
		serve_ring(server, i, kick->fd >= 0 && (kick->revents & POLLIN));
	}
	if (fds[0].revents) {
		return vhost_server_receive(server);
	}
	return 1;
}

struct vq *vhost_server_queue(struct vhost_server *server, unsigned index)
{
	if (server->sock < 0 || index >= server->queue_count || !runs(&server->ring[index])) {
		return NULL;
	}
	return &server->ring[index].vq;
}

void vhost_server_again(struct vhost_server *server, unsigned index)
{
	if (vhost_server_queue(server, index)) {
		server->ring[index].again = true;
	}
}

void vhost_server_config_changed(struct vhost_server *server)
{
	struct vhost_msg msg = {
		.header = {.request = VHOST_BACKEND_CONFIG_CHANGE, .flags = VHOST_VERSION},
	};

	if (server->backend_fd < 0 || !(server->protocol_features & VHOST_PROTOCOL_BACKEND_REQ)) {
		return;
	}
	/* A front-end that does not take it any more is about to close the main socket, too. */
	if (vhost_msg_send(server->backend_fd, &msg) < 0) {
		close(server->backend_fd);
		server->backend_fd = -1;
	}
}
