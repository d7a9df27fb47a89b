/* SPDX-License-Identifier: Apache-2.0 */
/** Descriptors over a socket; see fds.h. */
#define _GNU_SOURCE
#include "fds.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

ssize_t fds_send(int sock, const void *bytes, size_t size, const int *fds, unsigned int count,
		 int flags)
{
	union {
		char buffer[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t sent;

	if (count > FDS_MAX) {
		return -E2BIG;
	}
	if (count > 0) {
		struct cmsghdr *cmsg;

		header.msg_control = control.buffer;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(cmsg), fds, count * sizeof(int));
	}
	sent = sendmsg(sock, &header, flags | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}
