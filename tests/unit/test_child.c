/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes that talk over a socket: shells with a script as their input. */
#include "child.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct child child;
static char reply[4096];
static size_t size;

/* A shell that runs `script`; what it prints comes back. Returns its exit code. */
static int run(const char *script)
{
	int rc;

	assert_int_equal(child_start("/bin/sh", -1, true, &child), 0);
	assert_int_equal(child_send(&child, script, strlen(script)), 0);
	child_end_input(&child);
	memset(reply, 0, sizeof(reply));
	rc = child_receive(&child, reply, sizeof(reply) - 1, &size, 20);
	assert_int_equal(rc, 0);
	return child_finish(&child);
}

/* Output and exit code come back. */
static void output_and_exit_code_come_back(void **state)
{
	assert_int_equal(run("echo here; exit 3\n"), 3);
	assert_string_equal(reply, "here\n");
}

/* It has nothing of our environment. */
static void environment_is_empty(void **state)
{
	assert_int_equal(run("echo ${HOME-none} ${LD_PRELOAD-none}\n"), 0);
	assert_string_equal(reply, "none none\n");
}

/* A descriptor can be handed over as number 3. */
static void extra_descriptor_is_number_three(void **state)
{
	int ends[2];
	char text[8] = "";

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(child_start("/bin/sh", ends[1], false, &child), 0);
	assert_int_equal(child_send(&child, "echo three >&3\n", 15), 0);
	child_end_input(&child);
	close(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof(text) - 1), 6);
	assert_string_equal(text, "three\n");
	close(ends[0]);
	assert_int_equal(child_finish(&child), 0);
}

/* One that says nothing is given up in time, and ended. */
static void silent_child_is_given_up(void **state)
{
	assert_int_equal(child_start("/bin/cat", -1, true, &child), 0);
	assert_int_equal(child_receive(&child, reply, sizeof(reply), &size, 0), -ETIMEDOUT);
	assert_int_not_equal(child_finish(&child), 1);
}

/* A program that is not there is an error, and so is talking to one that is gone. */
static void missing_and_gone_are_errors(void **state)
{
	static const uint8_t much[1 << 20];

	assert_int_equal(child_start("/no/such/program", -1, true, &child), -ENOENT);
	assert_int_equal(child_start("/bin/true", -1, true, &child), 0);
	assert_int_not_equal(child_send(&child, much, sizeof(much)), 0);
	assert_int_equal(child_finish(&child), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_exit_code_come_back),
		cmocka_unit_test(environment_is_empty),
		cmocka_unit_test(extra_descriptor_is_number_three),
		cmocka_unit_test(silent_child_is_given_up),
		cmocka_unit_test(missing_and_gone_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
