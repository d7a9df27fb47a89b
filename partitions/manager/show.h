/* SPDX-License-Identifier: Apache-2.0 */
/** Answers of the daemon as text for people. */
#ifndef MANAGER_SHOW_H
#define MANAGER_SHOW_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

void show_list(FILE *out, struct json_object *answer);
void show_stats(FILE *out, struct json_object *answer);
void show_policy(FILE *out, struct json_object *answer);
/** A guest's bytes. Unless raw, control characters other than newline and tab become '?', so that a
 * guest cannot play with the reader's terminal. */
void show_text(FILE *out, struct json_object *answer, bool raw);

#endif
