/* SPDX-License-Identifier: Apache-2.0 */
/* Console chains of any content, on both queues, with input waiting. */
#define _GNU_SOURCE

#include "console.h"
#include "fake_ring.h"

#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct console console;
	struct fake_ring ring;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		return 0;
	}
	if (console_init(&console, pair[0]) < 0 || write(pair[1], "0123456789", 10) < 0) {
		return 0;
	}
	fake_ring_init(&ring, false);
	fake_ring_load(&ring, data, size);
	if (size & 1) {
		console_handle_fd(&console, POLLIN);
		console_handle_rx(&console, &ring.vq);
	}
	while (console_handle_tx(&console, &ring.vq)) {
	}
	fake_ring_fini(&ring);
	close(pair[0]);
	close(pair[1]);
	return 0;
}
