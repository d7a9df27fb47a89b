/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix as SVG. Allowed is a filled pill, asked a dashed one with a question mark, so that the
 * two differ without colour too; the colours are blue and orange of Okabe and Ito, which all kinds
 * of colour vision tell apart. */
#include <string.h>

#include "matrix.h"

#define MARGIN	   24u
#define HEAD_WIDTH 168u
#define HEAD_LINES 56u
#define CELL_WIDTH 140u
#define PILL_STEP  24u
#define TITLE_SIZE 48u

static void print_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			putc(*text, out);
		}
	}
}

static const struct model_part *part_of(const struct matrix *matrix, uint32_t node)
{
	const struct model *model = &matrix->compile->model;

	return node < model->part_count ? &model->part[node] : NULL;
}

static const char *title_of(const struct matrix *matrix, uint32_t node)
{
	const struct model_part *part = part_of(matrix, node);

	return part && part->key[TEXT_TITLE].string ? part->key[TEXT_TITLE].string
						    : matrix->compile->model.node[node].name;
}

static unsigned int colour_of(const struct matrix *matrix, uint32_t node)
{
	const struct model_part *part = part_of(matrix, node);

	return part && part->key[TEXT_COLOUR].given
		       ? (unsigned int)part->key[TEXT_COLOUR].number & 0xffffffu
		       : 0x7a8794u;
}

/* The patterns of the switcher's strip, 0..5. */
static void print_patterns(FILE *out)
{
	static const char *const shapes[] = {
		"",
		"<path d=\"M-2,10 L10,-2 M4,16 L16,4\" class=\"w\"/>",
		"<circle cx=\"6\" cy=\"6\" r=\"2.4\" fill=\"#fff\"/>",
		"<path d=\"M0,0 h6 v6 h-6 z M6,6 h6 v6 h-6 z\" fill=\"#fff\"/>",
		"<path d=\"M0,6 Q3,0 6,6 T12,6\" class=\"w\"/>",
		"<path d=\"M6,0 V12\" class=\"w\"/>",
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		fprintf(out,
			"<pattern id=\"p%zu\" width=\"12\" height=\"12\" "
			"patternUnits=\"userSpaceOnUse\">%s</pattern>\n",
			i, shapes[i]);
	}
}

static void print_head(FILE *out, unsigned int width, unsigned int height)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" "
		"height=\"%u\" font-family=\"DejaVu Sans, Helvetica, sans-serif\">\n"
		"<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
		"<style>\n"
		".h { font-weight: bold; font-size: 13px; fill: #1c2733 }\n"
		".n { font-size: 11px; fill: #44525f } .i { font-style: italic }\n"
		".c { fill: #ffffff; stroke: #d5dce3 } .e { fill: #f4f6f8 } .s { fill: #e4e9ee }\n"
		".w { fill: none; stroke: #ffffff; stroke-width: 2.4 }\n"
		".a { fill: #0072b2 } .q { fill: #fff4e5; stroke: #d55e00; stroke-width: 1.6; "
		"stroke-dasharray: 4 2 }\n"
		".at { font-size: 12px; fill: #ffffff } .qt { font-size: 12px; fill: #7a3600 }\n"
		"</style>\n<defs>\n",
		width, height, width, height);
	print_patterns(out);
	fprintf(out, "</defs>\n<rect width=\"%u\" height=\"%u\" fill=\"#ffffff\"/>\n", width,
		height);
}

static const char *node_kind(const struct matrix *matrix, uint32_t node)
{
	static const char *const classes[] = {"", "limited", "IT only"};
	const struct model_part *part = part_of(matrix, node);

	if (part) {
		return classes[part->key[TEXT_CLASS].number % 3];
	}
	return matrix->compile->model.node[node].type == MODEL_ZONE ? "network" : "device";
}

/* A swatch as the person knows it from the strip, the title, and what it is. */
static void print_label(const struct matrix *matrix, uint32_t node, unsigned int x, unsigned int y,
			FILE *out)
{
	const struct model_part *part = part_of(matrix, node);
	unsigned int pattern = part ? (unsigned int)part->key[TEXT_PATTERN].number % 6 : 0;
	unsigned int round = part ? 4 : 11;

	fprintf(out,
		"<rect x=\"%u\" y=\"%u\" width=\"22\" height=\"22\" rx=\"%u\" fill=\"#%06x\"/>"
		"<rect x=\"%u\" y=\"%u\" width=\"22\" height=\"22\" rx=\"%u\" "
		"fill=\"url(#p%u)\" opacity=\"0.55\"/>\n",
		x, y, round, colour_of(matrix, node), x, y, round, pattern);
	fprintf(out, "<text x=\"%u\" y=\"%u\" class=\"h\">", x + 28, y + 12);
	print_text(out, title_of(matrix, node));
	fprintf(out, "</text><text x=\"%u\" y=\"%u\" class=\"n\">%s</text>\n", x + 28, y + 26,
		node_kind(matrix, node));
}

static void print_pill(FILE *out, unsigned int x, unsigned int y, const char *word, bool ask,
		       bool partial)
{
	fprintf(out,
		"<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"19\" rx=\"9.5\" class=\"%s\"/>"
		"<text x=\"%u\" y=\"%u\" text-anchor=\"middle\" class=\"%s\">%s%s%s</text>\n",
		x, y, CELL_WIDTH - 20, ask ? "q" : "a", x + (CELL_WIDTH - 20) / 2, y + 14,
		ask ? "qt" : "at", ask ? "? " : "", word, partial ? " *" : "");
}

static void print_cell(const struct matrix *matrix, uint32_t from, uint32_t to, unsigned int x,
		       unsigned int y, unsigned int height, FILE *out)
{
	const struct matrix_cell *cell = matrix_at(matrix, from, to);
	unsigned int line = y + (height - cell->count * PILL_STEP + 5) / 2;
	char way[32];

	fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" class=\"c%s\"/>\n", x, y,
		CELL_WIDTH, height,
		from == to    ? " s"
		: cell->count ? ""
			      : " e");
	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		if (cell->loosest[kind] != TEXT_DENY) {
			print_pill(out, x + 10, line, text_kind_word((enum text_kind)kind),
				   cell->loosest[kind] == TEXT_ASK, cell->partial[kind]);
			line += PILL_STEP;
		}
	}
	matrix_way_text(matrix, cell, way);
	if (!cell->count && way[0]) {
		fprintf(out,
			"<text x=\"%u\" y=\"%u\" text-anchor=\"middle\" class=\"n i\">%s</text>\n",
			x + CELL_WIDTH / 2, y + height / 2 + 4, way);
	}
}

static unsigned int row_height(const struct matrix *matrix, uint32_t from)
{
	unsigned int most = 2;

	for (uint32_t i = 0; i < matrix->column_count; i++) {
		uint32_t count = matrix_at(matrix, from, matrix->column[i])->count;

		most = count > most ? count : most;
	}
	return most * PILL_STEP + 16;
}

static void print_legend(FILE *out, unsigned int y)
{
	unsigned int x = MARGIN;

	print_pill(out, x, y, "allowed", false, false);
	print_pill(out, x + 128, y, "asked first", true, false);
	fprintf(out,
		"<text x=\"%u\" y=\"%u\" class=\"n\">* only some types or ports</text>"
		"<text x=\"%u\" y=\"%u\" class=\"n\"><tspan class=\"i\">(over X)</tspan> data can "
		"get there over X; <tspan class=\"i\">(back)</tspan> answers come</text>\n",
		x + 256, y + 14, x + 420, y + 14);
}

static void print_title(const struct matrix *matrix, FILE *out)
{
	const struct compile *compile = matrix->compile;
	const char *between = "";

	fprintf(out, "<text x=\"%u\" y=\"%u\" class=\"h\" font-size=\"17\">", MARGIN, MARGIN + 14);
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		if (compile->has_text[layer]) {
			fputs(between, out);
			print_text(out,
				   compile->text[layer].title ? compile->text[layer].title : "");
			between = " + ";
		}
	}
	fprintf(out,
		"</text><text x=\"%u\" y=\"%u\" class=\"n\">what may cross: from the row to the "
		"column</text>\n",
		MARGIN, MARGIN + 34);
}

void picture_print(const struct matrix *matrix, FILE *out)
{
	unsigned int top = MARGIN + TITLE_SIZE + HEAD_LINES, y = top;
	unsigned int width = 2 * MARGIN + HEAD_WIDTH + matrix->column_count * CELL_WIDTH;

	for (uint32_t i = 0; i < matrix->row_count; i++) {
		y += row_height(matrix, matrix->row[i]);
	}
	width = width < 820 ? 820 : width;
	print_head(out, width, y + 64);
	print_title(matrix, out);
	for (uint32_t j = 0; j < matrix->column_count; j++) {
		print_label(matrix, matrix->column[j], MARGIN + HEAD_WIDTH + j * CELL_WIDTH + 4,
			    top - 44, out);
	}
	y = top;
	for (uint32_t i = 0; i < matrix->row_count; i++) {
		unsigned int height = row_height(matrix, matrix->row[i]);

		print_label(matrix, matrix->row[i], MARGIN, y + height / 2 - 14, out);
		for (uint32_t j = 0; j < matrix->column_count; j++) {
			print_cell(matrix, matrix->row[i], matrix->column[j],
				   MARGIN + HEAD_WIDTH + j * CELL_WIDTH, y, height, out);
		}
		y += height;
	}
	print_legend(out, y + 22);
	fputs("</svg>\n", out);
}
