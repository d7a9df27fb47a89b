/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the list of system calls that every back end may make. Invariant: nothing on it opens a
 * path, starts a program, makes a socket or maps executable memory. A back end that needs files of
 * one folder gets those calls only after Landlock has shut all other paths. */
#define _GNU_SOURCE

#include "confine.h"

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static const int folder_syscalls[] = {
	SCMP_SYS(openat),     SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlinkat),
	SCMP_SYS(getdents64), SCMP_SYS(fsync),	  SCMP_SYS(fstatfs),
};

/* All that Landlock of Linux 5.13 knows of. */
#define ALL_ACCESS (2 * (uint64_t)LANDLOCK_ACCESS_FS_MAKE_SYM - 1)
#define FOLDER_ACCESS                                                                              \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
	 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                               \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* Files of this folder and of no other; what is open stays open. */
static int stay_in_folder(int folder_fd)
{
	const struct landlock_ruleset_attr all = {.handled_access_fs = ALL_ACCESS};
	const struct landlock_path_beneath_attr folder = {
		.allowed_access = FOLDER_ACCESS,
		.parent_fd = folder_fd,
	};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	int rc = 0;

	if (ruleset < 0) {
		return -errno;
	}
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &folder, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		rc = -errno;
	}
	close(ruleset);
	return rc;
}

static int add_list(scmp_filter_ctx filter, uint32_t action, const int *list, unsigned count)
{
	for (unsigned i = 0; i < count && list[i] >= 0; i++) {
		int rc = seccomp_rule_add(filter, action, list[i], 0);

		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int load_filter(const struct confine *confine, uint32_t folder_action)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (!filter) {
		return -ENOMEM;
	}
	rc = add_list(filter, SCMP_ACT_ALLOW, common_syscalls,
		      sizeof(common_syscalls) / sizeof(common_syscalls[0]));
	if (rc == 0 && confine->syscalls) {
		rc = add_list(filter, SCMP_ACT_ALLOW, confine->syscalls, 64);
	}
	if (rc == 0 && folder_action) {
		rc = add_list(filter, folder_action, folder_syscalls,
			      sizeof(folder_syscalls) / sizeof(folder_syscalls[0]));
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
	const bool has_folder = confine->folder_fd && *confine->folder_fd >= 0;
	struct rlimit files;
	uint32_t action = 0;

	files.rlim_cur = confine->fd_limit ? confine->fd_limit : 64;
	files.rlim_max = files.rlim_cur;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	if (has_folder) {
		action = stay_in_folder(*confine->folder_fd) < 0 ? SCMP_ACT_ERRNO(EACCES)
								 : SCMP_ACT_ALLOW;
	}
	return load_filter(confine, action);
}
