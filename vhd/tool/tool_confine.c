/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock, seccomp and limits around a program of others. Source: Linux kernel documentation,
 * "Landlock: unprivileged access control", "Seccomp BPF". */
#define _GNU_SOURCE

#include "tool_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_READ (LANDLOCK_ACCESS_FS_READ_FILE)
#define DIR_READ  (FILE_READ | LANDLOCK_ACCESS_FS_READ_DIR)
/* Of ABI 1; what later ones add is taken when the kernel knows it. */
#define WRITE_1                                                                                    \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                           \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                               \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define ALL_1 (DIR_READ | LANDLOCK_ACCESS_FS_EXECUTE | WRITE_1)
/* Of these, a rule on a file (no folder) may have only: */
#define OF_FILES                                                                                   \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                              \
	 LANDLOCK_ACCESS_FS_READ_FILE | TRUNCATE)
#define TRUNCATE (1ull << 14) /* ABI 3 */

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

bool tool_confine_is_there(void)
{
	return landlock_abi() >= 1;
}

/* A path that is not there needs no rule. */
static int allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	struct stat st;
	int rc = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
		rule.allowed_access &= OF_FILES;
	}
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
		rc = -errno;
	}
	close(rule.parent_fd);
	return rc;
}

/* What any dynamically linked program needs to start. */
static int allow_system(int ruleset, const char *program)
{
	static const char *const folders[] = {
		"/usr",	      "/lib",	      "/lib64",	   "/etc/ld.so.cache",
		"/proc/self", "/dev/urandom", "/dev/zero", NULL};
	int rc = 0;

	for (unsigned i = 0; folders[i] && !rc; i++) {
		rc = allow(ruleset, folders[i], DIR_READ);
	}
	rc = rc ? rc : allow(ruleset, "/dev/null", FILE_READ | LANDLOCK_ACCESS_FS_WRITE_FILE);
	rc = rc ? rc : allow(ruleset, "/lib64/ld-linux-x86-64.so.2", LANDLOCK_ACCESS_FS_EXECUTE);
	return rc ? rc : allow(ruleset, program, FILE_READ | LANDLOCK_ACCESS_FS_EXECUTE);
}

static int confine_paths(const struct tool_confine *confine, const char *program)
{
	uint64_t more = landlock_abi() >= 3 ? TRUNCATE : 0;
	const struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_1 | more};
	int rc, ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (ruleset < 0) {
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	}
	rc = allow_system(ruleset, program);
	for (unsigned i = 0; i < TOOL_CONFINE_PATHS && confine->read[i] && !rc; i++) {
		rc = allow(ruleset, confine->read[i], DIR_READ);
	}
	for (unsigned i = 0; i < TOOL_CONFINE_PATHS && confine->write[i] && !rc; i++) {
		rc = allow(ruleset, confine->write[i], DIR_READ | WRITE_1 | more);
	}
	if (!rc && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		rc = -errno;
	}
	close(ruleset);
	return rc;
}

/* Answered by "not permitted" rather than by the end: programs try some of these and go on. */
static int confine_calls(void)
{
	static const int denied[] = {
		SCMP_SYS(mount),
		SCMP_SYS(umount2),
		SCMP_SYS(pivot_root),
		SCMP_SYS(chroot),
		SCMP_SYS(unshare),
		SCMP_SYS(setns),
		SCMP_SYS(open_tree),
		SCMP_SYS(move_mount),
		SCMP_SYS(fsopen),
		SCMP_SYS(ptrace),
		SCMP_SYS(bpf),
		SCMP_SYS(perf_event_open),
		SCMP_SYS(userfaultfd),
		SCMP_SYS(keyctl),
		SCMP_SYS(add_key),
		SCMP_SYS(request_key),
		SCMP_SYS(kexec_load),
		SCMP_SYS(init_module),
		SCMP_SYS(finit_module),
		SCMP_SYS(delete_module),
		SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev),
		SCMP_SYS(open_by_handle_at),
		SCMP_SYS(reboot),
		SCMP_SYS(io_uring_setup),
		SCMP_SYS(personality),
		SCMP_SYS(swapon),
	};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = filter ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]) && !rc; i++) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), denied[i], 0);
	}
	/* Sockets of this machine only. */
	rc = rc ? rc
		: seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
				   SCMP_A0(SCMP_CMP_NE, AF_UNIX));
	rc = rc ? rc : seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

static int limit(int resource, uint64_t value)
{
	const struct rlimit both = {value, value};

	return value && setrlimit(resource, &both) < 0 ? -errno : 0;
}

int tool_confine_enter(const struct tool_confine *confine, const char *program)
{
	const struct rlimit no_core = {0, 0};
	int rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;

	rc = rc ? rc : setrlimit(RLIMIT_CORE, &no_core) < 0 ? -errno : 0;
	rc = rc ? rc : confine_paths(confine, program);
	rc = rc ? rc : confine_calls();
	rc = rc ? rc : limit(RLIMIT_AS, confine->memory);
	rc = rc ? rc : limit(RLIMIT_FSIZE, confine->file_size);
	rc = rc ? rc : limit(RLIMIT_CPU, confine->cpu_seconds);
	return rc;
}
