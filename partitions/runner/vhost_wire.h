/* SPDX-License-Identifier: Apache-2.0 */
/** vhost-user messages on the wire as the front end has them: one header, one payload, file
 * descriptors beside them. Numbers: vhost_proto.h.
 *  Source: QEMU docs/interop/vhost-user.rst, "Message Specification". */
#ifndef RUNNER_VHOST_WIRE_H
#define RUNNER_VHOST_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/types.h"
#include "vhost_proto.h"

#define VHOST_FEATURE_PROTOCOL (1ull << VHOST_F_PROTOCOL_FEATURES)

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
