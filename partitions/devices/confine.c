/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the list of system calls that every back end may make. Invariant: nothing on it opens a
 * path, starts a program, makes a socket or maps executable memory. */
#define _GNU_SOURCE

#include "confine.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const int common_syscalls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(close),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(accept4),
	SCMP_SYS(setsockopt),
	SCMP_SYS(munmap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(fstat),
	SCMP_SYS(fcntl),
	SCMP_SYS(newfstatat),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
};

static int add_list(scmp_filter_ctx filter, const int *list, unsigned count)
{
	for (unsigned i = 0; i < count && list[i] >= 0; i++) {
		int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, list[i], 0);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int load_filter(const struct confine *confine)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!filter) {
		return -ENOMEM;
	}
	rc = add_list(filter, common_syscalls,
		      sizeof(common_syscalls) / sizeof(common_syscalls[0]));
	if (rc == 0 && confine->syscalls) {
		rc = add_list(filter, confine->syscalls, 64);
	}
	if (rc == 0) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	}
	if (rc == 0) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	}
	if (rc == 0) {
		rc = seccomp_load(filter);
	}
	seccomp_release(filter);
	return rc;
}

int confine_apply(const struct confine *confine)
{
	const struct rlimit none = {0, 0};
	struct rlimit files;

	files.rlim_cur = confine->fd_limit ? confine->fd_limit : 64;
	files.rlim_max = files.rlim_cur;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	return load_filter(confine);
}
