/* SPDX-License-Identifier: Apache-2.0 */
/** Sockets of a partition; see peer.h. */
#include "peer.h"

#include <errno.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ui/core/message.h"
#include "ui/switcher/packet.h"

void peer_init(struct peer *peer)
{
	memset(peer, 0, sizeof(*peer));
	peer->surface_fd = -1;
	peer->keyboard.fd = -1;
	peer->tablet.fd = -1;
	peer->budget = PEER_BUDGET;
}

static void close_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

static void close_surface(struct peer *peer)
{
	close_fd(&peer->surface_fd);
	surface_map_close_all(&peer->maps);
	peer->cursor_on = false;
}

static void connect_input(struct peer_input *sink, int fd)
{
	close_fd(&sink->fd);
	memset(sink, 0, sizeof(*sink));
	sink->fd = fd;
}

void peer_connect(struct peer *peer, int surface_fd, int keyboard_fd, int tablet_fd)
{
	close_surface(peer);
	peer->surface_fd = surface_fd;
	connect_input(&peer->keyboard, keyboard_fd);
	connect_input(&peer->tablet, tablet_fd);
}

void peer_close(struct peer *peer)
{
	peer_connect(peer, -1, -1, -1);
}

bool peer_may_read(struct peer *peer, uint64_t now_ns)
{
	if (now_ns - peer->period_ns >= PEER_PERIOD_NS) {
		peer->period_ns = now_ns;
		peer->budget = PEER_BUDGET;
	}
	return peer->budget > 0;
}

uint64_t peer_wake_ns(const struct peer *peer)
{
	return peer->period_ns + PEER_PERIOD_NS;
}

/** What a message needs of this side before the model may hear of it. Returns 0, or -1 and why. */
static int prepare(struct peer *peer, const struct surface_msg *msg, const struct packet *packet,
		   uint32_t max_rows, const char **ret_why)
{
	if (msg->type == SURFACE_SCANOUT && msg->width) {
		return surface_map_show(&peer->maps, msg, packet->fds[0], max_rows, ret_why);
	}
	if (msg->type == SURFACE_CURSOR && msg->width) {
		return surface_map_copy(packet->fds[0], msg->offset, peer->cursor.pixels,
					sizeof(peer->cursor.pixels), ret_why);
	}
	return 0;
}

static void follow(struct peer *peer, const struct surface_msg *msg,
		   const struct model_cursor *cursor)
{
	if (msg->type == SURFACE_RESET || (msg->type == SURFACE_SCANOUT && !msg->width)) {
		surface_map_close_all(&peer->maps);
	}
	peer->cursor_on = cursor->on;
	peer->cursor.x = cursor->x - (int32_t)cursor->hot_x;
	peer->cursor.y = cursor->y - (int32_t)cursor->hot_y;
}

static void lose(struct peer *peer, struct model *model, uint32_t part, const char *why)
{
	fprintf(stderr, "bulkhead-switcher: %s: picture lost: %s\n", model->parts[part].name, why);
	close_surface(peer);
	model_surface_lost(model, part);
}

void peer_serve(struct peer *peer, struct model *model, uint32_t part, uint64_t now_ns)
{
	uint32_t max_rows = (uint32_t)model_inner(model).h;

	while (peer->surface_fd >= 0 && peer_may_read(peer, now_ns)) {
		const char *why = "the back end broke the protocol";
		struct packet packet;
		struct surface_msg msg;
		int got = packet_receive(peer->surface_fd, &packet);

		if (got == 0) {
			return;
		}
		if (got < 0) {
			lose(peer, model, part, "the back end is gone");
			return;
		}
		peer->budget--;
		peer->messages++;
		bool ok =
			message_decode_surface(packet.bytes, packet.size, packet.fd_count, &msg) &&
			prepare(peer, &msg, &packet, max_rows, &why) == 0;

		packet_close_fds(&packet);
		if (!ok) {
			lose(peer, model, part, why);
			return;
		}
		model_surface(model, part, &msg);
		follow(peer, &msg, &model->parts[part].cursor);
	}
}

void peer_send_resize(struct peer *peer, int32_t width, int32_t height)
{
	struct surface_msg msg = {
		.type = SURFACE_RESIZE,
		.width = (uint32_t)width,
		.height = (uint32_t)height,
	};

	if (peer->surface_fd >= 0 && packet_send(peer->surface_fd, &msg, sizeof(msg)) < 0) {
		fprintf(stderr, "bulkhead-switcher: resize not sent: %s\n", strerror(errno));
	}
}

static int send_one(struct peer_input *sink, const struct surface_input *input)
{
	if (packet_send(sink->fd, input, sizeof(*input)) == 0) {
		return 0;
	}
	if (errno != EAGAIN && errno != EINTR) {
		close_fd(&sink->fd);
	}
	return -1;
}

/** Sends the releases that are owed. Returns false while the socket still takes none. */
static bool pay(struct peer_input *sink)
{
	for (uint32_t code = 0; sink->owes && code < KEYS_COUNT; code++) {
		struct surface_input release = {EV_KEY, (uint16_t)code, 0};

		if (sink->owed[code / 8] & 1u << code % 8) {
			if (send_one(sink, &release) < 0) {
				return false;
			}
			sink->owed[code / 8] &= (uint8_t) ~(1u << code % 8);
		}
	}
	if (sink->owes) {
		struct surface_input syn = {EV_SYN, SYN_REPORT, 0};

		sink->owes = send_one(sink, &syn) < 0;
	}
	return !sink->owes;
}

void peer_send_input(struct peer_input *sink, const struct surface_input *input, uint64_t *dropped)
{
	if (sink->fd < 0) {
		return;
	}
	if (pay(sink) && send_one(sink, input) == 0) {
		return;
	}
	++*dropped;
	if (input->type == EV_KEY && input->value == 0 && input->code < KEYS_COUNT) {
		sink->owed[input->code / 8] |= (uint8_t)(1u << input->code % 8);
		sink->owes = true;
	}
}

struct blit_source peer_source(const struct peer *peer)
{
	return (struct blit_source){
		.pixels = peer->maps.pixels,
		.stride = peer->maps.stride,
		.rows = (int32_t)peer->maps.rows,
		.columns = (int32_t)peer->maps.columns,
		.cursor = peer->cursor_on ? &peer->cursor : NULL,
	};
}
