/* SPDX-License-Identifier: Apache-2.0 */
/* virtio-console: bytes pass both ways, and a slow reader stops nobody. */
#define _GNU_SOURCE

#include "console.h"
#include "fake_ring.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static struct console console;

struct fixture {
	struct fake_ring ring;
	int peer, own;
};

static int setup(void **state)
{
	static struct fixture f;
	int pair[2];

	fake_ring_init(&f.ring, false);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	f.peer = pair[0];
	f.own = pair[1];
	assert_int_equal(console_init(&console, f.own), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	close(f->own);
	fake_ring_fini(&f->ring);
	return 0;
}

static void print(struct fixture *f, const char *text, uint32_t size)
{
	const struct fake_seg seg = {FAKE_BUFFERS, size, false};

	memcpy(f->ring.ram + FAKE_BUFFERS, text, size);
	fake_ring_add(&f->ring, &seg, 1);
	console_handle_tx(&console, &f->ring.vq);
}

/* Output of the guest arrives at once, and its buffer comes back. */
static void console_passes_output(void **state)
{
	struct fixture *f = *state;
	char bytes[16];

	print(f, "hello", 5);
	assert_int_equal(recv(f->peer, bytes, sizeof(bytes), MSG_DONTWAIT), 5);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(fake_ring_used_idx(&f->ring), 1);
}

/* Input waits until the guest gives a buffer, then goes there. */
static void console_passes_input(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 64, true};
	uint32_t id, len;

	assert_int_equal(send(f->peer, "key", 3, 0), 3);
	console_handle_fd(&console, POLLIN);
	console_handle_rx(&console, NULL);
	console_handle_rx(&console, &f->ring.vq);
	assert_int_equal(fake_ring_used_idx(&f->ring), 0);
	assert_int_equal(console_poll(&console).fd, -1); /* not read further meanwhile */
	fake_ring_add(&f->ring, &seg, 1);
	console_handle_rx(&console, &f->ring.vq);
	fake_ring_used(&f->ring, 0, &id, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(f->ring.ram + FAKE_BUFFERS, "key", 3);
	assert_int_equal(console_poll(&console).events, POLLIN);
}

/* Input longer than the guest's buffer is spread over several. */
static void console_splits_input(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg first = {FAKE_BUFFERS, 2, true};
	const struct fake_seg second = {FAKE_BUFFERS + 16, 2, true};

	assert_int_equal(send(f->peer, "key", 3, 0), 3);
	console_handle_fd(&console, POLLIN);
	fake_ring_add(&f->ring, &first, 1);
	fake_ring_add(&f->ring, &second, 1);
	console_handle_rx(&console, &f->ring.vq);
	assert_memory_equal(f->ring.ram + FAKE_BUFFERS, "ke", 2);
	assert_memory_equal(f->ring.ram + FAKE_BUFFERS + 16, "y", 1);
}

/* When nobody reads, the guest's buffers still come back; what is too much is dropped and counted.
 */
static void console_drops_output_nobody_reads(void **state)
{
	struct fixture *f = *state;
	static char text[32768], bytes[65536];
	char *tail;
	ssize_t got, total = 0;

	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < 64; i++) {
		print(f, text, sizeof(text));
	}
	assert_int_equal(fake_ring_used_idx(&f->ring), 64);
	assert_true(console.dropped > 0);
	assert_true(console_poll(&console).events & POLLOUT);
	tail = calloc(1, 256);
	for (;;) {
		got = recv(f->peer, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got <= 0) {
			break;
		}
		total += got;
		if (got >= 64) {
			memcpy(tail, bytes + got - 64, 64);
		}
		console_handle_fd(&console, POLLOUT);
	}
	assert_int_equal(console.dropped, 0);
	assert_int_equal(console.out_size, 0);
	assert_true(total > (ssize_t)CONSOLE_OUT_SIZE);
	assert_non_null(strstr(tail, "bytes of output dropped]"));
	free(tail);
}

/* A peer that has gone ends input, and output is thrown away. */
static void console_survives_peer(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	f->peer = -1;
	signal(SIGPIPE, SIG_IGN);
	print(f, "hello", 5);
	console_handle_fd(&console, POLLIN | POLLHUP);
	assert_int_equal(console_poll(&console).fd, -1);
	assert_int_equal(fake_ring_used_idx(&f->ring), 1);
}

/* A log file is written and never read. */
static void console_does_not_read_files(void **state)
{
	int fd = memfd_create("log", MFD_CLOEXEC);

	assert_int_equal(console_init(&console, fd), 0);
	assert_int_equal(console_poll(&console).fd, -1);
	close(fd);
}

/* Input that the guest has not taken does not reach the next guest. */
static void console_reset_forgets_input(void **state)
{
	struct fixture *f = *state;
	const struct fake_seg seg = {FAKE_BUFFERS, 64, true};

	assert_int_equal(send(f->peer, "key", 3, 0), 3);
	console_handle_fd(&console, POLLIN);
	console_reset(&console);
	fake_ring_add(&f->ring, &seg, 1);
	console_handle_rx(&console, &f->ring.vq);
	assert_int_equal(fake_ring_used_idx(&f->ring), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(console_passes_output),	   TEST(console_passes_input),
		TEST(console_splits_input),	   TEST(console_drops_output_nobody_reads),
		TEST(console_survives_peer),	   TEST(console_does_not_read_files),
		TEST(console_reset_forgets_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
