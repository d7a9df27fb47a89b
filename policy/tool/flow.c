/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the cutting: for each type the ports at which an answer changes, then types with the same
 * cuts joined. n log n in the rows of the two cells. */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

enum text_verdict flow_verdict(const struct cells_row *row)
{
	return row ? row->verdict : TEXT_DENY;
}

bool flow_same(const struct cells_row *a, const struct cells_row *b, bool rule)
{
	if (!a || !b) {
		return a == b ||
		       (!rule && flow_verdict(a) == TEXT_DENY && flow_verdict(b) == TEXT_DENY);
	}
	if (a->verdict != b->verdict || (rule && a->rule != b->rule)) {
		return false;
	}
	return a->verdict == TEXT_DENY || say_same_limits(&a->limits, &b->limits);
}

struct list {
	struct flow_part *part;
	uint32_t count, room;
};

static int add_part(struct list *list, const struct flow_part *part)
{
	struct flow_part *last = list->count ? &list->part[list->count - 1] : NULL;

	if (last && last->types == part->types && last->hi + 1u == part->lo &&
	    flow_same(last->old, part->old, true) && flow_same(last->new, part->new, true)) {
		last->hi = part->hi;
		return 0;
	}
	if (list->count == list->room) {
		uint32_t room = list->room ? 2 * list->room : 16;
		struct flow_part *more = realloc(list->part, room * sizeof(*more));

		if (!more) {
			return -ENOMEM;
		}
		list->part = more;
		list->room = room;
	}
	list->part[list->count++] = *part;
	return 0;
}

static int compare_ports(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static const struct cells_row *cell_rows(enum text_kind kind, const struct flow_cell *cell,
					 uint32_t *ret_count)
{
	const struct cells *cells = cell->cells;
	const struct cells_cell *found;

	*ret_count = 0;
	if (!cells) {
		return NULL;
	}
	found = &cells->cell[((uint32_t)kind * cells->nodes + cell->from) * cells->nodes +
			     cell->to];
	*ret_count = found->count;
	return cells->row + found->row;
}

/* First ports of stretches without a change; ends with 65536. */
static uint32_t cut(enum text_kind kind, uint32_t type, const struct flow_cell *const sides[2],
		    uint32_t *cuts)
{
	uint32_t count = 0, kept = 1;

	cuts[count++] = 0;
	for (unsigned int side = 0; side < 2; side++) {
		uint32_t rows;
		const struct cells_row *row = cell_rows(kind, sides[side], &rows);

		for (uint32_t i = 0; i < rows; i++) {
			if (row[i].types & type) {
				cuts[count++] = row[i].port_lo;
				cuts[count++] = row[i].port_hi + 1u;
			}
		}
	}
	cuts[count++] = 65536;
	qsort(cuts, count, sizeof(*cuts), compare_ports);
	for (uint32_t i = 1; i < count; i++) {
		if (cuts[i] != cuts[kept - 1]) {
			cuts[kept++] = cuts[i];
		}
	}
	return kept;
}

static const struct cells_row *find(enum text_kind kind, const struct flow_cell *cell,
				    uint32_t type, uint32_t port)
{
	return cell->cells
		       ? cells_find(cell->cells, kind, cell->from, cell->to, type, (uint16_t)port)
		       : NULL;
}

/* A type of network without ports: what it is asked with is port 0, whatever rules say of others.
 */
#define TYPE_ICMP 4u

static int add_type(enum text_kind kind, uint32_t type, const struct flow_cell *const sides[2],
		    uint32_t *cuts, struct list *list)
{
	bool portless = kind == TEXT_NETWORK && type == TYPE_ICMP;
	uint32_t count = portless ? 2 : cut(kind, type, sides, cuts);
	int ret = 0;

	if (portless) {
		cuts[0] = 0;
		cuts[1] = 65536;
	}

	for (uint32_t i = 0; ret == 0 && i + 1 < count; i++) {
		struct flow_part part = {.types = type,
					 .lo = (uint16_t)cuts[i],
					 .hi = (uint16_t)(cuts[i + 1] - 1),
					 .old = find(kind, sides[0], type, cuts[i]),
					 .new = find(kind, sides[1], type, cuts[i])};

		ret = add_part(list, &part);
	}
	return ret;
}

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_parts(const void *a, const void *b)
{
	const struct flow_part *left = a, *right = b;
	uint64_t left_old = left->old ? left->old->rule : UINT64_MAX;
	uint64_t right_old = right->old ? right->old->rule : UINT64_MAX;
	uint64_t left_new = left->new ? left->new->rule : UINT64_MAX;
	uint64_t right_new = right->new ? right->new->rule : UINT64_MAX;
	int ret = compare_number(left->lo, right->lo);

	ret = ret ? ret : compare_number(left->hi, right->hi);
	ret = ret ? ret : compare_number(left_old, right_old);
	ret = ret ? ret : compare_number(left_new, right_new);
	return ret ? ret : compare_number(left->types, right->types);
}

static void join_types(struct list *list)
{
	uint32_t kept = 0;

	if (list->count > 1) {
		qsort(list->part, list->count, sizeof(*list->part), compare_parts);
	}
	for (uint32_t i = 0; i < list->count; i++) {
		struct flow_part *part = &list->part[i];
		struct flow_part *last = kept ? &list->part[kept - 1] : NULL;

		if (last && last->lo == part->lo && last->hi == part->hi &&
		    flow_same(last->old, part->old, true) &&
		    flow_same(last->new, part->new, true)) {
			last->types |= part->types;
		} else {
			list->part[kept++] = *part;
		}
	}
	list->count = kept;
}

int flow_parts(enum text_kind kind, const struct flow_cell *old, const struct flow_cell *new,
	       struct flow_part **ret_parts, uint32_t *ret_count)
{
	const struct flow_cell *const sides[2] = {old, new};
	uint32_t all = text_types_all(kind), old_rows, new_rows;
	struct list list = {0};
	uint32_t *cuts;
	int ret = 0;

	cell_rows(kind, old, &old_rows);
	cell_rows(kind, new, &new_rows);
	cuts = calloc(2 * ((size_t)old_rows + new_rows) + 2, sizeof(*cuts));
	if (!cuts) {
		return -ENOMEM;
	}
	for (uint32_t type = 1; ret == 0 && type && type <= all; type <<= 1) {
		if (all & type) {
			ret = add_type(kind, type, sides, cuts, &list);
		}
	}
	free(cuts);
	if (ret) {
		free(list.part);
		return ret;
	}
	join_types(&list);
	*ret_parts = list.part;
	*ret_count = list.count;
	return 0;
}
