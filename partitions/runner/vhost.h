/* SPDX-License-Identifier: Apache-2.0 */
/** Our side of one vhost-user connection: the front-end of one device back end.
 *
 *  Functions return 0, or -1 when the back end is lost: it hung up, broke the protocol, refused a
 * request or did not answer within VHOST_TIMEOUT_S. After that the connection is shut down, so that
 * the event loop sees it end; all further calls fail at once. Callers hold the machine lock, but
 * for vhost_channel_serve(). Source: QEMU docs/interop/vhost-user.rst. */
#ifndef RUNNER_VHOST_H
#define RUNNER_VHOST_H

#include <stdbool.h>
#include <stdint.h>

#define VHOST_TIMEOUT_S 10

struct vhost {
	int socket;
	int channel;	      /* requests of the back end arrive here; -1: it does not make any */
	uint64_t features;    /* offered virtio features, transport bits included */
	uint64_t protocol;    /* protocol features in use */
	unsigned queue_count; /* as the back end says, 0: it does not say */
	bool lost;
	const char *why; /* it is lost */
};

/** A ring as the guest set it up; addresses are guest-physical and checked by the caller. */
struct vhost_ring {
	unsigned size; /* entries */
	uint64_t desc, driver, device;
	int kick, call; /* eventfds */
};

/** Takes a connected socket, agrees on protocol features, hands over the guest's RAM. */
int vhost_open(struct vhost *vhost, int socket, int ram_fd, uint64_t ram_size);
int vhost_set_features(struct vhost *vhost, uint64_t features);
int vhost_ring_start(struct vhost *vhost, unsigned index, const struct vhost_ring *ring);
/** When it returns the back end does not touch the ring any more. */
int vhost_ring_stop(struct vhost *vhost, unsigned index);
/** Whether the device has configuration space. */
bool vhost_has_config(const struct vhost *vhost);
/** Whether the back end says when its configuration changes. */
bool vhost_announces_config(const struct vhost *vhost);
/** Reads the first `size` bytes, <= VHOST_CONFIG_MAX. */
int vhost_config_read(struct vhost *vhost, void *bytes, unsigned size);
int vhost_config_write(struct vhost *vhost, unsigned offset, unsigned size, const void *bytes);
/** Reads and answers one request of the back end from the channel. 1: its configuration changed, 0:
 * nothing of interest, -1: lost. */
int vhost_channel_serve(struct vhost *vhost);

#endif
