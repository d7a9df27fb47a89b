/* SPDX-License-Identifier: Apache-2.0 */
/* First all that needs files and threads is loaded, then the door is shut. */
#define _GNU_SOURCE

#include "unlock_jail.h"

#include "unlock_proto.h"

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREAD_STACK (256u << 10)

static void *end_thread(void *context)
{
	pthread_exit(context);
}

/* The first pthread_exit() loads a library; Argon2's threads end by it. */
static bool warm_up_threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool good;

	mallopt(M_ARENA_MAX, 1);
	good = pthread_attr_init(&attr) == 0 &&
	       pthread_attr_setstacksize(&attr, THREAD_STACK) == 0 &&
	       pthread_setattr_default_np(&attr) == 0 &&
	       pthread_create(&thread, NULL, end_thread, NULL) == 0;
	if (good) {
		pthread_join(thread, NULL);
	}
	return good;
}

/* Loading a header that is not there starts the ciphers and the source of random numbers. */
bool unlock_warm_up(void)
{
	struct crypt_device *device;
	int fd = memfd_create("empty", MFD_CLOEXEC);
	char path[40];
	bool good;

	if (fd < 0 || ftruncate(fd, 1 << 20) < 0) {
		return false;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	crypt_metadata_locking(NULL, 0);
	crypt_token_external_disable();
	good = warm_up_threads() && crypt_init(&device, path) == 0;
	if (good) {
		(void)crypt_load(device, CRYPT_LUKS2, NULL);
		crypt_free(device);
	}
	close(fd);
	return good;
}

static size_t mapped_now(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f) {
		if (fscanf(f, "%lu", &pages) != 1) {
			pages = 0;
		}
		fclose(f);
	}
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static bool limit(int what, rlim_t value)
{
	struct rlimit r = {value, value};

	return setrlimit(what, &r) == 0;
}

static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(dup),
	SCMP_SYS(fcntl),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fstatfs),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(mlock),
	SCMP_SYS(mlock2),
	SCMP_SYS(munlock),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(sysinfo),
	SCMP_SYS(uname),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(getrusage),
	SCMP_SYS(getpriority),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Threads may be made, processes not; memory may be mapped, but never to be executed; fstat() is
 * newfstatat() of an empty path. clone3() hides its flags, so the C library is told to use clone().
 */
static int add_conditions(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));

	rc = rc ? rc : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	rc = rc ? rc
		: seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc = rc ? rc
		: seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc = rc ? rc
		: seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
				   SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	return rc ? rc
		  : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				     SCMP_A2(SCMP_CMP_EQ, 0, 0));
}

static bool filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc = filter ? 0 : -ENOMEM;

	for (unsigned i = 0; !rc && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	}
	rc = rc ? rc : add_conditions(filter);
	rc = rc ? rc : seccomp_load(filter);
	seccomp_release(filter);
	return rc == 0;
}

bool unlock_jail(size_t memory)
{
	return prctl(PR_SET_DUMPABLE, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       limit(RLIMIT_CORE, 0) && limit(RLIMIT_CPU, UNLOCK_CPU_SECONDS) &&
	       limit(RLIMIT_FSIZE, LUKS_AREA_MAX + (1u << 20)) &&
	       limit(RLIMIT_AS, mapped_now() + memory) && filter_calls();
}
