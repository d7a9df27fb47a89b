/* SPDX-License-Identifier: Apache-2.0 */
/* All decisions of a policy. One kind at a time: a bit per rule tells where a node may stand, so
 * that the rules of a cell are an AND of two rows of bits; nodes named by the same rules are worked
 * out once, and cells that come to the same rows share them. */
#include "cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "paint.h"

/** One kind at work. */
struct cells_kind {
	const struct model *model;
	enum text_kind kind;
	uint32_t types;
	uint32_t *rule; /* its rules, indices in model.rule, ascending */
	uint32_t rule_count, words;
	uint64_t *from, *to;		     /* [node * words]: bit r: rule[r] names the node */
	uint32_t *hit;			     /* rules of one cell */
	uint32_t like_from[MODEL_NODES_MAX]; /* the first node that the same rules name */
	uint32_t like_to[MODEL_NODES_MAX];
};

/** Rows that cells may share: open addressing over distinct runs of rows. */
struct cells_pool {
	struct cells *cells;
	uint32_t row_room;
	struct cells_cell *slot; /* count 0: empty */
	uint32_t slot_count, used;
	uint64_t hits; /* rules looked at so far */
};

static void kind_fini(struct cells_kind *kind)
{
	free(kind->rule);
	free(kind->from);
	free(kind->to);
	free(kind->hit);
}

static void set_bits(const struct cells_kind *kind, uint64_t *bits, model_set nodes, uint32_t rule)
{
	for (; nodes; nodes &= nodes - 1) {
		uint32_t node = (uint32_t)__builtin_ctzll(nodes);

		bits[(size_t)node * kind->words + rule / 64] |= 1ull << (rule % 64);
	}
}

static bool is_zone(const struct cells_kind *kind, uint32_t node)
{
	return kind->model->node[node].type == MODEL_ZONE;
}

static void find_like(const struct cells_kind *kind, const uint64_t *bits, uint32_t *ret_like)
{
	uint32_t distinct[MODEL_NODES_MAX], count = 0;

	for (uint32_t node = 0; node < kind->model->node_count; node++) {
		const uint64_t *mine = &bits[(size_t)node * kind->words];
		uint32_t i = 0;

		while (i < count && (is_zone(kind, distinct[i]) != is_zone(kind, node) ||
				     memcmp(&bits[(size_t)distinct[i] * kind->words], mine,
					    kind->words * sizeof(*bits)) != 0)) {
			i++;
		}
		if (i == count) {
			distinct[count++] = node;
		}
		ret_like[node] = distinct[i];
	}
}

/* Returns 0 or -ENOMEM; kind_fini() in both cases. */
static int kind_init(struct cells_kind *kind, const struct model *model, enum text_kind which)
{
	size_t bits = 0;

	*kind = (struct cells_kind){.model = model, .kind = which, .types = text_types_all(which)};
	for (uint32_t rule = 0; rule < model->rule_count; rule++) {
		kind->rule_count += model->rule[rule].text->kind == which;
	}
	kind->words = kind->rule_count / 64 + 1;
	bits = (size_t)model->node_count * kind->words;
	kind->rule = calloc(kind->rule_count + 1u, sizeof(*kind->rule));
	kind->hit = calloc(kind->rule_count + 1u, sizeof(*kind->hit));
	kind->from = calloc(bits, sizeof(*kind->from));
	kind->to = calloc(bits, sizeof(*kind->to));
	if (!kind->rule || !kind->hit || !kind->from || !kind->to) {
		return -ENOMEM;
	}
	for (uint32_t rule = 0, i = 0; rule < model->rule_count; rule++) {
		if (model->rule[rule].text->kind != which) {
			continue;
		}
		kind->rule[i] = rule;
		set_bits(kind, kind->from, model->rule[rule].from, i);
		set_bits(kind, kind->to, model->rule[rule].to, i);
		i++;
	}
	find_like(kind, kind->from, kind->like_from);
	find_like(kind, kind->to, kind->like_to);
	return 0;
}

/* Whether nothing of its layer behind this rule can be a first match. */
static bool covers_all(const struct cells_kind *kind, const struct text_rule *text)
{
	return text->types == kind->types && text->port_lo == 0 && text->port_hi == UINT16_MAX;
}

/* Fills kind->hit with the rules of a cell, without those behind a rule that leaves them nothing.
 */
static uint32_t find_hits(const struct cells_kind *kind, uint32_t from, uint32_t to)
{
	const struct model *model = kind->model;
	const uint64_t *a = &kind->from[(size_t)from * kind->words];
	const uint64_t *b = &kind->to[(size_t)to * kind->words];
	uint32_t count = 0, layers_done = 0;

	for (uint32_t word = 0; word < kind->words; word++) {
		for (uint64_t bits = a[word] & b[word]; bits; bits &= bits - 1) {
			uint32_t rule = kind->rule[word * 64 + (uint32_t)__builtin_ctzll(bits)];

			if (layers_done & 1u << model->rule[rule].layer) {
				continue;
			}
			kind->hit[count++] = rule;
			if (covers_all(kind, model->rule[rule].text)) {
				layers_done |= 1u << model->rule[rule].layer;
			}
		}
	}
	return count;
}

static uint64_t hash_rows(const struct cells_row *row, uint32_t count)
{
	uint64_t hash = count;

	for (uint32_t i = 0; i < count; i++) {
		hash = (hash ^ row[i].rule ^ (uint64_t)row[i].types << 32) * 0x9e3779b97f4a7c15ull;
		hash = (hash ^ row[i].port_lo ^ (uint64_t)row[i].port_hi << 16) *
		       0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return hash;
}

static bool rows_same(const struct cells_row *a, const struct cells_row *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (a[i].types != b[i].types || a[i].port_lo != b[i].port_lo ||
		    a[i].port_hi != b[i].port_hi || !paint_same(&a[i], &b[i])) {
			return false;
		}
	}
	return true;
}

static void pool_place(struct cells_pool *pool, const struct cells_cell *cell)
{
	uint32_t mask = pool->slot_count - 1;
	uint32_t at = (uint32_t)hash_rows(&pool->cells->row[cell->row], cell->count) & mask;

	while (pool->slot[at].count) {
		at = (at + 1) & mask;
	}
	pool->slot[at] = *cell;
}

/* Keeps at least half of the slots empty. */
static int pool_grow_slots(struct cells_pool *pool)
{
	struct cells_cell *old = pool->slot;
	uint32_t old_count = pool->slot_count;

	if (2 * pool->used < old_count) {
		return 0;
	}
	pool->slot_count = old_count ? 2 * old_count : 256;
	pool->slot = calloc(pool->slot_count, sizeof(*pool->slot));
	if (!pool->slot) {
		pool->slot = old;
		pool->slot_count = old_count;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < old_count; i++) {
		if (old[i].count) {
			pool_place(pool, &old[i]);
		}
	}
	free(old);
	return 0;
}

static int pool_add_rows(struct cells_pool *pool, const struct cells_row *row, uint32_t count)
{
	struct cells *cells = pool->cells;

	if (count > CELLS_ROWS_MAX - cells->row_count) {
		return -E2BIG;
	}
	if (cells->row_count + count > pool->row_room) {
		uint32_t room = 2 * (cells->row_count + count);
		struct cells_row *more = realloc(cells->row, room * sizeof(*more));

		if (!more) {
			return -ENOMEM;
		}
		cells->row = more;
		pool->row_room = room;
	}
	memcpy(&cells->row[cells->row_count], row, count * sizeof(*row));
	cells->row_count += count;
	return 0;
}

static uint32_t find_loosest(const struct cells_row *row, uint32_t count)
{
	uint32_t loosest = 0;

	for (uint32_t i = 1; i < count; i++) {
		if (row[i].verdict > row[loosest].verdict) {
			loosest = i;
		}
	}
	return loosest;
}

/* Finds or adds these rows. Returns 0, -ENOMEM or -E2BIG. */
static int pool_share(struct cells_pool *pool, const struct cells_row *row, uint32_t count,
		      struct cells_cell *ret_cell)
{
	struct cells_cell cell = {.row = pool->cells->row_count, .count = count};
	uint32_t mask = 0;
	int err = 0;

	if (count == 0) {
		*ret_cell = (struct cells_cell){0};
		return 0;
	}
	err = pool_grow_slots(pool);
	if (err) {
		return err;
	}
	mask = pool->slot_count - 1;
	for (uint32_t at = (uint32_t)hash_rows(row, count) & mask; pool->slot[at].count;
	     at = (at + 1) & mask) {
		if (pool->slot[at].count == count &&
		    rows_same(&pool->cells->row[pool->slot[at].row], row, count)) {
			*ret_cell = pool->slot[at];
			return 0;
		}
	}
	err = pool_add_rows(pool, row, count);
	if (err) {
		return err;
	}
	cell.loosest = cell.row + find_loosest(row, count);
	pool_place(pool, &cell);
	pool->used++;
	*ret_cell = cell;
	return 0;
}

static size_t cell_index(uint32_t nodes, enum text_kind kind, uint32_t from, uint32_t to)
{
	return ((size_t)kind * nodes + from) * nodes + to;
}

static int make_cell(struct cells_pool *pool, struct paint *paint, const struct cells_kind *kind,
		     uint32_t from, uint32_t to)
{
	struct cells *cells = pool->cells;
	struct cells_cell *cell = &cells->cell[cell_index(cells->nodes, kind->kind, from, to)];
	uint32_t like_from = kind->like_from[from], like_to = kind->like_to[to], count = 0;
	int err = 0;

	/* What passes between zones is outside of the machine; `carries` says so, no rule does. */
	if (is_zone(kind, from) && is_zone(kind, to)) {
		return 0;
	}
	if (like_from != from || like_to != to) {
		*cell = cells->cell[cell_index(cells->nodes, kind->kind, like_from, like_to)];
		return 0;
	}
	count = find_hits(kind, from, to);
	pool->hits += count;
	if (count == 0 || pool->hits > CELLS_HITS_MAX) {
		return count == 0 ? 0 : -E2BIG;
	}
	err = paint_cell(paint, kind->hit, count, kind->types);
	return err ? err : pool_share(pool, paint->row, paint->row_count, cell);
}

static int make_kind(struct cells_pool *pool, struct paint *paint, const struct model *model,
		     enum text_kind which)
{
	struct cells_kind kind;
	int err = kind_init(&kind, model, which);

	for (uint32_t from = 0; from < model->node_count && !err && kind.rule_count; from++) {
		for (uint32_t to = 0; to < model->node_count && !err; to++) {
			err = make_cell(pool, paint, &kind, from, to);
		}
	}
	kind_fini(&kind);
	return err;
}

int cells_build(const struct model *model, struct cells *ret_cells)
{
	struct cells cells = {.nodes = model->node_count};
	struct cells_pool pool = {.cells = &cells};
	struct paint paint = {0};
	int err = -ENOMEM;

	cells.cell = calloc((size_t)TEXT_KINDS * cells.nodes * cells.nodes, sizeof(*cells.cell));
	cells.reached = calloc(model->rule_count + 1u, sizeof(*cells.reached));
	cells.matched = calloc(model->rule_count + 1u, sizeof(*cells.matched));
	if (cells.cell && cells.reached && cells.matched) {
		err = paint_init(&paint, model, cells.reached, cells.matched);
	}
	for (uint32_t kind = 0; kind < TEXT_KINDS && !err; kind++) {
		err = make_kind(&pool, &paint, model, (enum text_kind)kind);
	}
	paint_fini(&paint);
	free(pool.slot);
	if (err) {
		cells_fini(&cells);
		return err;
	}
	*ret_cells = cells;
	return 0;
}

void cells_fini(struct cells *cells)
{
	free(cells->row);
	free(cells->cell);
	free(cells->reached);
	free(cells->matched);
	*cells = (struct cells){0};
}

const struct cells_cell *cells_cell(const struct cells *cells, enum text_kind kind, uint32_t from,
				    uint32_t to)
{
	return &cells->cell[cell_index(cells->nodes, kind, from, to)];
}

const struct cells_row *cells_find(const struct cells *cells, enum text_kind kind, uint32_t from,
				   uint32_t to, uint32_t type, uint16_t port)
{
	const struct cells_cell *cell = cells_cell(cells, kind, from, to);
	const struct cells_row *row = NULL;
	uint32_t low = 0, high = cell->count;

	if (high == 0) {
		return NULL;
	}
	row = &cells->row[cell->row];
	/* row[0..low - 1] begin at or before the port, row[high..] behind it */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (row[middle].port_lo <= port) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	for (uint32_t i = low; i > 0 && row[i - 1].port_lo == row[low - 1].port_lo; i--) {
		if (row[i - 1].types & type) {
			return row[i - 1].port_hi >= port ? &row[i - 1] : NULL;
		}
	}
	return NULL;
}
