/* SPDX-License-Identifier: Apache-2.0 */
/** What may cross between two nodes, cut into parts that are decided alike. */
#ifndef POLICY_FLOW_H
#define POLICY_FLOW_H

#include "cells.h"

/** Types and ports that both policies decide the same way throughout. NULL: no rule says anything.
 */
struct flow_part {
	uint32_t types;
	uint16_t lo, hi;
	const struct cells_row *old, *new;
};

/** One cell of a policy; cells NULL: there is none, nothing is said. */
struct flow_cell {
	const struct cells *cells;
	uint32_t from, to;
};

/** All parts of a kind between two nodes in two policies; the second one may be empty. Sorted by
 * port, then type; memory for free(). Returns 0 or -ENOMEM. */
int flow_parts(enum text_kind kind, const struct flow_cell *old, const struct flow_cell *new,
	       struct flow_part **ret_parts, uint32_t *ret_count);
/** Verdict of a row; NULL is deny. */
enum text_verdict flow_verdict(const struct cells_row *row);
/** Whether two rows give the same answer; rule: also by the same rule. */
bool flow_same(const struct cells_row *a, const struct cells_row *b, bool rule);

#endif
