/* SPDX-License-Identifier: Apache-2.0 */
/** Programs with least rights. Between fork() and execve() only system calls are made. */
#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_FD     3	 /* of those passed on */
#define HIGH_FD	     256 /* they wait there while the low numbers are filled */
#define EXIT_NO_EXEC 126

void spawn_init(struct spawn *spawn, const char *directory, const char *program)
{
	*spawn = (struct spawn){.nofile = 512};
	if (asprintf(&spawn->path, "%s/%s", directory, program) < 0) {
		spawn->path = NULL;
		spawn->error = -ENOMEM;
	}
	spawn_arg(spawn, "%s", program);
}

void spawn_arg(struct spawn *spawn, const char *format, ...)
{
	va_list args;

	if (spawn->argc == SPAWN_ARGS_MAX) {
		spawn->error = -E2BIG;
		return;
	}
	va_start(args, format);
	if (vasprintf(&spawn->argv[spawn->argc], format, args) < 0) {
		spawn->argv[spawn->argc] = NULL;
		spawn->error = -ENOMEM;
	} else {
		spawn->argc++;
	}
	va_end(args);
}

int spawn_fd(struct spawn *spawn, int fd)
{
	if (fd < 0 || spawn->fd_count == SPAWN_FDS_MAX) {
		spawn->error = spawn->error ? spawn->error : -EBADF;
		if (fd >= 0) {
			close(fd);
		}
		return -1;
	}
	spawn->fd[spawn->fd_count] = fd;
	return FIRST_FD + (int)spawn->fd_count++;
}

static void __attribute__((noreturn)) child_fail(const char *what)
{
	const char *why = strerrordesc_np(errno);
	const char *text[] = {"cannot start: ", what, ": ", why ? why : "?", "\n"};

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		if (write(STDERR_FILENO, text[i], strlen(text[i])) < 0) {
			break;
		}
	}
	_exit(EXIT_NO_EXEC);
}

static void child_limit(int resource, uint64_t value)
{
	const struct rlimit limit = {value, value};

	if (setrlimit((__rlimit_resource_t)resource, &limit)) {
		child_fail("limit");
	}
}

/* An execve() by user 0 gives back what the bounding set allows: nothing. */
static void child_drop(uid_t uid)
{
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL) {
			child_fail("capabilities");
		}
	}
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)) {
		child_fail("user");
	}
}

static void child_arrange_fds(const struct spawn *spawn, int log_fd)
{
	int high[SPAWN_FDS_MAX + 1], null;

	for (unsigned int i = 0; i <= spawn->fd_count; i++) {
		high[i] = fcntl(i < spawn->fd_count ? spawn->fd[i] : log_fd, F_DUPFD, HIGH_FD);
		if (high[i] < 0) {
			child_fail("file descriptors");
		}
	}
	log_fd = high[spawn->fd_count];
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0) {
		child_fail("standard files");
	}
	for (unsigned int i = 0; i < spawn->fd_count; i++) {
		if (dup2(high[i], FIRST_FD + (int)i) < 0) {
			child_fail("file descriptors");
		}
	}
	if (syscall(SYS_close_range, FIRST_FD + spawn->fd_count, ~0u, 0)) {
		child_fail("close");
	}
}

static void __attribute__((noreturn)) child_run(const struct spawn *spawn, int log_fd)
{
	static char *const environment[] = {(char *)"PATH=/usr/bin:/bin", (char *)"LANG=C.UTF-8",
					    NULL};
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	child_arrange_fds(spawn, log_fd);
	umask(077);
	if (chdir("/")) {
		child_fail("/");
	}
	child_limit(RLIMIT_CORE, 0);
	child_limit(RLIMIT_NOFILE, spawn->nofile);
	if (spawn->confine) {
		child_limit(RLIMIT_RTPRIO, spawn->rtprio);
		child_limit(RLIMIT_MEMLOCK, spawn->memlock);
		child_drop(spawn->uid);
	}
	/* After the change of user, which would clear it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		child_fail("prctl");
	}
	execve(spawn->path, spawn->argv, environment);
	child_fail(spawn->path);
}

int spawn_run(struct spawn *spawn, struct spawn_child *ret_child)
{
	struct spawn_child child;
	int log[2];

	if (spawn->error) {
		return spawn->error;
	}
	if (pipe2(log, O_CLOEXEC)) {
		return -errno;
	}
	child.pid = fork();
	if (child.pid == 0) {
		child_run(spawn, log[1]);
	}
	close(log[1]);
	if (child.pid < 0) {
		close(log[0]);
		return -EAGAIN;
	}
	/* Nobody has waited for it, so the number is still its own. */
	child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
	if (child.pidfd < 0) {
		int error = -errno;

		kill(child.pid, SIGKILL);
		close(log[0]);
		return error;
	}
	fcntl(log[0], F_SETFL, O_NONBLOCK);
	child.log_fd = log[0];
	*ret_child = child;
	return 0;
}

void spawn_fini(struct spawn *spawn)
{
	for (unsigned int i = 0; i < spawn->fd_count; i++) {
		close(spawn->fd[i]);
	}
	for (unsigned int i = 0; i < spawn->argc; i++) {
		free(spawn->argv[i]);
	}
	free(spawn->path);
}
