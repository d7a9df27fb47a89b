/* SPDX-License-Identifier: Apache-2.0 */
/** A back end that answers with anything: the input is the bytes that it sends, on the connection
 * and, as far as the first byte says, on the channel. */
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "vhost.h"
#include "vhost_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that the back end will ever say is in the socket before we ask; then comes end of file. */
static int socket_with(const uint8_t *data, size_t size, int *ret_other)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		abort();
	}
	if (size > 0 && send(pair[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		abort();
	}
	shutdown(pair[1], SHUT_WR);
	*ret_other = pair[1];
	return pair[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int other, channel_other, event = eventfd(0, EFD_NONBLOCK);
	const struct vhost_ring ring = {.size = 4, .kick = event, .call = event};
	uint8_t config[VHOST_CONFIG_MAX];
	struct vhost vhost;
	size_t split;

	if (size < 2 || size > 16384) {
		close(event);
		return 0;
	}
	split = 2 + (size - 2) * data[0] / 255;
	vhost.channel = -1;
	if (vhost_open(&vhost, socket_with(data + 2, split - 2, &other), event, 0x200000) == 0 &&
	    vhost_set_features(&vhost, 1ull << 32) == 0 &&
	    vhost_ring_start(&vhost, 0, &ring) == 0 &&
	    vhost_config_read(&vhost, config, 1 + data[1]) == 0 &&
	    vhost_config_write(&vhost, 0, 4, config) == 0) {
		vhost_ring_stop(&vhost, 0);
	}
	if (vhost.channel >= 0) {
		close(vhost.channel);
	}
	vhost.channel = socket_with(data + split, size - split, &channel_other);
	while (vhost_channel_serve(&vhost) >= 0) {
	}
	close(vhost.channel);
	close(channel_other);
	close(vhost.socket);
	close(other);
	close(event);
	return 0;
}
