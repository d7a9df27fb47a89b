/* SPDX-License-Identifier: Apache-2.0 */
/* Owns how a refusal is put into words: never longer than its buffer, never with what a terminal
 * would obey. */

#include "why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int why_set(struct why *why, int error, const char *format, ...)
{
	va_list args;

	if (why) {
		va_start(args, format);
		vsnprintf(why->text, sizeof(why->text), format, args);
		va_end(args);
	}
	return error;
}

int why_prefix(struct why *why, int error, const char *what)
{
	char text[sizeof(why->text)];

	if (why) {
		memcpy(text, why->text, sizeof(text));
		snprintf(why->text, sizeof(why->text), "%.100s: %.215s", what, text);
	}
	return error;
}

const char *why_quote(char *ret_text, unsigned size, const char *untrusted)
{
	unsigned i = 0;

	for (; i + 1 < size && untrusted[i]; i++) {
		ret_text[i] = untrusted[i] >= ' ' && untrusted[i] <= '~' ? untrusted[i] : '?';
	}
	ret_text[i] = 0;
	return ret_text;
}
