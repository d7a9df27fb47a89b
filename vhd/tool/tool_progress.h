/* SPDX-License-Identifier: Apache-2.0 */
/** How far a long job is: a bar on a terminal, a line for each tenth elsewhere, JSON lines on
 * stderr with --json --progress.
 */
#ifndef VHD_TOOL_PROGRESS_H
#define VHD_TOOL_PROGRESS_H

#include "progress.h"
#include "tool.h"

enum tool_progress_style {
	TOOL_PROGRESS_NONE,
	TOOL_PROGRESS_BAR,
	TOOL_PROGRESS_LINES,
	TOOL_PROGRESS_JSON,
};

struct tool_progress {
	struct progress io; /* for the engine */
	const struct tool *tool;
	const char *what; /* "convert" ... */
	enum tool_progress_style style;
	uint64_t start_us, last_us; /* monotonic clock */
	uint64_t first;		    /* what was done already when it started: resumed jobs */
	unsigned tenths;	    /* shown */
	bool started, shown;
};

void tool_progress_begin(struct tool_progress *progress, const struct tool *tool, const char *what);

/** Shows it when it is time to. Returns 0, or -ECANCELED after Ctrl-C: the job ends at its next
 * safe place. */
int tool_progress_step(struct tool_progress *progress, uint64_t done, uint64_t total);

/** Ends the line of the bar. */
void tool_progress_end(struct tool_progress *progress);

#define TOOL_PROGRESS_TEXT 128u
/** One line of `width` columns at most: percent, bar when there is room, rate, time left. `first`
 * of `done` was done before `elapsed_us` began. */
const char *tool_progress_text(char ret_text[TOOL_PROGRESS_TEXT], unsigned width, uint64_t first,
			       uint64_t done, uint64_t total, uint64_t elapsed_us);

#endif
