/* SPDX-License-Identifier: Apache-2.0 */
/** A disk as a folder, without root and without a kernel driver: nbdkit with our plugin serves the
 * disk, nbdfuse makes a file of one partition, a FUSE driver makes a folder of its file system.
 * Three processes, one for each; none outlives the one that started them.
 */
#ifndef VHD_TOOL_SERVE_H
#define VHD_TOOL_SERVE_H

#include "tool.h"
#include "tool_partition.h"
#include "tool_secret.h"

#include <limits.h>
#include <sys/types.h>

struct tool_serve_options {
	const char *disk;		  /* path */
	const struct tool_secret *secret; /* size 0: none */
	const struct tool_partition *partition;
	const char *folder; /* to mount on; exists */
	const char *state;  /* folder of its own for sockets and logs; exists */
	bool writable;	    /* into memory, gone at the end */
};

struct tool_serve {
	char state[PATH_MAX], folder[PATH_MAX], file[PATH_MAX];
	pid_t server, fuse, driver;
	int log_fd;
};

/** Whether a file system can be read here. NULL: yes; else why not, and what to do. */
const char *tool_serve_why_not(const char *content);

/** Starts all three and waits until the folder is there. 0 or -errno with tool->why; then nothing
 * is left. */
VHD_MUST_CHECK int tool_serve_start(struct tool *tool, const struct tool_serve_options *options,
				    struct tool_serve *ret_serve);

/** Ends all three in order. -EBUSY: somebody uses the folder, all goes on (unless `force`). */
VHD_MUST_CHECK int tool_serve_stop(struct tool_serve *serve, bool force);

/** Unmounts a folder as its owner may. -EBUSY, -EINVAL: nothing is mounted there. */
VHD_MUST_CHECK int tool_serve_unmount(const char *folder, bool lazy);

/** True when something is mounted exactly there. */
bool tool_serve_is_mounted(const char *folder);

#endif
