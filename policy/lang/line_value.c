/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a line: every number checked, every list bounded. */
#define _GNU_SOURCE
#include "line_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_MAX   (1ull << 40)
#define LINE_ALONE 8u /* the list is the word "any" */

static bool is_name(const struct line_token *token)
{
	for (uint32_t i = 0; i < token->size; i++) {
		char c = token->text[i];

		if (!(c >= 'a' && c <= 'z') && (i == 0 || (!(c >= '0' && c <= '9') && c != '-'))) {
			return false;
		}
	}
	return token->size > 0;
}

bool line_name(struct line *line, const char *what, char *ret_name, size_t size)
{
	const struct line_token *token = line_peek(line);
	char hint[96];

	if (token->type != LINE_WORD) {
		return line_expected(line, what, NULL);
	}
	if (!is_name(token)) {
		return line_expected(line, what,
				     "names are made of a-z, 0-9 and '-' and begin with a letter");
	}
	if (token->size >= size) {
		snprintf(hint, sizeof(hint), "use at most %zu letters", size - 1);
		return line_error(line, token, hint, "the name is %u letters long", token->size);
	}
	memcpy(ret_name, token->text, token->size);
	memset(ret_name + token->size, 0, size - token->size);
	line_take(line);
	return true;
}

static bool take_name(struct line *line, const char *what, struct text_name *ret_name)
{
	struct text_name name = {.pos = line_pos(line, line_peek(line))};

	if (!line_name(line, what, name.name, sizeof(name.name))) {
		return false;
	}
	*ret_name = name;
	return true;
}

/** "any" and "none" are no names; in a list with others they would say nothing. */
static bool check_set_word(struct line *line, const struct line_token *token, unsigned int lists)
{
	unsigned int bit = line_is(token, "any")    ? LINE_ANY
			   : line_is(token, "none") ? LINE_NONE
						    : 0;

	if (bit == 0) {
		return true;
	}
	if ((lists & bit) != 0) {
		return line_error(line, token, "write it alone, or only the others",
				  "'%s' cannot stand in a list with others",
				  bit == LINE_ANY ? "any" : "none");
	}
	return line_error(line, token, "write the names one by one, or make a group",
			  "'%s' cannot stand here", bit == LINE_ANY ? "any" : "none");
}

bool line_one_name(struct line *line, const char *what, struct text_name *ret_name)
{
	return check_set_word(line, line_peek(line), 0) && take_name(line, what, ret_name);
}

bool line_new_name(struct line *line, const char *what, struct text_name *ret_name)
{
	const struct line_token *token = line_peek(line);

	if (line_is(token, "any") || line_is(token, "none") || line_is(token, "control")) {
		return line_error(line, token, "take another name",
				  "'%.*s' has a meaning of its own", (int)token->size, token->text);
	}
	return take_name(line, what, ret_name);
}

static bool add_name(struct line *line, const char *what, struct text_name *names, uint32_t count)
{
	const struct line_token *token = line_peek(line);

	if (count == LINE_LIST_MAX) {
		return line_error(line, token, "put some of them into a group",
				  "the list has more than %u names", LINE_LIST_MAX);
	}
	if (!take_name(line, what, &names[count])) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(names[i].name, names[count].name) == 0) {
			return line_error(line, token, "remove one of the two",
					  "'%s' is in the list twice", names[i].name);
		}
	}
	return true;
}

bool line_names(struct line *line, const char *what, unsigned int lists,
		struct text_names *ret_names)
{
	struct text_name names[LINE_LIST_MAX + 1], *copy;
	uint32_t count = 0;

	if ((lists & LINE_NONE) != 0 && line_is(line_peek(line), "none") &&
	    line_peek_second(line)->type != LINE_COMMA) {
		line_take(line);
		*ret_names = (struct text_names){0};
		return true;
	}
	if ((lists & LINE_ANY) != 0 && line_is(line_peek(line), "any") &&
	    line_peek_second(line)->type != LINE_COMMA) {
		lists |= LINE_ALONE;
	}
	do {
		const struct line_token *token = line_peek(line);

		if (((lists & LINE_ALONE) == 0 && !check_set_word(line, token, lists)) ||
		    !add_name(line, what, names, count)) {
			return false;
		}
		count++;
	} while ((lists & LINE_SINGLE) == 0 && line_accept_mark(line, LINE_COMMA));
	copy = malloc(count * sizeof(*copy));
	if (copy == NULL) {
		return line_error(line, line_peek(line), NULL, "no memory");
	}
	memcpy(copy, names, count * sizeof(*copy));
	*ret_names = (struct text_names){copy, count};
	return true;
}

bool line_string(struct line *line, const char *what, size_t max, char **ret_string)
{
	const struct line_token *token = line_peek(line);
	char *copy;

	if (token->type != LINE_STRING) {
		return line_expected(line, what, "put it into double quotes");
	}
	if (token->size == 0) {
		return line_error(line, token, "write something between the quotes",
				  "the string is empty");
	}
	if (token->size > max) {
		return line_error(line, token, "make it shorter",
				  "the string has %u bytes, at most %zu are allowed", token->size,
				  max);
	}
	copy = strndup(token->text, token->size);
	if (copy == NULL) {
		return line_error(line, token, NULL, "no memory");
	}
	line_take(line);
	*ret_string = copy;
	return true;
}

bool line_decimal(const char *text, size_t size, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number)) {
			return false;
		}
	}
	if (size > 0) {
		*ret_number = number;
	}
	return size > 0;
}

bool line_hex(const char *text, size_t size, uint32_t *ret_number)
{
	uint32_t number = 0;

	if (size == 0 || size > 8) {
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9') {
			number = number << 4 | (uint32_t)(c - '0');
		} else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
			number = number << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		} else {
			return false;
		}
	}
	*ret_number = number;
	return true;
}

bool line_number(struct line *line, const char *what, uint64_t least, uint64_t most,
		 uint64_t *ret_number)
{
	const struct line_token *token = line_peek(line);
	uint64_t number;
	char hint[96];

	snprintf(hint, sizeof(hint), "a number from %" PRIu64 " to %" PRIu64, least, most);
	if (token->type != LINE_WORD || token->text[0] < '0' || token->text[0] > '9') {
		return line_expected(line, what, hint);
	}
	if (!line_decimal(token->text, token->size, &number) || number < least || number > most) {
		return line_error(line, token, hint, "'%.*s' cannot be %s",
				  (int)(token->size < 40 ? token->size : 40), token->text, what);
	}
	line_take(line);
	*ret_number = number;
	return true;
}

/** A number and its unit, in one word or in two. `per` is what follows the unit: "/s" or "". */
static bool take_quantity(struct line *line, const char *what, const struct words *units,
			  const char *per, uint64_t *ret_number, uint32_t *ret_unit)
{
	const struct line_token *token = line_peek(line);
	size_t digits = 0, per_size = strlen(per), size;
	char hint[128];
	const char *unit;
	int found = -1;

	while (token->type == LINE_WORD && digits < token->size && token->text[digits] >= '0' &&
	       token->text[digits] <= '9') {
		digits++;
	}
	size = (size_t)snprintf(hint, sizeof(hint), "a number and its unit:");
	for (uint32_t i = 0; i < units->count; i++) {
		size += (size_t)snprintf(hint + size, sizeof(hint) - size, "%s %s%s",
					 i > 0 ? "," : "", units->word[i], per);
	}
	if (digits == 0) {
		return line_expected(line, what, hint);
	}
	if (!line_decimal(token->text, digits, ret_number)) {
		return line_error(line, token, hint, "the number is too great");
	}
	unit = token->text + digits;
	size = token->size - digits;
	line_take(line);
	if (size == 0) {
		token = line_peek(line);
		if (token->type != LINE_WORD) {
			return line_expected(line, "a unit", hint);
		}
		unit = token->text;
		size = token->size;
		line_take(line);
	}
	if (unit[0] == '.') {
		return line_error(line, token, "write a whole number of a smaller unit",
				  "the number has a fraction");
	}
	if (size > per_size && memcmp(unit + size - per_size, per, per_size) == 0) {
		found = words_find(units, unit, size - per_size);
	}
	if (found < 0) {
		return line_error(line, token, hint, "'%.*s' is no %s%s",
				  (int)(size < 40 ? size : 40), unit, units->what,
				  per_size > 0 ? " per second" : "");
	}
	*ret_unit = (uint32_t)found;
	return true;
}

static void print_size(char *text, size_t room, uint64_t size, const char *per)
{
	uint32_t unit = 0;

	while (unit + 1 < words_size.count && size >= 1024 && size % 1024 == 0) {
		size /= 1024;
		unit++;
	}
	snprintf(text, room, "%" PRIu64 " %s%s", size, words_size.word[unit], per);
}

static bool take_bytes(struct line *line, const char *what, const char *per, uint64_t least,
		       uint64_t most, uint64_t *ret_bytes)
{
	const struct line_token *token = line_peek(line);
	char from[32], to[32], hint[96];
	uint32_t unit;
	uint64_t bytes;

	if (!take_quantity(line, what, &words_size, per, &bytes, &unit)) {
		return false;
	}
	if (bytes > most >> (unit * 10) || bytes << (unit * 10) < least) {
		print_size(from, sizeof(from), least, per);
		print_size(to, sizeof(to), most, per);
		snprintf(hint, sizeof(hint), "from %s to %s", from, to);
		return line_error(line, token, hint, "%s is out of range", what);
	}
	*ret_bytes = bytes << (unit * 10);
	return true;
}

bool line_size(struct line *line, const char *what, uint64_t least, uint64_t most,
	       uint64_t *ret_size)
{
	return take_bytes(line, what, "", least, most, ret_size);
}

bool line_rate(struct line *line, const char *what, uint64_t *ret_rate)
{
	return take_bytes(line, what, "/s", 1, RATE_MAX, ret_rate);
}

bool line_time(struct line *line, const char *what, uint64_t most, uint64_t *ret_seconds)
{
	static const uint64_t seconds[] = {1, 60, 3600};
	const struct line_token *token = line_peek(line);
	uint32_t unit;
	uint64_t number;
	char hint[64];

	if (!take_quantity(line, what, &words_time, "", &number, &unit)) {
		return false;
	}
	if (number == 0 || number > most / seconds[unit]) {
		snprintf(hint, sizeof(hint), "from 1 s to %" PRIu64 " h", most / 3600);
		return line_error(line, token, hint, "%s is out of range", what);
	}
	*ret_seconds = number * seconds[unit];
	return true;
}

bool line_percent(struct line *line, const char *what, uint64_t most, uint64_t *ret_percent)
{
	static const char *const sign[] = {"%"};
	static const struct words percent = {"percentage", 1, sign};
	const struct line_token *token = line_peek(line);
	uint32_t unit;
	uint64_t number;
	char hint[64];

	if (!take_quantity(line, what, &percent, "", &number, &unit)) {
		return false;
	}
	if (number == 0 || number > most) {
		snprintf(hint, sizeof(hint), "from 1%% to %" PRIu64 "%%", most);
		return line_error(line, token, hint, "%s is out of range", what);
	}
	*ret_percent = number;
	return true;
}

bool line_choice(struct line *line, const struct words *words, uint64_t *ret_number)
{
	const struct line_token *token = line_peek(line);
	struct line_hint hint;
	char what[64];
	int found = token->type == LINE_WORD ? words_find(words, token->text, token->size) : -1;

	if (found < 0) {
		snprintf(what, sizeof(what), "%s %s",
			 strchr("aeioAEIO", words->what[0]) ? "an" : "a", words->what);
		line_hint_words(token, words, &hint);
		return line_expected(line, what, hint.text);
	}
	line_take(line);
	*ret_number = (uint64_t)found;
	return true;
}

bool line_bits(struct line *line, const struct words *words, uint32_t *ret_bits)
{
	uint32_t bits = 0;

	do {
		const struct line_token *token = line_peek(line);
		uint64_t number;

		if (!line_choice(line, words, &number)) {
			return false;
		}
		if ((bits & 1u << number) != 0) {
			return line_error(line, token, "remove one of the two",
					  "'%s' is in the list twice", words->word[number]);
		}
		bits |= 1u << number;
	} while (line_accept_mark(line, LINE_COMMA));
	*ret_bits = bits;
	return true;
}
