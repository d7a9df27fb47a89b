/* SPDX-License-Identifier: Apache-2.0 */
/** The supervision state machine. */
#include "super.h"

#include <stdio.h>

void super_init(struct super *super, uint32_t restarts_max, uint64_t steady_us)
{
	*super = (struct super){.restarts_max = restarts_max, .steady_us = steady_us};
}

void super_set_policy(struct super *super, uint32_t restarts_max, uint64_t steady_us)
{
	super->restarts_max = restarts_max;
	super->steady_us = steady_us;
}

bool super_start(struct super *super)
{
	if (super->state != SUPER_STOPPED && super->state != SUPER_FAILED) {
		return false;
	}
	super->restarts = 0;
	super->action = SUPER_LAUNCH;
	return true;
}

static void super_bring_down(struct super *super, enum super_state after)
{
	super->state = SUPER_ENDING;
	super->after = after;
	super->action = SUPER_END;
}

bool super_stop(struct super *super)
{
	if (super->state == SUPER_RUNNING) {
		super_bring_down(super, SUPER_STOPPED);
	} else if (super->state == SUPER_ENDING) {
		super->after = SUPER_STOPPED;
	} else if (super->state == SUPER_FAILED) {
		super->state = SUPER_STOPPED;
		super->action = SUPER_RELEASE;
	} else {
		return false;
	}
	snprintf(super->why, sizeof(super->why), "stopped on request");
	return true;
}

bool super_reset(struct super *super)
{
	if (super->state == SUPER_FAILED) {
		return super_start(super);
	}
	if (super->state != SUPER_RUNNING) {
		return false;
	}
	super->restarts = 0;
	super_bring_down(super, SUPER_RUNNING);
	snprintf(super->why, sizeof(super->why), "reset on request");
	return true;
}

enum super_action super_next(struct super *super)
{
	enum super_action action = super->action;

	super->action = SUPER_NONE;
	return action;
}

/* Where a failure leads: up again if policy and count allow. */
static enum super_state super_after_failure(struct super *super, uint64_t now_us)
{
	if (now_us - super->started_us >= super->steady_us) {
		super->restarts = 0;
	}
	if (super->restarts >= super->restarts_max) {
		return SUPER_FAILED;
	}
	super->restarts++;
	return SUPER_RUNNING;
}

static void super_settle(struct super *super)
{
	if (super->after == SUPER_RUNNING) {
		super->action = SUPER_LAUNCH;
		return;
	}
	super->state = super->after;
	super->action = SUPER_RELEASE;
}

void super_launched(struct super *super, bool ok, const char *why, uint64_t now_us)
{
	super->started_us = now_us;
	if (ok) {
		super->state = SUPER_RUNNING;
		return;
	}
	/* What could not be started once is not tried again: disks and files do not come back by
	 * waiting. */
	snprintf(super->why, sizeof(super->why), "%s", why);
	super_bring_down(super, SUPER_FAILED);
}

void super_ended(struct super *super, enum super_end end, const char *why, uint32_t left,
		 uint64_t now_us)
{
	if (super->state == SUPER_RUNNING) {
		enum super_state after = SUPER_STOPPED;

		snprintf(super->why, sizeof(super->why), "%s", why);
		if (end == SUPER_END_REBOOT) {
			after = SUPER_RUNNING;
		} else if (end == SUPER_END_FAILURE) {
			after = super_after_failure(super, now_us);
		}
		super_bring_down(super, after);
	}
	if (super->state == SUPER_ENDING && left == 0) {
		super_settle(super);
	}
}
