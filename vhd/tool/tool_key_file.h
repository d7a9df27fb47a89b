/* SPDX-License-Identifier: Apache-2.0 */
/** Small files that options name: PEM keys, receipts, configurations. */
#ifndef VHD_TOOL_KEY_FILE_H
#define VHD_TOOL_KEY_FILE_H

#include "tool.h"

#include <stddef.h>

/** Reads at most `max` bytes and adds a NUL; the caller frees. path NULL: NULL. Reports what goes
 * wrong; returns an exit code. */
int tool_key_file_read(struct tool *tool, const char *path, size_t max, char **ret_text);

/** Writes a file as a whole. Exit code. */
int tool_key_file_write(struct tool *tool, const char *path, const char *text);

#endif
