/* SPDX-License-Identifier: Apache-2.0 */
/** Decisions that were written lately, so that equal ones are counted instead: ALLOWED, DENIED and
 * REFUSED. A window begins with a record that is written at once; what was counted in it is written
 * when it ends, or when the log is closed. Bounded: of AUDIT_REPEAT_MAX the oldest gives way, and
 * its count is written.
 *
 *  Such a record stands for itself and `repeats` that were only counted before it, so the sum over
 * a log that was closed is the number of decisions.
 */
#ifndef POLICY_AUDIT_REPEAT_H
#define POLICY_AUDIT_REPEAT_H

#include "audit.h"

struct audit_repeat {
	struct audit_record record;
	uint64_t since_ms; /* when it was written, boot time */
	uint64_t count;	   /* only counted since then */
	bool used;
};

struct audit_repeats {
	struct audit_repeat item[AUDIT_REPEAT_MAX];
};

/** Whether equal records of this kind are counted. */
bool audit_repeat_counts(enum audit_what what);
/** The item of an equal decision, NULL: there is none. */
struct audit_repeat *audit_repeat_find(struct audit_repeats *repeats,
				       const struct audit_record *record);
/** The place for a new one: a free one or the oldest, whose count the caller writes first. */
struct audit_repeat *audit_repeat_room(struct audit_repeats *repeats);
/** An item whose window is over, NULL: there is none. */
struct audit_repeat *audit_repeat_over(struct audit_repeats *repeats, uint64_t boot_ms);
/** Until a window ends in which something was counted; UINT64_MAX: there is none. */
uint64_t audit_repeat_wait_ms(const struct audit_repeats *repeats, uint64_t boot_ms);
/** The record that stands for what was counted; false: nothing was. */
bool audit_repeat_owed(const struct audit_repeat *item, struct audit_record *ret_record);

#endif
