/* SPDX-License-Identifier: Apache-2.0 */
/** Who keeps a folder busy. */
#ifndef VHD_TOOL_BUSY_H
#define VHD_TOOL_BUSY_H

#include <stddef.h>

/** Names the programs of this user that have a file or folder open below `folder`:
 * "bash (4711), less (4712)"; "" when none is found. Returns `ret_text`. */
const char *tool_busy_who(const char *folder, char *ret_text, size_t size);

#endif
