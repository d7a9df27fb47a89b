/* SPDX-License-Identifier: Apache-2.0 */
/** The compiler in its jail: a child that only computes. Invariant: after load_shut() it can open
 * nothing, reach no network, start nothing; what it wrote is checked as hostile by whoever reads
 * it.
 */
#define _GNU_SOURCE
#include "load_jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_MAX 10u
#define WRITE_MAX   (72u << 20) /* bytes of a file: a table, or the messages */
#define MEMORY_MAX  (512u << 20)
#define FIRST_TO_GO "1000" /* when memory is short, before any daemon */

static const int allowed[] = {
	SCMP_SYS(write),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(brk),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(exit_group),
	SCMP_SYS(exit),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sysinfo), /* qsort() of the C library asks how much memory there is */
#ifdef __SANITIZE_ADDRESS__
	/* The sanitizers' own. */
	SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
#endif
};

/* The C library goes on without these. They name files, and what is there is nobody's to know. */
static const int refused[] = {SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(lseek)};

static int limit(int resource, uint64_t value)
{
	const struct rlimit both = {value, value};

	return setrlimit((__rlimit_resource_t)resource, &both) ? -errno : 0;
}

int load_shut(void)
{
	scmp_filter_ctx filter;
	int ret = limit(RLIMIT_CPU, SECONDS_MAX);

	ret = ret ? ret : limit(RLIMIT_FSIZE, WRITE_MAX);
	ret = ret ? ret : limit(RLIMIT_CORE, 0);
#ifndef __SANITIZE_ADDRESS__ /* which takes terabytes of addresses */
	ret = ret ? ret : limit(RLIMIT_AS, MEMORY_MAX);
#endif
	if (ret || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) {
		return ret ? ret : -errno;
	}
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter) {
		return -ENOMEM;
	}
	for (size_t i = 0; ret == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	}
	for (size_t i = 0; ret == 0 && i < sizeof(refused) / sizeof(refused[0]); i++) {
		ret = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), refused[i], 0);
	}
	ret = ret ? ret : seccomp_load(filter);
	seccomp_release(filter);
	return ret;
}

/* Descriptors that the child must not have are closed on the way. */
static void keep_fds(const int fds[], unsigned int count)
{
	for (int fd = 0; fd < 1024; fd++) {
		unsigned int i = 0;

		while (i < count && fds[i] != fd) {
			i++;
		}
		if (i == count) {
			close(fd);
		}
	}
	syscall(SYS_close_range, 1024, ~0u, 0);
}

static void go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, FIRST_TO_GO, strlen(FIRST_TO_GO));
		close(fd);
	}
}

int load_in_jail(int (*work)(void *data), void *data, const int fds[], unsigned int count)
{
	pid_t pid = fork();
	int status;

	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		go_first();
		keep_fds(fds, count);
		_exit(load_shut() ? 120 : work(data));
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= 120) {
		return -EPROTO;
	}
	return WEXITSTATUS(status);
}
