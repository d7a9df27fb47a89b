/* SPDX-License-Identifier: Apache-2.0 */
/** A process that the daemon looks after: its log lines and its end. */
#ifndef MANAGER_PROC_H
#define MANAGER_PROC_H

#include <stdbool.h>
#include "loop.h"
#include "spawn.h"

#define PROC_NAME_SIZE 32u
#define PROC_LINE_SIZE 240u

struct proc {
	bool live;
	char name[PROC_NAME_SIZE]; /* "desktop/blk0", for the log */
	pid_t pid;
	struct loop_source exit_source; /* pidfd */
	struct loop_source log_source;
	char line[PROC_LINE_SIZE];
	size_t line_size;
	unsigned int log_left; /* lines that it may still write to our log */
	/** Called once, when the process was waited for; live is false then. */
	void (*ended)(void *data, struct proc *proc, int status);
	void *data;
};

/** Runs and watches. proc->ended and proc->data are set by the caller. Returns 0 or -errno. */
int proc_start(struct proc *proc, struct spawn *spawn, const char *name);
/** Sends a signal; nothing if it is gone. */
void proc_signal(struct proc *proc, int number);

#endif
