/* SPDX-License-Identifier: Apache-2.0 */
/* Records for people: one line each, and nothing in it that a terminal or a reader of lines could
 * take for something else. */
#define _GNU_SOURCE
#include "audit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static const char *const words[AUDIT_WHAT_COUNT] = {
	[AUDIT_OPENED] = "opened",	 [AUDIT_CLOSED] = "closed",
	[AUDIT_DENIED] = "denied",	 [AUDIT_ASKED] = "asked",
	[AUDIT_ALLOWED] = "allowed",	 [AUDIT_APPLIED] = "applied",
	[AUDIT_CONFIRMED] = "confirmed", [AUDIT_REVERTED] = "reverted",
	[AUDIT_REFUSED] = "refused",	 [AUDIT_CHANGED] = "changed",
	[AUDIT_REPAIRED] = "repaired",	 [AUDIT_ARCHIVED] = "archived",
};

const char *audit_what_word(enum audit_what what)
{
	return (unsigned)what < AUDIT_WHAT_COUNT ? words[what] : NULL;
}

static void print_time(int64_t time_ms, FILE *out)
{
	int64_t ms = time_ms % 1000;
	time_t seconds = (time_t)((time_ms - (ms < 0 ? ms + 1000 : ms)) / 1000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm)) {
		fprintf(out, "%" PRId64 "ms", time_ms);
		return;
	}
	fprintf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms < 0 ? ms + 1000 : ms));
}

/* Digits that stand for 0 to `most`; false: other letters, or more. */
static bool take_number(const char **text, size_t digits, int most, int *ret_number)
{
	int number = 0;

	for (size_t i = 0; i < digits; i++, ++*text) {
		if (**text < '0' || **text > '9') {
			return false;
		}
		number = 10 * number + **text - '0';
	}
	*ret_number = number;
	return number <= most;
}

static bool take_letter(const char **text, char letter)
{
	if (**text != letter) {
		return false;
	}
	++*text;
	return true;
}

static bool take_clock(const char **text, struct tm *tm, int *ret_ms)
{
	if (!take_number(text, 2, 23, &tm->tm_hour) || !take_letter(text, ':') ||
	    !take_number(text, 2, 59, &tm->tm_min)) {
		return false;
	}
	if (take_letter(text, ':') && !take_number(text, 2, 60, &tm->tm_sec)) {
		return false;
	}
	return !take_letter(text, '.') || take_number(text, 3, 999, ret_ms);
}

int audit_parse_time(const char *text, int64_t *ret_time_ms)
{
	struct tm tm = {.tm_mday = 0}, made;
	int year, month, ms = 0;
	time_t seconds;

	if (!take_number(&text, 4, 9999, &year) || !take_letter(&text, '-') ||
	    !take_number(&text, 2, 12, &month) || !take_letter(&text, '-') ||
	    !take_number(&text, 2, 31, &tm.tm_mday) ||
	    (take_letter(&text, 'T') && !take_clock(&text, &tm, &ms))) {
		return -EINVAL;
	}
	(void)!take_letter(&text, 'Z');
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	made = tm;
	seconds = timegm(&made);
	if (*text || made.tm_mday != tm.tm_mday || made.tm_mon != tm.tm_mon) {
		return -EINVAL;
	}
	*ret_time_ms = (int64_t)seconds * 1000 + ms;
	return 0;
}

void audit_escape(const char *text, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c > '~') {
			*ret_text++ = '\\';
			*ret_text++ = 'x';
			*ret_text++ = digits[c >> 4];
			*ret_text++ = digits[c & 15];
			continue;
		}
		if (c == '"' || c == '\\') {
			*ret_text++ = '\\';
		}
		*ret_text++ = *text;
	}
	*ret_text = '\0';
}

static void print_field(const char *name, const char *text, FILE *out)
{
	char escaped[4 * AUDIT_TEXT_MAX + 1];

	if (*text) {
		audit_escape(text, escaped);
		fprintf(out, " %s=\"%s\"", name, escaped);
	}
}

void audit_print(const struct audit_record *record, FILE *out)
{
	const char *word = audit_what_word(record->what);

	print_time(record->time_ms, out);
	fprintf(out, " %" PRIu64 " %s", record->number, word ? word : "?");
	print_field("who", record->who, out);
	print_field("subject", record->subject, out);
	print_field("object", record->object, out);
	print_field("rule", record->rule, out);
	print_field("text", record->text, out);
	if (record->repeats) {
		fprintf(out, " repeats=%" PRIu64, record->repeats);
	}
	fputc('\n', out);
}
