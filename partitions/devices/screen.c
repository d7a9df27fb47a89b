/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the connection to the switcher. Invariant: at most one message of each kind waits, and few
 * are on their way, because each may hold a resource of the guest in memory. */
#define _GNU_SOURCE

#include "screen.h"
#include "debug.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CURSOR_SIZE   64u
#define CURSOR_STRIDE (CURSOR_SIZE * 4u)
/* The kernel rounds this up to its least; some ten messages fit. */
#define SEND_BUFFER_SIZE 4096

void screen_init(struct screen *screen, int sock)
{
	const int size = SEND_BUFFER_SIZE;

	memset(screen, 0, sizeof(*screen));
	screen->sock = sock;
	screen->scanout.fd = -1;
	screen->cursor.fd = -1;
	screen->move.fd = -1;
	screen->damage.fd = -1;
	if (sock >= 0) {
		/* Without it more memory can be on its way; nothing else changes. */
		(void)setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
}

static void clear(struct screen_message *message)
{
	if (message->fd >= 0) {
		close(message->fd);
	}
	message->fd = -1;
	message->pending = false;
}

static void disconnect(struct screen *screen)
{
	debug_say("switcher has gone");
	clear(&screen->scanout);
	clear(&screen->cursor);
	clear(&screen->move);
	clear(&screen->damage);
	screen->reset_pending = false;
	close(screen->sock);
	screen->sock = -1;
}

/* Replaces what waits. The fd is duplicated: the guest may destroy the resource before it is sent.
 */
static void post(struct screen *screen, struct screen_message *message,
		 const struct surface_msg *msg, int fd)
{
	clear(message);
	if (screen->sock < 0) {
		return;
	}
	if (fd >= 0) {
		message->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (message->fd < 0) {
			return;
		}
	}
	message->msg = *msg;
	message->pending = true;
}

void screen_set_scanout(struct screen *screen, int fd, uint32_t width, uint32_t height,
			uint32_t stride, uint32_t offset)
{
	const struct surface_msg msg = {
		.type = SURFACE_SCANOUT,
		.width = width,
		.height = height,
		.stride = stride,
		.offset = offset,
	};

	/* Damage of the old picture says nothing about the new one. */
	clear(&screen->damage);
	post(screen, &screen->scanout, &msg, fd);
	screen_flush(screen);
}

void screen_set_cursor(struct screen *screen, int fd, uint32_t hot_x, uint32_t hot_y)
{
	const struct surface_msg msg = {
		.type = SURFACE_CURSOR,
		.x = fd >= 0 ? hot_x : 0,
		.y = fd >= 0 ? hot_y : 0,
		.width = fd >= 0 ? CURSOR_SIZE : 0,
		.height = fd >= 0 ? CURSOR_SIZE : 0,
		.stride = fd >= 0 ? CURSOR_STRIDE : 0,
	};

	post(screen, &screen->cursor, &msg, fd);
	screen_flush(screen);
}

void screen_move_cursor(struct screen *screen, uint32_t x, uint32_t y)
{
	const struct surface_msg msg = {.type = SURFACE_CURSOR_MOVE, .x = x, .y = y};

	post(screen, &screen->move, &msg, -1);
	screen_flush(screen);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void screen_damage(struct screen *screen, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct surface_msg msg = {
		.type = SURFACE_DAMAGE, .x = x, .y = y, .width = width, .height = height};
	const struct surface_msg *old = &screen->damage.msg;

	if (screen->damage.pending) {
		msg.x = min_u32(x, old->x);
		msg.y = min_u32(y, old->y);
		msg.width = max_u32(x + width, old->x + old->width) - msg.x;
		msg.height = max_u32(y + height, old->y + old->height) - msg.y;
	}
	post(screen, &screen->damage, &msg, -1);
	screen_flush(screen);
}

void screen_reset(struct screen *screen)
{
	clear(&screen->scanout);
	clear(&screen->cursor);
	clear(&screen->move);
	clear(&screen->damage);
	screen->reset_pending = screen->sock >= 0;
	screen_flush(screen);
}

/* Returns true when the message is away, or cannot ever be. */
static bool send_message(struct screen *screen, const struct surface_msg *msg, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = (void *)msg, .iov_len = sizeof(*msg)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *cmsg;

		memset(&control, 0, sizeof(control));
		hdr.msg_control = &control;
		hdr.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	if (sendmsg(screen->sock, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		debug_trace(DEBUG_DEVICE_HOST, "screen message %u: %u %u %u %u", msg->type, msg->x,
			    msg->y, msg->width, msg->height);
		return true;
	}
	if (errno != EAGAIN && errno != EINTR && errno != ETOOMANYREFS) {
		disconnect(screen);
		return true;
	}
	return false;
}

static bool send_pending(struct screen *screen, struct screen_message *message)
{
	if (!message->pending) {
		return true;
	}
	if (!send_message(screen, &message->msg, message->fd)) {
		return false;
	}
	clear(message);
	return true;
}

void screen_flush(struct screen *screen)
{
	static const struct surface_msg reset = {.type = SURFACE_RESET};

	if (screen->reset_pending && !send_message(screen, &reset, -1)) {
		return;
	}
	screen->reset_pending = false;
	/* Damage last: it is about the scan-out that was sent before. */
	if (send_pending(screen, &screen->scanout) && send_pending(screen, &screen->cursor) &&
	    send_pending(screen, &screen->move)) {
		(void)send_pending(screen, &screen->damage);
	}
}

struct pollfd screen_poll(const struct screen *screen)
{
	struct pollfd entry = {.fd = screen->sock, .events = POLLIN};

	if (screen->reset_pending || screen->scanout.pending || screen->cursor.pending ||
	    screen->move.pending || screen->damage.pending) {
		entry.events |= POLLOUT;
	}
	return entry;
}

bool screen_receive_resize(struct screen *screen, uint32_t *ret_width, uint32_t *ret_height)
{
	struct surface_msg msg[2]; /* room for more than a message shows which is too long */
	ssize_t got;

	if (screen->sock < 0) {
		return false;
	}
	got = recv(screen->sock, msg, sizeof(msg), MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return false;
	}
	if (got != sizeof(msg[0]) || msg[0].type != SURFACE_RESIZE || !msg[0].width ||
	    !msg[0].height || msg[0].width > SURFACE_SIZE_MAX || msg[0].height > SURFACE_SIZE_MAX) {
		disconnect(screen);
		return false;
	}
	*ret_width = msg[0].width;
	*ret_height = msg[0].height;
	return true;
}
