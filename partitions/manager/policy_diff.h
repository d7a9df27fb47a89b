/* SPDX-License-Identifier: Apache-2.0 */
/** What differs between two policies, when each difference takes effect, and which of them touch
 * the way to this machine.
 *
 *  Such a way is what people need in order to take a change back: keys, pointer and screen (the
 * trusted prompt), and what IT comes by: the partition that owns a network card, its network flows,
 * and IT's own rights.
 */
#ifndef MANAGER_POLICY_DIFF_H
#define MANAGER_POLICY_DIFF_H

#include "policy/table/table.h"
#include "policy_state.h"

#define POLICY_DIFF_MAX	      48u /* items that are told one by one */
#define POLICY_DIFF_TEXT_SIZE 128u

enum policy_diff_when {
	POLICY_DIFF_NOW,
	POLICY_DIFF_START, /* when the partition starts the next time */
	POLICY_DIFF_BOOT,  /* when the machine does, if its boot table has it too */
};

struct policy_diff_item {
	enum policy_diff_when when;
	uint32_t part;	/* START: whose */
	uint32_t needs; /* ways that it touches, enum policy_need */
	char text[POLICY_DIFF_TEXT_SIZE];
};

struct policy_diff {
	struct policy_diff_item item[POLICY_DIFF_MAX];
	uint32_t count, more; /* more: left out above */
	uint32_t needs;	      /* of all of them, those left out included */
};

/** Both are opened tables. */
void policy_diff_make(const struct table *before, const struct table *after,
		      struct policy_diff *ret_diff);
/** True for a partition that IT comes by: it owns a network card. */
bool policy_diff_is_way_of_it(const struct table *table, uint32_t part);

#endif
