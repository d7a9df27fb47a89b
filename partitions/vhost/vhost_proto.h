/* SPDX-License-Identifier: Apache-2.0 */
/** Numbers of the vhost-user protocol, for the runner at one end and back ends at the other. Tests
 * put back ends behind stock QEMU as well, so a number that is wrong at both ends shows.
 *
 *  Source: QEMU, "Vhost-user Protocol" (docs/interop/vhost-user.rst).
 */
#ifndef BH_VHOST_PROTO_H
#define BH_VHOST_PROTO_H

#include <stdint.h>

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

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* bytes of payload that follow */
};
_Static_assert(sizeof(struct vhost_header) == 12, "vhost_header");

#endif
