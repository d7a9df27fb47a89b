/* SPDX-License-Identifier: Apache-2.0 */
/** A root folder that holds nothing but what a job needs, for a process in a mount namespace of its
 * own (tool_jail.h): the system's programs and libraries, a few devices, and the paths that are
 * named, all read-only.
 */
#ifndef VHD_TOOL_ROOT_H
#define VHD_TOOL_ROOT_H

/** Where the job may write, in memory. */
#define TOOL_ROOT_SCRATCH "/scratch"

/** Builds it on the empty folder `place`, with each of `paths` (NULL-terminated; files or folders,
 * under the names they have) in it, and makes it the root of this process. 0 or -errno. */
int tool_root_enter(const char *place, const char *const *paths);

#endif
