/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes. */
#define _GNU_SOURCE

#include "tool_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 10u

static void __attribute__((noreturn)) become(char *const *argv, int log_fd, int keep_fd)
{
	int nothing = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is for the one who started it, who ends it in order */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(nothing, STDIN_FILENO);
	dup2(log_fd, STDOUT_FILENO);
	dup2(log_fd, STDERR_FILENO);
	if (keep_fd >= 0) {
		fcntl(keep_fd, F_SETFD, 0);
	}
	execv(argv[0], argv);
	_exit(127);
}

pid_t tool_spawn(char *const *argv, int log_fd, int keep_fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		become(argv, log_fd, keep_fd);
	}
	return pid < 0 ? -errno : pid;
}

bool tool_spawn_is_alive(pid_t *pid)
{
	if (*pid > 0 && waitpid(*pid, NULL, WNOHANG) != 0) {
		*pid = 0;
	}
	return *pid > 0;
}

int tool_spawn_code(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return 255;
		}
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

void tool_spawn_sleep(unsigned ms)
{
	const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&time, NULL);
}

bool tool_spawn_wait(pid_t *pid, unsigned ms)
{
	for (unsigned waited = 0; tool_spawn_is_alive(pid) && waited < ms; waited += STEP_MS) {
		tool_spawn_sleep(STEP_MS);
	}
	return *pid <= 0;
}

void tool_spawn_end(pid_t *pid, unsigned ms)
{
	if (*pid <= 0) {
		return;
	}
	kill(*pid, SIGTERM);
	if (!tool_spawn_wait(pid, ms)) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
		*pid = 0;
	}
}
