/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures in text. */
#define _GNU_SOURCE

#include "tool_draw.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#define INDENT	   3u
#define INDENT_MAX 40u

static bool is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

const char *tool_draw_branch(char ret_text[TOOL_DRAW_BRANCH], unsigned depth, bool first)
{
	unsigned blanks = depth ? (depth - 1) * INDENT + 2 : 2;

	if (depth == 0) {
		return strcpy(ret_text, first ? "  " : "     ");
	}
	snprintf(ret_text, TOOL_DRAW_BRANCH, "%*s%s",
		 (int)(blanks < INDENT_MAX ? blanks : INDENT_MAX), "",
		 !first	     ? "      "
		 : is_utf8() ? "\xe2\x94\x94\xe2\x94\x80 "
			     : "`- ");
	return ret_text;
}

/* Where cell i begins. */
static uint64_t cell_start(uint64_t total, unsigned i)
{
	return total / TOOL_DRAW_CELLS * i + total % TOOL_DRAW_CELLS * i / TOOL_DRAW_CELLS;
}

void tool_draw_add(uint64_t held[TOOL_DRAW_CELLS], uint64_t total, uint64_t offset, uint64_t size)
{
	for (unsigned i = 0; i < TOOL_DRAW_CELLS; i++) {
		uint64_t from = cell_start(total, i), to = cell_start(total, i + 1);
		uint64_t end = offset + size;

		from = offset > from ? offset : from;
		to = end < to ? end : to;
		held[i] += to > from ? to - from : 0;
	}
}

const char *tool_draw_strip(char ret_text[TOOL_DRAW_STRIP], const uint64_t held[TOOL_DRAW_CELLS],
			    uint64_t total)
{
	static const char *const ascii[] = {".", "-", "+", "#"};
	static const char *const blocks[] = {"\xc2\xb7", "\xe2\x96\x91", "\xe2\x96\x93",
					     "\xe2\x96\x88"};
	const char *const *grades = is_utf8() ? blocks : ascii;
	uint64_t sum = 0;
	size_t used = 0;

	for (unsigned i = 0; i < TOOL_DRAW_CELLS; i++) {
		uint64_t cell = cell_start(total, i + 1) - cell_start(total, i);
		unsigned grade = held[i] == 0 ? 0 : held[i] < cell / 2 ? 1 : held[i] < cell ? 2 : 3;
		size_t size = strlen(grades[grade]);

		memcpy(ret_text + used, grades[grade], size);
		used += size;
		sum += held[i];
	}
	snprintf(ret_text + used, TOOL_DRAW_STRIP - used, "  %u %% in use",
		 total ? (unsigned)((double)sum * 100 / (double)total + 0.5) : 0);
	return ret_text;
}
