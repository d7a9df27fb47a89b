/* SPDX-License-Identifier: Apache-2.0 */
/** The mounts of this user: a folder for each under $XDG_RUNTIME_DIR/bulkhead-vhd, with a file that
 * says what is mounted where. The process that keeps a mount holds a lock on that file, so a record
 * without a process is known for what it is, and is removed.
 */
#ifndef VHD_TOOL_MOUNTS_H
#define VHD_TOOL_MOUNTS_H

#include "why.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct tool_mount {
	char state[PATH_MAX]; /* its folder */
	char disk[PATH_MAX], folder[PATH_MAX];
	char content[16];
	unsigned partition;
	bool writable, made_folder;
};

/** A new folder for a mount's state, which only this user can enter. 0 or -errno. */
VHD_MUST_CHECK int tool_mounts_make(char ret_state[PATH_MAX], struct why *why);

/** Writes the record and takes its lock until this process ends. 0 or -errno. */
VHD_MUST_CHECK int tool_mounts_write(const struct tool_mount *mount);

/** Removes record and folder. */
void tool_mounts_remove(const char *state);

/** Calls `each` for every mount that is alive, until it returns non-zero; returns that or 0. */
int tool_mounts_list(int (*each)(void *context, const struct tool_mount *mount), void *context);

#endif
