/* SPDX-License-Identifier: Apache-2.0 */
/** Between the files of policy_diff. */
#ifndef MANAGER_POLICY_DIFF_ITEM_H
#define MANAGER_POLICY_DIFF_ITEM_H

#include "policy_diff.h"

struct policy_diff_pair {
	const struct table *before, *after;
	struct policy_diff *diff;
};

/** Takes `like` with that text to its place in the list. A text that is too long ends with "...".
 */
void policy_diff_add(struct policy_diff *diff, const struct policy_diff_item *like,
		     const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Adds what differs in flows, and in the roles and zones that they name. */
void policy_diff_flows(const struct policy_diff_pair *pair);

#endif
