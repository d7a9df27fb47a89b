/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the sections about decisions. Rows of the model have several types and ports that suit each
 * other; here each type has rows of its own, which makes one order of all that a cell can be asked.
 */
#include "emit_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_START 1024u /* slots; a power of two */

/* Limits that are there already: open addressing, at least half of it empty. */
struct limits {
	struct emit_buffer *section;
	uint32_t *slot; /* index + 1 */
	uint32_t slot_count, count;
};

static const struct table_limit *limit_at(const struct limits *limits, uint32_t index)
{
	return (const struct table_limit *)(void *)limits->section->bytes + index;
}

/* The slot of a limit, or the empty one where it would be. */
static uint32_t *find_slot(const struct limits *limits, const struct table_limit *limit)
{
	uint64_t hash = limit->flags;
	uint32_t at;

	hash = (hash ^ limit->size_max) * 0x9e3779b97f4a7c15ull;
	hash = (hash ^ hash >> 29 ^ limit->rate_max) * 0x9e3779b97f4a7c15ull;
	hash = (hash ^ hash >> 29 ^ (uint64_t)limit->count_max << 32 ^ limit->seconds_max) *
	       0x9e3779b97f4a7c15ull;
	at = (uint32_t)(hash >> 32) & (limits->slot_count - 1);
	while (limits->slot[at] != 0 &&
	       memcmp(limit_at(limits, limits->slot[at] - 1), limit, sizeof(*limit)) != 0) {
		at = (at + 1) & (limits->slot_count - 1);
	}
	return &limits->slot[at];
}

static int grow_slots(struct limits *limits)
{
	struct limits grown = *limits;

	if (2 * limits->count < limits->slot_count) {
		return 0;
	}
	grown.slot_count = limits->slot_count == 0 ? HASH_START : 2 * limits->slot_count;
	grown.slot = calloc(grown.slot_count, sizeof(*grown.slot));
	if (grown.slot == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < limits->count; i++) {
		*find_slot(&grown, limit_at(limits, i)) = i + 1;
	}
	free(limits->slot);
	*limits = grown;
	return 0;
}

/* What is denied has no limits. */
static int add_limit(struct limits *limits, const struct cells_row *row, uint32_t *ret_index)
{
	const struct table_limit limit = {
		.size_max = row->limits.size_max,
		.rate_max = row->limits.rate_max,
		.count_max = row->limits.count_max,
		.seconds_max = row->limits.seconds_max,
		.flags = (row->limits.quarantine ? TABLE_LIMIT_QUARANTINE : 0) |
			 (row->limits.readonly ? TABLE_LIMIT_READONLY : 0),
	};
	static const struct table_limit none;
	uint32_t *slot;

	*ret_index = TABLE_NONE;
	if (row->verdict == TEXT_DENY || memcmp(&limit, &none, sizeof(limit)) == 0) {
		return 0;
	}
	if (grow_slots(limits) != 0) {
		return -ENOMEM;
	}
	slot = find_slot(limits, &limit);
	if (*slot == 0) {
		emit_buffer_add(limits->section, &limit, sizeof(limit));
		if (limits->section->failed) {
			return -ENOMEM;
		}
		*slot = ++limits->count;
	}
	*ret_index = *slot - 1;
	return 0;
}

/* Cells of the model that share their rows share a run. */
struct runs {
	struct emit *emit;
	struct limits limits;
	uint32_t *of_row; /* [first row in the model]: run, 0: none yet */
	uint32_t count;
};

static bool continues(const struct table_row *row, const struct table_row *next)
{
	return row->type == next->type && row->port_hi + 1u == next->port_lo &&
	       row->verdict == next->verdict && row->rule == next->rule &&
	       row->limit == next->limit;
}

/* Rows of one type, in order of ports, neighbours that say the same joined. */
static int add_rows_of(struct runs *runs, const struct cells_row *row, uint32_t count, uint8_t type)
{
	struct table_row open = {.type = UINT8_MAX};

	for (uint32_t i = 0; i < count; i++) {
		struct table_row next = {
			.type = type,
			.verdict = (uint8_t)row[i].verdict,
			.port_lo = row[i].port_lo,
			.port_hi = row[i].port_hi,
			.rule = row[i].rule,
		};

		if ((row[i].types >> type & 1) == 0 || row[i].rule == CELLS_NO_RULE) {
			continue;
		}
		if (add_limit(&runs->limits, &row[i], &next.limit) != 0) {
			return -ENOMEM;
		}
		if (continues(&open, &next)) {
			open.port_hi = next.port_hi;
			continue;
		}
		if (open.type != UINT8_MAX) {
			emit_buffer_add(&runs->emit->section[EMIT_ROW], &open, sizeof(open));
		}
		open = next;
	}
	if (open.type != UINT8_MAX) {
		emit_buffer_add(&runs->emit->section[EMIT_ROW], &open, sizeof(open));
	}
	return runs->emit->section[EMIT_ROW].failed ? -ENOMEM : 0;
}

static int add_run(struct runs *runs, const struct cells_cell *cell, uint32_t *ret_run)
{
	const struct emit_buffer *rows = &runs->emit->section[EMIT_ROW];
	struct table_run run = {.row = (uint32_t)(rows->size / sizeof(struct table_row))};
	int err = 0;

	for (uint8_t type = 0; type < 32 && err == 0; type++) {
		err = add_rows_of(runs, &runs->emit->cells->row[cell->row], cell->count, type);
	}
	run.count = (uint32_t)(rows->size / sizeof(struct table_row)) - run.row;
	*ret_run = 0;
	if (err == 0 && run.count > 0) {
		emit_buffer_add(&runs->emit->section[EMIT_RUN], &run, sizeof(run));
		*ret_run = runs->count++;
	}
	return err;
}

static int add_cell(struct runs *runs, const struct cells_cell *cell)
{
	uint32_t run = 0;
	int err = 0;

	if (cell->count > 0) {
		run = runs->of_row[cell->row];
		if (run == 0) {
			err = add_run(runs, cell, &run);
			runs->of_row[cell->row] = run;
		}
	}
	emit_buffer_add(&runs->emit->section[EMIT_CELL], &run, sizeof(run));
	return err;
}

int emit_cells(struct emit *emit)
{
	static const struct table_run empty;
	const uint32_t nodes = emit->model->node_count;
	struct runs runs = {
		.emit = emit,
		.limits.section = &emit->section[EMIT_LIMIT],
		.of_row = calloc(emit->cells->row_count + 1u, sizeof(*runs.of_row)),
		.count = 1,
	};
	int err = runs.of_row == NULL ? -ENOMEM : 0;

	emit_buffer_add(&emit->section[EMIT_RUN], &empty, sizeof(empty));
	for (uint32_t i = 0; i < TABLE_KINDS * nodes * nodes && err == 0; i++) {
		err = add_cell(&runs, &emit->cells->cell[i]);
	}
	free(runs.of_row);
	free(runs.limits.slot);
	return err;
}

/* Offset of the name of a file, without its folder; once for each. */
static uint32_t add_file(struct emit *emit, uint32_t file, uint32_t known[SOURCE_FILES_MAX])
{
	const char *name, *slash;

	if (emit->sources == NULL || file >= emit->sources->count) {
		return 0;
	}
	if (known[file] == 0) {
		name = emit->sources->file[file].name;
		slash = strrchr(name, '/');
		known[file] = emit_buffer_add_string(&emit->section[EMIT_STRING],
						     slash == NULL ? name : slash + 1);
	}
	return known[file];
}

int emit_rules(struct emit *emit)
{
	const struct model *model = emit->model;
	uint32_t known[SOURCE_FILES_MAX] = {0};

	for (uint32_t i = 0; i < model->rule_count; i++) {
		const struct model_rule *from = &model->rule[i];
		struct table_rule rule = {
			.id = emit_buffer_add_string(&emit->section[EMIT_STRING], from->text->id),
			.file = add_file(emit, from->pos.file, known),
			.line = from->pos.line,
			.layer = (uint32_t)from->layer,
			.verdict = (uint32_t)from->text->verdict,
		};

		emit_buffer_add(&emit->section[EMIT_RULE], &rule, sizeof(rule));
	}
	return 0;
}
