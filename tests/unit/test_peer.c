/* SPDX-License-Identifier: Apache-2.0 */
/** Sockets of a partition, with a back end that behaves and with ones that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/input-event-codes.h>

#include "ui/switcher/packet.h"
#include "ui/switcher/peer.h"

static struct model model;
static struct effects effects;
static struct peer peer;
static int surface, keyboard; /* the back end's ends */

static int setup(void **state)
{
	struct switcher_msg msg = {.id = 1, .order = 1, .name = "part", .title = "Part"};
	int a[2], b[2];

	model_init(&model, 1024, 768);
	effects.count = 0;
	assert_int_equal(model_add(&model, &msg, &effects), 0);
	msg.state = SWITCHER_RUNNING;
	model_state(&model, &msg, &effects);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b), 0);
	surface = a[1];
	keyboard = b[1];
	peer_init(&peer);
	peer_connect(&peer, a[0], b[0], -1);
	return 0;
}

static int teardown(void **state)
{
	peer_close(&peer);
	close(surface);
	close(keyboard);
	return 0;
}

static int make_memory(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (seals) {
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	}
	return fd;
}

static void send_with(const void *bytes, size_t size, int fd, unsigned copies)
{
	char space[CMSG_SPACE(sizeof(int) * 8)] __attribute__((aligned(8))) = {0};
	struct iovec iov = {(void *)(uintptr_t)bytes, size};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};

	if (copies) {
		head.msg_control = space;
		head.msg_controllen = CMSG_SPACE(sizeof(int) * copies);
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * copies);
		for (unsigned i = 0; i < copies; i++) {
			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(fd));
		}
	}
	assert_int_equal(sendmsg(surface, &head, 0), size);
}

static struct surface_msg scanout(void)
{
	return (struct surface_msg){
		.type = SURFACE_SCANOUT, .width = 1024, .height = 736, .stride = 4096};
}

static void serve(void)
{
	peer_serve(&peer, &model, 0, PEER_PERIOD_NS * 10);
}

static void give_picture(void)
{
	struct surface_msg msg = scanout();
	int fd = make_memory(4096 * 736, F_SEAL_SHRINK);

	send_with(&msg, sizeof(msg), fd, 1);
	close(fd);
	serve();
	assert_true(model.parts[0].surface_on);
}

static unsigned open_fds(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++) {
		n += fcntl(fd, F_GETFD) >= 0;
	}
	return n;
}

/* Sealed memory of the right size becomes the picture. */
static void peer_serve_maps_scanout(void **state)
{
	struct surface_msg msg = scanout();
	int fd = make_memory(4096 * 736, F_SEAL_SHRINK | F_SEAL_GROW);

	assert_int_equal(pwrite(fd, "abcd", 4, 4096 * 5), 4);
	send_with(&msg, sizeof(msg), fd, 1);
	close(fd);
	serve();
	struct blit_source s = peer_source(&peer);

	assert_memory_equal(s.pixels + 4096 * 5, "abcd", 4);
	assert_int_equal(s.rows, 736);
}

/* Of a picture that is higher than the screen only what can be seen is mapped, at any offset. */
static void peer_serve_maps_visible_rows_only(void **state)
{
	struct surface_msg msg = {.type = SURFACE_SCANOUT,
				  .width = 8192,
				  .height = 8192,
				  .stride = 32768,
				  .offset = 4100};
	int fd = make_memory(4100 + 32768ul * 8192, F_SEAL_SHRINK);

	send_with(&msg, sizeof(msg), fd, 1);
	close(fd);
	serve();
	assert_int_equal(peer.maps.rows, 736);
	assert_true(peer.maps.list[0].size <= 32768ul * 736 + 4096);
	assert_ptr_equal(peer.maps.pixels, (uint8_t *)peer.maps.list[0].base + 4);
}

/* A guest that flips between two buffers has each of them mapped once. */
static void peer_serve_keeps_mappings_of_flips(void **state)
{
	struct surface_msg msg = scanout();
	int fds[2] = {make_memory(4096 * 736, F_SEAL_SHRINK),
		      make_memory(4096 * 736, F_SEAL_SHRINK)};
	const uint8_t *seen[2];

	for (unsigned i = 0; i < 10; i++) {
		send_with(&msg, sizeof(msg), fds[i % 2], 1);
		serve();
		if (i < 2) {
			seen[i] = peer.maps.pixels;
		}
		assert_ptr_equal(peer.maps.pixels, seen[i % 2]);
	}
	assert_null(peer.maps.list[2].base);
	close(fds[0]);
	close(fds[1]);
}

/* More buffers than there is room for take the oldest mapping's place; none is left behind. */
static void peer_serve_replaces_oldest_mapping(void **state)
{
	struct surface_msg msg = scanout();

	for (unsigned i = 0; i < 20; i++) {
		int fd = make_memory(4096 * 736, F_SEAL_SHRINK);
		char byte = (char)i;

		assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
		send_with(&msg, sizeof(msg), fd, 1);
		close(fd);
		serve();
		assert_int_equal(peer.maps.pixels[0], i);
	}
}

static void expect_lost(struct surface_msg msg, size_t size, int fd, unsigned copies)
{
	unsigned before = open_fds();

	give_picture();
	send_with(&msg, size, fd, copies);
	serve();
	assert_false(model.parts[0].surface_on);
	assert_int_equal(peer.surface_fd, -1);
	assert_null(peer.maps.pixels);
	assert_int_equal(open_fds(), before - 1);
}

/* Memory that can shrink would fault under us: refused. */
static void peer_serve_refuses_unsealed_memory(void **state)
{
	int fd = make_memory(4096 * 736, F_SEAL_GROW);

	expect_lost(scanout(), sizeof(struct surface_msg), fd, 1);
	close(fd);
}

/* Memory one byte too small: refused. */
static void peer_serve_refuses_small_memory(void **state)
{
	int fd = make_memory(4096 * 736 - 1, F_SEAL_SHRINK);

	expect_lost(scanout(), sizeof(struct surface_msg), fd, 1);
	close(fd);
}

/* Something that is no memfd: refused. */
static void peer_serve_refuses_other_files(void **state)
{
	int fd = open("/dev/zero", O_RDONLY);

	expect_lost(scanout(), sizeof(struct surface_msg), fd, 1);
	close(fd);
}

/* An offset near the end of 32 bits does not wrap into a small one. */
static void peer_serve_refuses_far_offset(void **state)
{
	struct surface_msg msg = scanout();
	int fd = make_memory(4096 * 736, F_SEAL_SHRINK);

	msg.offset = 0xfffffffc;
	expect_lost(msg, sizeof(msg), fd, 1);
	close(fd);
}

/* Too many fds are all closed. */
static void peer_serve_closes_surplus_fds(void **state)
{
	int fd = make_memory(4096 * 736, F_SEAL_SHRINK);

	expect_lost(scanout(), sizeof(struct surface_msg), fd, 7);
	close(fd);
}

/* A packet of another size ends the connection. */
static void peer_serve_refuses_other_sizes(void **state)
{
	expect_lost(scanout(), sizeof(struct surface_msg) - 1, -1, 0);
}

/* The end of the connection takes the picture away. */
static void peer_serve_notices_hangup(void **state)
{
	give_picture();
	close(surface);
	surface = -1;
	serve();
	assert_false(model.parts[0].surface_on);
}

/* However much is waiting, only the budget is read in one period; the rest is read in the next. */
static void peer_serve_bounds_flood(void **state)
{
	struct surface_msg msg = {.type = SURFACE_DAMAGE, .width = 10, .height = 10};

	give_picture();
	for (unsigned i = 0; i < PEER_BUDGET + 10; i++) {
		send_with(&msg, sizeof(msg), -1, 0);
	}
	uint64_t now = PEER_PERIOD_NS * 20;

	peer.messages = 0;
	peer_serve(&peer, &model, 0, now);
	assert_int_equal(peer.messages, PEER_BUDGET);
	assert_false(peer_may_read(&peer, now));
	assert_true(peer_may_read(&peer, peer_wake_ns(&peer)));
	peer_serve(&peer, &model, 0, peer_wake_ns(&peer));
	assert_int_equal(peer.messages, PEER_BUDGET + 10);
}

/* A cursor is copied, so that its memory may go away. */
static void peer_serve_copies_cursor(void **state)
{
	struct surface_msg msg = {.type = SURFACE_CURSOR, .width = 64, .height = 64};
	int fd = make_memory(64 * 64 * 4, F_SEAL_SHRINK);

	assert_int_equal(pwrite(fd, "abcd", 4, 0), 4);
	send_with(&msg, sizeof(msg), fd, 1);
	close(fd);
	serve();
	assert_non_null(peer_source(&peer).cursor);
	assert_memory_equal(peer_source(&peer).cursor->pixels, "abcd", 4);
}

static void send_key(uint16_t code, int32_t value)
{
	struct surface_input in = {EV_KEY, code, value};

	peer_send_input(&peer.keyboard, &in, &peer.dropped_inputs);
}

/* A back end that does not read loses presses, but every release reaches it when it reads again. */
static void peer_send_input_owes_releases(void **state)
{
	struct surface_input in;
	bool released = false;

	send_key(KEY_A, 1);
	for (int i = 0; i < 2000; i++) {
		send_key(KEY_B, 1);
	}
	assert_true(peer.dropped_inputs > 0);
	send_key(KEY_A, 0);
	while (recv(keyboard, &in, sizeof(in), MSG_DONTWAIT) == sizeof(in)) {
		released |= in.code == KEY_A && in.value == 0;
	}
	assert_false(released);
	send_key(KEY_C, 1);
	while (recv(keyboard, &in, sizeof(in), MSG_DONTWAIT) == sizeof(in)) {
		released |= in.code == KEY_A && in.value == 0;
	}
	assert_true(released);
	assert_int_equal(in.code, KEY_C);
}

/* A back end that is gone costs its socket and nothing else. */
static void peer_send_input_survives_hangup(void **state)
{
	close(keyboard);
	keyboard = -1;
	send_key(KEY_A, 1);
	assert_int_equal(peer.keyboard.fd, -1);
	send_key(KEY_A, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(peer_serve_maps_scanout),
		TEST(peer_serve_maps_visible_rows_only),
		TEST(peer_serve_keeps_mappings_of_flips),
		TEST(peer_serve_replaces_oldest_mapping),
		TEST(peer_serve_refuses_unsealed_memory),
		TEST(peer_serve_refuses_small_memory),
		TEST(peer_serve_refuses_other_files),
		TEST(peer_serve_refuses_far_offset),
		TEST(peer_serve_closes_surplus_fds),
		TEST(peer_serve_refuses_other_sizes),
		TEST(peer_serve_notices_hangup),
		TEST(peer_serve_bounds_flood),
		TEST(peer_serve_copies_cursor),
		TEST(peer_send_input_owes_releases),
		TEST(peer_send_input_survives_hangup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
