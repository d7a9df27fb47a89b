/* SPDX-License-Identifier: Apache-2.0 */
/** Watched processes. What they print is a few lines of our own log, never more than
 * PROC_LOG_LINES. */
#define _GNU_SOURCE
#include "proc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

#define PROC_LOG_LINES 200u

static void proc_end_line(struct proc *proc)
{
	if (proc->line_size > 0 && proc->log_left > 0) {
		say("%s: %.*s%s", proc->name, (int)proc->line_size, proc->line,
		    --proc->log_left ? "" : " [no more lines of this process]");
	}
	proc->line_size = 0;
}

static char proc_printable(char byte)
{
	if (byte == '\t') {
		return ' ';
	}
	return byte < 0x20 || byte > 0x7e ? '?' : byte;
}

static void proc_take_log(struct proc *proc, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n' || proc->line_size == PROC_LINE_SIZE) {
			proc_end_line(proc);
		}
		if (text[i] != '\n') {
			proc->line[proc->line_size++] = proc_printable(text[i]);
		}
	}
}

static void proc_log_ready(void *data, uint32_t events)
{
	struct proc *proc = data;
	char text[1024];
	ssize_t got = read(proc->log_source.fd, text, sizeof(text));

	(void)events;
	if (got > 0) {
		proc_take_log(proc, text, (size_t)got);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		proc_end_line(proc);
		loop_close(&proc->log_source);
	}
}

static void proc_exit_ready(void *data, uint32_t events)
{
	struct proc *proc = data;
	char text[1024];
	ssize_t got;
	int status;

	(void)events;
	if (waitpid(proc->pid, &status, WNOHANG) != proc->pid) {
		return;
	}
	/* Last words are written before the end and may still be in the pipe. */
	while (proc->log_source.fd >= 0 &&
	       (got = read(proc->log_source.fd, text, sizeof(text))) > 0) {
		proc_take_log(proc, text, (size_t)got);
	}
	proc_end_line(proc);
	loop_close(&proc->log_source);
	loop_close(&proc->exit_source);
	proc->live = false;
	proc->ended(proc->data, proc, status);
}

int proc_start(struct proc *proc, struct spawn *spawn, const char *name)
{
	struct spawn_child child;
	int ret = spawn_run(spawn, &child);

	if (ret) {
		return ret;
	}
	snprintf(proc->name, sizeof(proc->name), "%s", name);
	proc->pid = child.pid;
	proc->line_size = 0;
	proc->log_left = PROC_LOG_LINES;
	proc->live = true;
	proc->exit_source = (struct loop_source){.fd = -1, .ready = proc_exit_ready, .data = proc};
	proc->log_source = (struct loop_source){.fd = -1, .ready = proc_log_ready, .data = proc};
	ret = loop_add(&proc->exit_source, child.pidfd, EPOLLIN);
	if (ret == 0) {
		ret = loop_add(&proc->log_source, child.log_fd, EPOLLIN);
	}
	if (ret) {
		kill(child.pid, SIGKILL);
		waitpid(child.pid, NULL, 0);
		loop_close(&proc->exit_source);
		close(child.log_fd);
		proc->live = false;
	}
	return ret;
}

void proc_signal(struct proc *proc, int number)
{
	if (proc->live) {
		syscall(SYS_pidfd_send_signal, proc->exit_source.fd, number, NULL, 0);
	}
}
