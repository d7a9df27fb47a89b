/* SPDX-License-Identifier: Apache-2.0 */
/** From the lines of a file to a text. Goes on after an error, so that one run names all of them.
 */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include "source.h"
#include "text.h"

#define PARSE_STATEMENTS_MAX 100000u

/** Decodes file `file` of the set and what it includes. Returns 0, or -1 with at least one error in
 *  `diags` and *ret_text untouched. Time and memory are linear in the bytes
 *  read, and a text has at most PARSE_STATEMENTS_MAX statements. */
int parse_text(struct source_set *set, uint32_t file, struct diag_list *diags,
	       struct text *ret_text);

#endif
