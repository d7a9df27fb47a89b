/* SPDX-License-Identifier: Apache-2.0 */
/** One line of a policy as words and marks, and a place in it that goes forward.
 *
 *  line_split makes the words; the line_ functions of line_value.h take them one after the other.
 *  The first mistake of a line is said, the rest of the line is not read. A line has at most
 *  SOURCE_LINE_MAX bytes, and so many words at most.
 */
#ifndef POLICY_LINE_H
#define POLICY_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"
#include "guess.h"
#include "source.h"
#include "words.h"

enum line_type {
	LINE_WORD,
	LINE_STRING,
	LINE_COMMA,
	LINE_ARROW,
	LINE_EQUALS,
	LINE_COLON,
	LINE_END,
};

struct line_token {
	enum line_type type;
	uint32_t column;  /* in code points, from 1; of a string: of its quote */
	const char *text; /* without the quotes of a string, not closed by 0 */
	uint32_t size;
};

struct line {
	struct diag_list *diags;
	struct diag_pos pos; /* file and line */
	const char *form;    /* how the statement is written: hint of errors without their own */
	const char *comment; /* from its '#' on, or NULL */
	size_t comment_size;
	uint32_t count, next;
	struct line_token token[SOURCE_LINE_MAX + 1]; /* closed by LINE_END */
};

/** A hint with room for a list of words. */
struct line_hint {
	char text[400];
};

/** Reads a line that source_ has taken. false after an error. */
bool line_split(struct line *line, const char *bytes, size_t size);
const struct line_token *line_peek(const struct line *line);
/** The one after the next. */
const struct line_token *line_peek_second(const struct line *line);
/** The next one, which is then behind. LINE_END stays. */
const struct line_token *line_take(struct line *line);
bool line_is(const struct line_token *token, const char *word);
/** Takes the next one when it is this word, or this mark. */
bool line_accept(struct line *line, const char *word);
bool line_accept_mark(struct line *line, enum line_type mark);
struct diag_pos line_pos(const struct line *line, const struct line_token *token);
/** Says what is wrong at a token, with line->form as hint when hint is NULL. Always false. */
bool line_error(struct line *line, const struct line_token *token, const char *hint,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
/** "expected WHAT, found ...". Always false. */
bool line_expected(struct line *line, const char *what, const char *hint);
/** Takes the next one or says that it is missing. */
bool line_expect(struct line *line, const char *word);
bool line_expect_mark(struct line *line, enum line_type mark);
/** Says what is there when anything is. */
bool line_expect_end(struct line *line);
/** "did you mean 'x'?", or "one of: ..." */
void line_hint_words(const struct line_token *token, const struct words *words,
		     struct line_hint *ret_hint);

#endif
