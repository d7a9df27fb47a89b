/* SPDX-License-Identifier: Apache-2.0 */
/** A child process that talks over one socket, with an empty environment. */
#ifndef VHD_CHILD_H
#define VHD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int fd; /* our end of the socket that is its descriptor 0 (and 1 when asked) */
};

/** Starts `path` with the socket as descriptor 0, `extra` (or -1) as 3, all else on /dev/null.
 * socket_out: descriptor 1 is the socket too. 0 or -errno. */
int child_start(const char *path, int extra, bool socket_out, struct child *ret_child);

/** All bytes, or -EPIPE, -errno. */
int child_send(struct child *child, const void *bytes, size_t size);

/** Reads until `size` bytes or the end: *ret_size of them. -ETIMEDOUT. */
int child_receive(struct child *child, void *ret_bytes, size_t size, size_t *ret_size,
		  unsigned seconds);

/** Says that nothing more will be sent. */
void child_end_input(struct child *child);

/** Ends it when it has not ended; returns its exit code, or -1. */
int child_finish(struct child *child);

#endif
