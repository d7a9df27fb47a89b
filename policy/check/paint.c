/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of one cell. A row of a slot joins the row before it only together with all rows of that
 * slot, so that rows share their ports wholly or not at all. */
#include "paint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORTS	     65536u
#define BORDER_WORDS (PORTS / 64 + 1) /* one more for the border past the last port */

int paint_init(struct paint *paint, const struct model *model, bool *reached, bool *matched)
{
	*paint = (struct paint){.model = model, .reached = reached, .matched = matched};
	paint->border = calloc(BORDER_WORDS, sizeof(*paint->border));
	paint->slot_of = calloc(PORTS + 1, sizeof(*paint->slot_of));
	paint->port_of = calloc(PORTS + 1, sizeof(*paint->port_of));
	if (!paint->border || !paint->slot_of || !paint->port_of) {
		paint_fini(paint);
		return -ENOMEM;
	}
	return 0;
}

void paint_fini(struct paint *paint)
{
	free(paint->row);
	free(paint->border);
	free(paint->slot_of);
	free(paint->port_of);
	free(paint->first);
	free(paint->free);
	*paint = (struct paint){0};
}

static const struct text_rule *rule_text(const struct paint *paint, uint32_t rule)
{
	return paint->model->rule[rule].text;
}

static void mark_border(struct paint *paint, uint32_t port)
{
	paint->border[port / 64] |= 1ull << (port % 64);
}

/* Numbers the slots; the border past the last port closes the last one. Leaves no bit behind. */
static void make_slots(struct paint *paint, const uint32_t *hit, uint32_t count)
{
	uint32_t slots = 0;

	mark_border(paint, 0);
	mark_border(paint, PORTS);
	for (uint32_t i = 0; i < count; i++) {
		const struct text_rule *text = rule_text(paint, hit[i]);

		mark_border(paint, text->port_lo);
		mark_border(paint, text->port_hi + 1u);
	}
	for (uint32_t word = 0; word < BORDER_WORDS; word++) {
		while (paint->border[word]) {
			uint32_t bit = (uint32_t)__builtin_ctzll(paint->border[word]);
			uint32_t port = word * 64 + bit;

			paint->border[word] &= paint->border[word] - 1;
			paint->slot_of[port] = slots;
			paint->port_of[slots++] = port;
		}
	}
	paint->slot_count = slots - 1;
}

static int make_room(struct paint *paint, uint32_t type_count)
{
	size_t first = (size_t)TEXT_LAYERS * type_count * paint->slot_count;
	size_t next = (size_t)paint->slot_count + 1;

	if (first > paint->first_room) {
		uint32_t *more = realloc(paint->first, first * sizeof(*more));

		if (!more) {
			return -ENOMEM;
		}
		paint->first = more;
		paint->first_room = first;
	}
	if (next > paint->free_room) {
		uint32_t *more = realloc(paint->free, next * sizeof(*more));

		if (!more) {
			return -ENOMEM;
		}
		paint->free = more;
		paint->free_room = next;
	}
	memset(paint->first, 0xff, first * sizeof(*paint->first));
	return 0;
}

/* The first slot from `slot` on that is not painted; shortens the way for the next one who asks. */
static uint32_t next_free(uint32_t *way, uint32_t slot)
{
	while (way[slot] != slot) {
		way[slot] = way[way[slot]];
		slot = way[slot];
	}
	return slot;
}

/* Paints one type of one layer: hit[0..count - 1] are the layer's rules, first match first. */
static void paint_type(struct paint *paint, uint32_t *first, const uint32_t *hit, uint32_t count,
		       uint32_t type)
{
	uint32_t left = paint->slot_count;

	for (uint32_t slot = 0; slot <= paint->slot_count; slot++) {
		paint->free[slot] = slot;
	}
	for (uint32_t i = 0; i < count && left > 0; i++) {
		const struct text_rule *text = rule_text(paint, hit[i]);
		uint32_t end = paint->slot_of[text->port_hi + 1u];

		if (!(text->types & type)) {
			continue;
		}
		for (uint32_t slot = next_free(paint->free, paint->slot_of[text->port_lo]);
		     slot < end; slot = next_free(paint->free, slot)) {
			first[slot] = hit[i];
			paint->free[slot] = slot + 1;
			left--;
		}
	}
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Takes over what is tighter in `by`. Returns whether anything changed. */
static bool tighten(struct cells_row *row, const struct text_rule *by, uint32_t rule)
{
	struct cells_row old = *row;

	if (by->verdict < row->verdict) {
		row->verdict = by->verdict;
		row->rule = rule;
	}
	row->limits.size_max = smaller(row->limits.size_max, by->limits.size_max);
	row->limits.rate_max = smaller(row->limits.rate_max, by->limits.rate_max);
	row->limits.count_max = (uint32_t)smaller(row->limits.count_max, by->limits.count_max);
	row->limits.seconds_max =
		(uint32_t)smaller(row->limits.seconds_max, by->limits.seconds_max);
	row->limits.quarantine |= by->limits.quarantine;
	row->limits.readonly |= by->limits.readonly;
	return !paint_same(&old, row);
}

/* What the layers together say where first[layer * stride] are their first matches: the few lines
 * at the head of cells.h. row->rule stays CELLS_NO_RULE where no rule says anything. */
static void decide(const struct paint *paint, const uint32_t *first, size_t stride,
		   struct cells_row *row)
{
	bool open = true;

	*row = (struct cells_row){.verdict = TEXT_DENY, .rule = CELLS_NO_RULE};
	for (uint32_t layer = 0; layer < TEXT_LAYERS; layer++) {
		uint32_t hit = first[layer * stride];

		if (!paint->model->has_layer[layer]) {
			continue;
		}
		if (hit == CELLS_NO_RULE) {
			open = false;
			continue;
		}
		const struct text_rule *text = rule_text(paint, hit);

		paint->matched[hit] = true;
		if (open) {
			row->verdict = text->verdict;
			row->rule = hit;
			row->limits = text->limits;
			paint->reached[hit] = true;
			open = paint->model->rule[hit].open;
		} else if (tighten(row, text, hit) &&
			   (row->rule == hit || row->verdict != TEXT_DENY)) {
			paint->reached[hit] = true;
		}
	}
}

bool paint_same(const struct cells_row *a, const struct cells_row *b)
{
	return a->verdict == b->verdict && a->rule == b->rule &&
	       a->limits.size_max == b->limits.size_max &&
	       a->limits.rate_max == b->limits.rate_max &&
	       a->limits.count_max == b->limits.count_max &&
	       a->limits.seconds_max == b->limits.seconds_max &&
	       a->limits.quarantine == b->limits.quarantine &&
	       a->limits.readonly == b->limits.readonly;
}

/* Adds a type to the rows of its slot, which begin at `begin`. */
static int put_row(struct paint *paint, uint32_t begin, const struct cells_row *row)
{
	for (uint32_t i = begin; i < paint->row_count; i++) {
		if (paint_same(&paint->row[i], row)) {
			paint->row[i].types |= row->types;
			return 0;
		}
	}
	if (paint->row_count == paint->row_room) {
		uint32_t room = paint->row_room ? 2 * paint->row_room : 64;
		struct cells_row *more = NULL;

		if (room > 2 * CELLS_ROWS_MAX) {
			return -E2BIG;
		}
		more = realloc(paint->row, room * sizeof(*more));
		if (!more) {
			return -ENOMEM;
		}
		paint->row = more;
		paint->row_room = room;
	}
	paint->row[paint->row_count++] = *row;
	return 0;
}

/* Lets the rows of the slot before, from `before` on, take over the ports of the same rows of this
 * slot, from `begin` on. Returns where the rows of the last slot begin now. */
static uint32_t join_slots(struct paint *paint, uint32_t before, uint32_t begin)
{
	uint32_t count = paint->row_count - begin;

	if (begin - before != count) {
		return begin;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (paint->row[before + i].types != paint->row[begin + i].types ||
		    !paint_same(&paint->row[before + i], &paint->row[begin + i])) {
			return begin;
		}
	}
	for (uint32_t i = 0; i < count; i++) {
		paint->row[before + i].port_hi = paint->row[begin + i].port_hi;
	}
	paint->row_count = begin;
	return before;
}

static int make_rows(struct paint *paint, uint32_t types, uint32_t type_count)
{
	size_t stride = (size_t)type_count * paint->slot_count;
	uint32_t before = 0;

	paint->row_count = 0;
	for (uint32_t slot = 0; slot < paint->slot_count; slot++) {
		uint32_t begin = paint->row_count, left = types;

		for (uint32_t type = 0; type < type_count; type++, left &= left - 1) {
			const uint32_t *first =
				&paint->first[(size_t)type * paint->slot_count + slot];
			struct cells_row row;
			int err = 0;

			decide(paint, first, stride, &row);
			if (row.rule == CELLS_NO_RULE) {
				continue;
			}
			row.types = left & -left;
			row.port_lo = (uint16_t)paint->port_of[slot];
			row.port_hi = (uint16_t)(paint->port_of[slot + 1] - 1);
			err = put_row(paint, begin, &row);
			if (err) {
				return err;
			}
		}
		before = join_slots(paint, before, begin);
	}
	return paint->row_count > CELLS_ROWS_MAX ? -E2BIG : 0;
}

int paint_cell(struct paint *paint, const uint32_t *hit, uint32_t count, uint32_t types)
{
	uint32_t type_count = (uint32_t)__builtin_popcount(types);
	int err = 0;

	make_slots(paint, hit, count);
	err = make_room(paint, type_count);
	if (err) {
		return err;
	}
	for (uint32_t begin = 0, end = 0; begin < count; begin = end) {
		enum text_layer layer = paint->model->rule[hit[begin]].layer;
		uint32_t left = types;

		while (end < count && paint->model->rule[hit[end]].layer == layer) {
			end++;
		}
		for (uint32_t type = 0; type < type_count; type++, left &= left - 1) {
			size_t at = ((size_t)layer * type_count + type) * paint->slot_count;

			paint_type(paint, &paint->first[at], &hit[begin], end - begin,
				   left & -left);
		}
	}
	return make_rows(paint, types, type_count);
}
