/* SPDX-License-Identifier: Apache-2.0 */
/** Lines of JSON over the daemon's socket. */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fds.h"

#define LINE_MAX_BYTES (2u << 20)

int client_connect(struct client_link *link, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	*link = (struct client_link){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (link->fd < 0) {
		return -errno;
	}
	if (connect(link->fd, (struct sockaddr *)&address, sizeof(address))) {
		int error = -errno;

		client_disconnect(link);
		return error;
	}
	return 0;
}

void client_disconnect(struct client_link *link)
{
	close(link->fd);
	free(link->line);
	link->line = NULL;
	link->size = link->room = 0;
}

int client_ask(struct client_link *link, struct json_object *request)
{
	return client_ask_with(link, request, NULL, 0);
}

int client_ask_with(struct client_link *link, struct json_object *request, const int *fds,
		    unsigned int count)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	size_t size = strlen(text), done = 0;
	int ret = 0;

	while (ret == 0 && done <= size) {
		const char *from = done < size ? text + done : "\n";
		/* The first bytes carry the descriptors. */
		ssize_t sent = fds_send(link->fd, from, done < size ? size - done : 1, fds,
					done ? 0 : count, 0);

		if (sent < 0 && sent != -EINTR) {
			ret = (int)sent;
		} else if (sent > 0) {
			done += (size_t)sent;
		}
	}
	json_object_put(request);
	return ret;
}

int client_has_line(const struct client_link *link)
{
	return link->size > 0 && memchr(link->line, '\n', link->size) != NULL;
}

int client_fill(struct client_link *link)
{
	ssize_t got;

	if (link->size == link->room) {
		size_t room = link->room ? 2 * link->room : 4096;
		char *line = room > LINE_MAX_BYTES ? NULL : realloc(link->line, room);

		if (!line) {
			return -1;
		}
		link->line = line;
		link->room = room;
	}
	got = recv(link->fd, link->line + link->size, link->room - link->size, 0);
	if (got <= 0) {
		return got < 0 && errno == EINTR ? 0 : -1;
	}
	link->size += (size_t)got;
	return 0;
}

struct json_object *client_next(struct client_link *link)
{
	struct json_object *answer;
	size_t length;
	char *end;

	while (!client_has_line(link)) {
		if (client_fill(link)) {
			return NULL;
		}
	}
	end = memchr(link->line, '\n', link->size);
	*end = 0;
	answer = json_tokener_parse(link->line);
	length = (size_t)(end - link->line) + 1;
	link->size -= length;
	memmove(link->line, end + 1, link->size);
	return answer;
}
