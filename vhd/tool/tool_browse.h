/* SPDX-License-Identifier: Apache-2.0 */
/** Choosing what of a disk to look into, for mount and scan. */
#ifndef VHD_TOOL_BROWSE_H
#define VHD_TOOL_BROWSE_H

#include "tool_disk.h"
#include "tool_partition.h"

/** Opens a disk read-only to look at its partitions; one in use is refused. Exit code. */
int tool_browse_open(struct tool *tool, const char *path, struct tool_disk *ret_disk);

/** Shows the partitions and takes number `wanted`, or when that is negative the largest one that
 * can be read here. Exit code. */
int tool_browse_choose(struct tool *tool, struct tool_disk *disk, int64_t wanted,
		       struct tool_partition *ret_partition);

#endif
