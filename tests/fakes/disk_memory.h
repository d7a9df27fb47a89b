/* SPDX-License-Identifier: Apache-2.0 */
/** A folder of images in memory, with what real disks do to people: power cuts (disk_cut.h), calls
 * that fail, disks that are full, answers in any order.
 *
 *      struct disk_memory *disk = disk_memory_create(true);
 *      vhd_disk_open(disk_memory_folder(disk), "a.vhd", VHD_DISK_WRITE, &layer, &why);
 *
 *  A recording disk keeps apart what is lasting (before the last flush of each file, and of the
 * folder for names) and what came later. It is as mean as file.h and folder.h allow: flushing a
 * file does not make its name lasting, a failed write leaves any part of itself, and after a failed
 * flush some of the bytes that read back well will never reach the disk.
 */
#ifndef TEST_DISK_MEMORY_H
#define TEST_DISK_MEMORY_H

#include "folder.h"

enum disk_call {
	DISK_READ,
	DISK_WRITE,
	DISK_ZERO,
	DISK_RESIZE,
	DISK_FLUSH,
	DISK_OPEN, /* of a file that is there */
	DISK_CREATE,
	DISK_RENAME,
	DISK_REMOVE,
	DISK_FOLDER_FLUSH,
	DISK_CALL_COUNT,
};

#define DISK_BIT(call)	    (1u << (call))
#define DISK_ALL_CALLS	    ((1u << DISK_CALL_COUNT) - 1)
#define DISK_CHANGING_CALLS (DISK_ALL_CALLS & ~(DISK_BIT(DISK_READ) | DISK_BIT(DISK_OPEN)))

/** Which calls fail. */
struct disk_fault {
	unsigned calls; /* DISK_BIT()s; 0: none */
	uint64_t after; /* so many of them work first; counts down */
	int error;	/* -EIO, -ENOSPC ... */
	bool for_ever;	/* else once */
	bool happened;	/* set by the disk */
};

struct disk_memory_state;

struct disk_memory {
	/* Counters, and knobs that a test may set at any time. */
	uint64_t calls[DISK_CALL_COUNT], failed[DISK_CALL_COUNT];
	struct disk_fault fault;
	uint64_t budget; /* bytes of pages that all files may take; 0: no limit. -ENOSPC above */
	uint64_t seed;	 /* of all that happens at random */
	/* Each file call on a fiber parks it; disk_memory_run() wakes them in random order. */
	bool shuffle;
	/* A flush that says it flushed and did not: proof that a test would notice. Of lie_calls
	 * (DISK_FLUSH, DISK_FOLDER_FLUSH) the one after so many honest ones, once. */
	unsigned lie_calls;
	uint64_t lie_after;
	/* Called after everything that changed the disk (not on a fork). */
	void (*on_change)(struct disk_memory *disk, enum disk_call call);
	void *context;
	struct disk_memory_state *state;
};

/** Without recording it takes less memory and time, and knows no power cuts. */
struct disk_memory *disk_memory_create(bool record);
/** Every file must be closed. NULL is fine. */
void disk_memory_destroy(struct disk_memory *disk);

/** The one folder; closing it does nothing. */
struct folder *disk_memory_folder(struct disk_memory *disk);

/** All that there is now, as if it were flushed; same knobs, no faults, no hook, fresh counters. */
struct disk_memory *disk_memory_fork(const struct disk_memory *disk);

/** Parks the fiber as a file call would, when calls are shuffled: for clocks of tests. */
void disk_memory_park(struct disk_memory *disk);
/** Wakes one call that is parked. False: there was none. Not on a fiber. */
bool disk_memory_step(struct disk_memory *disk);
/** Wakes calls until none is parked. */
void disk_memory_run(struct disk_memory *disk);
/** Calls that are parked now. */
unsigned disk_memory_waiting(const struct disk_memory *disk);

/** Bytes of pages that all files take. */
uint64_t disk_memory_used(const struct disk_memory *disk);
/** Open handles of files: 0 after everybody closed. */
unsigned disk_memory_open_count(const struct disk_memory *disk);

/** Copies a file out to a real one, keeping its holes, or in. 0 or -errno. */
VHD_MUST_CHECK int disk_memory_save(struct disk_memory *disk, const char *name, const char *path);
VHD_MUST_CHECK int disk_memory_load(struct disk_memory *disk, const char *name, const char *path);

/** The next of a row of random numbers (for tests too: one seed gives one run). */
uint64_t disk_memory_random(uint64_t *seed);

#endif
