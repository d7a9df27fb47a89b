/* SPDX-License-Identifier: Apache-2.0 */
/** Secrets: never in the arguments of a process, only from the terminal, a file or a descriptor. */
#ifndef VHD_TOOL_SECRET_H
#define VHD_TOOL_SECRET_H

#include "tool.h"

#include <stddef.h>

#define TOOL_SECRET_MAX 4096u

/** Bytes in memory that is never swapped and is wiped by tool_secret_wipe(). */
struct tool_secret {
	char *bytes;
	size_t size;
};

/** Where a secret comes from. */
struct tool_secret_source {
	const char *file; /* NULL: not from a file */
	int64_t fd;	  /* -1: not from a descriptor */
	const char *prompt;
	bool is_new; /* asked for twice; must not be empty */
};

/** Reads one. Returns 0; -ENOKEY there is no terminal to ask on, or it is empty; -EINTR Ctrl-C;
 * -E2BIG; -errno. tool->why says more. */
VHD_MUST_CHECK int tool_secret_read(struct tool *tool, const struct tool_secret_source *source,
				    struct tool_secret *ret_secret);

/** The one that --secret-file or --secret-fd gives, or else the terminal, asked by `prompt`. */
VHD_MUST_CHECK int tool_secret_get(struct tool *tool, const char *prompt, bool is_new,
				   struct tool_secret *ret_secret);

/** A copy of what somebody else has. Returns 0, -E2BIG or -ENOMEM. */
VHD_MUST_CHECK int tool_secret_copy(const void *bytes, size_t size,
				    struct tool_secret *ret_secret);

/** True when a secret would be asked for on a terminal, so that a wrong one can be tried again. */
bool tool_secret_is_asked(const struct tool *tool);

/** All zero is fine. */
void tool_secret_wipe(struct tool_secret *secret);

#endif
