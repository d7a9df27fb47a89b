/* SPDX-License-Identifier: Apache-2.0 */
/* The back end's side of vhost-user: a good conversation works, each bad message ends the
 * connection. */
#define _GNU_SOURCE

#include "fake_ring.h"
#include "vhost_server.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define CONFIG_SIZE 24u

struct fixture {
	struct vhost_server server;
	struct fake_ring ring; /* its memory serves as guest memory; its own vq is not used */
	int peer;
	int kick, call;
	unsigned resets;
	unsigned drains;
	unsigned handled; /* chains that the device saw */
	uint8_t config[CONFIG_SIZE];
};

static struct vq_chain chain;

static void get_config(void *dev, uint8_t *config)
{
	struct fixture *f = dev;

	memcpy(config, f->config, CONFIG_SIZE);
}

static void set_config(void *dev, uint32_t offset, const uint8_t *data, uint32_t size)
{
	struct fixture *f = dev;

	memcpy(f->config + offset, data, size);
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	struct fixture *f = dev;

	while (vq_pop(vq, &chain) > 0) {
		f->handled++;
		vq_push(vq, &chain);
	}
	vq_notify(vq);
	return false;
}

static void reset(void *dev)
{
	struct fixture *f = dev;

	f->resets++;
}

static const struct vhost_ops ops = {
	.get_config = get_config,
	.set_config = set_config,
	.handle_queue = handle_queue,
	.reset = reset,
};

static int setup(void **state)
{
	static struct fixture f;
	int pair[2];

	memset(&f, 0, sizeof(f));
	fake_ring_init(&f.ring, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f.peer = pair[0];
	f.kick = eventfd(0, EFD_NONBLOCK);
	f.call = eventfd(0, EFD_NONBLOCK);
	vhost_server_init(&f.server, &ops, &f, 1ull << 5, 2, CONFIG_SIZE);
	vhost_server_attach(&f.server, pair[1]);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vhost_server_detach(&f->server);
	close(f->peer);
	close(f->kick);
	close(f->call);
	fake_ring_fini(&f->ring);
	return 0;
}

static void send_raw(int sock, const void *bytes, size_t size, const int *fds, unsigned fd_count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 16)];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = size};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd_count) {
		struct cmsghdr *cmsg;

		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * fd_count);
	}
	assert_int_equal(sendmsg(sock, &hdr, MSG_NOSIGNAL), size);
}

/* Sends a message and lets the server handle it; returns what the server returned. */
static int request_fds(struct fixture *f, uint32_t request, uint32_t flags, const void *body,
		       uint32_t size, const int *fds, unsigned fd_count)
{
	uint8_t bytes[512];
	const struct vhost_header header = {
		.request = request, .flags = VHOST_VERSION | flags, .size = size};

	memcpy(bytes, &header, sizeof(header));
	if (size) {
		memcpy(bytes + sizeof(header), body, size);
	}
	send_raw(f->peer, bytes, sizeof(header) + size, fds, fd_count);
	return vhost_server_receive(&f->server);
}

static int request(struct fixture *f, uint32_t number, const void *body, uint32_t size)
{
	return request_fds(f, number, 0, body, size, NULL, 0);
}

static int request_u64(struct fixture *f, uint32_t number, uint64_t value)
{
	return request(f, number, &value, sizeof(value));
}

static int request_state(struct fixture *f, uint32_t number, uint32_t index, uint32_t num)
{
	const struct vhost_ring_state s = {.index = index, .num = num};

	return request(f, number, &s, sizeof(s));
}

/* Receives the reply to `number`; returns the size of its payload. */
static uint32_t reply(struct fixture *f, uint32_t number, void *body, uint32_t size)
{
	struct vhost_header header;

	assert_int_equal(recv(f->peer, &header, sizeof(header), MSG_DONTWAIT), sizeof(header));
	assert_int_equal(header.request, number);
	assert_int_equal(header.flags, VHOST_VERSION | VHOST_FLAG_REPLY);
	assert_true(header.size <= size);
	if (header.size) {
		assert_int_equal(recv(f->peer, body, header.size, MSG_DONTWAIT), header.size);
	}
	return header.size;
}

static uint64_t reply_u64(struct fixture *f, uint32_t number)
{
	uint64_t value = 0;

	assert_int_equal(reply(f, number, &value, sizeof(value)), sizeof(value));
	return value;
}

static int send_memory(struct fixture *f, uint64_t size, unsigned fd_count)
{
	const int fds[4] = {f->ring.fd, f->ring.fd, f->ring.fd, f->ring.fd};
	struct vhost_mem_table table = {.region_count = 1};

	table.region[0].size = size;
	table.region[0].user_addr = FAKE_USER_ADDR;
	return request_fds(f, VHOST_SET_MEM_TABLE, 0, &table, VHOST_MEM_TABLE_SIZE(1), fds,
			   fd_count);
}

static int send_addr(struct fixture *f, uint64_t base)
{
	const struct vhost_ring_addr addr = {
		.index = 0,
		.desc = base + FAKE_DESC,
		.avail = base + FAKE_AVAIL,
		.used = base + FAKE_USED,
	};

	return request(f, VHOST_SET_VRING_ADDR, &addr, sizeof(addr));
}

static int send_fd(struct fixture *f, uint32_t number, uint64_t index, int fd)
{
	return request_fds(f, number, 0, &index, sizeof(index), &fd, 1);
}

/* All that a front-end says until queue 0 runs. */
static void start_queue(struct fixture *f)
{
	const uint64_t features = 1ull << VIRTIO_F_VERSION_1 | 1ull << VHOST_F_PROTOCOL_FEATURES;

	assert_int_equal(request_u64(f, VHOST_SET_FEATURES, features), 1);
	assert_int_equal(send_memory(f, FAKE_RAM_SIZE, 1), 1);
	assert_int_equal(request_state(f, VHOST_SET_VRING_NUM, 0, FAKE_RING_SIZE), 1);
	assert_int_equal(request_state(f, VHOST_SET_VRING_BASE, 0, 0), 1);
	assert_int_equal(send_addr(f, FAKE_USER_ADDR), 1);
	assert_int_equal(send_fd(f, VHOST_SET_VRING_CALL, 0, f->call), 1);
	assert_int_equal(send_fd(f, VHOST_SET_VRING_KICK, 0, f->kick), 1);
	assert_int_equal(request_state(f, VHOST_SET_VRING_ENABLE, 0, 1), 1);
}

/* One turn of a back end's loop. */
static int turn(struct fixture *f)
{
	struct pollfd fds[VHOST_POLL_MAX];
	unsigned count = vhost_server_poll(&f->server, fds);

	assert_true(poll(fds, count, 0) >= 0);
	return vhost_server_dispatch(&f->server, fds, count);
}

/* The device's features come with those of the transport. */
static void get_features_offers_device_and_transport_bits(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VHOST_GET_FEATURES, NULL, 0), 1);
	assert_int_equal(
		reply_u64(f, VHOST_GET_FEATURES),
		1ull << 5 | 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_INDIRECT_DESC |
			1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VHOST_F_PROTOCOL_FEATURES);
}

/* The number of queues is the device's. */
static void get_queue_num_tells_count(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VHOST_GET_QUEUE_NUM, NULL, 0), 1);
	assert_int_equal(reply_u64(f, VHOST_GET_QUEUE_NUM), 2);
}

/* Protocol features that were not offered are refused. */
static void set_protocol_features_refuses_unknown_bits(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request_u64(f, VHOST_SET_PROTOCOL_FEATURES, 1ull << 40), -EPROTO);
}

/* A queue that is set up serves what was queued before, and each kick after. */
static void queue_runs_after_setup(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 16, true};
	const uint64_t one = 1;
	uint64_t calls;

	fake_ring_add(&f->ring, &seg, 1);
	start_queue(f);
	assert_true(vhost_server_busy(&f->server));
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->handled, 1);
	assert_false(vhost_server_busy(&f->server));
	assert_int_equal(read(f->call, &calls, sizeof(calls)), sizeof(calls));

	fake_ring_add(&f->ring, &seg, 1);
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->handled, 1);
	assert_int_equal(write(f->kick, &one, sizeof(one)), sizeof(one));
	assert_int_equal(turn(f), 1);
	assert_int_equal(f->handled, 2);
}

/* A queue that is not enabled does not run. */
static void queue_waits_for_enable(void **state)
{
	struct fixture *f = *state;

	start_queue(f);
	assert_non_null(vhost_server_queue(&f->server, 0));
	assert_int_equal(request_state(f, VHOST_SET_VRING_ENABLE, 0, 0), 1);
	assert_null(vhost_server_queue(&f->server, 0));
	assert_null(vhost_server_queue(&f->server, 1));
}

/* Stopping tells where the queue stands; when the last one stops, the device is reset. */
static void get_vring_base_stops_and_resets(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 16, true};
	struct vhost_ring_state base;

	fake_ring_add(&f->ring, &seg, 1);
	start_queue(f);
	assert_int_equal(turn(f), 1);
	assert_int_equal(request_state(f, VHOST_GET_VRING_BASE, 0, 0), 1);
	assert_int_equal(reply(f, VHOST_GET_VRING_BASE, &base, sizeof(base)), sizeof(base));
	assert_int_equal(base.num, 1);
	assert_int_equal(f->resets, 1);
	assert_null(vhost_server_queue(&f->server, 0));
}

/* A ring outside of the memory table does not start. */
static void set_vring_kick_refuses_ring_outside_memory(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_memory(f, FAKE_RAM_SIZE, 1), 1);
	assert_int_equal(request_state(f, VHOST_SET_VRING_NUM, 0, FAKE_RING_SIZE), 1);
	assert_int_equal(send_addr(f, FAKE_USER_ADDR + FAKE_RAM_SIZE - FAKE_USED), 1);
	assert_int_equal(send_fd(f, VHOST_SET_VRING_KICK, 0, f->kick), -EPROTO);
}

/* A ring that was never described does not start. */
static void set_vring_kick_refuses_unset_ring(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_fd(f, VHOST_SET_VRING_KICK, 0, f->kick), -EPROTO);
}

/* A new memory table that a running ring does not lie in ends the connection. */
static void set_mem_table_checks_running_rings(void **state)
{
	struct fixture *f = *state;

	start_queue(f);
	assert_int_equal(send_memory(f, FAKE_RAM_SIZE, 1), 1);
	assert_int_equal(send_memory(f, 0x1000, 1), -EPROTO);
}

/* Fewer or more fds than regions are refused. */
static void set_mem_table_counts_fds(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_memory(f, FAKE_RAM_SIZE, 0), -EPROTO);
	assert_int_equal(send_memory(f, FAKE_RAM_SIZE, 2), -EPROTO);
}

/* A region that its file does not hold is refused. */
static void set_mem_table_refuses_short_file(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_memory(f, 2 * FAKE_RAM_SIZE, 1), -EINVAL);
}

/* The count of regions must fit the message. */
static void set_mem_table_checks_size(void **state)
{
	struct fixture *f = *state;
	struct vhost_mem_table table = {.region_count = GUEST_REGION_MAX + 1};

	assert_int_equal(request(f, VHOST_SET_MEM_TABLE, &table, sizeof(table)), -EPROTO);
	table.region_count = 2;
	assert_int_equal(request(f, VHOST_SET_MEM_TABLE, &table, VHOST_MEM_TABLE_SIZE(1)), -EPROTO);
	assert_int_equal(request(f, VHOST_SET_MEM_TABLE, &table, 4), -EPROTO);
}

/* A queue that the device does not have is refused in each message about queues. */
static void vring_messages_refuse_unknown_queue(void **state)
{
	struct fixture *f = *state;
	const struct vhost_ring_addr addr = {.index = 2};

	assert_int_equal(request_state(f, VHOST_SET_VRING_NUM, 2, 64), -EPROTO);
	assert_int_equal(request_state(f, VHOST_SET_VRING_BASE, 0xffffffff, 0), -EPROTO);
	assert_int_equal(request_state(f, VHOST_GET_VRING_BASE, 2, 0), -EPROTO);
	assert_int_equal(request_state(f, VHOST_SET_VRING_ENABLE, 2, 1), -EPROTO);
	assert_int_equal(request(f, VHOST_SET_VRING_ADDR, &addr, sizeof(addr)), -EPROTO);
	assert_int_equal(send_fd(f, VHOST_SET_VRING_KICK, 2, f->kick), -EPROTO);
	assert_int_equal(send_fd(f, VHOST_SET_VRING_CALL, 255, f->call), -EPROTO);
}

/* Sizes of queues are powers of two up to the limit. */
static void set_vring_num_checks_size(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request_state(f, VHOST_SET_VRING_NUM, 0, 0), -EPROTO);
	assert_int_equal(request_state(f, VHOST_SET_VRING_NUM, 0, 48), -EPROTO);
	assert_int_equal(request_state(f, VHOST_SET_VRING_NUM, 0, 0x80000000u), -EPROTO);
	assert_int_equal(request_state(f, VHOST_SET_VRING_NUM, 0, VQ_SIZE_MAX), 1);
}

/* An fd must come exactly when the message says that one comes. */
static void vring_fds_match_flag(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request_u64(f, VHOST_SET_VRING_CALL, 0), -EPROTO);
	assert_int_equal(send_fd(f, VHOST_SET_VRING_CALL, VHOST_RING_NO_FD, f->call), -EPROTO);
	assert_int_equal(request_u64(f, VHOST_SET_VRING_CALL, VHOST_RING_NO_FD), 1);
}

/* fds with a message that has none are refused. */
static void message_refuses_stray_fd(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request_fds(f, VHOST_SET_OWNER, 0, NULL, 0, &f->kick, 1), -EPROTO);
}

/* A payload of the wrong size is refused. */
static void message_refuses_wrong_size(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, VHOST_SET_FEATURES, "1234", 4), -EPROTO);
	assert_int_equal(request(f, VHOST_GET_FEATURES, "12345678", 8), -EPROTO);
}

/* A payload longer than any message is refused before it is read. */
static void message_refuses_huge_size(void **state)
{
	struct fixture *f = *state;
	const struct vhost_header header = {
		.request = VHOST_SET_OWNER, .flags = VHOST_VERSION, .size = UINT32_MAX};

	send_raw(f->peer, &header, sizeof(header), NULL, 0);
	assert_int_equal(vhost_server_receive(&f->server), -EPROTO);
}

/* Another version, and a reply instead of a request, are refused. */
static void message_refuses_wrong_flags(void **state)
{
	struct fixture *f = *state;
	struct vhost_header header = {.request = VHOST_SET_OWNER, .flags = 2};

	send_raw(f->peer, &header, sizeof(header), NULL, 0);
	assert_int_equal(vhost_server_receive(&f->server), -EPROTO);
	header.flags = VHOST_VERSION | VHOST_FLAG_REPLY;
	send_raw(f->peer, &header, sizeof(header), NULL, 0);
	assert_int_equal(vhost_server_receive(&f->server), -EPROTO);
}

/* A request that is unknown is refused. */
static void message_refuses_unknown_request(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request(f, 0, NULL, 0), -EPROTO);
	assert_int_equal(request(f, 7, NULL, 0), -EPROTO);
	assert_int_equal(request(f, 0xffffffff, NULL, 0), -EPROTO);
}

/* The peer's end of file is no error. */
static void receive_returns_0_when_peer_closes(void **state)
{
	struct fixture *f = *state;

	shutdown(f->peer, SHUT_WR);
	assert_int_equal(vhost_server_receive(&f->server), 0);
}

/* With REPLY_ACK negotiated, success is acknowledged with 0 and a refusal with 1. */
static void reply_ack_tells_result(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(request_u64(f, VHOST_SET_PROTOCOL_FEATURES, VHOST_PROTOCOL_REPLY_ACK), 1);
	assert_int_equal(request_fds(f, VHOST_SET_OWNER, VHOST_FLAG_NEED_REPLY, NULL, 0, NULL, 0),
			 1);
	assert_int_equal(reply_u64(f, VHOST_SET_OWNER), 0);
	assert_int_equal(request_fds(f, 7, VHOST_FLAG_NEED_REPLY, NULL, 0, NULL, 0), -EPROTO);
	assert_int_equal(reply_u64(f, 7), 1);
}

/* Configuration space is read and written within its bounds. */
static void config_is_read_and_written(void **state)
{
	struct fixture *f = *state;
	struct vhost_config config = {.offset = 4, .size = 3, .data = "abc"};

	assert_int_equal(request(f, VHOST_SET_CONFIG, &config, VHOST_CONFIG_SIZE(3)), 1);
	memset(config.data, 0, sizeof(config.data));
	assert_int_equal(request(f, VHOST_GET_CONFIG, &config, VHOST_CONFIG_SIZE(3)), 1);
	assert_int_equal(reply(f, VHOST_GET_CONFIG, &config, sizeof(config)), VHOST_CONFIG_SIZE(3));
	assert_memory_equal(config.data, "abc", 3);
}

/* Behind the device's space all reads as zero, and writes are ignored: the guest chooses offsets.
 */
static void config_ends_with_zeros(void **state)
{
	struct fixture *f = *state;
	struct vhost_config config = {.offset = CONFIG_SIZE - 1, .size = 2, .data = "ab"};

	assert_int_equal(request(f, VHOST_SET_CONFIG, &config, VHOST_CONFIG_SIZE(2)), 1);
	assert_int_equal(f->config[CONFIG_SIZE - 1], 0);
	f->config[CONFIG_SIZE - 1] = 7;
	assert_int_equal(request(f, VHOST_GET_CONFIG, &config, VHOST_CONFIG_SIZE(2)), 1);
	assert_int_equal(reply(f, VHOST_GET_CONFIG, &config, sizeof(config)), VHOST_CONFIG_SIZE(2));
	assert_memory_equal(config.data, "\7", 2);
}

/* An access beyond the largest space, or of another size than its message, ends the connection. */
static void config_refuses_malformed_access(void **state)
{
	struct fixture *f = *state;
	struct vhost_config config = {.offset = UINT32_MAX, .size = 2};

	assert_int_equal(request(f, VHOST_SET_CONFIG, &config, VHOST_CONFIG_SIZE(2)), -EPROTO);
	assert_int_equal(request(f, VHOST_GET_CONFIG, &config, VHOST_CONFIG_SIZE(2)), -EPROTO);
	config.offset = 0;
	assert_int_equal(request(f, VHOST_SET_CONFIG, &config, VHOST_CONFIG_SIZE(1)), -EPROTO);
	assert_int_equal(request(f, VHOST_GET_CONFIG, &config, 4), -EPROTO);
}

/* A change of configuration space is told on the back end's own socket. */
static void config_change_is_told(void **state)
{
	struct fixture *f = *state;
	struct vhost_header header;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(request_u64(f, VHOST_SET_PROTOCOL_FEATURES, VHOST_PROTOCOL_BACKEND_REQ),
			 1);
	assert_int_equal(request_fds(f, VHOST_SET_BACKEND_REQ_FD, 0, NULL, 0, &pair[1], 1), 1);
	close(pair[1]);
	vhost_server_config_changed(&f->server);
	assert_int_equal(recv(pair[0], &header, sizeof(header), MSG_DONTWAIT), sizeof(header));
	assert_int_equal(header.request, VHOST_BACKEND_CONFIG_CHANGE);
	close(pair[0]);
	vhost_server_config_changed(&f->server); /* nobody listens: nothing happens */
}

/* A kick fd that is no eventfd, and ends, stops its queue instead of waking the loop for ever. */
static void dead_kick_fd_breaks_queue(void **state)
{
	struct fixture *f = *state;
	int ends[2];

	start_queue(f);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(send_fd(f, VHOST_SET_VRING_KICK, 0, ends[0]), 1);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(turn(f), 1);
	assert_null(vhost_server_queue(&f->server, 0));
}

/* The end of a connection leaves no memory mapped and no queue running. */
static void detach_forgets_everything(void **state)
{
	struct fixture *f = *state;

	start_queue(f);
	vhost_server_detach(&f->server);
	assert_int_equal(f->server.mem.region_count, 0);
	assert_null(vhost_server_queue(&f->server, 0));
	assert_int_equal(f->resets, 1);
}

/* Receives the memory that the back end has made. */
static int receive_area(struct fixture *f, struct vhost_inflight_area *ret_area)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct vhost_header header;
	struct iovec iov[2] = {{&header, sizeof(header)}, {ret_area, sizeof(*ret_area)}};
	struct msghdr hdr = {.msg_iov = iov,
			     .msg_iovlen = 2,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	int fd;

	assert_int_equal(recvmsg(f->peer, &hdr, MSG_DONTWAIT), sizeof(header) + sizeof(*ret_area));
	assert_int_equal(header.request, VHOST_GET_INFLIGHT_FD);
	assert_non_null(CMSG_FIRSTHDR(&hdr));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&hdr)), sizeof(fd));
	return fd;
}

/* What one back end took is served by the next one, which gets the same memory. */
static void inflight_goes_to_next_back_end(void **state)
{
	struct fixture *f = *state;
	struct vhost_inflight_area area = {.queue_count = 2, .queue_size = FAKE_RING_SIZE};
	const struct fake_seg seg = {FAKE_BUFFERS, 16, true};
	int pair[2];
	int fd;

	f->server.keeps_inflight = true;
	assert_int_equal(request(f, VHOST_GET_INFLIGHT_FD, &area, sizeof(area)), 1);
	fd = receive_area(f, &area);
	assert_int_equal(area.size, 2 * vq_inflight_size(FAKE_RING_SIZE));
	start_queue(f);
	fake_ring_add(&f->ring, &seg, 1);
	assert_int_equal(vq_pop(&f->server.ring[0].vq, &chain), 1);
	/* It dies without giving the chain back. */
	vhost_server_detach(&f->server);
	close(f->peer);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	f->peer = pair[0];
	vhost_server_attach(&f->server, pair[1]);
	assert_int_equal(request_fds(f, VHOST_SET_INFLIGHT_FD, 0, &area, sizeof(area), &fd, 1), 1);
	start_queue(f);
	assert_int_equal(vq_pop(&f->server.ring[0].vq, &chain), 1);
	assert_int_equal(vq_pop(&f->server.ring[0].vq, &chain), 0);
	close(fd);
}

static void drain(void *dev)
{
	struct fixture *f = dev;

	f->drains++;
}

/* Before a ring stops and before memory goes, the device gives back what it has. */
static void device_drains_before_stop(void **state)
{
	static struct vhost_ops draining;
	struct fixture *f = *state;

	draining = ops;
	draining.drain = drain;
	f->server.ops = &draining;
	start_queue(f);
	f->drains = 0;
	assert_int_equal(send_memory(f, FAKE_RAM_SIZE, 1), 1);
	assert_int_equal(f->drains, 1);
	assert_int_equal(request_state(f, VHOST_GET_VRING_BASE, 0, 0), 1);
	assert_int_equal(f->drains, 2);
	vhost_server_detach(&f->server);
	assert_int_equal(f->drains, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(get_features_offers_device_and_transport_bits),
		TEST(get_queue_num_tells_count),
		TEST(set_protocol_features_refuses_unknown_bits),
		TEST(queue_runs_after_setup),
		TEST(queue_waits_for_enable),
		TEST(get_vring_base_stops_and_resets),
		TEST(set_vring_kick_refuses_ring_outside_memory),
		TEST(set_vring_kick_refuses_unset_ring),
		TEST(set_mem_table_checks_running_rings),
		TEST(set_mem_table_counts_fds),
		TEST(set_mem_table_refuses_short_file),
		TEST(set_mem_table_checks_size),
		TEST(vring_messages_refuse_unknown_queue),
		TEST(set_vring_num_checks_size),
		TEST(vring_fds_match_flag),
		TEST(message_refuses_stray_fd),
		TEST(message_refuses_wrong_size),
		TEST(message_refuses_huge_size),
		TEST(message_refuses_wrong_flags),
		TEST(message_refuses_unknown_request),
		TEST(receive_returns_0_when_peer_closes),
		TEST(reply_ack_tells_result),
		TEST(config_is_read_and_written),
		TEST(config_ends_with_zeros),
		TEST(config_refuses_malformed_access),
		TEST(config_change_is_told),
		TEST(dead_kick_fd_breaks_queue),
		TEST(detach_forgets_everything),
		TEST(inflight_goes_to_next_back_end),
		TEST(device_drains_before_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
