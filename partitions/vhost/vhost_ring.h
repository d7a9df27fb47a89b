/* SPDX-License-Identifier: Apache-2.0 */
/** The rings of a vhost-user connection: messages SET_VRING_* and GET_VRING_BASE, start and stop.
 */
#ifndef BH_VHOST_RING_H
#define BH_VHOST_RING_H

#include "vhost_server.h"

/** Ring that a message names, or NULL when there is no such queue. */
struct vhost_ring *vhost_ring_find(struct vhost_server *server, uint64_t index);

/** Handle one message whose size and fd count are right. Return 0, or -EPROTO: the connection must
 * end. */
VIRTIO_MUST_CHECK int vhost_ring_set_num(struct vhost_server *server, const struct vhost_msg *msg);
VIRTIO_MUST_CHECK int vhost_ring_set_base(struct vhost_server *server, const struct vhost_msg *msg);
VIRTIO_MUST_CHECK int vhost_ring_set_addr(struct vhost_server *server, const struct vhost_msg *msg);
VIRTIO_MUST_CHECK int vhost_ring_set_kick(struct vhost_server *server, struct vhost_msg *msg);
VIRTIO_MUST_CHECK int vhost_ring_set_call(struct vhost_server *server, struct vhost_msg *msg);
VIRTIO_MUST_CHECK int vhost_ring_set_err(struct vhost_server *server, struct vhost_msg *msg);
VIRTIO_MUST_CHECK int vhost_ring_set_enable(struct vhost_server *server,
					    const struct vhost_msg *msg);

/** Stops the ring and turns the message into its reply: the index of the next available entry. */
VIRTIO_MUST_CHECK int vhost_ring_get_base(struct vhost_server *server, struct vhost_msg *msg);

/** Sets running rings up again over a new memory table. -EPROTO when one does not fit it any more.
 */
VIRTIO_MUST_CHECK int vhost_ring_remap(struct vhost_server *server);

/** Stops one ring, closes its fds, forgets its settings. */
void vhost_ring_reset(struct vhost_ring *ring);

#endif
