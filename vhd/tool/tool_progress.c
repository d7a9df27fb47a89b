/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of long jobs, on stderr. */
#define _GNU_SOURCE

#include "tool_progress.h"

#include "tool_size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_FROM_US   300000u
#define BAR_STEP_US   200000u /* between two pictures of the bar */
#define JSON_STEP_US  500000u
#define RATE_FROM_US  1000000u /* before, a rate says nothing */
#define LINES_FROM_US 1000000u
#define BAR_CELLS     28u

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

static int step(void *context, uint64_t done, uint64_t total)
{
	return tool_progress_step(context, done, total);
}

void tool_progress_begin(struct tool_progress *progress, const struct tool *tool, const char *what)
{
	*progress = (struct tool_progress){
		.io = {.step = step, .context = progress}, .tool = tool, .what = what};
	if (tool->quiet) {
		progress->style = TOOL_PROGRESS_NONE;
	} else if (tool->json) {
		progress->style = tool->show_progress ? TOOL_PROGRESS_JSON : TOOL_PROGRESS_NONE;
	} else if (isatty(STDERR_FILENO)) {
		progress->style = TOOL_PROGRESS_BAR;
	} else {
		progress->style = TOOL_PROGRESS_LINES;
	}
	progress->start_us = now_us();
}

static unsigned percent_of(uint64_t done, uint64_t total)
{
	return total && done < total ? (unsigned)((double)done * 100 / (double)total) : 100;
}

static uint64_t rate_of(uint64_t first, uint64_t done, uint64_t elapsed_us)
{
	return elapsed_us >= RATE_FROM_US && done > first
		       ? (uint64_t)((double)(done - first) * 1e6 / (double)elapsed_us)
		       : 0;
}

const char *tool_progress_text(char ret_text[TOOL_PROGRESS_TEXT], unsigned width, uint64_t first,
			       uint64_t done, uint64_t total, uint64_t elapsed_us)
{
	unsigned percent = percent_of(done, total);
	uint64_t rate = rate_of(first, done, elapsed_us);
	char bar[BAR_CELLS + 1] = "", size[TOOL_SIZE_TEXT], left[TOOL_SIZE_TEXT];
	int used = 0;

	if (width >= 76) {
		unsigned full = percent * BAR_CELLS / 100;

		memset(bar, '#', full);
		memset(bar + full, '.', BAR_CELLS - full);
		used = snprintf(ret_text, TOOL_PROGRESS_TEXT, "[%s] ", bar);
	}
	used += snprintf(ret_text + used, TOOL_PROGRESS_TEXT - (unsigned)used, "%3u %%  %s",
			 percent, tool_size_text(size, done));
	if (rate) {
		uint64_t seconds = done < total ? (total - done + rate - 1) / rate : 0;

		used += snprintf(ret_text + used, TOOL_PROGRESS_TEXT - (unsigned)used, "  %s/s",
				 tool_size_text(size, rate));
		snprintf(ret_text + used, TOOL_PROGRESS_TEXT - (unsigned)used, "  %s left",
			 tool_duration_text(left, seconds));
	}
	return ret_text;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void show_json(const struct tool_progress *progress, uint64_t done, uint64_t total,
		      uint64_t elapsed_us)
{
	uint64_t rate = rate_of(progress->first, done, elapsed_us);
	struct json_object *line = json_object_new_object();

	tool_add_text(line, "progress", progress->what);
	tool_add_number(line, "done", done);
	tool_add_number(line, "total", total);
	tool_add_number(line, "percent", percent_of(done, total));
	if (rate) {
		tool_add_number(line, "bytes_per_second", rate);
		tool_add_number(line, "seconds_left", done < total ? (total - done) / rate : 0);
	}
	fprintf(stderr, "%s\n", json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	json_object_put(line);
}

static void show(struct tool_progress *progress, uint64_t done, uint64_t total, uint64_t now)
{
	uint64_t elapsed = now - progress->start_us;
	unsigned tenths = percent_of(done, total) / 10;
	bool whole = done >= total;
	char text[TOOL_PROGRESS_TEXT];

	switch (progress->style) {
	case TOOL_PROGRESS_NONE:
		return;
	case TOOL_PROGRESS_JSON:
		if (whole || !progress->shown || now - progress->last_us >= JSON_STEP_US) {
			show_json(progress, done, total, elapsed);
			progress->last_us = now;
			progress->shown = true;
		}
		return;
	case TOOL_PROGRESS_LINES:
		/* A short job needs no lines. */
		if (tenths > progress->tenths &&
		    (elapsed >= LINES_FROM_US || progress->tool->show_progress)) {
			fprintf(stderr, "%s: %s\n", progress->what,
				tool_progress_text(text, 0, progress->first, done, total, elapsed));
			progress->tenths = tenths;
		}
		return;
	case TOOL_PROGRESS_BAR:
		/* A short job needs no bar; one that is there shows its end. */
		if (whole ? progress->shown
			  : elapsed >= BAR_FROM_US && now - progress->last_us >= BAR_STEP_US) {
			fprintf(stderr, "\r%s %s\033[K", progress->what,
				tool_progress_text(text, terminal_width(), progress->first, done,
						   total, elapsed));
			progress->last_us = now;
			progress->shown = true;
		}
		return;
	}
}

int tool_progress_step(struct tool_progress *progress, uint64_t done, uint64_t total)
{
	if (!progress->started) {
		progress->started = true;
		progress->first = done;
		progress->tenths = percent_of(done, total) / 10;
	}
	show(progress, done, total, now_us());
	return tool_interrupted() ? -ECANCELED : 0;
}

void tool_progress_end(struct tool_progress *progress)
{
	if (progress->style == TOOL_PROGRESS_BAR && progress->shown) {
		fputc('\n', stderr);
	}
	progress->shown = false;
}
