/* SPDX-License-Identifier: Apache-2.0 */
/** The socket and who is connected to it, and what each request does: who may ask it, who answers,
 * and what of it is on record.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy.h"
#include "policy/lang/text.h"
#include "quota.h"
#include "reply.h"
#include "request.h"
#include "rights.h"
#include "session.h"
#include "switch.h"

#define SESSIONS_MAX	16u
#define SESSIONS_PEOPLE 12u /* of them, so that IT always finds room */
#define SESSIONS_PERSON 8u
#define HV_LOG_POLL_MS	250u

static struct loop_source listener = {.fd = -1};
static struct session sessions[SESSIONS_MAX];
static struct part *parts;
static unsigned int part_count;
static struct rights_groups groups;
static const struct when *when;
static struct loop_timer hv_timer;

/* Root mode does not tell that it logged something. */
static void watch_hv(const struct session *session)
{
	if (session->stream == SESSION_HV && !hv_timer.due_us) {
		loop_timer_set(&hv_timer, HV_LOG_POLL_MS);
	}
}

static void hv_poll(void *data)
{
	(void)data;
	for (unsigned int i = 0; i < SESSIONS_MAX; i++) {
		if (sessions[i].source.fd >= 0 && sessions[i].stream == SESSION_HV) {
			session_stream(&sessions[i]);
			watch_hv(&sessions[i]);
		}
	}
}

void server_console_grew(void *data)
{
	for (unsigned int i = 0; i < SESSIONS_MAX; i++) {
		if (sessions[i].source.fd >= 0 && sessions[i].stream == SESSION_PART &&
		    sessions[i].part == data) {
			session_stream(&sessions[i]);
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

static struct json_object *reply_state(const struct session *session, const struct part *part,
				       const char *what, int ret)
{
	char error[64];

	if (ret == 0) {
		policy_record(AUDIT_CHANGED, session->peer.who, part->config.name, what);
		return reply_ok();
	}
	snprintf(error, sizeof(error), "%s is %s", part->config.name, part_state_word(part));
	return reply_error(error);
}

static struct json_object *serve_start(const struct session *session, struct part *part)
{
	char why[ORDER_WHY_SIZE];

	if (!order_may_start(parts, part_count, part, when, why)) {
		return reply_error(why);
	}
	return reply_state(session, part, "start", part_start(part));
}

static struct json_object *serve_type(struct session *session, const struct request *request)
{
	if (!session->console) {
		return reply_error("no console is open");
	}
	if (part_type(session->part, request->text, request->text_size) < 0) {
		return reply_error("the guest does not take input");
	}
	return NULL;
}

static struct json_object *serve_part(struct session *session, const struct request *request,
				      struct part *part)
{
	switch (request->verb) {
	case REQUEST_START:
		return serve_start(session, part);
	case REQUEST_STOP:
		part->wanted = false;
		return reply_state(session, part, "stop", part_stop(part));
	case REQUEST_RESET:
		return reply_state(session, part, "reset", part_reset(part));
	case REQUEST_PAUSE:
		return reply_state(session, part, "pause", part_pause(part));
	case REQUEST_RESUME:
		return part->held ? serve_start(session, part)
				  : reply_state(session, part, "resume", part_resume(part));
	case REQUEST_FOCUS:
		switch_focus(part->config.id);
		return reply_ok();
	case REQUEST_STATS:
		return reply_stats(part->config.id, part->config.name);
	case REQUEST_CONSOLE:
	case REQUEST_LOG:
		session_begin_stream(session, part,
				     request->follow || request->verb == REQUEST_CONSOLE,
				     request->verb == REQUEST_CONSOLE);
		return NULL;
	default:
		return reply_error("not about a partition");
	}
}

static bool may_see(const void *who, uint32_t id)
{
	const struct session *session = who;
	char why[RIGHTS_WHY_SIZE];

	return rights_allow(policy_table(), session->peer.person, REQUEST_LIST, id, why);
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
static bool is_too_much(const struct session *session, enum request_verb verb)
{
	uint64_t now_ms = loop_now_us() / 1000;

	if (session->peer.person == TEXT_PERSON_IT ||
	    ((verb != REQUEST_POLICY_APPLY || quota_may_apply(session->peer.uid, now_ms)) &&
	     quota_take(session->peer.uid, now_ms))) {
		return false;
	}
	policy_record(AUDIT_DENIED, session->peer.who, "machine",
		      "too many requests in a short time");
	return true;
}

/* Refusals are on record, and name whom to ask. */
static struct json_object *check_right(const struct session *session, enum request_verb verb,
				       uint32_t part)
{
	char why[RIGHTS_WHY_SIZE];
	bool allowed = (verb == REQUEST_POLICY_REVERT && !policy_is_anothers(session->peer.uid)) ||
		       rights_allow(policy_table(), session->peer.person, verb, part, why);

	if ((!allowed || is_recorded(verb)) && is_too_much(session, verb)) {
		return reply_error(
			allowed ? "too many requests of yours in a short time: wait some "
				  "seconds, then ask again"
				: why);
	}
	if (allowed) {
		return NULL;
	}
	policy_record(AUDIT_DENIED, session->peer.who,
		      part && policy_table() ? table_name(policy_table(), part) : "machine", why);
	return reply_error(why);
}

static struct json_object *serve_policy(struct session *session, const struct request *request)
{
	switch (request->verb) {
	case REQUEST_POLICY_STATUS:
		return policy_status();
	case REQUEST_POLICY_CONFIRM:
		return policy_confirm(session->peer.who);
	case REQUEST_POLICY_REVERT:
		return policy_revert(session->peer.who);
	case REQUEST_POLICY_APPLY:
		if (session->fd_count != request->file_count) {
			return reply_error("each file must come along as a descriptor");
		}
		session->waits = true;
		policy_apply(request, session->fd, &session->peer, session_answer, session);
		return NULL;
	default:
		session->waits = true;
		policy_ask(&request->flow, session->peer.who, session_answer, session);
		return NULL;
	}
}

/* Requests about the machine; NULL: it is about a partition, or the answer is under way. */
static struct json_object *serve_machine(struct session *session, const struct request *request,
					 bool *ret_done)
{
	struct json_object *refusal;

	*ret_done = true;
	if (request->verb == REQUEST_LIST) {
		return reply_list(parts, part_count, may_see, session);
	}
	if (request->verb == REQUEST_TYPE) {
		return serve_type(session, request);
	}
	if (request->name[0]) {
		*ret_done = false;
		return NULL;
	}
	refusal = check_right(session, request->verb, BH_PART_CONTROL);
	if (refusal) {
		return refusal;
	}
	if (request->verb == REQUEST_LOG) {
		session_begin_stream(session, NULL, request->follow, false);
		watch_hv(session);
		return NULL;
	}
	if (request->verb == REQUEST_STATS) {
		return reply_stats(BH_PART_CONTROL, "control");
	}
	return serve_policy(session, request);
}

/* Returns the answer, or NULL if it is under way already. */
static struct json_object *serve(struct session *session, const char *line, size_t size)
{
	char error[REQUEST_ERROR_SIZE];
	struct json_object *reply;
	struct request request;
	struct part *part;
	bool done;

	if (request_parse(line, size, &request, error)) {
		return reply_error(error);
	}
	reply = serve_machine(session, &request, &done);
	if (done) {
		return reply;
	}
	part = find_part(request.name);
	if (!part || !may_see(session, part->config.id)) {
		snprintf(error, sizeof(error), "no partition is called %s", request.name);
		return reply_error(error);
	}
	reply = check_right(session, request.verb, part->config.id);
	return reply ? reply : serve_part(session, &request, part);
}

/* Whoever keeps connections open keeps no others out. */
static bool has_room(const struct rights_peer *peer)
{
	unsigned int people = 0, own = 0;

	for (unsigned int i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &sessions[i];

		if (session->source.fd >= 0 && session->peer.person != TEXT_PERSON_IT) {
			people++;
			own += session->peer.uid == peer->uid;
		}
	}
	return peer->person == TEXT_PERSON_IT ||
	       (people < SESSIONS_PEOPLE && own < SESSIONS_PERSON);
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
	for (unsigned int i = 0; i < SESSIONS_MAX && peer.known && has_room(&peer); i++) {
		struct session *session = &sessions[i];

		if (session->source.fd < 0) {
			if (session_open(session, fd, &peer, serve)) {
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
	for (unsigned int i = 0; i < SESSIONS_MAX; i++) {
		sessions[i].source.fd = -1;
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
	for (unsigned int i = 0; i < SESSIONS_MAX; i++) {
		session_close(&sessions[i]);
	}
	loop_close(&listener);
}
