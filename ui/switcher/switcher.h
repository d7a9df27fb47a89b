/* SPDX-License-Identifier: Apache-2.0 */
/** The process: what main.c sets up and loop.c turns, one file per neighbour (bulkheadd, GPU back
 * ends, input back ends, devices, screen). Decisions are the model's (ui/core); this side carries
 * them out.
 */
#ifndef BH_SWITCHER_PROCESS_H
#define BH_SWITCHER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/backend/evdev.h"
#include "ui/backend/output.h"
#include "ui/core/model.h"
#include "ui/switcher/peer.h"
#include "ui/switcher/screen.h"
#include "ui/trusted/font.h"

struct switcher {
	struct model model;
	struct effects effects; /* filled by one call of the model, carried out at once */
	struct peer peers[SWITCHER_PARTS_MAX];
	struct screen screen;
	struct output *output;
	struct evdev evdev;
	int control_fd; /* bulkheadd; -1 when it is gone */
	int opener_fd;	/* new devices; -1: none */

	/* One switch at a time is measured: from the event that asked for it to the frame that
	 * shows it. */
	bool focus_pending;
	uint64_t focus_tsc;
	uint64_t frame_ns; /* when the last frame was drawn, CLOCK_MONOTONIC */
	bool stats;
};

uint64_t switcher_tsc(void);
uint64_t switcher_now_ns(void);

/** Carries out the effects in s->effects and empties the list. Drawing goes to memory; loop.c
 * presents it. */
void switcher_apply(struct switcher *s);

/** Reads up to a fixed count of messages from bulkheadd. */
void control_serve(struct switcher *s);
void control_send_ready(struct switcher *s);
void control_send_answer(struct switcher *s, const struct switcher_answer *answer);
void control_send_focused(struct switcher *s, uint32_t part, uint64_t tsc);

/** A line on stdout, without ever waiting for it: the console may be a slow serial line. */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** SIGTERM and SIGINT end the loop, SIGUSR1 prints counters. Once, before system calls are taken
 * away. */
void loop_catch_signals(void);

/** Turns until SIGTERM, or until the screen goes away. Returns the exit code. */
int loop_run(struct switcher *s);

#endif
