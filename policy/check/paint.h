/* SPDX-License-Identifier: Apache-2.0 */
/** The rows of one cell: its rules painted over types and ports, layer by layer.
 *
 *  The ports fall into slots between the borders of the cell's rules; within a slot each rule holds
 *  wholly or not at all. The first rule of a layer paints a (type, slot), later ones find the next
 *  free slot in nearly constant time.
 */
#ifndef POLICY_PAINT_H
#define POLICY_PAINT_H

#include "cells.h"

struct paint {
	const struct model *model;
	bool *reached, *matched; /* of struct cells, filled as rows come out */
	struct cells_row *row;
	uint32_t row_count, row_room; /* the rows of the last cell */
	/* Borders: a bit per port where a slot begins, the slot of each such port, and back. */
	uint64_t *border;
	uint32_t *slot_of;
	uint32_t *port_of;
	uint32_t slot_count;
	uint32_t *first; /* [(layer * types + type) * slots + slot]: rule or CELLS_NO_RULE */
	uint32_t *free;	 /* [slot]: the next one not yet painted, or on the way to it */
	size_t first_room, free_room;
};

/** Returns 0 or -ENOMEM. */
int paint_init(struct paint *paint, const struct model *model, bool *reached, bool *matched);
void paint_fini(struct paint *paint);
/** Works out the rows of a cell in which the rules hit[0..count - 1], ascending, match. types: all
 *  type bits of the kind. Returns 0; -ENOMEM; -E2BIG past CELLS_ROWS_MAX. */
int paint_cell(struct paint *paint, const uint32_t *hit, uint32_t count, uint32_t types);
/** Whether two rows say the same apart from types and ports. Pure. */
bool paint_same(const struct cells_row *a, const struct cells_row *b);

#endif
