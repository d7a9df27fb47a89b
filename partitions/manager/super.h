/* SPDX-License-Identifier: Apache-2.0 */
/** When a partition's processes are started, ended and started again: a state machine without
 * processes.
 *
 *  The caller reports what happened and does what super_next() says until it says NONE. One process
 * that ends takes its whole partition down; no other partition is looked at.
 */
#ifndef MANAGER_SUPER_H
#define MANAGER_SUPER_H

#include <stdbool.h>
#include <stdint.h>

#define SUPER_WHY_SIZE 96u

enum super_state {
	SUPER_STOPPED, /* no processes; never started, stopped on request or powered off */
	SUPER_RUNNING, /* its processes live */
	SUPER_ENDING,  /* processes told to end, some still there */
	SUPER_FAILED,  /* ended by a failure and not started again */
};

enum super_action {
	SUPER_NONE,
	SUPER_LAUNCH,  /* create or reset the partition, start all processes */
	SUPER_END,     /* tell all processes to end */
	SUPER_RELEASE, /* all processes are gone and stay gone: give the partition back */
};

enum super_end {
	SUPER_END_CLEAN,   /* the guest powered off */
	SUPER_END_REBOOT,  /* the guest asked for a reset */
	SUPER_END_FAILURE, /* anything else */
};

struct super {
	enum super_state state;
	enum super_state after;	  /* while ENDING: STOPPED, FAILED, or RUNNING to start again */
	enum super_action action; /* due next */
	uint32_t restarts_max;	  /* policy: start again so often in a row after a failure */
	uint64_t steady_us;	  /* policy: after so long a run the count starts anew */
	uint32_t restarts;	  /* in a row */
	uint64_t started_us;
	char why[SUPER_WHY_SIZE]; /* of the last end, in words; empty: none yet */
};

void super_init(struct super *super, uint32_t restarts_max, uint64_t steady_us);
/** Another policy; what is under way goes on. */
void super_set_policy(struct super *super, uint32_t restarts_max, uint64_t steady_us);
/** Requests of people. False when the state does not allow it. */
bool super_start(struct super *super);
bool super_stop(struct super *super);
bool super_reset(struct super *super);
/** Takes the action that is due, SUPER_NONE if nothing is. After LAUNCH the caller reports
 * super_launched(). */
enum super_action super_next(struct super *super);
/** All processes run, or (ok false) the launch failed: `why` says how, started ones will be ended.
 */
void super_launched(struct super *super, bool ok, const char *why, uint64_t now_us);
/** One process ended; `left` says how many still live. `why` counts only for the first to go. */
void super_ended(struct super *super, enum super_end end, const char *why, uint32_t left,
		 uint64_t now_us);

#endif
