/* SPDX-License-Identifier: Apache-2.0 */
/** The partitions of an untrusted disk and what lies in them, numbered as Linux and nbdkit's
 * partition filter do.
 *
 *  Sources: UEFI Specification, "GUID Partition Table (GPT) Disk Layout"; the MBR as in UEFI
 * Specification, "Legacy Master Boot Record"; superblocks of the file systems by their public
 * documentation.
 */
#ifndef VHD_TOOL_PARTITION_H
#define VHD_TOOL_PARTITION_H

#include "layer.h"

#define TOOL_PARTITION_MAX 64u

struct tool_partition {
	unsigned number; /* 0: no table, the file system is all of the disk */
	uint64_t offset, size;
	const char *content; /* "ext4", "ntfs", "bitlocker" ...; "": not known */
	bool needs_replay;   /* ext3, ext4: it ended uncleanly, and its journal holds something */
};

/** Fills the list; what lies outside of the disk is left out. No table: one entry with number 0.
 * Returns 0 or -errno of reading. */
VHD_MUST_CHECK int tool_partition_list(struct layer *untrusted,
				       struct tool_partition ret_list[TOOL_PARTITION_MAX],
				       unsigned *ret_count);

#endif
