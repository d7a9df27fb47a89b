/* SPDX-License-Identifier: Apache-2.0 */
/** virtio-console, port 0: a stream of bytes each way between the guest and one fd.
 *
 *  Output that nobody takes is kept up to CONSOLE_OUT_SIZE bytes; what comes on top is dropped and
 *  counted, because a guest that prints must not stand still for a slow reader (Linux waits for its
 * console with interrupts off). Input is read only as far as the guest takes it.
 *
 *  Source: virtio 1.2, "Console Device".
 */
#ifndef BH_DEVICES_CONSOLE_H
#define BH_DEVICES_CONSOLE_H

#include "vq.h"

#include <poll.h>

#define CONSOLE_QUEUE_COUNT 2u
#define CONSOLE_OUT_SIZE    65536u
#define CONSOLE_IN_SIZE	    4096u

enum { CONSOLE_QUEUE_RX = 0, CONSOLE_QUEUE_TX = 1 };

struct console {
	int fd;
	bool has_input;
	uint32_t out_start, out_size; /* ring of bytes for fd */
	uint32_t in_start, in_size;   /* bytes for the guest, not a ring */
	uint64_t dropped;	      /* since the last note about it */
	struct vq_chain chain;
	uint8_t out[CONSOLE_OUT_SIZE];
	uint8_t in[CONSOLE_IN_SIZE];
};

/** fd: open for writing, and for reading where there is input (socket, terminal, pipe); it becomes
 * non-blocking. Stays the caller's. Returns 0 or -errno. */
VIRTIO_MUST_CHECK int console_init(struct console *console, int fd);

/** Takes the guest's output; true when there may be more. */
bool console_handle_tx(struct console *console, struct vq *vq);

/** Gives pending input to the guest; vq NULL: it waits. */
void console_handle_rx(struct console *console, struct vq *vq);

/** What to wait for on fd. fd -1 in the entry: nothing. */
struct pollfd console_poll(const struct console *console);

/** Moves bytes from and to fd as poll() found. */
void console_handle_fd(struct console *console, short revents);

/** Forgets input that the guest has not taken; output stays, somebody wants to read the last words.
 */
void console_reset(struct console *console);

#endif
