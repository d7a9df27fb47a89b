/* SPDX-License-Identifier: Apache-2.0 */
/** Opening of input devices; see opener.h. Source: inotify(7). */
#include "opener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine.h"

#define INPUT_DIR   "/dev/input"
#define DEVICES_MAX 1024u

static bool sent[DEVICES_MAX];

static int send_fd(int socket, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte = 'd';
	struct iovec iov = {&byte, 1};
	struct msghdr head = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&head);

	memset(&control, 0, sizeof(control));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket, &head, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/** Number of "eventN", DEVICES_MAX for any other name. */
static unsigned device_number(const char *name)
{
	char *end;

	if (strncmp(name, "event", 5) != 0 || name[5] < '0' || name[5] > '9') {
		return DEVICES_MAX;
	}
	unsigned long number = strtoul(name + 5, &end, 10);

	return *end || number >= DEVICES_MAX ? DEVICES_MAX : (unsigned)number;
}

static void offer(int socket, const char *name)
{
	unsigned number = device_number(name);
	char path[64];

	if (number == DEVICES_MAX || sent[number]) {
		return;
	}
	snprintf(path, sizeof(path), INPUT_DIR "/event%u", number);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0) {
		sent[number] = send_fd(socket, fd) == 0;
		close(fd);
	}
}

static void offer_all(int socket)
{
	DIR *dir = opendir(INPUT_DIR);

	for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
		offer(socket, e->d_name);
	}
	if (dir) {
		closedir(dir);
	}
}

static void follow(int socket, int notify)
{
	union {
		struct inotify_event align;
		char bytes[4096];
	} buffer;
	ssize_t size = read(notify, &buffer, sizeof(buffer));

	for (ssize_t at = 0; at < size;) {
		const struct inotify_event *e = (const void *)(buffer.bytes + at);

		at += (ssize_t)(sizeof(*e) + e->len);
		if (!e->len) {
			continue;
		}
		unsigned number = device_number(e->name);

		if (e->mask & IN_DELETE && number < DEVICES_MAX) {
			sent[number] = false;
		} else {
			offer(socket, e->name);
		}
	}
}

static _Noreturn void serve(int socket)
{
	int notify = inotify_init1(IN_CLOEXEC);
	bool watching = false;

	for (;;) {
		struct pollfd fds[] = {{.fd = notify, .events = POLLIN}, {.fd = socket}};

		if (!watching) {
			watching = inotify_add_watch(notify, INPUT_DIR,
						     IN_CREATE | IN_ATTRIB | IN_DELETE) >= 0;
			if (watching) {
				offer_all(socket);
			}
		}
		/* Before the first driver is loaded there is no such directory. */
		if (poll(fds, 2, watching ? -1 : 200) < 0 && errno != EINTR) {
			_exit(1);
		}
		if (fds[1].revents) {
			_exit(0);
		}
		if (fds[0].revents) {
			follow(socket, notify);
		}
	}
}

int opener_start(unsigned uid, unsigned gid)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		perror("bulkhead-switcher: socketpair");
		return -1;
	}
	pid_t pid = fork();

	if (pid < 0) {
		perror("bulkhead-switcher: fork");
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	if (pid == 0) {
		/* Nothing of the switcher's: neither screen nor sockets. */
		if (dup2(pair[1], 3) < 0) {
			_exit(1);
		}
		close_range(4, ~0u, 0);
		fcntl(3, F_SETFD, FD_CLOEXEC);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "bulkhead-opener");
		if (confine_opener(uid, gid) < 0) {
			_exit(1);
		}
		serve(3);
	}
	close(pair[1]);
	return pair[0];
}
