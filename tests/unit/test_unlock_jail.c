/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that looks at headers cannot do. Each test is a child in the jail. */
#define _GNU_SOURCE
#include "unlock_jail.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* Its alternative signal stack is one more system call that the jail does not know. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "use_sigaltstack=0";
}

/* What `attempt` returns in the jail: 0 to 100. */
static int in_jail(int (*attempt)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (!unlock_warm_up()) {
			_exit(101);
		}
		if (!unlock_jail(64u << 20)) {
			_exit(102);
		}
		/* Not _exit(): the sanitizer would look at its signal stack first. */
		syscall(SYS_exit_group, attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ||
	       openat(AT_FDCWD, "/tmp", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM;
}

static int try_network(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static int try_program(void)
{
	char *const argv[] = {(char *)"/bin/true", NULL};

	return execve(argv[0], argv, NULL) == 0 || fork() >= 0;
}

static int try_executable_memory(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		return 3;
	}
	return mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0 ||
	       mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		       MAP_FAILED;
}

static int try_memory(void)
{
	return mmap(NULL, 128u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static int try_other_processes(void)
{
	return kill(getppid(), 0) == 0;
}

static void *nothing(void *context)
{
	return context;
}

/* The one thing it needs: threads, for Argon2. */
static int try_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0;
}

static void jail_opens_no_file(void **state)
{
	assert_int_equal(in_jail(try_open), 0);
}

static void jail_has_no_network(void **state)
{
	assert_int_equal(in_jail(try_network), 0);
}

static void jail_starts_no_program(void **state)
{
	assert_int_equal(in_jail(try_program), 0);
}

static void jail_has_no_new_code(void **state)
{
	assert_int_equal(in_jail(try_executable_memory), 0);
}

static void jail_bounds_memory(void **state)
{
	assert_int_equal(in_jail(try_memory), 0);
}

static void jail_sends_no_signals(void **state)
{
	assert_int_equal(in_jail(try_other_processes), 0);
}

static void jail_allows_threads(void **state)
{
	assert_int_equal(in_jail(try_thread), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jail_opens_no_file),	  cmocka_unit_test(jail_has_no_network),
		cmocka_unit_test(jail_starts_no_program), cmocka_unit_test(jail_has_no_new_code),
		cmocka_unit_test(jail_bounds_memory),	  cmocka_unit_test(jail_sends_no_signals),
		cmocka_unit_test(jail_allows_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
