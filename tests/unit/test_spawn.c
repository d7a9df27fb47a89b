/* SPDX-License-Identifier: Apache-2.0 */
/** What a started program has, and above all what it has not. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "spawn.h"

static char output[16384];

/* Runs `sh -c script` as spawn says, collects what it prints, returns its wait status. */
static int run(struct spawn *spawn, const char *script)
{
	struct spawn_child child;
	size_t used = 0;
	int status;

	spawn_arg(spawn, "-c");
	spawn_arg(spawn, "%s", script);
	assert_int_equal(spawn_run(spawn, &child), 0);
	spawn_fini(spawn);
	for (;;) {
		struct pollfd pfd = {.fd = child.log_fd, .events = POLLIN};
		ssize_t got;

		poll(&pfd, 1, -1);
		got = read(child.log_fd, output + used, sizeof(output) - 1 - used);
		if (got <= 0) {
			break;
		}
		used += (size_t)got;
	}
	output[used] = 0;
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	close(child.pidfd);
	close(child.log_fd);
	return status;
}

/* Only the named files are open, at the numbers that were promised. */
static void spawn_passes_the_named_fds_only(void **state)
{
	struct spawn spawn;
	int secret = open("/dev/zero", O_RDONLY); /* not close-on-exec */
	int number;

	(void)state;
	assert_true(secret >= 0);
	spawn_init(&spawn, "/bin", "sh");
	number = spawn_fd(&spawn, open("/dev/full", O_WRONLY | O_CLOEXEC));
	assert_int_equal(number, 3);
	assert_int_equal(
		run(&spawn, "cd /proc/self/fd && for f in *; do echo $f $(readlink $f); done"), 0);
	assert_non_null(strstr(output, "0 /dev/null\n"));
	assert_non_null(strstr(output, "3 /dev/full\n"));
	assert_null(strstr(output, "/dev/zero"));
	close(secret);
}

/* A confined program: its own user, no groups, no capability it has or could get, no core files. */
static void spawn_confined_has_no_rights(void **state)
{
	struct spawn spawn;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	spawn_init(&spawn, "/bin", "sh");
	spawn.confine = true;
	spawn.uid = 2016;
	assert_int_equal(run(&spawn, "cat /proc/self/status; ulimit -c; ulimit -n; ulimit -l"), 0);
	assert_non_null(strstr(output, "Uid:\t2016\t2016\t2016\t2016\n"));
	assert_non_null(strstr(output, "Gid:\t2016\t2016\t2016\t2016\n"));
	assert_non_null(strstr(output, "Groups:\t \n"));
	for (const char *set = "InhPrmEffBndAmb"; *set; set += 3) {
		char line[48];

		snprintf(line, sizeof(line), "Cap%.3s:\t0000000000000000\n", set);
		assert_non_null(strstr(output, line));
	}
	assert_non_null(strstr(output, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(output, "\n0\n512\n0\n"));
}

/* It is in a process group of its own and sees an environment of two variables. */
static void spawn_gives_a_group_and_a_clean_environment(void **state)
{
	struct spawn spawn;

	(void)state;
	setenv("SECRET", "1", 1);
	spawn_init(&spawn, "/bin", "sh");
	assert_int_equal(run(&spawn, "env; set -- $(cat /proc/$$/stat); echo same $(($1 == $5))"),
			 0);
	assert_null(strstr(output, "SECRET"));
	assert_non_null(strstr(output, "PATH=/usr/bin:/bin\n"));
	assert_non_null(strstr(output, "same 1\n"));
}

/* A program that is not there ends with status 126 and says which. */
static void spawn_names_a_missing_program(void **state)
{
	struct spawn spawn;

	(void)state;
	spawn_init(&spawn, "/bin", "no-such-program");
	assert_int_equal(WEXITSTATUS(run(&spawn, "")), 126);
	assert_string_equal(output,
			    "cannot start: /bin/no-such-program: No such file or directory\n");
}

/* An fd that could not be made is an error of the whole start. */
static void spawn_refuses_a_missing_fd(void **state)
{
	struct spawn_child child;
	struct spawn spawn;

	(void)state;
	spawn_init(&spawn, "/bin", "sh");
	assert_int_equal(spawn_fd(&spawn, -1), -1);
	assert_int_equal(spawn_run(&spawn, &child), -EBADF);
	spawn_fini(&spawn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spawn_passes_the_named_fds_only),
		cmocka_unit_test(spawn_confined_has_no_rights),
		cmocka_unit_test(spawn_gives_a_group_and_a_clean_environment),
		cmocka_unit_test(spawn_names_a_missing_program),
		cmocka_unit_test(spawn_refuses_a_missing_fd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
