/* SPDX-License-Identifier: Apache-2.0 */
/** Starts a program with least rights: own user, no capabilities, no new privileges, limits, a
 * process group of its own, and no file descriptor but those named here.
 *
 *  spawn_init(), then any of spawn_arg(), spawn_fd(), then spawn_run() once, spawn_fini() always.
 */
#ifndef MANAGER_SPAWN_H
#define MANAGER_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SPAWN_ARGS_MAX 48u
#define SPAWN_FDS_MAX  24u

struct spawn {
	char *path;
	char *argv[SPAWN_ARGS_MAX + 1];
	unsigned int argc;
	int fd[SPAWN_FDS_MAX];
	unsigned int fd_count;
	int error; /* first that happened while building, -errno */
	/* The caller may change these before spawn_run(). */
	bool confine;			  /* change user and drop privileges; only root can */
	uid_t uid;			  /* also gid; 0 keeps root's files but no capability */
	uint64_t nofile, rtprio, memlock; /* limits */
};

struct spawn_child {
	pid_t pid;
	int pidfd;
	int log_fd; /* its standard output and error, non-blocking */
};

void spawn_init(struct spawn *spawn, const char *directory, const char *program);
void __attribute__((format(printf, 2, 3))) spawn_arg(struct spawn *spawn, const char *format, ...);
/** Takes the fd over (a negative one is an error found by spawn_run()) and returns the number that
 * it will have in the program, for an argument. */
int spawn_fd(struct spawn *spawn, int fd);
/** Returns 0 or -errno. A program that cannot be executed is seen as a child that exits with status
 * 126. */
int spawn_run(struct spawn *spawn, struct spawn_child *ret_child);
/** Closes what spawn_fd() took, frees the rest. */
void spawn_fini(struct spawn *spawn);

#endif
