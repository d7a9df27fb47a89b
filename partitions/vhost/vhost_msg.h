/* SPDX-License-Identifier: Apache-2.0 */
/** Messages of the vhost-user protocol as a back end has them: their layout, and how one is
 * received and sent. Numbers: vhost_proto.h. */
#ifndef BH_VHOST_MSG_H
#define BH_VHOST_MSG_H

#include "guest_mem.h"
#include "vhost_proto.h"

#define VHOST_FD_MAX GUEST_REGION_MAX

/** SET_VRING_KICK, _CALL, _ERR carry the queue index in the low byte of a u64, and this bit for "no
 * fd". */
#define VHOST_RING_INDEX_MASK 0xffull
#define VHOST_RING_NO_FD      (1ull << 8)

struct vhost_ring_state {
	uint32_t index;
	uint32_t num;
};

struct vhost_ring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail, log; /* front-end addresses */
};
_Static_assert(sizeof(struct vhost_ring_addr) == 40, "vhost_ring_addr");

struct vhost_mem_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t user_addr;
	uint64_t fd_offset;
};

struct vhost_mem_table {
	uint32_t region_count;
	uint32_t padding;
	struct vhost_mem_region region[GUEST_REGION_MAX];
};
#define VHOST_MEM_TABLE_SIZE(count) (8u + 32u * (count))
_Static_assert(sizeof(struct vhost_mem_table) == VHOST_MEM_TABLE_SIZE(GUEST_REGION_MAX),
	       "vhost_mem_table");

struct vhost_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[VHOST_CONFIG_MAX];
};
#define VHOST_CONFIG_SIZE(size) (12u + (size))

struct vhost_inflight_area {
	uint64_t size;
	uint64_t offset; /* in the fd */
	uint16_t queue_count;
	uint16_t queue_size;
	uint8_t padding[4]; /* some front-ends leave it out */
};
#define VHOST_INFLIGHT_AREA_MIN 20u
_Static_assert(sizeof(struct vhost_inflight_area) == 24, "vhost_inflight_area");

struct vhost_msg {
	struct vhost_header header;
	union {
		uint64_t u64;
		struct vhost_ring_state state;
		struct vhost_ring_addr addr;
		struct vhost_mem_table mem;
		struct vhost_config config;
		struct vhost_inflight_area inflight;
	} body;
	/* Received fds; whoever takes one writes -1 in its place. */
	unsigned fd_count;
	int fd[VHOST_FD_MAX];
};

/** Receives one message; a private copy of fixed size. Returns 1; 0 when the peer has closed;
 * -errno: EPROTO (wrong version, a reply, payload or fds too many), ETIMEDOUT (cut off half-way),
 * or what recvmsg says. On failure no fd stays open. */
VIRTIO_MUST_CHECK int vhost_msg_receive(int sock, struct vhost_msg *ret_msg);

/** Sends header and header.size bytes of body, and `fd` unless it is -1. Returns 0 or -errno. */
VIRTIO_MUST_CHECK int vhost_msg_send_fd(int sock, const struct vhost_msg *msg, int fd);

/** The same without an fd. */
VIRTIO_MUST_CHECK int vhost_msg_send(int sock, const struct vhost_msg *msg);

/** Takes fd number i out of the message; -1 when there is none. */
int vhost_msg_take_fd(struct vhost_msg *msg, unsigned i);

/** Closes the fds that nobody took. */
void vhost_msg_close_fds(struct vhost_msg *msg);

#endif
