/* SPDX-License-Identifier: Apache-2.0 */
/** The functions behind the verbs, and their options. Each returns an exit code (tool.h). */
#ifndef VHD_TOOL_VERBS_H
#define VHD_TOOL_VERBS_H

#include "tool.h"

extern const struct tool_option tool_fixed_options[];
int tool_fixed(struct tool *tool, char **arguments, unsigned count);

#endif
