/* SPDX-License-Identifier: Apache-2.0 */
/** Checks of messages; see message.h. */
#include "message.h"

#include <string.h>

static bool check_scanout(const struct surface_msg *msg, unsigned fd_count)
{
	if (msg->width == 0) {
		return fd_count == 0;
	}
	return fd_count == 1 && msg->width <= SURFACE_SIZE_MAX && msg->height > 0 &&
	       msg->height <= SURFACE_SIZE_MAX && msg->stride >= msg->width * 4 &&
	       msg->stride <= SURFACE_SIZE_MAX * 4 && msg->stride % 4 == 0 && msg->offset % 4 == 0;
}

static bool check_cursor(const struct surface_msg *msg, unsigned fd_count)
{
	if (msg->width == 0) {
		return fd_count == 0;
	}
	return fd_count == 1 && msg->width == MESSAGE_CURSOR_SIZE &&
	       msg->height == MESSAGE_CURSOR_SIZE && msg->x < MESSAGE_CURSOR_SIZE &&
	       msg->y < MESSAGE_CURSOR_SIZE;
}

bool message_decode_surface(const void *untrusted, size_t size, unsigned fd_count,
			    struct surface_msg *ret_msg)
{
	struct surface_msg msg;
	bool ok = false;

	if (size != sizeof(msg)) {
		return false;
	}
	memcpy(&msg, untrusted, sizeof(msg));
	if (msg.scanout != 0) {
		return false;
	}
	switch (msg.type) {
	case SURFACE_SCANOUT:
		ok = check_scanout(&msg, fd_count);
		break;
	case SURFACE_DAMAGE:
		ok = fd_count == 0 && msg.x <= SURFACE_SIZE_MAX && msg.y <= SURFACE_SIZE_MAX &&
		     msg.width <= SURFACE_SIZE_MAX && msg.height <= SURFACE_SIZE_MAX;
		break;
	case SURFACE_CURSOR:
		ok = check_cursor(&msg, fd_count);
		break;
	case SURFACE_CURSOR_MOVE:
		/* Signed: x + MAX lies within 0 .. 2 * MAX. */
		ok = fd_count == 0 && msg.x + SURFACE_SIZE_MAX <= 2 * SURFACE_SIZE_MAX &&
		     msg.y + SURFACE_SIZE_MAX <= 2 * SURFACE_SIZE_MAX;
		break;
	case SURFACE_RESET:
		ok = fd_count == 0;
		break;
	default:
		break;
	}
	if (ok) {
		*ret_msg = msg;
	}
	return ok;
}

uint64_t message_surface_end(const struct surface_msg *msg)
{
	return (uint64_t)msg->offset + (uint64_t)msg->stride * msg->height;
}

static void clean_string(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (char *p = text; *p; p++) {
		if (*p < ' ' || *p > '~') {
			*p = '?';
		}
	}
}

bool message_decode_switcher(const void *untrusted, size_t size, unsigned fd_count,
			     struct switcher_msg *ret_msg)
{
	struct switcher_msg msg;
	bool ok = false;

	if (size != sizeof(msg)) {
		return false;
	}
	memcpy(&msg, untrusted, sizeof(msg));
	clean_string(msg.name, sizeof(msg.name));
	clean_string(msg.title, sizeof(msg.title));
	clean_string(msg.text, sizeof(msg.text));
	switch (msg.type) {
	case SWITCHER_ADD:
		ok = msg.order >= 1 && msg.order <= SWITCHER_ORDER_MAX && msg.colour <= 0xffffff &&
		     msg.pattern < SWITCHER_PATTERN_COUNT && msg.name[0] && msg.title[0] &&
		     msg.fds < 1u << SWITCHER_FDS_MAX &&
		     (unsigned)__builtin_popcount(msg.fds) == fd_count;
		break;
	case SWITCHER_STATE:
		ok = fd_count == 0 && msg.state < SWITCHER_STATE_COUNT && msg.progress <= 100;
		break;
	case SWITCHER_REMOVE:
	case SWITCHER_FOCUS:
	case SWITCHER_WARNING:
	case SWITCHER_WITHDRAW:
		ok = fd_count == 0;
		break;
	default:
		break;
	}
	if (ok) {
		*ret_msg = msg;
	}
	return ok;
}

/* The packet ends behind its last line. */
static bool read_question(const void *untrusted, size_t size,
			  struct switcher_question *ret_question)
{
	size_t head = SWITCHER_QUESTION_SIZE(0);

	if (size < head || size > sizeof(*ret_question)) {
		return false;
	}
	memset(ret_question, 0, sizeof(*ret_question));
	memcpy(ret_question, untrusted, size);
	return ret_question->line_count <= SWITCHER_LINES_MAX &&
	       size == SWITCHER_QUESTION_SIZE(ret_question->line_count);
}

bool message_decode_question(const void *untrusted, size_t size, unsigned fd_count,
			     struct switcher_question *ret_question)
{
	struct switcher_question question;

	if (fd_count || !read_question(untrusted, size, &question)) {
		return false;
	}
	clean_string(question.title, sizeof(question.title));
	for (unsigned i = 0; i < question.line_count; i++) {
		clean_string(question.line[i], sizeof(question.line[i]));
	}
	if (question.type != SWITCHER_ASK || !question.title[0] || question.choice_count < 2 ||
	    question.choice_count > SWITCHER_CHOICES_MAX ||
	    question.fallback >= question.choice_count || question.seconds > SWITCHER_SECONDS_MAX) {
		return false;
	}
	for (unsigned i = 0; i < SWITCHER_CHOICES_MAX; i++) {
		clean_string(question.choice[i], sizeof(question.choice[i]));
		if (i >= question.choice_count) {
			memset(question.choice[i], 0, sizeof(question.choice[i]));
		} else if (!question.choice[i][0]) {
			return false;
		}
	}
	*ret_question = question;
	return true;
}
