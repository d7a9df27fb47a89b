/* SPDX-License-Identifier: Apache-2.0 */
/** The back-end side of a vhost-user connection: one device with up to VHOST_QUEUE_MAX split
 * queues.
 *
 *  The server owns the connection, the memory table and the rings; the device sees only struct vq
 * and its own configuration space. The front-end may be hostile: each message is checked for size,
 * fds and meaning before anything changes, and one that is wrong ends the connection. All calls
 * come from one thread. When the last running queue stops, or on a reset request, the device is
 * reset.
 *
 *  Source: QEMU, "Vhost-user Protocol" (docs/interop/vhost-user.rst).
 */
#ifndef BH_VHOST_SERVER_H
#define BH_VHOST_SERVER_H

#include "vhost_msg.h"
#include "vq.h"

#include <poll.h>

#define VHOST_QUEUE_MAX 8u
/** Room that vhost_server_poll() needs. */
#define VHOST_POLL_MAX (1u + VHOST_QUEUE_MAX)

/** The device. Every function gets `dev`; all but handle_queue may be NULL. */
struct vhost_ops {
	/** Fills config_size bytes of configuration space. */
	void (*get_config)(void *dev, uint8_t *config);
	/** The guest wrote [offset, offset + size), which lies inside of the configuration space.
	 */
	void (*set_config)(void *dev, uint32_t offset, const uint8_t *data, uint32_t size);
	/** Negotiated features, before the first queue runs. */
	void (*set_features)(void *dev, uint64_t features);
	/** Serves chains of a running queue; at most some 100 per call. Returns true to be called
	 * again soon. */
	bool (*handle_queue)(void *dev, struct vq *vq, unsigned index);
	/** Before rings stop or guest memory changes: gives back every chain that it has taken,
	 * however long that lasts. A device that keeps none leaves it NULL. */
	void (*drain)(void *dev);
	/** The guest driver has gone: forget all state that it made. */
	void (*reset)(void *dev);
};

struct vhost_ring {
	struct vq vq;
	uint32_t num;
	uint16_t base;
	bool addr_set;
	bool started;
	bool enabled;
	bool again; /* the device wants to go on with this queue */
	struct vhost_ring_addr addr;
	int kick_fd;
	struct vq_inflight inflight; /* over the server's area, when there is one */
};

/** Memory in which the front-end keeps what was in flight, for the back end after this one. */
struct vhost_inflight {
	uint8_t *map; /* NULL: none */
	uint64_t size;
	uint16_t queue_count, queue_size;
};

struct vhost_server {
	const struct vhost_ops *ops;
	void *dev;
	uint64_t features_offered;
	uint64_t features;
	uint64_t protocol_features;
	unsigned queue_count;
	uint32_t config_size;
	bool keeps_inflight; /* set by the caller after init: offer the record to the front-end */
	bool trace;	     /* print each message on standard error */
	int sock;	     /* -1: no connection */
	int backend_fd;
	struct guest_mem mem;
	struct vhost_inflight inflight;
	struct vhost_ring ring[VHOST_QUEUE_MAX];
};

/** Prepares a server without a connection. features: the device's own bits; transport bits are
 * added. queue_count is in [1, VHOST_QUEUE_MAX], config_size at most VHOST_CONFIG_MAX. */
void vhost_server_init(struct vhost_server *server, const struct vhost_ops *ops, void *dev,
		       uint64_t features, unsigned queue_count, uint32_t config_size);

/** Takes over a connected stream socket. */
void vhost_server_attach(struct vhost_server *server, int sock);

/** Ends the connection, if there is one: rings stop, memory is unmapped, the device is reset. */
void vhost_server_detach(struct vhost_server *server);

/** Receives and handles one message. Returns 1; 0 when the front-end closed the connection; -errno
 * when it broke the protocol. In the latter two cases the caller detaches. */
VIRTIO_MUST_CHECK int vhost_server_receive(struct vhost_server *server);

/** Fills fds (VHOST_POLL_MAX of them) with what to wait for; returns how many. */
unsigned vhost_server_poll(const struct vhost_server *server, struct pollfd *fds);

/** True when some queue has work left, so that the caller must not sleep. */
bool vhost_server_busy(const struct vhost_server *server);

/** Serves what poll() found in those fds, and queues with work left. Returns as
 * vhost_server_receive(). */
VIRTIO_MUST_CHECK int vhost_server_dispatch(struct vhost_server *server, const struct pollfd *fds,
					    unsigned count);

/** The running queue number index, or NULL while it does not run. */
struct vq *vhost_server_queue(struct vhost_server *server, unsigned index);

/** Has a running queue served again soon, although nobody rang: the device has room again. */
void vhost_server_again(struct vhost_server *server, unsigned index);

/** Tells the front-end that the configuration space changed. Nothing happens when it cannot be
 * told. */
void vhost_server_config_changed(struct vhost_server *server);

#endif
