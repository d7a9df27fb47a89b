/* SPDX-License-Identifier: Apache-2.0 */
/* What a person sees of a long job. */
#include "tool_progress.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define GIB (1ull << 30)

/* Not used: this test has no verbs. */
const struct tool_verb tool_verbs[] = {{.name = NULL}};

/* Percent and amount always; rate and time left as soon as they say something. */
static void progress_says_rate_and_time_left(void **state)
{
	char text[TOOL_PROGRESS_TEXT];

	(void)state;
	assert_string_equal(tool_progress_text(text, 0, 0, GIB, 4 * GIB, 500000), " 25 %  1.0 GiB");
	assert_string_equal(tool_progress_text(text, 0, 0, GIB, 4 * GIB, 2000000),
			    " 25 %  1.0 GiB  512 MiB/s  6 s left");
}

/* A job that goes on where another one stopped does not count that one's work as its own. */
static void progress_of_a_resumed_job_has_its_own_rate(void **state)
{
	char text[TOOL_PROGRESS_TEXT];

	(void)state;
	assert_string_equal(tool_progress_text(text, 0, 2 * GIB, 3 * GIB, 4 * GIB, 2000000),
			    " 75 %  3.0 GiB  512 MiB/s  2 s left");
}

/* A wide terminal gets a bar; no line is longer than the terminal that it is for. */
static void progress_draws_a_bar_where_there_is_room(void **state)
{
	char text[TOOL_PROGRESS_TEXT];

	(void)state;
	tool_progress_text(text, 80, 0, GIB, 2 * GIB, 500000);
	assert_string_equal(text, "[##############..............]  50 %  1.0 GiB");
	tool_progress_text(text, 80, 0, 123456789012345, 999999999999999, 3600000000);
	assert_true(strlen(text) < 76);
}

/* An empty job is done. */
static void progress_of_nothing_is_whole(void **state)
{
	char text[TOOL_PROGRESS_TEXT];

	(void)state;
	assert_string_equal(tool_progress_text(text, 0, 0, 0, 0, 0), "100 %  0 bytes");
}

/* After Ctrl-C the next step ends the job. */
static void progress_ends_the_job_after_a_signal(void **state)
{
	struct tool tool = {.quiet = true};
	struct tool_progress progress;

	(void)state;
	tool_catch_signals();
	tool_progress_begin(&progress, &tool, "test");
	assert_int_equal(tool_progress_step(&progress, 1, 2), 0);
	raise(SIGINT);
	assert_int_equal(tool_progress_step(&progress, 2, 2), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_says_rate_and_time_left),
		cmocka_unit_test(progress_of_a_resumed_job_has_its_own_rate),
		cmocka_unit_test(progress_draws_a_bar_where_there_is_room),
		cmocka_unit_test(progress_of_nothing_is_whole),
		cmocka_unit_test(progress_ends_the_job_after_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
