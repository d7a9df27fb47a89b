/* SPDX-License-Identifier: Apache-2.0 */
/** The log ring and what of it reaches the console. */
#include "dbg/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "dbg/check.h"
#include "dbg/console.h"
#include "dbg/halt.h"
#include "insn_fake.h"

#define RING 0x10000u

/* A line is "[tsc] tag: text" and reaches ring and console. */
static void log_prints_lines(void **state)
{
	uint64_t start, written;
	char buf[128] = {0};

	(void)state;
	insn_fake.tsc = 1234;
	log_info("unit", "value %d", 42);
	log_read(0, buf, sizeof(buf) - 1, &start, &written);
	assert_string_equal(buf, "[       1234] unit: value 42\n");
	assert_int_equal(start, 0);
	assert_int_equal(written, strlen(buf));
	assert_string_equal(insn_fake.console, "[       1234] unit: value 42\r\n");
}

/* Debug lines are kept only when asked for. */
static void log_level_filters(void **state)
{
	uint64_t start, before, after;
	char c;

	(void)state;
	log_read(0, &c, 0, &start, &before);
	log_debug("unit", "not seen");
	log_read(0, &c, 0, &start, &after);
	assert_int_equal(before, after);
	log_set_level(LOG_DEBUG);
	log_debug("unit", "seen");
	log_read(0, &c, 0, &start, &after);
	assert_true(after > before);
	log_set_level(LOG_INFO);
}

/* After the console was released only errors go out. */
static void log_spares_a_released_console(void **state)
{
	(void)state;
	console_release();
	insn_fake.console_used = 0;
	log_notice("unit", "quiet");
	assert_int_equal(insn_fake.console_used, 0);
	log_error("unit", "loud");
	assert_true(insn_fake.console_used > 0);
}

/* A reader that fell behind gets the oldest text that is left; one at the end gets nothing. */
static void log_read_catches_up(void **state)
{
	static char buf[2 * RING];
	uint64_t start, written;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		log_info("unit", "line %u", i);
	}
	assert_int_equal(log_read(0, buf, sizeof(buf), &start, &written), RING);
	assert_int_equal(start, written - RING);
	assert_memory_equal(buf + RING - 10, "line 3999\n", 10);
	assert_int_equal(log_read(written + 99, buf, sizeof(buf), &start, &written), 0);
	assert_int_equal(start, written);
}

/* A text longer than a line is cut and still ends the line. */
static void log_cuts_long_lines(void **state)
{
	uint64_t start, from, to;
	char buf[512], text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	log_read(~0ull, buf, 0, &start, &from);
	log_info("unit", "%s", text);
	log_read(from, buf, sizeof(buf), &start, &to);
	assert_true(to - from < 256);
	assert_int_equal(buf[to - from - 1], '\n');
}

/* A refused start names the cause and the remedy, and says that it halted. */
static void boot_refuse_says_why(void **state)
{
	(void)state;
	insn_fake.console_used = 0;
	memset(insn_fake.console, 0, sizeof(insn_fake.console));
	assert_true(INSN_FAKE_STOPS(boot_refuse("no VT-x", "switch it on")));
	assert_string_equal(insn_fake.console,
			    "bulkhead: cannot start: no VT-x; switch it on\r\nbulkhead: halted\r\n");
}

/* A failed check stops the machine with its condition on the console. */
static void check_stops_with_a_record(void **state)
{
	(void)state;
	insn_fake.console_used = 0;
	memset(insn_fake.console, 0, sizeof(insn_fake.console));
	assert_true(INSN_FAKE_STOPS(check_failed("file.c", 7, "a == b")));
	assert_non_null(strstr(insn_fake.console, "check failed at file.c:7: a == b"));
	assert_non_null(strstr(insn_fake.console, "bulkhead: halted"));
}

static int prepare(void **state)
{
	(void)state;
	insn_fake_reset();
	console_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_prints_lines),
		cmocka_unit_test(log_level_filters),
		cmocka_unit_test(log_spares_a_released_console),
		cmocka_unit_test(log_read_catches_up),
		cmocka_unit_test(log_cuts_long_lines),
		cmocka_unit_test(boot_refuse_says_why),
		cmocka_unit_test(check_stops_with_a_record),
	};
	return cmocka_run_group_tests(tests, prepare, NULL);
}
