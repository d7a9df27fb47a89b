/* SPDX-License-Identifier: Apache-2.0 */
/** Taking values from a line: names, lists, numbers with units, words of a set.
 *
 *  Each takes what it needs and stores it, or says what is wrong, returns false and leaves its
 *  output as it was. `what` is how messages call the value.
 */
#ifndef POLICY_LINE_VALUE_H
#define POLICY_LINE_VALUE_H

#include "line.h"
#include "text.h"

#define LINE_LIST_MAX 64u /* as many as there can be nodes */

/** Words that a list of names may be instead, and how long it may be. */
enum line_lists {
	LINE_ANY = 1,	 /* "any", kept as a name */
	LINE_NONE = 2,	 /* "none", an empty list */
	LINE_SINGLE = 4, /* one name */
};

/** A name of at most size - 1 letters. */
bool line_name(struct line *line, const char *what, char *ret_name, size_t size);
/** A name that the statement gives to something: no word with a meaning of its own. */
bool line_new_name(struct line *line, const char *what, struct text_name *ret_name);
bool line_one_name(struct line *line, const char *what, struct text_name *ret_name);
/** A list by commas, without repetition. ret_names->item is malloc'd, or NULL for none. */
bool line_names(struct line *line, const char *what, unsigned int lists,
		struct text_names *ret_names);
/** 1..max bytes; the copy is malloc'd. */
bool line_string(struct line *line, const char *what, size_t max, char **ret_string);
bool line_number(struct line *line, const char *what, uint64_t least, uint64_t most,
		 uint64_t *ret_number);
/** Bytes. */
bool line_size(struct line *line, const char *what, uint64_t least, uint64_t most,
	       uint64_t *ret_size);
/** Bytes per second. */
bool line_rate(struct line *line, const char *what, uint64_t *ret_rate);
/** Seconds. */
bool line_time(struct line *line, const char *what, uint64_t most, uint64_t *ret_seconds);
bool line_percent(struct line *line, const char *what, uint64_t most, uint64_t *ret_percent);
/** One of the words, as its number. */
bool line_choice(struct line *line, const struct words *words, uint64_t *ret_number);
/** A list of them by commas, without repetition, as bits. */
bool line_bits(struct line *line, const struct words *words, uint32_t *ret_bits);
/** Hexadecimal digits only. false without a message. */
bool line_hex(const char *text, size_t size, uint32_t *ret_number);
/** Decimal digits only. false without a message, also when it is too great. */
bool line_decimal(const char *text, size_t size, uint64_t *ret_number);

#endif
