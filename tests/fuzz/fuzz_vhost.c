/* SPDX-License-Identifier: Apache-2.0 */
/* A front-end that says anything. The input is a sequence of messages: request (1 byte), flags (1),
 * kinds of up to 8 fds (count in 1 byte: low nibble; kind: the
 * top two bits), length of the payload (1),
 * the payload. */
#define _GNU_SOURCE

#include "fake_ring.h"
#include "vhost_server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_SIZE   4u
#define MESSAGE_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vq_chain chain;

static void get_config(void *dev, uint8_t *config)
{
	memset(config, 7, 64);
}

static void set_config(void *dev, uint32_t offset, const uint8_t *data, uint32_t size)
{
	static uint8_t space[64];

	memcpy(space + offset, data, size);
	__asm__ volatile("" ::"r"(space) : "memory");
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	unsigned served = 0;

	while (served++ < 16 && vq_pop(vq, &chain) > 0) {
		vq_push(vq, &chain);
	}
	vq_notify(vq);
	return false;
}

/* Sends one message with its fds; false when the socket takes no more. */
static bool send_message(int sock, const uint8_t *head, const uint8_t *payload, uint32_t size,
			 int fd)
{
	const unsigned count = head[2] & 15u ? (head[2] & 15u) % 9u : 0;
	const struct vhost_header header = {
		.request = head[0], .flags = head[1] ^ VHOST_VERSION, .size = size};
	struct iovec iov[2] = {{(void *)&header, sizeof(header)}, {(void *)payload, size}};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
	} control = {0};
	struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = 2};

	if (count) {
		struct cmsghdr *cmsg;

		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
		for (unsigned i = 0; i < count; i++) {
			memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &fd, sizeof(fd));
		}
	}
	return sendmsg(sock, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static int turn(struct vhost_server *server)
{
	struct pollfd fds[VHOST_POLL_MAX];
	unsigned count = vhost_server_poll(server, fds);

	poll(fds, count, 0);
	if (!fds[0].revents) {
		fds[0].revents = POLLIN;
	}
	return vhost_server_dispatch(server, fds, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vhost_ops ops = {
		.get_config = get_config, .set_config = set_config, .handle_queue = handle_queue};
	static struct vhost_server server;
	struct fake_ring ring;
	uint8_t sink[1024];
	int event = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	int sealed = memfd_create("inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int pair[2];

	/* A record of the past that the front-end wrote as it liked. */
	if (sealed < 0 || ftruncate(sealed, 8192) < 0 ||
	    pwrite(sealed, data, size < 8192 ? size : 8192, 0) < 0 ||
	    fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK) < 0) {
		abort();
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		return 0;
	}
	fake_ring_init(&ring, false);
	vhost_server_init(&server, &ops, NULL, 0, 2, 64);
	server.keeps_inflight = true;
	vhost_server_attach(&server, pair[1]);
	for (unsigned i = 0; i < MESSAGE_MAX && size >= HEAD_SIZE; i++) {
		const uint8_t *head = data;
		uint32_t length = head[3];

		data += HEAD_SIZE;
		size -= HEAD_SIZE;
		length = length < size ? length : (uint32_t)size;
		if (!send_message(pair[0], head, data, length,
				  head[2] & 0x40   ? sealed
				  : head[2] & 0x80 ? event
						   : ring.fd) ||
		    turn(&server) <= 0) {
			break;
		}
		vhost_server_config_changed(&server);
		while (recv(pair[0], sink, sizeof(sink), MSG_DONTWAIT) > 0) {
		}
		data += length;
		size -= length;
	}
	vhost_server_detach(&server);
	close(pair[0]);
	close(event);
	close(sealed);
	fake_ring_fini(&ring);
	return 0;
}
