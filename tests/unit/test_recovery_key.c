/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery keys: printed, typed, mistyped. */
#include "recovery_key.h"

#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static char key[RECOVERY_KEY_TEXT], got[RECOVERY_KEY_TEXT];

static int setup(void **state)
{
	return recovery_key_generate(key);
}

/* The text is eight groups of five, and reads as itself. */
static void generated_key_reads_as_itself(void **state)
{
	assert_int_equal(strlen(key), 47);
	assert_int_equal(key[5], '-');
	assert_int_equal(recovery_key_read(key, strlen(key), got), 0);
	assert_string_equal(got, key);
}

/* Case, dashes and look-alikes do not matter. */
static void typing_habits_do_not_matter(void **state)
{
	char typed[2 * RECOVERY_KEY_TEXT];
	size_t n = 0;

	for (size_t i = 0; i < strlen(key); i++) {
		char c = key[i];

		if (c != '-') {
			typed[n++] = c == '0' ? 'o' : c == '1' ? 'l' : (char)tolower(c);
			if (i % 3 == 0) {
				typed[n++] = ' ';
			}
		}
	}
	assert_int_equal(recovery_key_read(typed, n, got), 0);
	assert_string_equal(got, key);
}

/* Each wrong letter is found, and its group named. */
static void every_wrong_letter_is_found(void **state)
{
	for (size_t i = 0; i < strlen(key); i++) {
		char good = key[i];

		for (size_t l = 0; good != '-' && letters[l]; l++) {
			key[i] = letters[l];
			assert_int_equal(recovery_key_read(key, strlen(key), got),
					 letters[l] == good ? 0 : (int)(i / 6) + 1);
		}
		key[i] = good;
	}
}

/* Neighbours that changed places, in a group or whole groups, are found. */
static void swapped_letters_and_groups_are_found(void **state)
{
	char group[5];

	for (size_t i = 0; i + 1 < strlen(key); i++) {
		char a = key[i], b = key[i + 1];

		if (a == '-' || b == '-' || a == b) {
			continue;
		}
		key[i] = b;
		key[i + 1] = a;
		assert_int_equal(recovery_key_read(key, strlen(key), got), (int)(i / 6) + 1);
		key[i] = a;
		key[i + 1] = b;
	}
	if (memcmp(key, key + 6, 5) != 0) {
		memcpy(group, key, 5);
		memcpy(key, key + 6, 5);
		memcpy(key + 6, group, 5);
		assert_int_equal(recovery_key_read(key, strlen(key), got), 1);
	}
}

/* A passphrase is no recovery key. */
static void passphrases_are_no_recovery_keys(void **state)
{
	assert_int_equal(recovery_key_read("correct horse battery staple", 28, got), -EINVAL);
	assert_int_equal(recovery_key_read("", 0, got), -EINVAL);
	assert_int_equal(recovery_key_read(key, strlen(key) - 1, got), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(generated_key_reads_as_itself, setup),
		cmocka_unit_test_setup(typing_habits_do_not_matter, setup),
		cmocka_unit_test_setup(every_wrong_letter_is_found, setup),
		cmocka_unit_test_setup(swapped_letters_and_groups_are_found, setup),
		cmocka_unit_test_setup(passphrases_are_no_recovery_keys, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
