/* SPDX-License-Identifier: Apache-2.0 */
/** Messages of the vhost-user protocol: their layout, and how one is received and sent.
 *
 *  Source: QEMU, "Vhost-user Protocol" (docs/interop/vhost-user.rst).
 */
#ifndef BH_VHOST_MSG_H
#define BH_VHOST_MSG_H

#include "guest_mem.h"

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_BACKEND_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
	VHOST_GET_INFLIGHT_FD = 31,
	VHOST_SET_INFLIGHT_FD = 32,
	VHOST_GPU_SET_SOCKET = 33,
	VHOST_RESET_DEVICE = 34,
};

/** Requests of the back end, on the socket of SET_BACKEND_REQ_FD. */
#define VHOST_BACKEND_CONFIG_CHANGE 2u

#define VHOST_VERSION	      1u
#define VHOST_VERSION_MASK    3u
#define VHOST_FLAG_REPLY      (1u << 2)
#define VHOST_FLAG_NEED_REPLY (1u << 3)

/** Feature bit that announces protocol features. */
#define VHOST_F_PROTOCOL_FEATURES 30

#define VHOST_PROTOCOL_MQ	      (1ull << 0)
#define VHOST_PROTOCOL_REPLY_ACK      (1ull << 3)
#define VHOST_PROTOCOL_BACKEND_REQ    (1ull << 5)
#define VHOST_PROTOCOL_CONFIG	      (1ull << 9)
#define VHOST_PROTOCOL_INFLIGHT_SHMFD (1ull << 12)
#define VHOST_PROTOCOL_RESET_DEVICE   (1ull << 13)

#define VHOST_CONFIG_MAX 256u
#define VHOST_FD_MAX	 GUEST_REGION_MAX

/** SET_VRING_KICK, _CALL, _ERR carry the queue index in the low byte of a u64, and this bit for "no
 * fd". */
#define VHOST_RING_INDEX_MASK 0xffull
#define VHOST_RING_NO_FD      (1ull << 8)

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* bytes of payload that follow */
};
_Static_assert(sizeof(struct vhost_header) == 12, "vhost_header");

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
