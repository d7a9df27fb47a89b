/* SPDX-License-Identifier: Apache-2.0 */
/** The block table (BAT): for each block of the disk the sector of the file at which it lies.
 *
 *  Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0, "Block Allocation Table
 * and Data Blocks".
 */
#ifndef VHD_BAT_H
#define VHD_BAT_H

#include "file.h"

#define VHD_BAT_UNUSED 0xffffffffu
/** Most entries: 2040 GiB in blocks of 512 KiB. The table in memory stays below 17 MiB. */
#define VHD_BAT_MAX (4u << 20)
/** Most entries for smaller blocks, which no known writer makes. */
#define VHD_BAT_MAX_SMALL (512u << 10)

static inline uint32_t vhd_bat_max(uint32_t block_size)
{
	return block_size < 512u << 10 ? VHD_BAT_MAX_SMALL : VHD_BAT_MAX;
}

struct vhd_bat {
	uint32_t *entries;   /* sectors; filled up to a whole sector of the table */
	uint32_t count;	     /* blocks of the disk */
	uint32_t used_count; /* that lie in the file */
	uint64_t offset;     /* in the file, bytes */
	uint8_t *dirty;	     /* a bit for each sector of the table */
	uint32_t dirty_count;
};

/** Reads `count` entries of a table at `offset`. -EFBIG: more than VHD_BAT_MAX; -ENOMEM, -errno. */
VHD_MUST_CHECK int vhd_bat_load(struct vhd_bat *bat, struct file *file, uint64_t offset,
				uint32_t count);
/** All zero is fine. */
void vhd_bat_fini(struct vhd_bat *bat);

/** The room that the blocks of an image take. */
struct vhd_bat_room {
	uint64_t first_sector; /* of the lowest block; UINT64_MAX: there is none */
	uint64_t end_sector;   /* behind the highest; 0: none */
};

/** Checks that blocks of `block_sectors` (bitmap included) share no sector with each other.
 * -EBADMSG: two do; -ENOMEM. */
VHD_MUST_CHECK int vhd_bat_check(const struct vhd_bat *bat, uint32_t block_sectors,
				 struct vhd_bat_room *ret_room);

/** Enters a new place, in memory; never fails. */
void vhd_bat_set(struct vhd_bat *bat, uint32_t block, uint32_t sector);

/** Writes the sectors that changed. What is set during the call may be left for the next one. */
VHD_MUST_CHECK int vhd_bat_store(struct vhd_bat *bat, struct file *file);

/** A copy with `count` entries at `offset` of the file: the new ones unused and dirty; of fewer,
 * the rest is forgotten. -EFBIG, -ENOMEM. */
VHD_MUST_CHECK int vhd_bat_copy(const struct vhd_bat *bat, uint64_t offset, uint32_t count,
				struct vhd_bat *ret_bat);

/** Marks all of the table as to be written. */
void vhd_bat_mark_all(struct vhd_bat *bat);

#endif
