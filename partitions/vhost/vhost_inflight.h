/* SPDX-License-Identifier: Apache-2.0 */
/** The memory that carries what is in flight from one back end to the next: made by the first one,
 * kept by the front-end, given to the next one.
 *
 *  Source: QEMU, "Vhost-user Protocol", "Inflight I/O tracking".
 */
#ifndef BH_VHOST_INFLIGHT_H
#define BH_VHOST_INFLIGHT_H

#include "vhost_server.h"

/** GET_INFLIGHT_FD: makes the memory and turns the message into its reply. The caller closes the
 * fd. Returns 0; -EPROTO the message is wrong; -errno. */
VIRTIO_MUST_CHECK int vhost_inflight_create(struct vhost_server *server, struct vhost_msg *msg,
					    int *ret_fd);

/** SET_INFLIGHT_FD: takes over what an earlier back end left. Returns as above. */
VIRTIO_MUST_CHECK int vhost_inflight_set(struct vhost_server *server, struct vhost_msg *msg);

/** The record of one queue, or NULL when there is no memory, or none for such a queue. */
struct vq_inflight_record *vhost_inflight_record(const struct vhost_inflight *inflight,
						 unsigned index, uint32_t size);

void vhost_inflight_fini(struct vhost_inflight *inflight);

#endif
