/* SPDX-License-Identifier: Apache-2.0 */
/** Requests are synchronous: where the back end acknowledges, every request waits for that. */
#include "vhost.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "layout.h"
#include "report.h"
#include "vhost_wire.h"

#define PROTOCOL_WANTED                                                                            \
	(VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_BACKEND_REQ |               \
	 VHOST_PROTOCOL_CONFIG)

static int lose(struct vhost *vhost, const char *why)
{
	if (!vhost->lost) {
		vhost->lost = true;
		vhost->why = why;
		shutdown(vhost->socket, SHUT_RDWR);
	}
	return -1;
}

/* Receives the answer to `request` and checks that it has exactly `size` bytes. */
static int receive_reply(struct vhost *vhost, uint32_t request, void *payload, uint32_t size)
{
	uint8_t bytes[VHOST_PAYLOAD_MAX];
	struct vhost_header header;

	if (!vhost_wire_receive(vhost->socket, &header, bytes)) {
		return lose(vhost, "hung up, or gave no answer");
	}
	if (header.request != request || !(header.flags & VHOST_FLAG_REPLY) ||
	    header.size != size) {
		return lose(vhost, "answered something else");
	}
	memcpy(payload, bytes, size);
	return 0;
}

/* A request without an answer of its own. */
static int send_request(struct vhost *vhost, uint32_t request, const void *payload, uint32_t size,
			int fd)
{
	bool ack = vhost->protocol & VHOST_PROTOCOL_REPLY_ACK;
	uint64_t status;

	if (vhost->lost) {
		return -1;
	}
	report_debug(REPORT_VHOST_MSG, "socket %d: request %u, %u bytes", vhost->socket, request,
		     size);
	if (!vhost_wire_send(vhost->socket, request, ack ? VHOST_FLAG_NEED_REPLY : 0, payload, size,
			     fd)) {
		return lose(vhost, "hung up");
	}
	if (!ack) {
		return 0;
	}
	if (receive_reply(vhost, request, &status, sizeof(status)) < 0) {
		return -1;
	}
	return status == 0 ? 0 : lose(vhost, "refused a request");
}

/* A request that is answered with a payload. */
static int ask(struct vhost *vhost, uint32_t request, const void *payload, uint32_t size,
	       void *reply, uint32_t reply_size)
{
	if (vhost->lost) {
		return -1;
	}
	report_debug(REPORT_VHOST_MSG, "socket %d: question %u, %u bytes", vhost->socket, request,
		     size);
	if (!vhost_wire_send(vhost->socket, request, 0, payload, size, -1)) {
		return lose(vhost, "hung up");
	}
	return receive_reply(vhost, request, reply, reply_size);
}

static int open_channel(struct vhost *vhost)
{
	int pair[2], err;

	if (!(vhost->protocol & VHOST_PROTOCOL_BACKEND_REQ)) {
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return lose(vhost, "no socket pair for its channel");
	}
	err = send_request(vhost, VHOST_SET_BACKEND_REQ_FD, NULL, 0, pair[1]);
	close(pair[1]);
	vhost->channel = pair[0];
	return err;
}

static int agree_on_protocol(struct vhost *vhost)
{
	uint64_t protocol, count;

	if (!(vhost->features & VHOST_FEATURE_PROTOCOL)) {
		return 0;
	}
	if (ask(vhost, VHOST_GET_PROTOCOL_FEATURES, NULL, 0, &protocol, sizeof(protocol)) < 0) {
		return -1;
	}
	protocol &= PROTOCOL_WANTED;
	if (send_request(vhost, VHOST_SET_PROTOCOL_FEATURES, &protocol, sizeof(protocol), -1) < 0) {
		return -1;
	}
	vhost->protocol = protocol;
	if (protocol & VHOST_PROTOCOL_MQ) {
		if (ask(vhost, VHOST_GET_QUEUE_NUM, NULL, 0, &count, sizeof(count)) < 0) {
			return -1;
		}
		vhost->queue_count =
			count < BH_DOORBELL_QUEUE_MAX ? (unsigned)count : BH_DOORBELL_QUEUE_MAX;
	}
	return 0;
}

int vhost_open(struct vhost *vhost, int socket, int ram_fd, uint64_t ram_size)
{
	const struct timeval timeout = {.tv_sec = VHOST_TIMEOUT_S};
	const struct vhost_mem_table table = {
		.count = 1, .size = ram_size, .user = LAYOUT_VHOST_BASE};

	*vhost = (struct vhost){.socket = socket, .channel = -1};
	if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0) {
		return lose(vhost, "not a socket");
	}
	if (ask(vhost, VHOST_GET_FEATURES, NULL, 0, &vhost->features, sizeof(vhost->features)) <
		    0 ||
	    agree_on_protocol(vhost) < 0 || send_request(vhost, VHOST_SET_OWNER, NULL, 0, -1) < 0 ||
	    open_channel(vhost) < 0) {
		return -1;
	}
	return send_request(vhost, VHOST_SET_MEM_TABLE, &table, sizeof(table), ram_fd);
}

int vhost_set_features(struct vhost *vhost, uint64_t features)
{
	features |= vhost->features & VHOST_FEATURE_PROTOCOL;
	return send_request(vhost, VHOST_SET_FEATURES, &features, sizeof(features), -1);
}

static int set_ring_state(struct vhost *vhost, uint32_t request, unsigned index, unsigned number)
{
	const struct vhost_vring_state state = {index, number};

	return send_request(vhost, request, &state, sizeof(state), -1);
}

static int set_ring_fd(struct vhost *vhost, uint32_t request, unsigned index, int fd)
{
	const uint64_t payload = index;

	return send_request(vhost, request, &payload, sizeof(payload), fd);
}

int vhost_ring_start(struct vhost *vhost, unsigned index, const struct vhost_ring *ring)
{
	const struct vhost_vring_addr addr = {
		.index = index,
		.desc = LAYOUT_VHOST_BASE + ring->desc,
		.avail = LAYOUT_VHOST_BASE + ring->driver,
		.used = LAYOUT_VHOST_BASE + ring->device,
	};

	if (set_ring_state(vhost, VHOST_SET_VRING_NUM, index, ring->size) < 0 ||
	    set_ring_state(vhost, VHOST_SET_VRING_BASE, index, 0) < 0 ||
	    send_request(vhost, VHOST_SET_VRING_ADDR, &addr, sizeof(addr), -1) < 0 ||
	    set_ring_fd(vhost, VHOST_SET_VRING_CALL, index, ring->call) < 0 ||
	    set_ring_fd(vhost, VHOST_SET_VRING_KICK, index, ring->kick) < 0) {
		return -1;
	}
	if (vhost->features & VHOST_FEATURE_PROTOCOL) {
		return set_ring_state(vhost, VHOST_SET_VRING_ENABLE, index, 1);
	}
	return 0;
}

int vhost_ring_stop(struct vhost *vhost, unsigned index)
{
	const struct vhost_vring_state state = {index, 0};
	struct vhost_vring_state reply;

	if (ask(vhost, VHOST_GET_VRING_BASE, &state, sizeof(state), &reply, sizeof(reply)) < 0) {
		return -1;
	}
	return reply.index == index ? 0 : lose(vhost, "answered for another ring");
}

bool vhost_has_config(const struct vhost *vhost)
{
	return vhost->protocol & VHOST_PROTOCOL_CONFIG;
}

bool vhost_announces_config(const struct vhost *vhost)
{
	return vhost->channel >= 0;
}

#define CONFIG_HEAD (sizeof(struct vhost_config) - VHOST_CONFIG_MAX)

int vhost_config_read(struct vhost *vhost, void *bytes, unsigned size)
{
	struct vhost_config config = {.size = size};
	struct vhost_config reply;

	if (ask(vhost, VHOST_GET_CONFIG, &config, (uint32_t)CONFIG_HEAD + size, &reply,
		(uint32_t)CONFIG_HEAD + size) < 0) {
		return -1;
	}
	memcpy(bytes, reply.bytes, size);
	return 0;
}

int vhost_config_write(struct vhost *vhost, unsigned offset, unsigned size, const void *bytes)
{
	struct vhost_config config = {.offset = offset, .size = size};

	memcpy(config.bytes, bytes, size);
	return send_request(vhost, VHOST_SET_CONFIG, &config, (uint32_t)CONFIG_HEAD + size, -1);
}

int vhost_channel_serve(struct vhost *vhost)
{
	uint8_t payload[VHOST_PAYLOAD_MAX];
	struct vhost_header header;
	uint64_t status;

	if (!vhost_wire_receive(vhost->channel, &header, payload)) {
		return -1;
	}
	status = header.request == VHOST_BACKEND_CONFIG_CHANGE ? 0 : 1;
	if ((header.flags & VHOST_FLAG_NEED_REPLY) &&
	    !vhost_wire_send(vhost->channel, header.request, VHOST_FLAG_REPLY, &status,
			     sizeof(status), -1)) {
		return -1;
	}
	return status == 0;
}
