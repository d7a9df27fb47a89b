/* SPDX-License-Identifier: Apache-2.0 */
/** Runs a program of others on untrusted bytes with as few rights as it can do with: Landlock
 * allows it only the files that are named, seccomp takes away network, mounts and tracing, limits
 * bound its memory and time, no new privileges ever.
 */
#ifndef VHD_TOOL_CONFINE_H
#define VHD_TOOL_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

#define TOOL_CONFINE_PATHS 12u

struct tool_confine {
	const char *read[TOOL_CONFINE_PATHS];  /* files or folders; NULL ends */
	const char *write[TOOL_CONFINE_PATHS]; /* read, written, made and removed below */
	uint64_t memory;		       /* bytes of address space; 0: no limit */
	uint64_t file_size;		       /* bytes of a file that it writes; 0: no limit */
	unsigned cpu_seconds;		       /* 0: no limit */
};

/** Confines the calling process for good; programs, libraries and what `program` needs to start
 * stay readable. Returns 0 or -errno; a kernel without Landlock is -EOPNOTSUPP. */
int tool_confine_enter(const struct tool_confine *confine, const char *program);

/** True when this kernel can confine by paths. */
bool tool_confine_is_there(void);

#endif
