/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the life of a ring: its parameters come one by one, SET_VRING_KICK starts it, GET_VRING_BASE
 * stops it. Invariant: a started ring has passed vq_setup() over the present memory table. */
#define _GNU_SOURCE

#include "vhost_ring.h"
#include "vhost_inflight.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <unistd.h>

struct vhost_ring *vhost_ring_find(struct vhost_server *server, uint64_t index)
{
	return index < server->queue_count ? &server->ring[index] : NULL;
}

static void replace_fd(int *fd, int new_fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = new_fd;
}

/* Rings are named by front-end addresses: they become guest-physical here, each part within one
 * region of memory. */
static int setup(struct vhost_server *server, struct vhost_ring *ring, uint16_t base)
{
	const bool event_idx = server->features & (1ull << VIRTIO_RING_F_EVENT_IDX);
	uint64_t desc, avail, used;

	if (!ring->num || !ring->addr_set) {
		return -EPROTO;
	}
	if (guest_from_user(&server->mem, ring->addr.desc, vq_desc_size(ring->num), &desc) < 0 ||
	    guest_from_user(&server->mem, ring->addr.avail, vq_avail_size(ring->num), &avail) < 0 ||
	    guest_from_user(&server->mem, ring->addr.used, vq_used_size(ring->num), &used) < 0 ||
	    vq_setup(&ring->vq, &server->mem, ring->num, desc, avail, used, base, event_idx) < 0) {
		return -EPROTO;
	}
	return 0;
}

/* A running ring over other memory: it goes on where it stands. */
static int setup_again(struct vhost_server *server, struct vhost_ring *ring)
{
	struct vq_inflight *inflight = ring->vq.inflight;
	uint16_t used = ring->vq.used_idx;

	if (setup(server, ring, ring->vq.last_avail) < 0) {
		return -EPROTO;
	}
	ring->vq.used_idx = used;
	ring->vq.signalled_used = used;
	ring->vq.inflight = inflight;
	return 0;
}

/* With a record of what was in flight the ring goes on where the last back end stood, whatever the
 * front-end says. */
static int start(struct vhost_server *server, struct vhost_ring *ring)
{
	unsigned index = (unsigned)(ring - server->ring);

	if (setup(server, ring, ring->base) < 0) {
		return -EPROTO;
	}
	ring->inflight.record = vhost_inflight_record(&server->inflight, index, ring->num);
	if (!ring->inflight.record) {
		return 0;
	}
	if (vq_resume(&ring->vq, &ring->inflight) < 0) {
		return -EPROTO;
	}
	if (server->trace) {
		fprintf(stderr, "vhost: queue %u: %u requests of the back end before\n", index,
			ring->inflight.count);
	}
	return 0;
}

int vhost_ring_remap(struct vhost_server *server)
{
	for (unsigned i = 0; i < server->queue_count; i++) {
		struct vhost_ring *ring = &server->ring[i];

		if (ring->started && setup_again(server, ring) < 0) {
			return -EPROTO;
		}
	}
	return 0;
}

static void stop(struct vhost_ring *ring)
{
	if (ring->started) {
		ring->base = ring->vq.last_avail;
	}
	ring->started = false;
	ring->again = false;
	ring->vq.ready = false;
	ring->vq.inflight = NULL;
	replace_fd(&ring->kick_fd, -1);
}

void vhost_ring_reset(struct vhost_ring *ring)
{
	stop(ring);
	replace_fd(&ring->vq.call_fd, -1);
	replace_fd(&ring->vq.err_fd, -1);
	ring->num = 0;
	ring->base = 0;
	ring->addr_set = false;
	ring->enabled = false;
}

int vhost_ring_set_num(struct vhost_server *server, const struct vhost_msg *msg)
{
	struct vhost_ring *ring = vhost_ring_find(server, msg->body.state.index);
	uint32_t num = msg->body.state.num;

	if (!ring || ring->started || !num || num > VQ_SIZE_MAX || (num & (num - 1))) {
		return -EPROTO;
	}
	ring->num = num;
	return 0;
}

int vhost_ring_set_base(struct vhost_server *server, const struct vhost_msg *msg)
{
	struct vhost_ring *ring = vhost_ring_find(server, msg->body.state.index);

	if (!ring || ring->started || msg->body.state.num > UINT16_MAX) {
		return -EPROTO;
	}
	ring->base = (uint16_t)msg->body.state.num;
	return 0;
}

int vhost_ring_set_addr(struct vhost_server *server, const struct vhost_msg *msg)
{
	struct vhost_ring *ring = vhost_ring_find(server, msg->body.addr.index);

	if (!ring) {
		return -EPROTO;
	}
	ring->addr = msg->body.addr;
	ring->addr_set = true;
	return ring->started ? setup_again(server, ring) : 0;
}

/* Splits the u64 of KICK, CALL and ERR. The fd must be there exactly when the message says so. */
static struct vhost_ring *find_fd_target(struct vhost_server *server, struct vhost_msg *msg,
					 int *ret_fd)
{
	struct vhost_ring *ring = vhost_ring_find(server, msg->body.u64 & VHOST_RING_INDEX_MASK);
	unsigned expected = msg->body.u64 & VHOST_RING_NO_FD ? 0 : 1;

	if (!ring || msg->fd_count != expected) {
		return NULL;
	}
	*ret_fd = vhost_msg_take_fd(msg, 0);
	return ring;
}

int vhost_ring_set_kick(struct vhost_server *server, struct vhost_msg *msg)
{
	int fd;
	struct vhost_ring *ring = find_fd_target(server, msg, &fd);

	/* Without a kick fd the ring would have to be polled; that was never offered. */
	if (!ring || fd < 0) {
		return -EPROTO;
	}
	replace_fd(&ring->kick_fd, fd);
	if (ring->started) {
		return 0;
	}
	if (start(server, ring) < 0) {
		return -EPROTO;
	}
	ring->started = true;
	ring->again = true; /* what was queued before the fd came along */
	if (!(server->features & (1ull << VHOST_F_PROTOCOL_FEATURES))) {
		ring->enabled = true;
	}
	return 0;
}

int vhost_ring_set_call(struct vhost_server *server, struct vhost_msg *msg)
{
	int fd;
	struct vhost_ring *ring = find_fd_target(server, msg, &fd);

	if (!ring) {
		return -EPROTO;
	}
	replace_fd(&ring->vq.call_fd, fd);
	/* What was given back meanwhile, or by a back end that died before it could tell. */
	if (ring->started) {
		vq_call(&ring->vq);
	}
	return 0;
}

int vhost_ring_set_err(struct vhost_server *server, struct vhost_msg *msg)
{
	int fd;
	struct vhost_ring *ring = find_fd_target(server, msg, &fd);

	if (!ring) {
		return -EPROTO;
	}
	replace_fd(&ring->vq.err_fd, fd);
	return 0;
}

int vhost_ring_set_enable(struct vhost_server *server, const struct vhost_msg *msg)
{
	struct vhost_ring *ring = vhost_ring_find(server, msg->body.state.index);

	if (!ring || msg->body.state.num > 1) {
		return -EPROTO;
	}
	ring->enabled = msg->body.state.num;
	ring->again = ring->enabled;
	return 0;
}

int vhost_ring_get_base(struct vhost_server *server, struct vhost_msg *msg)
{
	struct vhost_ring *ring = vhost_ring_find(server, msg->body.state.index);

	if (!ring) {
		return -EPROTO;
	}
	stop(ring);
	msg->body.state.num = ring->base;
	return 0;
}
