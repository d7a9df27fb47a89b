/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces. Source: namespaces(7), user_namespaces(7). */
#define _GNU_SOURCE

#include "tool_jail.h"

#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_JAIL 120 /* the exit code of a child that could not make one */

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0) {
		close(fd);
	}
	return good;
}

/* An ordinary user is root in there, and only there. */
static bool enter(void)
{
	int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	if (uid != 0) {
		flags |= CLONE_NEWUSER;
	}
	if (unshare(flags) < 0) {
		return false;
	}
	if (uid != 0) {
		snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
		if (!write_text("/proc/self/setgroups", "deny") ||
		    !write_text("/proc/self/uid_map", map)) {
			return false;
		}
		snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
		if (!write_text("/proc/self/gid_map", map)) {
			return false;
		}
	}
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* Waits for a child; a signal is passed on once. */
static int wait_for(pid_t pid)
{
	bool told = false;
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return TOOL_FAILED;
		}
		if (tool_interrupted() && !told) {
			kill(pid, SIGTERM);
			told = true;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : TOOL_FAILED;
}

/* The first process in there: all others end with it. */
static void __attribute__((noreturn)) first(int (*body)(void *context), void *context)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!enter()) {
		_exit(NO_JAIL);
	}
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(body(context));
	}
	_exit(pid < 0 ? NO_JAIL : wait_for(pid));
}

int tool_jail_run(int (*body)(void *context), void *context, int *ret_code, struct why *why)
{
	pid_t pid;
	int code;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		first(body, context);
	}
	code = pid < 0 ? NO_JAIL : wait_for(pid);
	if (code == NO_JAIL) {
		return why_set(why, -EACCES,
			       "namespaces for unprivileged users are switched off here "
			       "(kernel.unprivileged_userns_clone); ask an administrator");
	}
	*ret_code = code;
	return 0;
}
