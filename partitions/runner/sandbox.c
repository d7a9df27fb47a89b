/* SPDX-License-Identifier: Apache-2.0 */
/** A list of allowed system calls; anything else ends the process. Nothing on it opens a file,
 * makes a socket, starts a program or maps executable memory; ioctl() reaches one kind of device
 * only. */
#define _GNU_SOURCE
#include "sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Bits 8 to 15 of an ioctl number name the kind of device: /dev/bulkhead, but in the build over
 * KVM. */
#ifndef RUNNER_IOCTL_TYPE
#define RUNNER_IOCTL_TYPE 'B'
#endif

static const int allowed[] = {
	SCMP_SYS(read),		SCMP_SYS(write),	  SCMP_SYS(poll),
	SCMP_SYS(ppoll),	SCMP_SYS(recvfrom),	  SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),	SCMP_SYS(shutdown),	  SCMP_SYS(futex),
	SCMP_SYS(close),	SCMP_SYS(munmap),	  SCMP_SYS(madvise),
	SCMP_SYS(brk),		SCMP_SYS(clock_gettime),  SCMP_SYS(clock_nanosleep),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),		SCMP_SYS(exit_group),	  SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield),	SCMP_SYS(time),		  SCMP_SYS(gettimeofday),
};

static int add_rules(scmp_filter_ctx filter)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	}
	if (err == 0) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, RUNNER_IOCTL_TYPE << 8));
	}
	if (err == 0) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	}
	if (err == 0) {
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	}
	return err;
}

static int load_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err;

	if (filter == NULL) {
		return -ENOMEM;
	}
	/* All threads at once: vcpu threads exist already. */
	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (err == 0) {
		err = add_rules(filter);
	}
	if (err == 0) {
		err = seccomp_load(filter);
	}
	seccomp_release(filter);
	return err;
}

int sandbox_drop_capabilities(void)
{
	if (geteuid() != 0) {
		return 0;
	}
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}

int sandbox_enter(void)
{
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	return load_filter();
}
