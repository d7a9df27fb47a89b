/* SPDX-License-Identifier: Apache-2.0 */
/** Conditions of the machine: power and load. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fakes/scratch.h"
#include "policy/lang/text.h"
#include "when.h"

#define LOOK 1000000ull /* ticks from one look to the next */

static int setup(void **state)
{
	(void)state;
	return scratch_make("/tmp") || mkdir(scratch_path("class"), 0755) ||
	       mkdir(scratch_path("class/power_supply"), 0755);
}

static int teardown(void **state)
{
	(void)state;
	return scratch_remove();
}

static void supply(const char *name, const char *type, const char *online)
{
	char path[64];

	snprintf(path, sizeof(path), "class/power_supply/%s", name);
	mkdir(scratch_path(path), 0755);
	snprintf(path, sizeof(path), "class/power_supply/%s/type", name);
	scratch_write(path, type);
	snprintf(path, sizeof(path), "class/power_supply/%s/online", name);
	scratch_write(path, online);
}

/* A laptop is on mains power while its plug says so; a machine without a battery always is. */
static void when_knows_mains_power(void **state)
{
	struct when when = {.mains = false};

	(void)state;
	when_look_power(&when, scratch_folder);
	assert_true(when.mains);
	supply("BAT0", "Battery\n", "1\n");
	when_look_power(&when, scratch_folder);
	assert_false(when.mains);
	supply("AC", "Mains\n", "1\n");
	when_look_power(&when, scratch_folder);
	assert_true(when.mains);
	supply("AC", "Mains\n", "0\n");
	when_look_power(&when, scratch_folder);
	assert_false(when.mains);
}

/* Idle is a row of quiet looks; one busy look ends it at once. */
static void when_knows_an_idle_machine(void **state)
{
	struct when when = {.mains = true};
	uint64_t tsc = LOOK, used = 500;

	(void)state;
	when_look_load(&when, tsc, used);
	for (unsigned int i = 0; i < WHEN_QUIET; i++) {
		assert_false(when.idle);
		when_look_load(&when, tsc += LOOK, used += LOOK / 50);
	}
	assert_true(when.idle);
	when_look_load(&when, tsc += LOOK, used += LOOK / 10);
	assert_false(when.idle);
	/* A partition that went took its count with it: that is not work. */
	for (unsigned int i = 0; i < WHEN_QUIET; i++) {
		when_look_load(&when, tsc += LOOK, 0);
	}
	assert_true(when.idle);
}

/* What is missing is said in words, the plug first. */
static void when_says_what_is_missing(void **state)
{
	struct when when = {.mains = false};

	(void)state;
	assert_null(when_missing(&when, 0));
	assert_string_equal(when_missing(&when, TEXT_RUN_MAINS | TEXT_RUN_IDLE), "on mains power");
	when.mains = true;
	assert_null(when_missing(&when, TEXT_RUN_MAINS));
	assert_string_equal(when_missing(&when, TEXT_RUN_IDLE), "on an idle machine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(when_knows_mains_power, setup, teardown),
		cmocka_unit_test(when_knows_an_idle_machine),
		cmocka_unit_test(when_says_what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
