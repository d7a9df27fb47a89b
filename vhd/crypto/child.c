/* SPDX-License-Identifier: Apache-2.0 */
/* posix_spawn() with a socket pair: no fork of a large process, no signal when the child is gone.
 */
#define _GNU_SOURCE

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXTRA_FD 3

/* Out of the way of 0 to 3. */
static int lift(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 10);
}

static int launch(const char *path, int socket, int extra, bool socket_out, pid_t *ret_pid)
{
	char *const argv[] = {(char *)path, NULL}, *const envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc) {
		return -rc;
	}
	rc = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	rc = rc ? rc : posix_spawn_file_actions_adddup2(&actions, socket, 0);
	if (!rc && socket_out) {
		rc = posix_spawn_file_actions_adddup2(&actions, socket, 1);
	}
	if (!rc && extra >= 0) {
		rc = posix_spawn_file_actions_adddup2(&actions, extra, EXTRA_FD);
	}
	rc = rc ? rc : posix_spawn(ret_pid, path, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

int child_start(const char *path, int extra, bool socket_out, struct child *ret_child)
{
	int pair[2], theirs, their_extra, rc;
	pid_t pid = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		return -errno;
	}
	theirs = lift(pair[1]);
	their_extra = extra < 0 ? -1 : lift(extra);
	rc = theirs < 0 || (extra >= 0 && their_extra < 0)
		     ? -EMFILE
		     : launch(path, theirs, their_extra, socket_out, &pid);
	close(pair[1]);
	if (theirs >= 0) {
		close(theirs);
	}
	if (their_extra >= 0) {
		close(their_extra);
	}
	if (rc) {
		close(pair[0]);
		return rc;
	}
	ret_child->pid = pid;
	ret_child->fd = pair[0];
	return 0;
}

int child_send(struct child *child, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size) {
		ssize_t n = send(child->fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

void child_end_input(struct child *child)
{
	(void)shutdown(child->fd, SHUT_WR);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int child_receive(struct child *child, void *ret_bytes, size_t size, size_t *ret_size,
		  unsigned seconds)
{
	int64_t end = now_ms() + (int64_t)seconds * 1000;
	size_t done = 0;

	while (done < size) {
		struct pollfd p = {.fd = child->fd, .events = POLLIN};
		int64_t left = end - now_ms();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0) {
			return -ETIMEDOUT;
		}
		n = recv(child->fd, (uint8_t *)ret_bytes + done, size - done, MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno == ECONNRESET)) {
			break;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return -errno;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	*ret_size = done;
	return 0;
}

int child_finish(struct child *child)
{
	int status, pid;

	close(child->fd);
	/* It has said all that counts, or nothing; what ends now would have ended by itself. */
	for (unsigned i = 0; i < 200; i++) {
		struct timespec moment = {0, 1000000};

		pid = waitpid(child->pid, &status, WNOHANG);
		if (pid != 0) {
			return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		nanosleep(&moment, NULL);
	}
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
	}
	return -1;
}
