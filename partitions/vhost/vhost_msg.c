/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the framing of vhost-user messages on a stream socket. Invariant: a peer that lies about
 * sizes or sends too many fds gets an error, never a partial message. */
#define _GNU_SOURCE

#include "vhost_msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int vhost_msg_take_fd(struct vhost_msg *msg, unsigned i)
{
	int fd;

	if (i >= msg->fd_count) {
		return -1;
	}
	fd = msg->fd[i];
	msg->fd[i] = -1;
	return fd;
}

void vhost_msg_close_fds(struct vhost_msg *msg)
{
	for (unsigned i = 0; i < msg->fd_count; i++) {
		if (msg->fd[i] >= 0) {
			close(msg->fd[i]);
		}
	}
	msg->fd_count = 0;
}

static void collect_fds(struct msghdr *hdr, struct vhost_msg *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr); cmsg; cmsg = CMSG_NXTHDR(hdr, cmsg)) {
		size_t count;

		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count && msg->fd_count < VHOST_FD_MAX; i++) {
			memcpy(&msg->fd[msg->fd_count++], CMSG_DATA(cmsg) + i * sizeof(int),
			       sizeof(int));
		}
	}
}

/* Reads size bytes at once; ret_fds says whether fds may come along. Returns bytes as recvmsg does.
 */
static ssize_t receive_bytes(int sock, void *to, size_t size, struct vhost_msg *fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * VHOST_FD_MAX)];
	} control;
	struct iovec iov = {.iov_base = to, .iov_len = size};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t got;

	if (fds) {
		hdr.msg_control = &control;
		hdr.msg_controllen = sizeof(control);
	}
	do {
		got = recvmsg(sock, &hdr, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	if (fds) {
		collect_fds(&hdr, fds);
	}
	if (hdr.msg_flags & MSG_CTRUNC) {
		return -EPROTO;
	}
	return got;
}

int vhost_msg_receive(int sock, struct vhost_msg *ret_msg)
{
	struct vhost_msg *msg = ret_msg;
	ssize_t got;

	memset(msg, 0, sizeof(*msg));
	got = receive_bytes(sock, &msg->header, sizeof(msg->header), msg);
	if (got == 0 && !msg->fd_count) {
		return 0;
	}
	if (got < 0) {
		goto fail;
	}
	if (got != sizeof(msg->header)) {
		got = -ETIMEDOUT;
		goto fail;
	}
	if ((msg->header.flags & VHOST_VERSION_MASK) != VHOST_VERSION ||
	    (msg->header.flags & VHOST_FLAG_REPLY) || msg->header.size > sizeof(msg->body)) {
		got = -EPROTO;
		goto fail;
	}
	if (msg->header.size) {
		got = receive_bytes(sock, &msg->body, msg->header.size, NULL);
		if (got >= 0 && (size_t)got != msg->header.size) {
			got = -ETIMEDOUT;
		}
		if (got < 0) {
			goto fail;
		}
	}
	return 1;
fail:
	vhost_msg_close_fds(msg);
	return (int)got;
}

int vhost_msg_send(int sock, const struct vhost_msg *msg)
{
	return vhost_msg_send_fd(sock, msg, -1);
}

int vhost_msg_send_fd(int sock, const struct vhost_msg *msg, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov[2] = {
		{.iov_base = (void *)&msg->header, .iov_len = sizeof(msg->header)},
		{.iov_base = (void *)&msg->body, .iov_len = msg->header.size},
	};
	struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = 2};
	ssize_t sent;

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		hdr.msg_control = &control;
		hdr.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	do {
		sent = sendmsg(sock, &hdr, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		return -errno;
	}
	return (size_t)sent == sizeof(msg->header) + msg->header.size ? 0 : -EPIPE;
}
