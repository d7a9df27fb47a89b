/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting a line, and saying what is wrong with it. */
#include "line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 48 /* bytes of a word in a message */

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static uint32_t code_points(const char *bytes, size_t size)
{
	uint32_t count = 0;

	for (size_t i = 0; i < size; i++) {
		count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	}
	return count;
}

/** A colon ends the id of a rule; behind it, it is a part of addresses and device numbers. */
static bool colon_is_mark(const struct line *line)
{
	uint32_t first = line->count > 0 && line_is(&line->token[0], "default") ? 1 : 0;

	return line->count <= first + 1;
}

/** A '#' begins a comment, but for the one of a colour. */
static bool begins_comment(const struct line *line, const char *at, const char *end)
{
	return *at == '#' &&
	       !(line->count > 0 && line_is(&line->token[line->count - 1], "colour") &&
		 end - at > 1 && !is_blank(at[1]));
}

static size_t mark_size(const struct line *line, const char *at, const char *end,
			enum line_type *ret_type)
{
	if (*at == ',' || *at == '=') {
		*ret_type = *at == ',' ? LINE_COMMA : LINE_EQUALS;
		return 1;
	}
	if (end - at >= 2 && at[0] == '-' && at[1] == '>') {
		*ret_type = LINE_ARROW;
		return 2;
	}
	if (*at == ':' && colon_is_mark(line)) {
		*ret_type = LINE_COLON;
		return 1;
	}
	return 0;
}

static size_t word_size(const struct line *line, const char *at, const char *end)
{
	enum line_type mark;
	const char *stop = at + 1;

	while (stop < end && !is_blank(*stop) && *stop != '#' && *stop != '"' &&
	       mark_size(line, stop, end, &mark) == 0) {
		stop++;
	}
	return (size_t)(stop - at);
}

bool line_split(struct line *line, const char *bytes, size_t size)
{
	const char *at = bytes, *end = bytes + size;
	uint32_t column = 1;

	line->count = line->next = 0;
	line->comment = NULL;
	line->form = NULL;
	while (at < end) {
		struct line_token *token = &line->token[line->count];
		size_t step;

		if (is_blank(*at)) {
			at++;
			column++;
			continue;
		}
		if (begins_comment(line, at, end)) {
			line->comment = at;
			line->comment_size = (size_t)(end - at);
			break;
		}
		*token = (struct line_token){.column = column, .text = at};
		if (*at == '"') {
			const char *close = memchr(at + 1, '"', (size_t)(end - at - 1));

			if (close == NULL) {
				return line_error(line, token,
						  "close it with '\"' on the same line",
						  "the string does not end");
			}
			token->type = LINE_STRING;
			token->text = at + 1;
			token->size = (uint32_t)(close - at - 1);
			step = token->size + 2;
		} else {
			token->type = LINE_WORD;
			step = mark_size(line, at, end, &token->type);
			if (step == 0) {
				step = word_size(line, at, end);
			}
			token->size = (uint32_t)step;
		}
		line->count++;
		column += code_points(at, step);
		at += step;
	}
	line->token[line->count] = (struct line_token){LINE_END, column, end, 0};
	return true;
}

const struct line_token *line_peek(const struct line *line)
{
	return &line->token[line->next];
}

const struct line_token *line_peek_second(const struct line *line)
{
	return &line->token[line->next < line->count ? line->next + 1 : line->count];
}

const struct line_token *line_take(struct line *line)
{
	const struct line_token *token = &line->token[line->next];

	line->next += line->next < line->count;
	return token;
}

bool line_is(const struct line_token *token, const char *word)
{
	return token->type == LINE_WORD && token->size == strlen(word) &&
	       memcmp(token->text, word, token->size) == 0;
}

bool line_accept(struct line *line, const char *word)
{
	bool is = line_is(line_peek(line), word);

	line->next += is;
	return is;
}

bool line_accept_mark(struct line *line, enum line_type mark)
{
	bool is = line_peek(line)->type == mark;

	line->next += is && mark != LINE_END;
	return is;
}

struct diag_pos line_pos(const struct line *line, const struct line_token *token)
{
	return (struct diag_pos){line->pos.file, line->pos.line, token->column};
}

bool line_error(struct line *line, const struct line_token *token, const char *hint,
		const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_add(line->diags, DIAG_ERROR, line_pos(line, token), hint != NULL ? hint : line->form,
		 "%s", message);
	return false;
}

/** Cuts at a code point. */
static int shown_size(const struct line_token *token)
{
	uint32_t size = token->size;

	if (size > SHOWN_MAX) {
		size = SHOWN_MAX;
		while (size > 0 && ((unsigned char)token->text[size] & 0xc0) == 0x80) {
			size--;
		}
	}
	return (int)size;
}

bool line_expected(struct line *line, const char *what, const char *hint)
{
	const struct line_token *token = line_peek(line);

	switch (token->type) {
	case LINE_END:
		return line_error(line, token, hint, "%s is missing", what);
	case LINE_STRING:
		return line_error(line, token, hint, "expected %s, found the string \"%.*s\"", what,
				  shown_size(token), token->text);
	default:
		return line_error(line, token, hint, "expected %s, found '%.*s'", what,
				  shown_size(token), token->text);
	}
}

bool line_expect(struct line *line, const char *word)
{
	char what[64];

	if (line_accept(line, word)) {
		return true;
	}
	snprintf(what, sizeof(what), "'%s'", word);
	return line_expected(line, what, NULL);
}

bool line_expect_mark(struct line *line, enum line_type mark)
{
	static const char *const what[] = {
		[LINE_COMMA] = "','",
		[LINE_ARROW] = "'->'",
		[LINE_EQUALS] = "'='",
		[LINE_COLON] = "':'",
		[LINE_END] = "the end of the line",
	};

	const struct line_token *token = line_peek(line);
	bool meant =
		mark == LINE_ARROW && token->size > 0 && strchr("=-<>", token->text[0]) != NULL;

	return line_accept_mark(line, mark) ||
	       line_expected(line, what[mark], meant ? "write the arrow as '->'" : NULL);
}

bool line_expect_end(struct line *line)
{
	return line_expect_mark(line, LINE_END);
}

void line_hint_words(const struct line_token *token, const struct words *words,
		     struct line_hint *ret_hint)
{
	char *text = ret_hint->text;
	size_t room = sizeof(ret_hint->text), at;
	struct guess guess;

	guess_init(&guess, token->text, token->type == LINE_WORD ? token->size : 0);
	for (uint32_t i = 0; i < words->count; i++) {
		guess_offer(&guess, words->word[i]);
	}
	if (guess_best(&guess) != NULL) {
		snprintf(text, room, "did you mean '%s'?", guess_best(&guess));
		return;
	}
	at = (size_t)snprintf(text, room, "one of: ");
	for (uint32_t i = 0; i < words->count && at < room; i++) {
		at += (size_t)snprintf(text + at, room - at, "%s%s", i > 0 ? ", " : "",
				       words->word[i]);
	}
}
