/* SPDX-License-Identifier: Apache-2.0 */
/** Console output of a guest: what is kept, and which lines are picked out. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fakes/scratch.h"
#include "console.h"

static struct console console;
static char seen[128];
static unsigned int seen_count;

static void note(void *data, const char *line)
{
	assert_ptr_equal(data, &console);
	snprintf(seen, sizeof(seen), "%s", line);
	seen_count++;
}

static void put(unsigned int source, const char *text)
{
	console_write(&console, source, text, strlen(text));
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(scratch_make("/tmp"), 0);
	console_init(&console, scratch_folder, "desktop");
	console.marked = note;
	console.data = &console;
	seen_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	console_fini(&console);
	return scratch_remove();
}

/* A marked line is found however it is cut into pieces, and only at the beginning of a line. */
static void console_finds_marked_lines(void **state)
{
	(void)state;
	put(0, "boot\nBULK");
	put(0, "HEAD-READY");
	assert_int_equal(seen_count, 0);
	put(0, ": screen\r\n");
	assert_int_equal(seen_count, 1);
	assert_string_equal(seen, "BULKHEAD-READY: screen");
	put(0, "say BULKHEAD-READY\n");
	assert_int_equal(seen_count, 1);
}

/* Serial port and virtio console have lines of their own. */
static void console_keeps_sources_apart(void **state)
{
	(void)state;
	put(0, "BULKHEAD-");
	put(1, "noise\n");
	put(0, "KEY 35\n");
	assert_string_equal(seen, "BULKHEAD-KEY 35");
}

/* What a guest puts into a marked line is made harmless and short. */
static void console_cleans_marked_lines(void **state)
{
	char line[300];

	(void)state;
	put(0, "BULKHEAD-\x1b[2J\n");
	assert_string_equal(seen, "BULKHEAD-?[2J");
	memset(line, 'x', sizeof(line));
	memcpy(line, "BULKHEAD-", 9);
	line[sizeof(line) - 1] = '\n';
	console_write(&console, 0, line, sizeof(line));
	assert_int_equal(strlen(seen), CONSOLE_LINE - 1);
}

/* A guest cannot flood our console with marked lines; a new start gives it new ones. */
static void console_bounds_marked_lines(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < CONSOLE_MARKED_MAX + 10; i++) {
		put(0, "BULKHEAD-X\n");
	}
	assert_int_equal(seen_count, CONSOLE_MARKED_MAX);
	console_restart(&console);
	put(0, "BULKHEAD-X\n");
	assert_int_equal(seen_count, CONSOLE_MARKED_MAX + 1);
}

/* The log file never grows beyond its limit; the one before is kept beside it. */
static void console_bounds_the_log_file(void **state)
{
	static char text[1000];
	struct stat status;
	char path[160];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (int i = 0; i < 600; i++) {
		console_write(&console, 0, text, sizeof(text));
	}
	assert_int_equal(stat(console.path, &status), 0);
	assert_true(status.st_size > 0 && status.st_size <= CONSOLE_FILE_MAX);
	snprintf(path, sizeof(path), "%s.1", console.path);
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_size <= CONSOLE_FILE_MAX);
}

/* A reader that is behind gets the oldest bytes that are left, one that is ahead gets nothing. */
static void ring_read_goes_on_at_the_cursor(void **state)
{
	static struct ring ring;
	char text[16];
	uint64_t cursor = 0;

	(void)state;
	ring_write(&ring, "hello", 5);
	assert_int_equal(ring_read(&ring, &cursor, text, sizeof(text)), 5);
	assert_int_equal(ring_read(&ring, &cursor, text, sizeof(text)), 0);
	for (unsigned int i = 0; i < RING_SIZE; i++) {
		ring_write(&ring, i % 2 ? "b" : "a", 1);
	}
	ring_write(&ring, "xyz", 3);
	cursor = 1;
	assert_int_equal(ring_read(&ring, &cursor, text, 4), 4);
	assert_memory_equal(text, "baba", 4);
	cursor = ring.written - 3;
	assert_int_equal(ring_read(&ring, &cursor, text, sizeof(text)), 3);
	assert_memory_equal(text, "xyz", 3);
	cursor = UINT64_MAX;
	assert_int_equal(ring_read(&ring, &cursor, text, sizeof(text)), 0);
	assert_int_equal(cursor, ring.written);
}

/* One write larger than the ring leaves its end. */
static void ring_write_keeps_the_end_of_a_large_text(void **state)
{
	static struct ring ring;
	static char text[RING_SIZE + 10];
	uint64_t cursor = 0;
	char first[4];

	(void)state;
	memset(text, '.', sizeof(text));
	memcpy(text + 10, "begin", 5);
	ring_write(&ring, text, sizeof(text));
	assert_int_equal(ring.written, sizeof(text));
	assert_int_equal(ring_read(&ring, &cursor, first, 4), 4);
	assert_memory_equal(first, "begi", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(console_finds_marked_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(console_keeps_sources_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(console_cleans_marked_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(console_bounds_marked_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(console_bounds_the_log_file, setup, teardown),
		cmocka_unit_test(ring_read_goes_on_at_the_cursor),
		cmocka_unit_test(ring_write_keeps_the_end_of_a_large_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
