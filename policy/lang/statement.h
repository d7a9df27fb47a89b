/* SPDX-License-Identifier: Apache-2.0 */
/** One line of a policy to one statement, for the parser and for the layout.
 *
 *  Source: docs/SPEC-policy.md, "Text".
 */
#ifndef POLICY_STATEMENT_H
#define POLICY_STATEMENT_H

#include "line.h"
#include "text.h"

enum statement_type {
	STATEMENT_NONE, /* a blank line, a comment */
	STATEMENT_INCLUDE,
	STATEMENT_POLICY, /* `head` and `text` */
	STATEMENT_TEXT,
};

struct statement {
	enum statement_type type;
	struct diag_pos pos; /* of its first word; of an include: of the file name */
	char *include;
	struct text head; /* layer, title, version */
	struct text_statement text;
};

/** Reads line `line` (from 1) of a file. Returns true, or false after one error with *ret_statement
 *  untouched. What it owns goes to the caller. */
bool statement_read(struct line *line, const char *bytes, size_t size,
		    struct statement *ret_statement);
/** A property of a partition: true when `word` begins one. */
bool statement_is_property(const struct line_token *word);

/* Parts of statement_read, one per group of statements; `next` is at the first word. */
bool statement_read_property(struct line *line, struct text_value *value);
bool statement_read_rule(struct line *line, struct text_rule *rule);
bool statement_read_role(struct line *line, struct text_statement *statement);
bool statement_read_zone(struct line *line, struct text_statement *statement);

#endif
