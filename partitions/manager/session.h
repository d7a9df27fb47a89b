/* SPDX-License-Identifier: Apache-2.0 */
/** One person's connection to the daemon: lines come in with descriptors beside them, answers go
 * out, and text for who follows a log.
 *
 *  Output that the person does not read waits in its buffer; a stream is read from its ring only
 * when the buffer is empty, so a slow one costs SESSION_OUT_MAX bytes and loses old text, never
 * ours.
 */
#ifndef MANAGER_SESSION_H
#define MANAGER_SESSION_H

#include <json-c/json.h>

#include "loop.h"
#include "part.h"
#include "request.h"
#include "rights.h"

struct session;

/** What a line means. Returns the answer, or NULL: none, or session->waits was set and
 * session_answer() brings it. */
typedef struct json_object *session_serve(struct session *session, const char *line, size_t size);

struct session {
	struct loop_source source; /* fd -1: nobody is there */
	session_serve *serve;
	struct rights_peer peer;
	int fd[REQUEST_FILES_MAX]; /* that came along and were not used yet */
	unsigned int fd_count;
	bool waits; /* for the answer to its last line */
	char in[REQUEST_LINE_MAX];
	size_t in_size;
	char *out;
	size_t out_size, out_done;
	enum { SESSION_QUIET, SESSION_PART, SESSION_HV } stream; /* whose text follows */
	bool follow;
	bool console; /* may type */
	struct part *part;
	uint64_t cursor;
};

/** Takes the socket over if it returns 0; else -errno. */
int session_open(struct session *session, int fd, const struct rights_peer *peer,
		 session_serve *serve);
/** A session that is not open is fine. */
void session_close(struct session *session);
/** Takes the reply over. False when the session is closed by that. */
bool session_send(struct session *session, struct json_object *reply);
/** The answer that its last line waits for; data is the session. Further lines are served. */
void session_answer(void *data, struct json_object *reply);
/** Follows a partition's console, or with NULL the log of root mode. console: may type as well. */
void session_begin_stream(struct session *session, struct part *part, bool follow, bool console);
/** There may be more text: goes on while the person keeps up. */
void session_stream(struct session *session);

#endif
