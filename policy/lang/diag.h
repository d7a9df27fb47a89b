/* SPDX-License-Identifier: Apache-2.0 */
/** What is wrong with a policy, said to the person who wrote it.
 *
 *  Printed as "FILE:LINE:COLUMN: error: MESSAGE", the line itself, a caret under the column, "hint:
 * HINT". A list keeps the order in which it was filled and stops growing at DIAG_MAX.
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
};

struct source_set;

/** hint may be NULL; it is a plain text. message is a printf format. */
void diag_add(struct diag_list *list, enum diag_level level, struct diag_pos pos, const char *hint,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));
/** Control characters of quoted lines are shown as '?'. */
void diag_print(const struct diag_list *list, const struct source_set *sources, FILE *out);
void diag_fini(struct diag_list *list);

#endif
