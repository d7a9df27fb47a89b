/* SPDX-License-Identifier: Apache-2.0 */
/** Power cuts: what a recording disk_memory may hold when the power comes back.
 *
 *  Everything before the last flush of a file is there. Of what came later, each 512-byte sector is
 * there or not, and that of several writes to one sector any may have been the last: so any order
 * of writes is among the states of DISK_CUT_SECTORS. The size of a file is chosen apart from its
 * data.
 */
#ifndef TEST_DISK_CUT_H
#define TEST_DISK_CUT_H

#include "disk_memory.h"

#define DISK_CUT_SECTOR 512u

enum disk_cut_kind {
	DISK_CUT_DROP_ALL,
	DISK_CUT_KEEP_ALL,
	DISK_CUT_DROP_ONE, /* all but the effect `number` */
	DISK_CUT_KEEP_ONE,
	DISK_CUT_TORN,	  /* in order, up to sector `sector` of the effect `number` */
	DISK_CUT_EFFECTS, /* a random half of the effects, each as a whole */
	DISK_CUT_SECTORS, /* a random half of the sectors of each effect */
};

enum disk_cut_size {
	DISK_CUT_SIZE_NEW,
	DISK_CUT_SIZE_OLD,  /* what was written past it is gone */
	DISK_CUT_SIZE_DATA, /* as most file systems do: grown as far as the data that is there */
	DISK_CUT_SIZE_RANDOM,
};

struct disk_cut {
	enum disk_cut_kind kind;
	enum disk_cut_size size;
	uint64_t number; /* of disk_cut_list() */
	uint64_t sector;
	uint64_t seed;
	/* Changes of names are kept one by one, as on FAT; else, as journals do it, none is kept
	 * after one that is lost. */
	bool names_apart;
};

/** Numbers of the effects and name changes that are not lasting, rising, at most `max`. Returns how
 * many there are. */
size_t disk_cut_list(const struct disk_memory *disk, uint64_t *ret_numbers, size_t max);

/** A new disk, recording, with everything on it lasting. */
struct disk_memory *disk_cut_make(const struct disk_memory *disk, const struct disk_cut *cut);

/** A cut of any kind, chosen by the seed among what makes sense for the disk now. */
struct disk_cut disk_cut_choose(const struct disk_memory *disk, uint64_t *seed);

/** "sectors, old size, seed 7": for messages. Returns `ret_text`. */
const char *disk_cut_describe(const struct disk_cut *cut, char *ret_text, size_t size);

#endif
