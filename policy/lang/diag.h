/* SPDX-License-Identifier: Apache-2.0 */
/** What is wrong with a policy, said to the person who wrote it.
 *
 *  Printed as "FILE:LINE:COLUMN: error: MESSAGE", the line itself, a caret under the column, and
 *  "hint: HINT". A list keeps the order in which it was filled and stops growing at DIAG_MAX;
 *  warnings stop at half of that, so that they never hide an error, and the notes of what is left
 *  out are left out too.
 */
#ifndef POLICY_DIAG_H
#define POLICY_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DIAG_MAX 100u

/** Where a word stands. */
struct diag_pos {
	uint32_t file;	 /* index in struct source_set */
	uint32_t line;	 /* from 1; 0: no place in a file */
	uint32_t column; /* in code points, from 1 */
};

enum diag_level {
	DIAG_ERROR,   /* nothing is compiled */
	DIAG_WARNING, /* compiled, and probably not meant */
	DIAG_NOTE,    /* belongs to the one before it: the steps of a path, the other place */
};

struct diag {
	enum diag_level level;
	struct diag_pos pos;
	char *message; /* one line, without a full stop */
	char *hint;    /* what to do next, or NULL */
};

struct diag_list {
	struct diag *item;
	size_t count;
	size_t error_count; /* goes on counting past DIAG_MAX */
	size_t left_out;    /* errors and warnings that found no room */
	bool skip_notes;    /* diag.c: the last one found no room */
};

struct source_set;

/** hint may be NULL; it is a plain text. message is a printf format. */
void diag_add(struct diag_list *list, enum diag_level level, struct diag_pos pos, const char *hint,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));
/** Bytes that are no printable UTF-8 are shown as '?', in quoted lines and in messages. sources may
 *  be NULL: no place is shown. */
void diag_print(const struct diag_list *list, const struct source_set *sources, FILE *out);
void diag_fini(struct diag_list *list);

#endif
