/* SPDX-License-Identifier: Apache-2.0 */
/** Messages from and to bulkheadd (ui/proto/switcher.h). */
#include "switcher.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ui/core/message.h"
#include "ui/switcher/packet.h"

#define TURN_MAX 16 /* messages per turn of the loop */

/** The fd of one kind, or -1; it is the caller's then. */
static int take_fd(const struct switcher_msg *msg, struct packet *packet, uint32_t bit)
{
	unsigned index = (unsigned)__builtin_popcount(msg->fds & (bit - 1));
	int fd = -1;

	if (msg->fds & bit) {
		fd = packet->fds[index];
		packet->fds[index] = -1;
	}
	return fd;
}

static void add(struct switcher *s, const struct switcher_msg *msg, struct packet *packet)
{
	uint32_t part = model_add(&s->model, msg, &s->effects);

	if (part == MODEL_PART_NONE) {
		fprintf(stderr, "bulkhead-switcher: no place for partition %s\n", msg->name);
		return;
	}
	int surface = take_fd(msg, packet, SWITCHER_FD_SURFACE);
	int keyboard = take_fd(msg, packet, SWITCHER_FD_KEYBOARD);
	int tablet = take_fd(msg, packet, SWITCHER_FD_TABLET);

	peer_connect(&s->peers[part], surface, keyboard, tablet);
	switcher_apply(s);
}

static void handle(struct switcher *s, const struct switcher_msg *msg, struct packet *packet)
{
	uint32_t part = model_find(&s->model, msg->id);

	s->focus_tsc = s->focus_pending ? s->focus_tsc : switcher_tsc();
	switch (msg->type) {
	case SWITCHER_ADD:
		add(s, msg, packet);
		break;
	case SWITCHER_STATE:
		model_state(&s->model, msg, &s->effects);
		break;
	case SWITCHER_REMOVE:
		if (part != MODEL_PART_NONE) {
			model_remove(&s->model, part, &s->effects);
			switcher_apply(s);
			peer_close(&s->peers[part]);
		}
		break;
	case SWITCHER_WARNING:
		model_warning(&s->model, msg->text);
		break;
	case SWITCHER_WITHDRAW:
		model_withdraw(&s->model, msg->id);
		break;
	case SWITCHER_FOCUS:
		model_focus(&s->model, part, &s->effects);
		break;
	default:
		break;
	}
	switcher_apply(s);
}

static bool take_packet(struct switcher *s, struct packet *packet)
{
	struct switcher_question question;
	struct switcher_msg msg;

	if (message_decode_question(packet->bytes, packet->size, packet->fd_count, &question)) {
		report_line("switcher: question %" PRIu32 ": %s", question.id, question.title);
		model_clock(&s->model, switcher_now_ns() / 1000000u);
		model_ask(&s->model, &question, &s->effects);
		switcher_apply(s);
		return true;
	}
	if (message_decode_switcher(packet->bytes, packet->size, packet->fd_count, &msg)) {
		handle(s, &msg, packet);
		return true;
	}
	return false;
}

static void lose(struct switcher *s)
{
	fprintf(stderr, "bulkhead-switcher: bulkheadd is gone\n");
	close(s->control_fd);
	s->control_fd = -1;
	model_withdraw_all(&s->model); /* nobody hears an answer */
}

void control_serve(struct switcher *s)
{
	for (int i = 0; i < TURN_MAX && s->control_fd >= 0; i++) {
		struct packet packet;
		int got = packet_receive(s->control_fd, &packet);

		if (got == 0) {
			return;
		}
		if (got < 0) {
			lose(s);
			return;
		}
		if (!take_packet(s, &packet)) {
			fprintf(stderr, "bulkhead-switcher: bulkheadd sent a message that makes no "
					"sense\n");
		}
		packet_close_fds(&packet);
	}
}

static void send_bytes(struct switcher *s, const void *bytes, size_t size)
{
	if (s->control_fd >= 0 && packet_send(s->control_fd, bytes, size) < 0) {
		fprintf(stderr, "bulkhead-switcher: bulkheadd does not listen\n");
	}
}

void control_send_ready(struct switcher *s)
{
	struct rect inner = model_inner(&s->model);
	struct switcher_msg msg = {
		.type = SWITCHER_READY,
		.width = (uint32_t)inner.w,
		.height = (uint32_t)inner.h,
		.tsc = switcher_tsc(),
	};

	send_bytes(s, &msg, sizeof(msg));
}

void control_send_focused(struct switcher *s, uint32_t part, uint64_t tsc)
{
	struct switcher_msg msg = {
		.type = SWITCHER_FOCUSED,
		.id = s->model.parts[part].id,
		.tsc = tsc,
	};

	memcpy(msg.name, s->model.parts[part].name, sizeof(msg.name));
	send_bytes(s, &msg, sizeof(msg));
}

void control_send_answer(struct switcher *s, const struct switcher_answer *answer)
{
	struct switcher_answer stamped = *answer;

	stamped.tsc = switcher_tsc();
	report_line("switcher: answer %" PRIu32 ": choice %" PRIu32 " by %s", answer->id,
		    answer->choice,
		    answer->by == SWITCHER_BY_KEY    ? "key"
		    : answer->by == SWITCHER_BY_TIME ? "time"
						     : "busy");
	send_bytes(s, &stamped, sizeof(stamped));
}
