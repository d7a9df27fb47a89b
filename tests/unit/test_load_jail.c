/* SPDX-License-Identifier: Apache-2.0 */
/** What the compiler of policies can do in its jail, and what ends it there. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "load_jail.h"

static int file;

static int setup(void **state)
{
	(void)state;
	file = memfd_create("result", MFD_CLOEXEC);
	return file < 0;
}

static int teardown(void **state)
{
	(void)state;
	return close(file);
}

static int run(int (*work)(void *data), void *data)
{
	return load_in_jail(work, data, &file, 1);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Memory, sorting and writing to its file are what a compiler needs; its answer comes back. */
static int compute(void *data)
{
	int *numbers = malloc(100000 * sizeof(*numbers));

	if (!numbers) {
		return 1;
	}
	for (int i = 0; i < 100000; i++) {
		numbers[i] = (i * 7919) % 100003;
	}
	qsort(numbers, 100000, sizeof(*numbers), compare);
	free(numbers);
	return write(file, data, 5) == 5 ? 7 : 1;
}

static void load_jail_lets_it_compute(void **state)
{
	char text[6] = "";

	(void)state;
	assert_int_equal(run(compute, (void *)(uintptr_t) "table"), 7);
	assert_int_equal(pread(file, text, 5, 0), 5);
	assert_string_equal(text, "table");
}

static int open_file(void *data)
{
	return open(data, O_RDONLY) < 0;
}

static int make_socket(void *data)
{
	(void)data;
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int start_program(void *data)
{
	char *argv[] = {data, NULL};

	execv(data, argv);
	return 0;
}

static int make_child(void *data)
{
	(void)data;
	return fork() < 0;
}

/* Opening a file, a network, another program or process ends it at once. */
static void load_jail_ends_what_does_more(void **state)
{
	(void)state;
	assert_int_equal(run(open_file, (void *)(uintptr_t) "/etc/passwd"), -EPROTO);
	assert_int_equal(run(make_socket, NULL), -EPROTO);
	assert_int_equal(run(start_program, (void *)(uintptr_t) "/bin/true"), -EPROTO);
	assert_int_equal(run(make_child, NULL), -EPROTO);
}

static int write_to(void *data)
{
	return write(*(const int *)data, "x", 1) < 0 ? 3 : 4;
}

/* What was open before and not given to it is closed. */
static void load_jail_keeps_only_its_files(void **state)
{
	int other = memfd_create("other", MFD_CLOEXEC), out = STDOUT_FILENO;

	(void)state;
	assert_int_equal(run(write_to, &other), 3);
	assert_int_equal(run(write_to, &out), 3);
	assert_int_equal(run(write_to, &file), 4);
	close(other);
}

static int look_at(void *data)
{
	struct stat status;

	return stat(data, &status) < 0 && errno == ENOSYS ? 3 : 4;
}

/* Which files there are it cannot even ask, nor how large its own ones are. */
static void load_jail_tells_of_no_file(void **state)
{
	(void)state;
	assert_int_equal(run(look_at, (void *)(uintptr_t) "/etc/passwd"), 3);
	assert_int_equal(run(look_at, (void *)(uintptr_t) "/etc/no-such-file"), 3);
}

static int write_for_ever(void *data)
{
	static const char page[1 << 16];

	(void)data;
	while (write(file, page, sizeof(page)) > 0) {
	}
	return 5;
}

/* Who writes without an end is ended, with no more than a table's room taken. */
static void load_jail_bounds_what_is_written(void **state)
{
	(void)state;
	assert_int_equal(run(write_for_ever, NULL), -EPROTO);
	assert_true(lseek(file, 0, SEEK_END) <= 80 << 20);
}

static int crash(void *data)
{
	(void)data;
	_exit(200);
}

/* A status that no work returns is no answer. */
static void load_jail_takes_no_other_answer(void **state)
{
	(void)state;
	assert_int_equal(run(crash, NULL), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(load_jail_lets_it_compute, setup, teardown),
		cmocka_unit_test_setup_teardown(load_jail_ends_what_does_more, setup, teardown),
		cmocka_unit_test_setup_teardown(load_jail_keeps_only_its_files, setup, teardown),
		cmocka_unit_test_setup_teardown(load_jail_tells_of_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(load_jail_bounds_what_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(load_jail_takes_no_other_answer, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
