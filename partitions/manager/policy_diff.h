/* SPDX-License-Identifier: Apache-2.0 */
/** What differs between two policies, the most dangerous first: what each difference touches,
 * whether it opens or tightens, when it takes effect, and whether it touches the way to this
 * machine.
 *
 *  Such a way is what people need in order to take a change back: keys, pointer and screen (the
 * trusted prompt), and what IT comes by: the partition that owns a network card, its network flows,
 * and IT's own rights.
 */
#ifndef MANAGER_POLICY_DIFF_H
#define MANAGER_POLICY_DIFF_H

#include "policy/table/table.h"
#include "policy_state.h"

#define POLICY_DIFF_MAX	      1024u /* items that are told one by one */
#define POLICY_DIFF_TEXT_SIZE 128u

enum policy_diff_when {
	POLICY_DIFF_NOW,
	POLICY_DIFF_START, /* when the partition starts the next time */
	POLICY_DIFF_BOOT,  /* when the machine does, if its boot table has it too */
};

enum policy_diff_touches {
	POLICY_DIFF_KEYS,   /* keyboards and pointers */
	POLICY_DIFF_SCREEN, /* who draws, and who is seen */
	POLICY_DIFF_IT,	    /* what IT comes by */
	POLICY_DIFF_RIGHTS, /* who may change what */
	POLICY_DIFF_FLOW,
	POLICY_DIFF_OTHER,
};

enum policy_diff_effect {
	POLICY_DIFF_OPENS, /* something is possible that was not, or there is more of it */
	POLICY_DIFF_CHANGES,
	POLICY_DIFF_TIGHTENS, /* less is possible, and nothing new */
};

struct policy_diff_item {
	enum policy_diff_touches touches;
	enum policy_diff_effect effect;
	enum policy_diff_when when;
	uint32_t part;	/* START: whose */
	uint32_t needs; /* ways that it touches, enum policy_need */
	char text[POLICY_DIFF_TEXT_SIZE];
};

/** In this order: what touches keys, screen, the way of IT and rights to change, in each of them
 * what opens, changes, tightens; then flows that open, other things that open, what changes, what
 * tightens. Equal ones stay as they were found. */
struct policy_diff {
	struct policy_diff_item item[POLICY_DIFF_MAX];
	uint32_t count, more; /* more: left out above; none comes before one that is there */
	uint32_t needs;	      /* of all of them, those left out included */
};

/** Both are opened tables. */
void policy_diff_make(const struct table *before, const struct table *after,
		      struct policy_diff *ret_diff);
/** "opens", "changes", "tightens". */
const char *policy_diff_effect_word(enum policy_diff_effect effect);
/** True for a partition that IT comes by: it owns a network card. */
bool policy_diff_is_way_of_it(const struct table *table, uint32_t part);

#endif
