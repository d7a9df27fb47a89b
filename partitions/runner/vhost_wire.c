/* SPDX-License-Identifier: Apache-2.0 */
/** Whole messages over a stream socket. */
#define _GNU_SOURCE
#include "vhost_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool vhost_wire_send(int socket, uint32_t request, uint32_t flags, const void *payload,
		     uint32_t size, int fd)
{
	uint8_t bytes[sizeof(struct vhost_header) + VHOST_PAYLOAD_MAX];
	const struct vhost_header header = {request, flags | VHOST_VERSION, size};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(header) + size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t sent;

	if (size > VHOST_PAYLOAD_MAX) {
		return false;
	}
	memcpy(bytes, &header, sizeof(header));
	if (size > 0) {
		memcpy(bytes + sizeof(header), payload, size);
	}
	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &fd, sizeof(int));
	}
	do {
		sent = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	/* Messages are small against the socket buffer: a part of one means that the peer does not
	 * read. */
	return sent == (ssize_t)iov.iov_len;
}

static bool receive_bytes(int socket, void *bytes, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = recv(socket, (uint8_t *)bytes + got, size - got, 0);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return false;
		}
		got += (size_t)n;
	}
	return true;
}

bool vhost_wire_receive(int socket, struct vhost_header *ret_header, void *ret_payload)
{
	struct vhost_header header;

	if (!receive_bytes(socket, &header, sizeof(header)) || header.size > VHOST_PAYLOAD_MAX ||
	    (header.flags & VHOST_VERSION_MASK) != VHOST_VERSION ||
	    !receive_bytes(socket, ret_payload, header.size)) {
		return false;
	}
	*ret_header = header;
	return true;
}
