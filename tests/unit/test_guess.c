/* SPDX-License-Identifier: Apache-2.0 */
/* Which word a misspelt one was meant to be. */
#include "guess.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const char *guess(const char *word)
{
	static const char *const words[] = {"clipboard", "camera", "input",
					    "ask",	 "allow",  "cpu-guarantee"};
	struct guess g;

	guess_init(&g, word, strlen(word));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		guess_offer(&g, words[i]);
	}
	guess_offer(&g, NULL);
	return guess_best(&g);
}

/* A letter left out, put in, changed, or swapped with its neighbour. */
static void near_word_is_found(void **state)
{
	(void)state;
	assert_string_equal(guess("clipbord"), "clipboard");
	assert_string_equal(guess("clipbboard"), "clipboard");
	assert_string_equal(guess("kamera"), "camera");
	assert_string_equal(guess("inptu"), "input");
	assert_string_equal(guess("asc"), "ask");
	assert_string_equal(guess("cpuguarante"), "cpu-guarantee");
}

/* What is near to nothing gets no guess, nor does a word that is longer than any. */
static void far_word_is_not_guessed(void **state)
{
	(void)state;
	assert_null(guess("banana"));
	assert_null(guess("x"));
	assert_null(guess(""));
	assert_null(guess("asked"));
	assert_null(guess("clipboardclipboardclipboardclipboard"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_word_is_found),
		cmocka_unit_test(far_word_is_not_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
