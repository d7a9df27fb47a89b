/* SPDX-License-Identifier: Apache-2.0 */
/** Clients of the socket: one line in, one line out, and streams of text for those who follow a
 * log.
 *
 *  Output that a client does not read waits in its buffer; a stream is read from its ring only when
 * the buffer is empty, so a slow client costs CLIENT_OUT_MAX bytes and loses old text, never ours.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bulkhead_dev.h"
#include "policy.h"
#include "policy/lang/text.h"
#include "quota.h"
#include "reply.h"
#include "request.h"
#include "rights.h"
#include "say.h"
#include "switch.h"

#define CLIENTS_MAX    16u
#define CLIENTS_PEOPLE 12u /* of them, so that IT always finds room */
#define CLIENTS_PERSON 8u
#define CLIENT_OUT_MAX (1u << 20)
#define STREAM_CHUNK   2048u
#define HV_LOG_POLL_MS 250u

struct client {
	struct loop_source source;
	struct rights_peer peer;
	int fd[REQUEST_FILES_MAX]; /* that came along and were not used yet */
	unsigned int fd_count;
	bool waits; /* for the answer to its last line */
	char in[REQUEST_LINE_MAX];
	size_t in_size;
	char *out;
	size_t out_size, out_done;
	enum { STREAM_NONE, STREAM_PART, STREAM_HV } stream;
	bool follow;
	bool console; /* may type */
	struct part *part;
	uint64_t cursor;
};

static struct loop_source listener = {.fd = -1};
static struct client clients[CLIENTS_MAX];
static struct part *parts;
static unsigned int part_count;
static struct rights_groups groups;
static const struct when *when;
static struct loop_timer hv_timer;

static void client_take_lines(struct client *client);

static void client_drop_fds(struct client *client)
{
	while (client->fd_count > 0) {
		close(client->fd[--client->fd_count]);
	}
}

static void client_close(struct client *client)
{
	policy_forget(client);
	client_drop_fds(client);
	loop_close(&client->source);
	free(client->out);
	client->out = NULL;
	client->out_size = client->out_done = 0;
	client->stream = STREAM_NONE;
}

/* Sends what waits; false when the client is gone. */
static bool client_flush(struct client *client)
{
	while (client->out_done < client->out_size) {
		ssize_t sent =
			send(client->source.fd, client->out + client->out_done,
			     client->out_size - client->out_done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EAGAIN) {
			break;
		}
		if (sent <= 0) {
			client_close(client);
			return false;
		}
		client->out_done += (size_t)sent;
	}
	if (client->out_done == client->out_size) {
		free(client->out);
		client->out = NULL;
		client->out_size = client->out_done = 0;
	}
	loop_change(&client->source, client->out ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

/* Takes the reply over. False when the client is gone. */
static bool client_send(struct client *client, struct json_object *reply)
{
	size_t length;
	const char *text =
		json_object_to_json_string_length(reply, JSON_C_TO_STRING_PLAIN, &length);
	char *out = NULL;

	if (text && client->out_size + length + 1 <= CLIENT_OUT_MAX) {
		out = realloc(client->out, client->out_size + length + 1);
	}
	if (!out) {
		json_object_put(reply);
		client_close(client);
		return false;
	}
	client->out = out;
	memcpy(out + client->out_size, text, length);
	out[client->out_size + length] = '\n';
	client->out_size += length + 1;
	json_object_put(reply);
	return client_flush(client);
}

static size_t stream_read(struct client *client, char *text, size_t max)
{
	struct bh_log_read log;
	size_t size = 0;

	if (client->stream == STREAM_PART) {
		return ring_read(&client->part->console.ring, &client->cursor, text, max);
	}
	log.cursor = client->cursor;
	if (dev_log(part_env.dev, &log) == 0) {
		size = log.size < sizeof(log.text) ? log.size : sizeof(log.text);
		size = size < max ? size : max;
		memcpy(text, log.text, size);
		client->cursor = log.cursor + size;
	}
	return size;
}

/* Goes on while the client keeps up. */
static void client_stream(struct client *client)
{
	char text[STREAM_CHUNK];

	while (client->stream != STREAM_NONE && !client->out) {
		size_t size = stream_read(client, text, sizeof(text));

		if (size == 0 && client->follow) {
			break;
		}
		if (size == 0) {
			client->stream = STREAM_NONE;
		}
		if (!client_send(client, reply_text(text, size, client->stream != STREAM_NONE))) {
			return;
		}
	}
	if (client->stream == STREAM_HV && !hv_timer.due_us) {
		loop_timer_set(&hv_timer, HV_LOG_POLL_MS);
	}
}

static void hv_poll(void *data)
{
	(void)data;
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].source.fd >= 0 && clients[i].stream == STREAM_HV) {
			client_stream(&clients[i]);
		}
	}
}

void server_console_grew(void *data)
{
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].source.fd >= 0 && clients[i].stream == STREAM_PART &&
		    clients[i].part == data) {
			client_stream(&clients[i]);
		}
	}
}

static struct part *find_part(const char *name)
{
	for (unsigned int i = 0; i < part_count; i++) {
		if (!strcmp(parts[i].config.name, name)) {
			return &parts[i];
		}
	}
	return NULL;
}

static struct json_object *reply_state(const struct client *client, const struct part *part,
				       const char *what, int ret)
{
	char error[64];

	if (ret == 0) {
		policy_record(AUDIT_CHANGED, client->peer.who, part->config.name, what);
		return reply_ok();
	}
	snprintf(error, sizeof(error), "%s is %s", part->config.name, part_state_word(part));
	return reply_error(error);
}

static struct json_object *serve_start(const struct client *client, struct part *part)
{
	char why[ORDER_WHY_SIZE];

	if (!order_may_start(parts, part_count, part, when, why)) {
		return reply_error(why);
	}
	return reply_state(client, part, "start", part_start(part));
}

static void client_begin_stream(struct client *client, struct part *part, bool follow, bool console)
{
	client->stream = part ? STREAM_PART : STREAM_HV;
	client->part = part;
	client->follow = follow;
	client->console = console;
	/* The console shows what comes; a log starts with what is kept. */
	client->cursor = console ? part->console.ring.written : 0;
	if (!console || client_send(client, reply_ok())) {
		client_stream(client);
	}
}

static struct json_object *serve_type(struct client *client, const struct request *request)
{
	if (!client->console) {
		return reply_error("no console is open");
	}
	if (part_type(client->part, request->text, request->text_size) < 0) {
		return reply_error("the guest does not take input");
	}
	return NULL;
}

static struct json_object *serve_part(struct client *client, const struct request *request,
				      struct part *part)
{
	switch (request->verb) {
	case REQUEST_START:
		return serve_start(client, part);
	case REQUEST_STOP:
		part->wanted = false;
		return reply_state(client, part, "stop", part_stop(part));
	case REQUEST_RESET:
		return reply_state(client, part, "reset", part_reset(part));
	case REQUEST_PAUSE:
		return reply_state(client, part, "pause", part_pause(part));
	case REQUEST_RESUME:
		return part->held ? serve_start(client, part)
				  : reply_state(client, part, "resume", part_resume(part));
	case REQUEST_FOCUS:
		switch_focus(part->config.id);
		return reply_ok();
	case REQUEST_STATS:
		return reply_stats(part->config.id, part->config.name);
	case REQUEST_CONSOLE:
	case REQUEST_LOG:
		client_begin_stream(client, part,
				    request->follow || request->verb == REQUEST_CONSOLE,
				    request->verb == REQUEST_CONSOLE);
		return NULL;
	default:
		return reply_error("not about a partition");
	}
}

static bool may_see(const void *who, uint32_t id)
{
	const struct client *client = who;
	char why[RIGHTS_WHY_SIZE];

	return rights_allow(policy_table(), client->peer.person, REQUEST_LIST, id, why);
}

/* Whether it comes into the audit log that this verb was allowed. */
static bool is_recorded(enum request_verb verb)
{
	switch ((unsigned int)verb) {
	case REQUEST_START:
	case REQUEST_STOP:
	case REQUEST_RESET:
	case REQUEST_PAUSE:
	case REQUEST_RESUME:
	case REQUEST_POLICY_APPLY:
	case REQUEST_POLICY_REVERT:
		return true;
	default:
		return false;
	}
}

/* A person fills neither the log nor the daemon's time. What is refused for that is one record, and
 * counted from then on, since it always says the same. */
static bool is_too_much(const struct client *client, enum request_verb verb)
{
	uint64_t now_ms = loop_now_us() / 1000;

	if (client->peer.person == TEXT_PERSON_IT ||
	    ((verb != REQUEST_POLICY_APPLY || quota_may_apply(client->peer.uid, now_ms)) &&
	     quota_take(client->peer.uid, now_ms))) {
		return false;
	}
	policy_record(AUDIT_DENIED, client->peer.who, "machine",
		      "too many requests in a short time");
	return true;
}

/* Refusals are on record, and name whom to ask. */
static struct json_object *check_right(const struct client *client, enum request_verb verb,
				       uint32_t part)
{
	char why[RIGHTS_WHY_SIZE];
	bool allowed = (verb == REQUEST_POLICY_REVERT && !policy_is_anothers(client->peer.uid)) ||
		       rights_allow(policy_table(), client->peer.person, verb, part, why);

	if ((!allowed || is_recorded(verb)) && is_too_much(client, verb)) {
		return reply_error(
			allowed ? "too many requests of yours in a short time: wait some "
				  "seconds, then ask again"
				: why);
	}
	if (allowed) {
		return NULL;
	}
	policy_record(AUDIT_DENIED, client->peer.who,
		      part && policy_table() ? table_name(policy_table(), part) : "machine", why);
	return reply_error(why);
}

static void client_answered(void *data, struct json_object *reply)
{
	struct client *client = data;

	client->waits = false;
	if (client_send(client, reply)) {
		client_take_lines(client);
	}
}

static struct json_object *serve_policy(struct client *client, const struct request *request)
{
	switch (request->verb) {
	case REQUEST_POLICY_STATUS:
		return policy_status();
	case REQUEST_POLICY_CONFIRM:
		return policy_confirm(client->peer.who);
	case REQUEST_POLICY_REVERT:
		return policy_revert(client->peer.who);
	case REQUEST_POLICY_APPLY:
		if (client->fd_count != request->file_count) {
			return reply_error("each file must come along as a descriptor");
		}
		client->waits = true;
		policy_apply(request, client->fd, &client->peer, client_answered, client);
		return NULL;
	default:
		client->waits = true;
		policy_ask(&request->flow, client->peer.who, client_answered, client);
		return NULL;
	}
}

/* Requests about the machine; NULL: it is about a partition, or the answer is under way. */
static struct json_object *serve_machine(struct client *client, const struct request *request,
					 bool *ret_done)
{
	struct json_object *refusal;

	*ret_done = true;
	if (request->verb == REQUEST_LIST) {
		return reply_list(parts, part_count, may_see, client);
	}
	if (request->verb == REQUEST_TYPE) {
		return serve_type(client, request);
	}
	if (request->name[0]) {
		*ret_done = false;
		return NULL;
	}
	refusal = check_right(client, request->verb, BH_PART_CONTROL);
	if (refusal) {
		return refusal;
	}
	if (request->verb == REQUEST_LOG) {
		client_begin_stream(client, NULL, request->follow, false);
		return NULL;
	}
	if (request->verb == REQUEST_STATS) {
		return reply_stats(BH_PART_CONTROL, "control");
	}
	return serve_policy(client, request);
}

/* Returns the answer, or NULL if it is under way already. */
static struct json_object *serve(struct client *client, const char *line, size_t size)
{
	char error[REQUEST_ERROR_SIZE];
	struct json_object *reply;
	struct request request;
	struct part *part;
	bool done;

	if (request_parse(line, size, &request, error)) {
		return reply_error(error);
	}
	reply = serve_machine(client, &request, &done);
	if (done) {
		return reply;
	}
	part = find_part(request.name);
	if (!part || !may_see(client, part->config.id)) {
		snprintf(error, sizeof(error), "no partition is called %s", request.name);
		return reply_error(error);
	}
	reply = check_right(client, request.verb, part->config.id);
	return reply ? reply : serve_part(client, &request, part);
}

static void client_take_lines(struct client *client)
{
	char *end;

	while (client->source.fd >= 0 && !client->waits &&
	       (end = memchr(client->in, '\n', client->in_size))) {
		char line[REQUEST_LINE_MAX];
		size_t size = (size_t)(end - client->in);
		struct json_object *reply;

		memcpy(line, client->in, size);
		client->in_size -= size + 1;
		memmove(client->in, end + 1, client->in_size);
		reply = serve(client, line, size);
		if (!client->waits) {
			client_drop_fds(client);
		}
		if (reply && !client_send(client, reply)) {
			return;
		}
	}
	if (client->source.fd >= 0 && client->in_size == sizeof(client->in)) {
		client_close(client);
	}
}

static void client_take_fds(struct client *client, const struct cmsghdr *cmsg)
{
	const unsigned char *data = CMSG_DATA(cmsg);
	size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, data + i * sizeof(int), sizeof(fd));
		if (client->fd_count < REQUEST_FILES_MAX) {
			client->fd[client->fd_count++] = fd;
		} else {
			close(fd);
		}
	}
}

/* Bytes of a line, and the descriptors that came along. */
static ssize_t client_receive(struct client *client)
{
	union {
		char buffer[CMSG_SPACE(REQUEST_FILES_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = client->in + client->in_size,
			    .iov_len = sizeof(client->in) - client->in_size};
	struct msghdr header = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = control.buffer,
				.msg_controllen = sizeof(control.buffer)};
	ssize_t got = recvmsg(client->source.fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	for (struct cmsghdr *cmsg = got < 0 ? NULL : CMSG_FIRSTHDR(&header); cmsg;
	     cmsg = CMSG_NXTHDR(&header, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
			client_take_fds(client, cmsg);
		}
	}
	return got;
}

static void client_ready(void *data, uint32_t events)
{
	struct client *client = data;
	ssize_t got;

	if (events & EPOLLOUT) {
		if (!client_flush(client)) {
			return;
		}
		client_stream(client);
		if (client->source.fd < 0) {
			return;
		}
	}
	if (events & ~(uint32_t)EPOLLOUT) {
		got = client_receive(client);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
			client_close(client);
		} else if (got > 0) {
			client->in_size += (size_t)got;
			client_take_lines(client);
		}
	}
}

/* Whoever keeps connections open keeps no others out. */
static bool has_room(const struct rights_peer *peer)
{
	unsigned int people = 0, own = 0;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &clients[i];

		if (client->source.fd >= 0 && client->peer.person != TEXT_PERSON_IT) {
			people++;
			own += client->peer.uid == peer->uid;
		}
	}
	return peer->person == TEXT_PERSON_IT || (people < CLIENTS_PEOPLE && own < CLIENTS_PERSON);
}

static void server_accept(void *data, uint32_t events)
{
	int fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct rights_peer peer;

	(void)data;
	(void)events;
	if (fd < 0) {
		return;
	}
	peer = rights_of_socket(&groups, fd);
	for (unsigned int i = 0; i < CLIENTS_MAX && peer.known && has_room(&peer); i++) {
		struct client *client = &clients[i];

		if (client->source.fd < 0) {
			client->in_size = 0;
			client->console = client->waits = false;
			client->peer = peer;
			client->source = (struct loop_source){
				.fd = -1, .ready = client_ready, .data = client};
			if (loop_add(&client->source, fd, EPOLLIN)) {
				break;
			}
			return;
		}
	}
	close(fd);
}

void server_set_parts(unsigned int count)
{
	part_count = count;
}

int server_start(const char *path, struct part *all, unsigned int count, const struct when *machine,
		 const struct rights_groups *people)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	bool has_group;
	int fd, ret;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	parts = all;
	part_count = count;
	when = machine;
	groups = *people;
	has_group = groups.socket != (gid_t)-1;
	hv_timer = (struct loop_timer){.fire = hv_poll};
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		clients[i].source.fd = -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return -errno;
	}
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(path, has_group ? 0660 : 0600) ||
	    (has_group && chown(path, (uid_t)-1, groups.socket)) || listen(fd, 8)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	listener = (struct loop_source){.fd = -1, .ready = server_accept};
	return loop_add(&listener, fd, EPOLLIN);
}

void server_stop(void)
{
	loop_timer_stop(&hv_timer);
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		client_close(&clients[i]);
	}
	loop_close(&listener);
}
