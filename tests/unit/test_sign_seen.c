/* SPDX-License-Identifier: Apache-2.0 */
/* The record of the highest version of each layer. */
#define _GNU_SOURCE
#include "sign.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/scratch.h"

static char path[96], temporary[128];
static const uint8_t one[SIGN_HASH_SIZE] = {1}, two[SIGN_HASH_SIZE] = {2};
static char why[SIGN_WHY_SIZE];

static int make(void **state)
{
	(void)state;
	assert_int_equal(scratch_make("/tmp"), 0);
	snprintf(path, sizeof(path), "%s/seen", scratch_folder);
	snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, getpid());
	return 0;
}

static int clean(void **state)
{
	(void)state;
	return scratch_remove();
}

/* What was never seen is new; the same again is fine; older is not, nor another of that version. */
static void sign_seen_never_goes_back(void **state)
{
	(void)state;
	assert_int_equal(sign_seen_check(path, TEXT_IT, 0, one, why), 0);
	assert_int_equal(sign_seen_record(path, TEXT_IT, 5, one, why), 0);
	assert_int_equal(sign_seen_check(path, TEXT_IT, 5, one, why), 0);
	assert_int_equal(sign_seen_record(path, TEXT_IT, 5, one, why), 0);
	assert_int_equal(sign_seen_check(path, TEXT_IT, 5, two, why), -ESTALE);
	assert_string_equal(why, "another version 5 of layer it was applied here; give this one a "
				 "higher version and sign it");
	assert_int_equal(sign_seen_record(path, TEXT_IT, 4, two, why), -ESTALE);
	assert_string_equal(why, "version 4 of layer it is older than version 5, which was applied "
				 "here; give it a higher version and sign it");
	assert_int_equal(sign_seen_record(path, TEXT_IT, 6, two, why), 0);
	assert_int_equal(sign_seen_check(path, TEXT_IT, 5, one, why), -ESTALE);
}

/* Layers count for themselves. */
static void sign_seen_keeps_layers_apart(void **state)
{
	(void)state;
	assert_int_equal(sign_seen_record(path, TEXT_USER, 9, one, why), 0);
	assert_int_equal(sign_seen_record(path, TEXT_VENDOR, 1, two, why), 0);
	assert_int_equal(sign_seen_record(path, TEXT_IT, UINT64_MAX, two, why), 0);
	assert_int_equal(sign_seen_check(path, TEXT_USER, 8, one, why), -ESTALE);
	assert_int_equal(sign_seen_check(path, TEXT_VENDOR, 1, two, why), 0);
	assert_int_equal(sign_seen_check(path, TEXT_IT, UINT64_MAX - 1, two, why), -ESTALE);
	assert_int_equal(sign_seen_check(path, (enum text_layer)3, 1, two, why), -EINVAL);
}

/* A damaged record refuses everything, and a leftover of a power cut harms nothing. */
static void sign_seen_refuses_a_damaged_record(void **state)
{
	static const char *const texts[] = {
		"",
		"bulkhead policy seen 1",
		"bulkhead policy seen 1\nit 5\n",
		"bulkhead policy seen 1\nit 5 zz\n",
		"bulkhead policy seen 1\nit 05 "
		"0100000000000000000000000000000000000000000000000000000000000000\n",
		"bulkhead policy seen 1\nroot 5 "
		"0100000000000000000000000000000000000000000000000000000000000000\n",
	};
	FILE *file;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		file = fopen(path, "w");
		fputs(texts[i], file);
		fclose(file);
		assert_int_equal(sign_seen_check(path, TEXT_IT, 7, one, why), -EBADMSG);
		assert_int_equal(sign_seen_record(path, TEXT_IT, 7, one, why), -EBADMSG);
	}
	unlink(path);
	file = fopen(temporary, "w");
	fclose(file);
	assert_int_equal(sign_seen_record(path, TEXT_IT, 7, one, why), 0);
	assert_int_equal(sign_seen_check(path, TEXT_IT, 6, one, why), -ESTALE);
	assert_int_not_equal(access(temporary, F_OK), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sign_seen_never_goes_back, make, clean),
		cmocka_unit_test_setup_teardown(sign_seen_keeps_layers_apart, make, clean),
		cmocka_unit_test_setup_teardown(sign_seen_refuses_a_damaged_record, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
