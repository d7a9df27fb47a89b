/* SPDX-License-Identifier: Apache-2.0 */
/** Buffers and streams of one connection; see session.h. */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulkhead_dev.h"
#include "policy.h"
#include "reply.h"

#define SESSION_OUT_MAX (1u << 20)
#define STREAM_CHUNK	2048u

static void session_drop_fds(struct session *session)
{
	while (session->fd_count > 0) {
		close(session->fd[--session->fd_count]);
	}
}

void session_close(struct session *session)
{
	policy_forget(session);
	session_drop_fds(session);
	loop_close(&session->source);
	free(session->out);
	session->out = NULL;
	session->out_size = session->out_done = 0;
	session->stream = SESSION_QUIET;
}

/* Sends what waits; false when the session is closed by that. */
static bool session_flush(struct session *session)
{
	while (session->out_done < session->out_size) {
		ssize_t sent =
			send(session->source.fd, session->out + session->out_done,
			     session->out_size - session->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN) {
			break;
		}
		if (sent <= 0) {
			session_close(session);
			return false;
		}
		session->out_done += (size_t)sent;
	}
	if (session->out_done == session->out_size) {
		free(session->out);
		session->out = NULL;
		session->out_size = session->out_done = 0;
	}
	loop_change(&session->source, session->out ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

bool session_send(struct session *session, struct json_object *reply)
{
	size_t length;
	const char *text =
		json_object_to_json_string_length(reply, JSON_C_TO_STRING_PLAIN, &length);
	char *out = NULL;

	if (text && session->out_size + length + 1 <= SESSION_OUT_MAX) {
		out = realloc(session->out, session->out_size + length + 1);
	}
	if (!out) {
		json_object_put(reply);
		session_close(session);
		return false;
	}
	session->out = out;
	memcpy(out + session->out_size, text, length);
	out[session->out_size + length] = '\n';
	session->out_size += length + 1;
	json_object_put(reply);
	return session_flush(session);
}

static size_t stream_read(struct session *session, char *text, size_t max)
{
	struct bh_log_read log;
	size_t size = 0;

	if (session->stream == SESSION_PART) {
		return ring_read(&session->part->console.ring, &session->cursor, text, max);
	}
	log.cursor = session->cursor;
	if (dev_log(part_env.dev, &log) == 0) {
		size = log.size < sizeof(log.text) ? log.size : sizeof(log.text);
		size = size < max ? size : max;
		memcpy(text, log.text, size);
		session->cursor = log.cursor + size;
	}
	return size;
}

void session_stream(struct session *session)
{
	char text[STREAM_CHUNK];

	while (session->stream != SESSION_QUIET && !session->out) {
		size_t size = stream_read(session, text, sizeof(text));

		if (size == 0 && session->follow) {
			break;
		}
		if (size == 0) {
			session->stream = SESSION_QUIET;
		}
		if (!session_send(session,
				  reply_text(text, size, session->stream != SESSION_QUIET))) {
			return;
		}
	}
}

void session_begin_stream(struct session *session, struct part *part, bool follow, bool console)
{
	session->stream = part ? SESSION_PART : SESSION_HV;
	session->part = part;
	session->follow = follow;
	session->console = console;
	/* The console shows what comes; a log starts with what is kept. */
	session->cursor = console ? part->console.ring.written : 0;
	if (!console || session_send(session, reply_ok())) {
		session_stream(session);
	}
}

static void session_take_lines(struct session *session)
{
	char *end;

	while (session->source.fd >= 0 && !session->waits &&
	       (end = memchr(session->in, '\n', session->in_size))) {
		char line[REQUEST_LINE_MAX];
		size_t size = (size_t)(end - session->in);
		struct json_object *reply;

		memcpy(line, session->in, size);
		session->in_size -= size + 1;
		memmove(session->in, end + 1, session->in_size);
		reply = session->serve(session, line, size);
		if (!session->waits) {
			session_drop_fds(session);
		}
		if (reply && !session_send(session, reply)) {
			return;
		}
	}
	if (session->source.fd >= 0 && session->in_size == sizeof(session->in)) {
		session_close(session);
	}
}

void session_answer(void *data, struct json_object *reply)
{
	struct session *session = data;

	session->waits = false;
	if (session_send(session, reply)) {
		session_take_lines(session);
	}
}

static void session_take_fds(struct session *session, const struct cmsghdr *cmsg)
{
	const unsigned char *data = CMSG_DATA(cmsg);
	size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(int), sizeof(fd));
		if (session->fd_count < REQUEST_FILES_MAX) {
			session->fd[session->fd_count++] = fd;
		} else {
			close(fd);
		}
	}
}

/* Bytes of a line, and the descriptors that came along. */
static ssize_t session_receive(struct session *session)
{
	union {
		char buffer[CMSG_SPACE(REQUEST_FILES_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = session->in + session->in_size,
			    .iov_len = sizeof(session->in) - session->in_size};
	struct msghdr header = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = control.buffer,
				.msg_controllen = sizeof(control.buffer)};
	ssize_t got = recvmsg(session->source.fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	for (struct cmsghdr *cmsg = got < 0 ? NULL : CMSG_FIRSTHDR(&header); cmsg;
	     cmsg = CMSG_NXTHDR(&header, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
			session_take_fds(session, cmsg);
		}
	}
	return got;
}

static void session_ready(void *data, uint32_t events)
{
	struct session *session = data;
	ssize_t got;

	if (events & EPOLLOUT) {
		if (!session_flush(session)) {
			return;
		}
		session_stream(session);
		if (session->source.fd < 0) {
			return;
		}
	}
	if (events & ~(uint32_t)EPOLLOUT) {
		got = session_receive(session);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
			session_close(session);
		} else if (got > 0) {
			session->in_size += (size_t)got;
			session_take_lines(session);
		}
	}
}

int session_open(struct session *session, int fd, const struct rights_peer *peer,
		 session_serve *serve)
{
	session->in_size = 0;
	session->console = session->waits = false;
	session->peer = *peer;
	session->serve = serve;
	session->source = (struct loop_source){.fd = -1, .ready = session_ready, .data = session};
	return loop_add(&session->source, fd, EPOLLIN);
}
