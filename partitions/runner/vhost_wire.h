/* SPDX-License-Identifier: Apache-2.0 */
/** vhost-user messages on the wire: one header, one payload, file descriptors beside them.
 *  Source: QEMU docs/interop/vhost-user.rst, "Message Specification". */
#ifndef RUNNER_VHOST_WIRE_H
#define RUNNER_VHOST_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/types.h"

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SET_BACKEND_REQ_FD = 21,
	VHOST_GET_CONFIG = 24,
	VHOST_SET_CONFIG = 25,
};

/** Requests of the back end, on the channel that SET_BACKEND_REQ_FD gave it. */
#define VHOST_BACKEND_CONFIG_CHANGE 2u

#define VHOST_FEATURE_PROTOCOL	   (1ull << 30)
#define VHOST_PROTOCOL_MQ	   (1ull << 0)
#define VHOST_PROTOCOL_REPLY_ACK   (1ull << 3)
#define VHOST_PROTOCOL_BACKEND_REQ (1ull << 5)
#define VHOST_PROTOCOL_CONFIG	   (1ull << 9)

#define VHOST_FLAG_VERSION    0x1u
#define VHOST_FLAG_REPLY      0x4u
#define VHOST_FLAG_NEED_REPLY 0x8u

#define VHOST_CONFIG_MAX 256u

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* bytes of payload */
};
BH_ABI_ASSERT(sizeof(struct vhost_header) == 12);

struct vhost_vring_state {
	uint32_t index;
	uint32_t number;
};

struct vhost_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail, log;
};
BH_ABI_ASSERT(sizeof(struct vhost_vring_addr) == 40);

struct vhost_mem_table { /* one region */
	uint32_t count;
	uint32_t padding;
	uint64_t gpa, size, user, mmap_offset;
};
BH_ABI_ASSERT(sizeof(struct vhost_mem_table) == 40);

struct vhost_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t bytes[VHOST_CONFIG_MAX];
};
BH_ABI_ASSERT(sizeof(struct vhost_config) == 268);

#define VHOST_PAYLOAD_MAX sizeof(struct vhost_config)

/** Sends a message; fd -1: none goes along. False when the peer is gone or does not read. */
bool vhost_wire_send(int socket, uint32_t request, uint32_t flags, const void *payload,
		     uint32_t size, int fd);
/** Receives a message into payload[0, VHOST_PAYLOAD_MAX); fds that come along are discarded. False
 * when the peer is gone, silent for longer than the socket's timeout, or sends more than fits. */
bool vhost_wire_receive(int socket, struct vhost_header *ret_header, void *ret_payload);

#endif
