/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that go along with bytes over a socket. */
#define _GNU_SOURCE
#include "fds.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static int pair[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
}

static int teardown(void **state)
{
	(void)state;
	close(pair[0]);
	return pair[1] < 0 ? 0 : close(pair[1]);
}

/* Takes what was sent; returns how many descriptors came along. */
static size_t take(char text[8], int *fds)
{
	union {
		char buffer[CMSG_SPACE(FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = text, .iov_len = 8};
	struct msghdr header = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = control.buffer,
				.msg_controllen = sizeof(control.buffer)};
	ssize_t got = recvmsg(pair[1], &header, MSG_DONTWAIT);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
	size_t size;

	assert_true(got > 0 && got < 8);
	text[got] = 0;
	if (!cmsg) {
		return 0;
	}
	size = cmsg->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(cmsg), size);
	return size / sizeof(int);
}

/* All of them arrive, in their order, and the sender's stay open. */
static void fds_go_along(void **state)
{
	int ends[2], fds[FDS_MAX] = {0};
	char text[8], byte = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fds_send(pair[0], "hello", 5, ends, 2, 0), 5);
	assert_int_equal(take(text, fds), 2);
	assert_string_equal(text, "hello");
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	for (int i = 0; i < 2; i++) {
		assert_int_equal(close(fds[i]), 0);
		assert_int_equal(close(ends[i]), 0);
	}
}

/* Bytes alone go as well; more descriptors than there is room for go nowhere. */
static void fds_are_bounded(void **state)
{
	int fds[FDS_MAX + 1] = {0};
	char text[8];

	(void)state;
	assert_int_equal(fds_send(pair[0], "a", 1, fds, FDS_MAX + 1, 0), -E2BIG);
	assert_int_equal(fds_send(pair[0], "b", 1, NULL, 0, 0), 1);
	assert_int_equal(take(text, fds), 0);
	assert_string_equal(text, "b");
}

/* Who sends to nobody is told so, and lives. */
static void fds_send_tells_that_nobody_listens(void **state)
{
	(void)state;
	close(pair[1]);
	pair[1] = -1;
	assert_int_equal(fds_send(pair[0], "a", 1, NULL, 0, 0), -EPIPE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(fds_go_along),
		TEST(fds_are_bounded),
		TEST(fds_send_tells_that_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
