/* SPDX-License-Identifier: Apache-2.0 */
/** Decisions in words: sentences for people, and the language's own words for what a row covers. */
#ifndef POLICY_SAY_H
#define POLICY_SAY_H

#include <stdio.h>

#include "cells.h"

/** "What is copied in browser may, after a question, be pasted in desktop". */
void say_sentence(FILE *out, enum text_kind kind, enum text_verdict verdict, const char *from,
		  const char *to);
/** The part of a kind that a row covers, as the language writes it: "types text, image",
 * "types tcp port 443"; nothing for all of it. Returns whether something was printed. */
bool say_what(FILE *out, enum text_kind kind, uint32_t types, uint16_t lo, uint16_t hi);
/** Limits as the language writes them, each with a blank before it. */
void say_limits(FILE *out, const struct text_limits *limits);
bool say_has_limits(const struct text_limits *limits);
bool say_same_limits(const struct text_limits *a, const struct text_limits *b);
/** Whether a question makes sense: somebody sits there and can be asked each time. */
bool say_can_ask(enum text_kind kind);

#endif
