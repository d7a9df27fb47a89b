/* SPDX-License-Identifier: Apache-2.0 */
/** Giving up privileges; see confine.h. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <cap-ng.h>
#include <seccomp.h>

#define PRIORITY 50 /* SCHED_FIFO; above every back end, below nothing that guests can reach */
#define STACK	 (256 * 1024)

static int complain(const char *what, int error)
{
	fprintf(stderr, "bulkhead-switcher: %s: %s\n", what, strerror(error));
	return -1;
}

/** Later calls find their stack in memory already. */
static void touch_stack(void)
{
	volatile char stack[STACK];

	for (size_t i = 0; i < sizeof(stack); i += 4096) {
		stack[i] = 0;
	}
}

void confine_realtime(void)
{
	const struct sched_param priority = {.sched_priority = PRIORITY};

	touch_stack();
	/* Not MCL_FUTURE: a guest's surface would be read in as a whole when it is mapped. */
	if (mlockall(MCL_CURRENT) < 0) {
		complain("memory is not locked", errno);
	}
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) < 0) {
		complain("no real-time priority", errno);
	}
}

static int drop(unsigned uid, unsigned gid, bool keep_search)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (keep_search) {
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_READ_SEARCH);
	}
	if (capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) < 0) {
		return complain("cannot drop root", errno);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return complain("no_new_privs", errno);
	}
	return 0;
}

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int bad = 0;

	for (size_t i = 0; i < count; i++) {
		bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	}
	return bad;
}

static int load(scmp_filter_ctx filter, int bad)
{
	int error = bad ? -EINVAL : seccomp_load(filter);

	seccomp_release(filter);
	return error ? complain("system-call filter", -error) : 0;
}

int confine_switcher(unsigned uid, unsigned gid, int drm_fd)
{
	static const int calls[] = {
		SCMP_SYS(ppoll),	SCMP_SYS(poll),		  SCMP_SYS(read),
		SCMP_SYS(write),	SCMP_SYS(pread64),	  SCMP_SYS(recvmsg),
		SCMP_SYS(sendto),	SCMP_SYS(sendmsg),	  SCMP_SYS(close),
		SCMP_SYS(fcntl),	SCMP_SYS(fstat),	  SCMP_SYS(newfstatat),
		SCMP_SYS(fstatfs),	SCMP_SYS(munmap),	  SCMP_SYS(clock_gettime),
		SCMP_SYS(brk),		SCMP_SYS(exit),		  SCMP_SYS(exit_group),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
		SCMP_SYS(getpid),	SCMP_SYS(gettid),	  SCMP_SYS(tgkill),
	};

	if (drop(uid, gid, false) < 0) {
		return -1;
	}
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int bad = !filter || allow(filter, calls, sizeof(calls) / sizeof(calls[0]));

	/* Input devices by the family of the call, the screen by its fd and family. */
	bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, 'E' << 8));
	bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)drm_fd),
				SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, 'd' << 8));
	bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return load(filter, bad);
}

int confine_opener(unsigned uid, unsigned gid)
{
	static const int calls[] = {
		SCMP_SYS(poll),
		SCMP_SYS(ppoll),
		SCMP_SYS(read),
		SCMP_SYS(inotify_init1),
		SCMP_SYS(inotify_add_watch),
		SCMP_SYS(getdents64),
		SCMP_SYS(sendmsg),
		SCMP_SYS(close),
		SCMP_SYS(fstat),
		SCMP_SYS(newfstatat),
		SCMP_SYS(brk),
		SCMP_SYS(exit_group),
		SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall),
		SCMP_SYS(fcntl),
	};

	if (drop(uid, gid, true) < 0) {
		return -1;
	}
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int bad = !filter || allow(filter, calls, sizeof(calls) / sizeof(calls[0]));

	bad |= seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	bad |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return load(filter, bad);
}
