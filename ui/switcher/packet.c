/* SPDX-License-Identifier: Apache-2.0 */
/** Packets with fds; see packet.h. Source: unix(7), "Ancillary messages". */
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void take_fds(struct msghdr *head, struct packet *packet)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (packet->fd_count < PACKET_FDS_MAX) {
				packet->fds[packet->fd_count++] = fd;
			} else {
				close(fd);
				head->msg_flags |= MSG_CTRUNC;
			}
		}
	}
}

int packet_receive(int fd, struct packet *ret_packet)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * PACKET_FDS_MAX)];
	} control;
	struct iovec iov = {ret_packet->bytes, sizeof(ret_packet->bytes)};
	struct msghdr head = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t size = recvmsg(fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	ret_packet->fd_count = 0;
	ret_packet->size = 0;
	if (size < 0) {
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
	take_fds(&head, ret_packet);
	if (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		packet_close_fds(ret_packet);
		return 1;
	}
	if (size == 0) {
		/* End of the connection, or an empty packet, which nobody has reason to send. */
		packet_close_fds(ret_packet);
		return -1;
	}
	ret_packet->size = (size_t)size;
	return 1;
}

void packet_close_fds(struct packet *packet)
{
	for (unsigned i = 0; i < packet->fd_count; i++) {
		if (packet->fds[i] >= 0) {
			close(packet->fds[i]);
		}
	}
	packet->fd_count = 0;
}

int packet_send(int fd, const void *bytes, size_t size)
{
	return send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size ? 0 : -1;
}
