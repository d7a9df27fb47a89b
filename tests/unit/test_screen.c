/* SPDX-License-Identifier: Apache-2.0 */
/* The connection to the switcher: messages are right, and a slow switcher stops nobody. */
#define _GNU_SOURCE

#include "screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct screen screen;
	int peer;
	int pixels;
};

static int setup(void **state)
{
	static struct fixture f;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	f.peer = pair[0];
	screen_init(&f.screen, pair[1]);
	f.pixels = memfd_create("pixels", MFD_CLOEXEC);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	screen_reset(&f->screen);
	if (f->screen.sock >= 0) {
		close(f->screen.sock);
	}
	close(f->pixels);
	return 0;
}

/* Takes the next message; says whether an fd came along. Type 0: there is none. */
static struct surface_msg receive(struct fixture *f, bool *ret_fd)
{
	struct surface_msg msg = {0};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = &msg, .iov_len = sizeof(msg)};
	struct msghdr hdr = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg;
	int fd;

	*ret_fd = false;
	if (recvmsg(f->peer, &hdr, MSG_DONTWAIT) < 0) {
		return msg;
	}
	cmsg = CMSG_FIRSTHDR(&hdr);
	if (cmsg) {
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
		close(fd);
		*ret_fd = true;
	}
	return msg;
}

/* A scan-out comes with its pixels. */
static void screen_set_scanout_sends_fd(void **state)
{
	struct fixture *f = *state;
	struct surface_msg msg;
	bool fd;

	screen_set_scanout(&f->screen, f->pixels, 640, 480, 2560, 128);
	msg = receive(f, &fd);
	assert_true(fd);
	assert_int_equal(msg.type, SURFACE_SCANOUT);
	assert_int_equal(msg.width, 640);
	assert_int_equal(msg.height, 480);
	assert_int_equal(msg.stride, 2560);
	assert_int_equal(msg.offset, 128);
	screen_set_scanout(&f->screen, -1, 0, 0, 0, 0);
	msg = receive(f, &fd);
	assert_false(fd);
	assert_int_equal(msg.width, 0);
}

/* Cursor image and place go by separate messages. */
static void screen_set_cursor_sends_image(void **state)
{
	struct fixture *f = *state;
	struct surface_msg msg;
	bool fd;

	screen_set_cursor(&f->screen, f->pixels, 3, 4);
	screen_move_cursor(&f->screen, 100, 200);
	msg = receive(f, &fd);
	assert_true(fd);
	assert_int_equal(msg.type, SURFACE_CURSOR);
	assert_int_equal(msg.x, 3);
	assert_int_equal(msg.y, 4);
	assert_int_equal(msg.width, 64);
	assert_int_equal(msg.height, 64);
	msg = receive(f, &fd);
	assert_int_equal(msg.type, SURFACE_CURSOR_MOVE);
	assert_int_equal(msg.x, 100);
	assert_int_equal(msg.y, 200);
}

/* Damage that cannot be sent is gathered into one box; nothing blocks, and it arrives later. */
static void screen_damage_gathers_for_slow_switcher(void **state)
{
	struct fixture *f = *state;
	struct surface_msg msg, last = {0};
	unsigned count = 0;
	bool fd;

	for (unsigned i = 0; i < 1000; i++) {
		screen_damage(&f->screen, i, 2 * i, 10, 10);
	}
	assert_true(f->screen.damage.pending);
	assert_true(screen_poll(&f->screen).events & POLLOUT);
	for (;;) {
		msg = receive(f, &fd);
		if (!msg.type) {
			break;
		}
		last = msg;
		count++;
		screen_flush(&f->screen);
	}
	assert_true(count < 100);
	assert_false(f->screen.damage.pending);
	assert_int_equal(last.x + last.width, 999 + 10);
	assert_int_equal(last.y + last.height, 2 * 999 + 10);
}

/* A new scan-out takes the place of one that was not sent yet, and of its damage. */
static void screen_set_scanout_replaces_pending(void **state)
{
	struct fixture *f = *state;
	struct surface_msg msg, last = {0};
	bool fd;

	for (unsigned i = 1; i <= 1000; i++) {
		screen_damage(&f->screen, 0, 0, 1, 1);
		screen_set_scanout(&f->screen, f->pixels, i, 1, 4 * i, 0);
	}
	assert_true(f->screen.scanout.pending);
	assert_false(f->screen.damage.pending);
	for (;;) {
		msg = receive(f, &fd);
		if (!msg.type) {
			break;
		}
		last = msg;
		screen_flush(&f->screen);
	}
	assert_int_equal(last.type, SURFACE_SCANOUT);
	assert_int_equal(last.width, 1000);
}

/* A reset is told, and makes all that waited void. */
static void screen_reset_drops_pending(void **state)
{
	struct fixture *f = *state;
	bool fd;

	screen_reset(&f->screen);
	assert_int_equal(receive(f, &fd).type, SURFACE_RESET);
}

/* The size that the switcher asks for is taken. */
static void screen_receive_resize_takes_size(void **state)
{
	struct fixture *f = *state;
	const struct surface_msg msg = {.type = SURFACE_RESIZE, .width = 800, .height = 600};
	uint32_t width, height;

	assert_int_equal(send(f->peer, &msg, sizeof(msg), 0), sizeof(msg));
	assert_true(screen_receive_resize(&f->screen, &width, &height));
	assert_int_equal(width, 800);
	assert_int_equal(height, 600);
	assert_false(screen_receive_resize(&f->screen, &width, &height));
	assert_true(f->screen.sock >= 0);
}

/* Messages of another size or type, or with a value out of range, end the connection. */
static void screen_receive_resize_ends_on_nonsense(void **state)
{
	static const struct surface_msg bad[] = {
		{.type = SURFACE_DAMAGE, .width = 800, .height = 600},
		{.type = SURFACE_RESIZE, .width = 0, .height = 600},
		{.type = SURFACE_RESIZE, .width = 800, .height = SURFACE_SIZE_MAX + 1},
		{.type = SURFACE_RESIZE, .width = 800, .height = 600},
	};
	uint32_t width, height;

	for (unsigned i = 0; i < 4; i++) {
		struct screen screen;
		int pair[2];
		size_t size = sizeof(bad[i]) - (i == 3);

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		screen_init(&screen, pair[1]);
		assert_int_equal(send(pair[0], &bad[i], size, 0), size);
		assert_false(screen_receive_resize(&screen, &width, &height));
		assert_int_equal(screen.sock, -1);
		close(pair[0]);
	}
}

/* Without a switcher everything is accepted. */
static void screen_works_without_switcher(void **state)
{
	struct fixture *f = *state;
	struct screen screen;

	screen_init(&screen, -1);
	screen_set_scanout(&screen, f->pixels, 640, 480, 2560, 0);
	screen_damage(&screen, 0, 0, 1, 1);
	screen_set_cursor(&screen, f->pixels, 0, 0);
	screen_reset(&screen);
	assert_int_equal(screen_poll(&screen).fd, -1);
	assert_false(screen.scanout.pending || screen.cursor.pending || screen.damage.pending);
}

/* A switcher that dies is noticed at the next message. */
static void screen_survives_switcher(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	f->peer = -1;
	screen_damage(&f->screen, 0, 0, 1, 1);
	assert_int_equal(f->screen.sock, -1);
	screen_set_scanout(&f->screen, f->pixels, 640, 480, 2560, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(screen_set_scanout_sends_fd),
		TEST(screen_set_cursor_sends_image),
		TEST(screen_damage_gathers_for_slow_switcher),
		TEST(screen_set_scanout_replaces_pending),
		TEST(screen_reset_drops_pending),
		TEST(screen_receive_resize_takes_size),
		TEST(screen_receive_resize_ends_on_nonsense),
		TEST(screen_works_without_switcher),
		TEST(screen_survives_switcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
