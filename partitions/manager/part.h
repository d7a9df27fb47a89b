/* SPDX-License-Identifier: Apache-2.0 */
/** A partition as the daemon keeps it: definition, supervision, processes, console, partition fd.
 */
#ifndef MANAGER_PART_H
#define MANAGER_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "console.h"
#include "loop.h"
#include "proc.h"
#include "super.h"
#include "abi/part.h"

#define PART_PROCS_MAX 12u /* runner, 4 disks, console, entropy, gpu, keyboard, pointer */
#define PART_RUNNER    0u  /* index in proc[] */

/** What all partitions share; set before the first part_init(). */
struct part_env {
	int dev;		 /* /dev/bulkhead */
	const char *program_dir; /* of runner and back ends */
	const char *run_dir;	 /* of the logs */
	const char *sysfs_dir;	 /* /sys */
	bool confine;		 /* own users, no capabilities */
	void (*console_grew)(
		void *data);   /* a partition printed something; data is the struct part */
	void (*changed)(void); /* one began to run, is ready, or ended; may be NULL */
};
extern struct part_env part_env;

struct part;

struct part_proc {
	struct proc proc;
	struct part *part;
	char kind[16]; /* "runner", "blk0", "gpu", ... */
	bool ended;
	int status; /* when ended */
};

struct part_stream {
	struct loop_source source;
	struct part *part;
	unsigned int index; /* of console.source[] */
};

/** A real device that the definition names, as the last start found it. */
struct part_assigned {
	bool has;	 /* the partition has it */
	uint32_t number; /* in the policy table */
	char text[96];	 /* which device it is, or why the partition is without it; empty: never
			    started */
};

struct part {
	struct config config;
	struct super super;
	struct console console;
	struct loop_source fd_source; /* partition fd, -1 while the hypervisor has none */
	struct part_proc proc[PART_PROCS_MAX];
	uint32_t proc_count;
	struct part_assigned assigned[CONFIG_ASSIGNED_MAX];
	struct part_stream stream[CONSOLE_SOURCES]; /* virtio console (both ways), serial port */
	struct loop_timer end_timer;		    /* collects ends that belong together */
	unsigned int end_waits;			    /* times that it was set again */
	struct loop_timer kill_timer;		    /* patience with processes told to end */
	struct loop_timer ready_timer;		    /* patience with a guest that has to say so */
	bool wanted; /* starts by itself as soon as order.h lets it */
	bool paused;
	bool held;  /* paused by the daemon until when.h lets it run */
	bool ready; /* the guest printed its marker */
	uint64_t ready_tsc;
};

void part_init(struct part *part, const struct config *config);
/** The policy changed: rights to start, restarts and their likes count at once, the rest at its
 * next start. One that is not to be seen any more leaves the screen at once. */
void part_update(struct part *part, const struct config *config);
/** All processes must be gone. */
void part_fini(struct part *part);
/** Waits at most so many milliseconds until nobody holds the partition any more. Processes of a
 * daemon that was killed die with it, but let go of guest memory a moment later. Returns whether it
 * is free. */
bool part_await_free(const struct part *part, unsigned int ms);
/** Requests. Return 0, -EBUSY when the state does not allow it. */
int part_start(struct part *part);
int part_stop(struct part *part);
int part_reset(struct part *part);
/** Its vcpus stand still until part_resume(). Return 0, -EBUSY when the state does not allow it, or
 * -errno. */
int part_pause(struct part *part);
int part_resume(struct part *part);
/** Input for the guest's console. Returns how many bytes were taken, or -errno. */
long part_type(struct part *part, const char *text, size_t size);
/** "stopped", "running", "paused", "ending", "failed". */
const char *part_state_word(const struct part *part);
uint32_t part_live(const struct part *part);

/* assigned.c */
/** Finds the device of role config.assigned[index], takes it from whatever driver the control
 * kernel bound to it, and fills part->assigned[index]. Returns an fd of its configuration space for
 * reading, or -1: the partition starts without it. The partition exists. */
int assigned_open(struct part *part, uint32_t index);
/** Stops the devices of a partition that stays without processes but keeps its memory. */
void assigned_stop(const struct part *part);

/* launch.c */
/** Creates or resets the partition and starts its processes. Returns 0, or -1 and the reason in
 * `why`; processes that run by then are the caller's to end. */
int launch_part(struct part *part, char *why, size_t size);

#endif
