/* SPDX-License-Identifier: Apache-2.0 */
/* Our side of vhost-user, against a back end that is a script of expected requests and replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "layout.h"
#include "vhost.h"
#include "vhost_wire.h"

#define LOG_MAX 64u

/* A back end in a thread: answers everything correctly but for what `sabotage` says, and keeps a
 * log. */
static struct {
	int socket, channel;
	uint64_t features, protocol;
	enum { HONEST, HANG_UP, WRONG_REQUEST, WRONG_SIZE, REFUSE, WRONG_RING } sabotage;
	uint32_t sabotaged; /* the request that it happens at */
	struct {
		struct vhost_header header;
		uint8_t payload[VHOST_PAYLOAD_MAX];
		bool fd;
	} log[LOG_MAX];
	unsigned count;
	pthread_t thread;
} back;

static bool read_all(int fd, void *bytes, size_t size)
{
	return recv(fd, bytes, size, MSG_WAITALL) == (ssize_t)size;
}

static bool read_request(unsigned index)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {&back.log[index].header, sizeof(struct vhost_header)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.space,
			     .msg_controllen = sizeof(control.space)};
	int fd;

	if (recvmsg(back.socket, &msg, MSG_WAITALL) != sizeof(struct vhost_header)) {
		return false;
	}
	back.log[index].fd = CMSG_FIRSTHDR(&msg) != NULL;
	if (back.log[index].fd) {
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
		if (back.log[index].header.request == VHOST_SET_BACKEND_REQ_FD) {
			back.channel = fd;
		} else {
			close(fd);
		}
	}
	return back.log[index].header.size == 0 ||
	       read_all(back.socket, back.log[index].payload, back.log[index].header.size);
}

static uint32_t make_reply(unsigned index, uint8_t *reply)
{
	uint64_t value = 0;

	switch (back.log[index].header.request) {
	case VHOST_GET_FEATURES:
		value = back.features;
		break;
	case VHOST_GET_PROTOCOL_FEATURES:
		value = back.protocol;
		break;
	case VHOST_GET_QUEUE_NUM:
		value = 3;
		break;
	case VHOST_GET_VRING_BASE:
	case VHOST_GET_CONFIG:
		memcpy(reply, back.log[index].payload, back.log[index].header.size);
		if (back.sabotage == WRONG_RING) {
			reply[0] ^= 1;
		}
		return back.log[index].header.size;
	default:
		if (!(back.log[index].header.flags & VHOST_FLAG_NEED_REPLY)) {
			return 0;
		}
		break;
	}
	memcpy(reply, &value, sizeof(value));
	return sizeof(value);
}

static void *run_back(void *argument)
{
	uint8_t reply[VHOST_PAYLOAD_MAX] = {0};

	while (back.count < LOG_MAX && read_request(back.count)) {
		uint32_t request = back.log[back.count].header.request;
		uint32_t size = make_reply(back.count, reply);
		bool now = request == back.sabotaged;

		back.count++;
		if (now && back.sabotage == HANG_UP) {
			break;
		}
		if (now && back.sabotage == WRONG_REQUEST) {
			request++;
		}
		if (now && back.sabotage == WRONG_SIZE) {
			size /= 2;
		}
		if (now && back.sabotage == REFUSE) {
			reply[0] = 1;
		}
		if (size > 0 &&
		    !vhost_wire_send(back.socket, request, VHOST_FLAG_REPLY, reply, size, -1)) {
			break;
		}
	}
	close(back.socket);
	return NULL;
}

static struct vhost vhost;

static int setup(void **state)
{
	memset(&back, 0, sizeof(back));
	back.channel = -1;
	back.features = VHOST_FEATURE_PROTOCOL | 1ull << 32;
	back.protocol = ~0ull;
	return 0;
}

static int open_back(void)
{
	int pair[2], ram = eventfd(0, 0), err;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	back.socket = pair[1];
	assert_int_equal(pthread_create(&back.thread, NULL, run_back, NULL), 0);
	err = vhost_open(&vhost, pair[0], ram, 0x200000);
	close(ram);
	return err;
}

/* After this the log may be read. */
static void close_back(void)
{
	shutdown(vhost.socket, SHUT_RDWR);
	pthread_join(back.thread, NULL);
	close(vhost.socket);
	if (vhost.channel >= 0) {
		close(vhost.channel);
	}
	if (back.channel >= 0) {
		close(back.channel);
	}
}

static unsigned find(uint32_t request)
{
	unsigned i;

	for (i = 0; i < back.count && back.log[i].header.request != request; i++) {
	}
	assert_true(i < back.count);
	return i;
}

/* The opening: protocol features that both know, number of queues, channel, RAM with its fd. */
static void vhost_open_agrees_and_hands_over_ram(void **state)
{
	struct vhost_mem_table table;
	uint64_t protocol;

	assert_int_equal(open_back(), 0);
	close_back();
	memcpy(&protocol, back.log[find(VHOST_SET_PROTOCOL_FEATURES)].payload, sizeof(protocol));
	assert_int_equal(protocol, 0x229);
	assert_int_equal(vhost.queue_count, 3);
	assert_true(back.log[find(VHOST_SET_BACKEND_REQ_FD)].fd);
	assert_true(back.log[find(VHOST_SET_MEM_TABLE)].fd);
	memcpy(&table, back.log[find(VHOST_SET_MEM_TABLE)].payload, sizeof(table));
	assert_int_equal(table.count, 1);
	assert_int_equal(table.gpa, 0);
	assert_int_equal(table.size, 0x200000);
	assert_true(table.user == LAYOUT_VHOST_BASE);
}

/* A back end without protocol features gets none of their messages. */
static void vhost_open_works_without_protocol_features(void **state)
{
	back.features = 1ull << 32;
	assert_int_equal(open_back(), 0);
	close_back();
	for (unsigned i = 0; i < back.count; i++) {
		assert_true(back.log[i].header.request <= VHOST_SET_MEM_TABLE);
		assert_false(back.log[i].header.flags & VHOST_FLAG_NEED_REPLY);
	}
	assert_false(vhost_has_config(&vhost));
}

/* A ring is told by number, base, addresses shifted by the RAM's base, both eventfds, and enabled
 * last. */
static void vhost_ring_start_tells_all(void **state)
{
	int event = eventfd(0, 0);
	const struct vhost_ring ring = {.size = 8,
					.desc = 0x1000,
					.driver = 0x2000,
					.device = 0x3000,
					.kick = event,
					.call = event};
	struct vhost_vring_addr addr;

	assert_int_equal(open_back(), 0);
	assert_int_equal(vhost_ring_start(&vhost, 1, &ring), 0);
	assert_int_equal(vhost_ring_stop(&vhost, 1), 0);
	close_back();
	close(event);
	memcpy(&addr, back.log[find(VHOST_SET_VRING_ADDR)].payload, sizeof(addr));
	assert_int_equal(addr.index, 1);
	assert_true(addr.desc == LAYOUT_VHOST_BASE + 0x1000);
	assert_true(addr.avail == LAYOUT_VHOST_BASE + 0x2000);
	assert_true(addr.used == LAYOUT_VHOST_BASE + 0x3000);
	assert_true(back.log[find(VHOST_SET_VRING_KICK)].fd);
	assert_true(back.log[find(VHOST_SET_VRING_CALL)].fd);
	assert_true(find(VHOST_SET_VRING_ENABLE) > find(VHOST_SET_VRING_KICK));
}

static void assert_lost_at(uint32_t request, int how)
{
	setup(NULL);
	back.sabotage = how;
	back.sabotaged = request;
	assert_int_equal(open_back(), -1);
	assert_true(vhost.lost);
	assert_non_null(vhost.why);
	assert_int_equal(vhost_set_features(&vhost, 0), -1);
	close_back();
}

/* Hanging up, a foreign answer, one of a wrong size and a refusal all lose the back end, with a
 * reason. */
static void vhost_is_lost_by_any_wrong_answer(void **state)
{
	assert_lost_at(VHOST_GET_FEATURES, HANG_UP);
	assert_lost_at(VHOST_GET_PROTOCOL_FEATURES, WRONG_REQUEST);
	assert_lost_at(VHOST_GET_QUEUE_NUM, WRONG_SIZE);
	assert_lost_at(VHOST_SET_MEM_TABLE, REFUSE);
	assert_lost_at(VHOST_SET_MEM_TABLE, HANG_UP);
}

/* An answer for another ring is not taken. */
static void vhost_ring_stop_checks_the_ring(void **state)
{
	assert_int_equal(open_back(), 0);
	back.sabotage = WRONG_RING;
	assert_int_equal(vhost_ring_stop(&vhost, 2), -1);
	assert_true(vhost.lost);
	close_back();
}

/* A change of configuration is announced on the channel, and acknowledged where that is asked for.
 */
static void vhost_channel_announces_config(void **state)
{
	struct vhost_header header;
	uint8_t payload[VHOST_PAYLOAD_MAX];

	assert_int_equal(open_back(), 0);
	assert_true(vhost_announces_config(&vhost));
	assert_true(vhost_wire_send(back.channel, VHOST_BACKEND_CONFIG_CHANGE,
				    VHOST_FLAG_NEED_REPLY, NULL, 0, -1));
	assert_int_equal(vhost_channel_serve(&vhost), 1);
	assert_true(vhost_wire_receive(back.channel, &header, payload));
	assert_int_equal(header.flags & VHOST_FLAG_REPLY, VHOST_FLAG_REPLY);
	assert_int_equal(payload[0], 0);
	assert_true(vhost_wire_send(back.channel, 77, VHOST_FLAG_NEED_REPLY, NULL, 0, -1));
	assert_int_equal(vhost_channel_serve(&vhost), 0);
	assert_true(vhost_wire_receive(back.channel, &header, payload));
	assert_int_equal(payload[0], 1);
	close(back.channel);
	back.channel = -1;
	assert_int_equal(vhost_channel_serve(&vhost), -1);
	close_back();
}

/* A message that says it is larger than any that exists is refused before it is read. */
static void vhost_wire_refuses_large_messages(void **state)
{
	const struct vhost_header large = {1, VHOST_VERSION, VHOST_PAYLOAD_MAX + 1};
	uint8_t payload[VHOST_PAYLOAD_MAX];
	struct vhost_header header;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], &large, sizeof(large)), sizeof(large));
	assert_false(vhost_wire_receive(pair[0], &header, payload));
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(vhost_open_agrees_and_hands_over_ram, setup),
		cmocka_unit_test_setup(vhost_open_works_without_protocol_features, setup),
		cmocka_unit_test_setup(vhost_ring_start_tells_all, setup),
		cmocka_unit_test_setup(vhost_is_lost_by_any_wrong_answer, setup),
		cmocka_unit_test_setup(vhost_ring_stop_checks_the_ring, setup),
		cmocka_unit_test_setup(vhost_channel_announces_config, setup),
		cmocka_unit_test_setup(vhost_wire_refuses_large_messages, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
