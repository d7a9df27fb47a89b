/* SPDX-License-Identifier: Apache-2.0 */
/** Where programs and plugins of others lie. */
#ifndef VHD_TOOL_FIND_H
#define VHD_TOOL_FIND_H

#include <limits.h>
#include <stdbool.h>

/** The real path of a program in PATH, /usr/sbin or /sbin. False: not here. */
bool tool_find_program(const char *name, char ret_path[PATH_MAX]);

/** A file that is built or installed with this program: beside it, or `sibling` folders away
 * ("../nbdkit"). False: not there. */
bool tool_find_beside(const char *sibling, const char *name, char ret_path[PATH_MAX]);

#endif
