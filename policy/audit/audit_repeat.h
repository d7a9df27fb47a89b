/* SPDX-License-Identifier: Apache-2.0 */
/** ALLOWED records that were written lately, so that equal ones are counted instead. Bounded: of
 * AUDIT_REPEAT_MAX the oldest gives way.
 *
 *  An ALLOWED record stands for itself and `repeats` that were only counted before it, so the sum
 * over a log that was closed is the number of decisions.
 */
#ifndef POLICY_AUDIT_REPEAT_H
#define POLICY_AUDIT_REPEAT_H

#include "audit.h"

struct audit_repeat {
	struct audit_record record; /* without text */
	uint64_t since_ms;	    /* when one was written, boot time */
	uint64_t count;		    /* only counted since then */
	bool used;
};

struct audit_repeats {
	struct audit_repeat item[AUDIT_REPEAT_MAX];
};

/** The item of an equal decision, NULL: there is none. */
struct audit_repeat *audit_repeat_find(struct audit_repeats *repeats,
				       const struct audit_record *record);
/** The place for a new one: a free one or the oldest, whose count the caller writes first. */
struct audit_repeat *audit_repeat_room(struct audit_repeats *repeats);
/** The record that stands for what was counted; false: nothing was. */
bool audit_repeat_owed(const struct audit_repeat *item, struct audit_record *ret_record);

#endif
