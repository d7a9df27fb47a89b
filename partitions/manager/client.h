/* SPDX-License-Identifier: Apache-2.0 */
/** The command's connection to bulkheadd: JSON objects out and in, one per line. */
#ifndef MANAGER_CLIENT_H
#define MANAGER_CLIENT_H

#include <json-c/json.h>
#include <stddef.h>

struct client_link {
	int fd;
	char *line; /* bytes received and not taken yet */
	size_t size, room;
};

/** Returns 0 or -errno. */
int client_connect(struct client_link *link, const char *path);
void client_disconnect(struct client_link *link);
/** Takes the request over. Returns 0 or -errno. */
int client_ask(struct client_link *link, struct json_object *request);
/** The same with descriptors that go along, at most FDS_MAX; they stay the caller's. */
int client_ask_with(struct client_link *link, struct json_object *request, const int *fds,
		    unsigned int count);
/** Waits for the next answer, which is the caller's. NULL: the daemon hung up or sent no JSON. */
struct json_object *client_next(struct client_link *link);
/** Waits for more bytes. Returns 0, -1 when the daemon hung up. */
int client_fill(struct client_link *link);
/** True if an answer can be taken without waiting. */
int client_has_line(const struct client_link *link);

#endif
