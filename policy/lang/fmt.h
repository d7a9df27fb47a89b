/* SPDX-License-Identifier: Apache-2.0 */
/** The one way to lay out a policy: comments and order stay, spaces and spelling of values do not.
 */
#ifndef POLICY_FMT_H
#define POLICY_FMT_H

#include <stdio.h>
#include "source.h"
#include "text.h"

/** Prints one file in canonical form; includes stay statements. The file has parsed without an
 * error. What is printed parses to the same text, and printed again gives the same bytes. Returns 0
 * or -1. */
int fmt_file(const struct source_set *set, uint32_t file, FILE *out);
/** One statement, without a newline. */
void fmt_statement(const struct text *text, const struct text_statement *statement, FILE *out);

#endif
