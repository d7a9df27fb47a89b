/* SPDX-License-Identifier: Apache-2.0 */
/** All decisions of a policy, worked out: for each cell (kind, from, to) disjoint rows of (types,
 *  ports) with verdict, deciding rule and limits. What no row covers is denied by no rule.
 *
 *  The meaning of layers, for one question (kind, from, to, one type, one port):
 *
 *	verdict = DENY, rule = none, limits = none, open = true
 *	for each layer that is there, vendor first:
 *		hit = first rule of the layer that matches
 *		no hit, first layer:	open = false
 *		no hit, later layer:	open = false		(silence keeps and closes)
 *		hit and open:		verdict, rule, limits = those of the hit;
 *					open = hit said `default`
 *		hit, not open:		a tighter verdict takes verdict and rule; each limit becomes
 *					the smaller one given, quarantine and readonly stay once
 *					set; open = false
 *
 *  Cost: linear in rules, and in ports within a cell; cells with the same rows share them.
 */
#ifndef POLICY_CELLS_H
#define POLICY_CELLS_H

#include "model.h"

#define CELLS_NO_RULE  UINT32_MAX
#define CELLS_ROWS_MAX (1u << 20) /* of all cells together */
#define CELLS_HITS_MAX (1u << 26) /* rules looked at, of all cells that differ: bounds the time */

struct cells_row {
	uint32_t types;		   /* bits, never 0 */
	uint16_t port_lo, port_hi; /* both included; 0..65535 for kinds without ports */
	enum text_verdict verdict;
	uint32_t rule; /* index in model.rule of the one that decided */
	struct text_limits limits;
};

/** Rows sorted by port_lo, then lowest type bit; for one (type, port) at most one row. Two rows
 *  have the same ports or none in common, so that a binary search for a port ends at its rows. */
struct cells_cell {
	uint32_t row, count; /* in cells.row[]; (0, 0) without rows */
	uint32_t loosest;    /* in cells.row[]: the first of the loosest rows; count > 0 */
};

struct cells {
	struct cells_row *row;
	uint32_t row_count;
	struct cells_cell *cell; /* [(kind * nodes + from) * nodes + to] */
	uint32_t nodes;
	bool *reached; /* [rule]: it decided or tightened something when its layer had its say */
	bool *matched; /* [rule]: it was the first match of its layer somewhere */
};

/** Returns 0; -ENOMEM; -E2BIG past CELLS_ROWS_MAX or CELLS_HITS_MAX. */
int cells_build(const struct model *model, struct cells *ret_cells);
void cells_fini(struct cells *cells);
/** NULL: no row, denied by no rule. `type` is one bit. */
const struct cells_row *cells_find(const struct cells *cells, enum text_kind kind, uint32_t from,
				   uint32_t to, uint32_t type, uint16_t port);
/** The cell of (kind, from, to); all in range. */
const struct cells_cell *cells_cell(const struct cells *cells, enum text_kind kind, uint32_t from,
				    uint32_t to);

#endif
