/* SPDX-License-Identifier: Apache-2.0 */
/* Owns which nodes and flows a matrix shows, and its text. */
#include "matrix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "say.h"

const struct matrix_cell *matrix_at(const struct matrix *matrix, uint32_t from, uint32_t to)
{
	return &matrix->cell[from * matrix->nodes + to];
}

bool matrix_shows(const struct matrix *matrix, unsigned int kind)
{
	return matrix->all || (kind != TEXT_INPUT && kind != TEXT_DISPLAY);
}

static int fill_kind(const struct matrix *matrix, enum text_kind kind, uint32_t from, uint32_t to,
		     struct matrix_cell *cell)
{
	struct flow_cell here = {&matrix->compile->cells, from, to}, none = {0};
	struct flow_part *parts;
	uint32_t count;

	if (flow_parts(kind, &here, &none, &parts, &count)) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++) {
		enum text_verdict verdict = flow_verdict(parts[i].old);

		if (verdict > cell->loosest[kind]) {
			cell->loosest[kind] = verdict;
		}
		if (verdict != flow_verdict(parts[0].old)) {
			cell->partial[kind] = true;
		}
	}
	cell->count += cell->loosest[kind] != TEXT_DENY;
	free(parts);
	return 0;
}

static int fill_cells(struct matrix *matrix)
{
	const struct cells *cells = &matrix->compile->cells;
	int ret = 0;

	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		for (uint32_t from = 0; matrix_shows(matrix, kind) && from < matrix->nodes;
		     from++) {
			for (uint32_t to = 0; ret == 0 && to < matrix->nodes; to++) {
				if (from != to &&
				    cells_cell(cells, (enum text_kind)kind, from, to)->count) {
					ret = fill_kind(matrix, (enum text_kind)kind, from, to,
							&matrix->cell[from * matrix->nodes + to]);
				}
			}
		}
	}
	return ret;
}

static enum matrix_way way_of(const struct closure_step *step)
{
	switch (step->why) {
	case CLOSURE_OWNS:
		return MATRIX_OWNS;
	case CLOSURE_DISK:
		return MATRIX_DISK;
	case CLOSURE_RULE:
	case CLOSURE_INSIDE: /* this tool looks with the eyes of the last layer */
	case CLOSURE_CARRIES:
		break;
	}
	return step->back ? MATRIX_BACK : MATRIX_NONE;
}

/* Where data of a partition gets without a flow of its own, questions answered with yes. */
static int fill_ways(struct matrix *matrix)
{
	const struct model *model = &matrix->compile->model;
	struct closure_step steps[MODEL_NODES_MAX];
	struct closure closure;
	int ret = closure_build(model, &matrix->compile->cells, TEXT_KINDS, true, &closure);

	if (ret) {
		return ret;
	}
	for (uint32_t from = MODEL_CONTROL + 1; from < model->part_count; from++) {
		for (uint32_t to = 0; to < matrix->nodes; to++) {
			struct matrix_cell *cell = &matrix->cell[from * matrix->nodes + to];
			uint32_t count;

			if (from == to || cell->count) {
				continue;
			}
			count = closure_path(&closure, from, to, steps);
			if (count > 1) {
				cell->way = MATRIX_OVER;
				cell->over = steps[count - 1].from;
			} else if (count == 1) {
				cell->way = way_of(&steps[0]);
			}
		}
	}
	closure_fini(&closure);
	return 0;
}

static bool is_used(const struct matrix *matrix, uint32_t node, bool as_from)
{
	const struct model_node *found = &matrix->compile->model.node[node];

	if (found->type == MODEL_PART && node != MODEL_CONTROL) {
		return true;
	}
	if (found->type == MODEL_ZONE && !as_from) {
		return true;
	}
	for (uint32_t other = 0; other < matrix->nodes; other++) {
		const struct matrix_cell *cell =
			as_from ? matrix_at(matrix, node, other) : matrix_at(matrix, other, node);

		if (cell->count || cell->way == MATRIX_OWNS) {
			return true;
		}
	}
	return false;
}

int matrix_build(const struct compile *compile, bool all, struct matrix *ret_matrix)
{
	struct matrix matrix = {.compile = compile, .all = all, .nodes = compile->model.node_count};
	int ret;

	matrix.cell = calloc((size_t)matrix.nodes * matrix.nodes, sizeof(*matrix.cell));
	if (!matrix.cell) {
		return -ENOMEM;
	}
	ret = fill_cells(&matrix);
	ret = ret ? ret : fill_ways(&matrix);
	if (ret) {
		free(matrix.cell);
		return ret;
	}
	for (uint32_t node = 0; node < matrix.nodes; node++) {
		if (is_used(&matrix, node, true)) {
			matrix.row[matrix.row_count++] = node;
		}
		if (is_used(&matrix, node, false)) {
			matrix.column[matrix.column_count++] = node;
		}
	}
	*ret_matrix = matrix;
	return 0;
}

void matrix_fini(struct matrix *matrix)
{
	free(matrix->cell);
	matrix->cell = NULL;
}

void matrix_way_text(const struct matrix *matrix, const struct matrix_cell *cell, char text[32])
{
	static const char *const words[] = {"", "over", "(owns)", "(same disk)", "(back)"};

	if (cell->way == MATRIX_OVER) {
		snprintf(text, 32, "(over %s)", matrix->compile->model.node[cell->over].name);
	} else {
		strcpy(text, words[cell->way]);
	}
}

/* Line `line` of a cell: its kinds one below the other. Empty past the last. */
static void cell_line(const struct matrix *matrix, uint32_t from, uint32_t to, uint32_t line,
		      char text[32])
{
	const struct matrix_cell *cell = matrix_at(matrix, from, to);
	uint32_t seen = 0;

	text[0] = '\0';
	if (!cell->count && line == 0) {
		matrix_way_text(matrix, cell, text);
		if (!text[0]) {
			strcpy(text, from == to ? "=" : "-");
		}
		return;
	}
	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		if (cell->loosest[kind] != TEXT_DENY && seen++ == line) {
			snprintf(text, 32, "%s%s%s", text_kind_word((enum text_kind)kind),
				 cell->loosest[kind] == TEXT_ASK ? "?" : "",
				 cell->partial[kind] ? "*" : "");
		}
	}
}

static uint32_t row_height(const struct matrix *matrix, uint32_t from)
{
	uint32_t height = 1;

	for (uint32_t i = 0; i < matrix->column_count; i++) {
		uint32_t count = matrix_at(matrix, from, matrix->column[i])->count;

		height = count > height ? count : height;
	}
	return height;
}

static int column_width(const struct matrix *matrix, uint32_t to)
{
	size_t width = strlen(matrix->compile->model.node[to].name);
	char text[32];

	for (uint32_t i = 0; i < matrix->row_count; i++) {
		for (uint32_t line = 0; line < row_height(matrix, matrix->row[i]); line++) {
			cell_line(matrix, matrix->row[i], to, line, text);
			width = strlen(text) > width ? strlen(text) : width;
		}
	}
	return (int)width;
}

void matrix_print_text(const struct matrix *matrix, FILE *out)
{
	const struct model *model = &matrix->compile->model;
	int width[MODEL_NODES_MAX];
	char text[32];

	fprintf(out, "%-15s", "from \\ to");
	for (uint32_t i = 0; i < matrix->column_count; i++) {
		width[i] = column_width(matrix, matrix->column[i]);
		fprintf(out, "  %-*s", width[i], model->node[matrix->column[i]].name);
	}
	putc('\n', out);
	for (uint32_t i = 0; i < matrix->row_count; i++) {
		uint32_t from = matrix->row[i];

		putc('\n', out);
		for (uint32_t line = 0; line < row_height(matrix, from); line++) {
			fprintf(out, "%-15s", line ? "" : model->node[from].name);
			for (uint32_t j = 0; j < matrix->column_count; j++) {
				cell_line(matrix, from, matrix->column[j], line, text);
				fprintf(out, "  %-*s", width[j], text);
			}
			putc('\n', out);
		}
	}
	fprintf(out,
		"\n? after a question   * only some types or ports   - nothing crosses\n"
		"(over X) data can get there over X   (back) the answers of what was allowed the "
		"other way\n");
}
