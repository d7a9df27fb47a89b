/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the two buffers of a console. Invariant: neither side can make the other one, or this
 * process, wait. */
#define _GNU_SOURCE

#include "console.h"
#include "debug.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH	   64u
#define CHUNK_SIZE 4096u

int console_init(struct console *console, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		return -errno;
	}
	console->fd = fd;
	/* A log file that happens to be open for reading, too, is no keyboard. */
	console->has_input = (flags & O_ACCMODE) != O_WRONLY && !S_ISREG(st.st_mode);
	console->out_start = 0;
	console->out_size = 0;
	console->in_start = 0;
	console->in_size = 0;
	console->dropped = 0;
	return 0;
}

static void append(struct console *console, const uint8_t *bytes, uint32_t size)
{
	uint32_t room = CONSOLE_OUT_SIZE - console->out_size;
	uint32_t part = size < room ? size : room;

	for (uint32_t i = 0; i < part; i++) {
		console->out[(console->out_start + console->out_size + i) % CONSOLE_OUT_SIZE] =
			bytes[i];
	}
	console->out_size += part;
	console->dropped += size - part;
}

/* Says how much is missing once there is room for it. */
static void append_note(struct console *console)
{
	char note[64];
	int size;

	if (!console->dropped || CONSOLE_OUT_SIZE - console->out_size < sizeof(note)) {
		return;
	}
	size = snprintf(note, sizeof(note), "\r\n[%" PRIu64 " bytes of output dropped]\r\n",
			console->dropped);
	console->dropped = 0;
	append(console, (const uint8_t *)note, (uint32_t)size);
}

static void write_out(struct console *console)
{
	while (console->out_size) {
		uint32_t run = CONSOLE_OUT_SIZE - console->out_start;
		ssize_t put;

		run = run < console->out_size ? run : console->out_size;
		put = write(console->fd, console->out + console->out_start, run);
		if (put < 0) {
			if (errno != EAGAIN && errno != EINTR) {
				debug_trace(DEBUG_DEVICE_HOST, "output is gone: %s",
					    strerror(errno));
				console->out_size = 0;
			}
			return;
		}
		console->out_start = (console->out_start + (uint32_t)put) % CONSOLE_OUT_SIZE;
		console->out_size -= (uint32_t)put;
		append_note(console);
	}
}

bool console_handle_tx(struct console *console, struct vq *vq)
{
	unsigned served = 0;

	while (served < BATCH && vq_pop(vq, &console->chain) > 0) {
		while (console->chain.read_left) {
			uint8_t bytes[CHUNK_SIZE];
			uint32_t part = console->chain.read_left;

			part = part < CHUNK_SIZE ? part : CHUNK_SIZE;
			if (vq_read(vq, &console->chain, bytes, part) < 0) {
				vq_break(vq);
				return false;
			}
			append(console, bytes, part);
			write_out(console);
		}
		vq_push(vq, &console->chain);
		served++;
	}
	vq_notify(vq);
	return served == BATCH;
}

void console_handle_rx(struct console *console, struct vq *vq)
{
	while (vq && console->in_size && vq_pop(vq, &console->chain) > 0) {
		uint32_t part = console->chain.write_left;

		part = part < console->in_size ? part : console->in_size;
		if (vq_write(vq, &console->chain, console->in + console->in_start, part) < 0) {
			vq_break(vq);
			return;
		}
		console->in_start += part;
		console->in_size -= part;
		vq_push(vq, &console->chain);
	}
	if (vq) {
		vq_notify(vq);
	}
}

struct pollfd console_poll(const struct console *console)
{
	struct pollfd entry = {.fd = -1};

	if (console->has_input && !console->in_size) {
		entry.events |= POLLIN;
	}
	if (console->out_size) {
		entry.events |= POLLOUT;
	}
	if (entry.events) {
		entry.fd = console->fd;
	}
	return entry;
}

static void read_in(struct console *console)
{
	ssize_t got;

	if (!console->has_input || console->in_size) {
		return;
	}
	got = read(console->fd, console->in, CONSOLE_IN_SIZE);
	if (got > 0) {
		console->in_start = 0;
		console->in_size = (uint32_t)got;
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		debug_trace(DEBUG_DEVICE_HOST, "input has ended");
		console->has_input = false;
	}
}

void console_handle_fd(struct console *console, short revents)
{
	if (revents & (POLLIN | POLLHUP | POLLERR)) {
		read_in(console);
	}
	if (revents & (POLLOUT | POLLERR | POLLHUP)) {
		write_out(console);
	}
}

void console_reset(struct console *console)
{
	console->in_size = 0;
}
