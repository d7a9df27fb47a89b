/* SPDX-License-Identifier: Apache-2.0 */
/* A matrix as rows for other programs: each part of each flow with the rule that decides. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "flow.h"
#include "matrix.h"
#include "say.h"
#include "tool.h"

struct visit {
	const struct matrix *matrix;
	FILE *csv;		  /* or NULL */
	struct json_object *list; /* or NULL */
};

/* Words of a part as a string for free(). */
static char *words(enum text_kind kind, const struct flow_part *part, bool limits)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		return NULL;
	}
	if (!limits) {
		say_what(out, kind, part->types, part->lo, part->hi);
	} else if (part->old && part->old->verdict != TEXT_DENY) {
		say_limits(out, &part->old->limits);
	}
	fclose(out);
	return text;
}

static void print_field(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		fputs(*text == '"' ? "\"" : "", out);
		putc(*text, out);
	}
	putc('"', out);
}

static void visit_part(const struct visit *visit, enum text_kind kind, uint32_t from, uint32_t to,
		       const struct flow_part *part)
{
	const struct compile *compile = visit->matrix->compile;
	const struct model *model = &compile->model;
	const struct model_rule *rule = part->old && part->old->rule != CELLS_NO_RULE
						? &model->rule[part->old->rule]
						: NULL;
	char *what = words(kind, part, false), *limits = words(kind, part, true);
	const char *fields[] = {
		model->node[from].name,
		model->node[to].name,
		text_kind_word(kind),
		what ? what : "",
		text_verdict_word(flow_verdict(part->old)),
		limits && *limits ? limits + 1 : "",
		rule ? rule->text->id : "",
		rule ? text_layer_word(rule->layer) : "",
		rule ? tool_place(&compile->sources, rule->pos) : "",
	};
	static const char *const names[] = {"from",   "to",   "kind",  "what", "verdict",
					    "limits", "rule", "layer", "place"};
	struct json_object *object = visit->list ? json_object_new_object() : NULL;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (visit->csv) {
			fputs(i ? "," : "", visit->csv);
			print_field(visit->csv, fields[i]);
		} else {
			json_object_object_add(object, names[i], json_object_new_string(fields[i]));
		}
	}
	if (visit->csv) {
		putc('\n', visit->csv);
	} else {
		json_object_array_add(visit->list, object);
	}
	free(what);
	free(limits);
}

static int visit_cell(const struct visit *visit, enum text_kind kind, uint32_t from, uint32_t to)
{
	struct flow_cell here = {&visit->matrix->compile->cells, from, to}, none = {0};
	struct flow_part *parts;
	uint32_t count;

	if (flow_parts(kind, &here, &none, &parts, &count)) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (flow_verdict(parts[i].old) != TEXT_DENY ||
		    (visit->matrix->all && parts[i].old)) {
			visit_part(visit, kind, from, to, &parts[i]);
		}
	}
	free(parts);
	return 0;
}

static int visit_all(const struct visit *visit)
{
	const struct matrix *matrix = visit->matrix;
	const struct cells *cells = &matrix->compile->cells;
	int ret = 0;

	for (uint32_t from = 0; from < matrix->nodes; from++) {
		for (uint32_t to = 0; to < matrix->nodes; to++) {
			for (unsigned int kind = 0; ret == 0 && kind < TEXT_KINDS; kind++) {
				if (from != to && matrix_shows(matrix, kind) &&
				    cells_cell(cells, (enum text_kind)kind, from, to)->count) {
					ret = visit_cell(visit, (enum text_kind)kind, from, to);
				}
			}
		}
	}
	return ret;
}

int matrix_print_csv(const struct matrix *matrix, FILE *out)
{
	struct visit visit = {.matrix = matrix, .csv = out};

	fputs("from,to,kind,what,verdict,limits,rule,layer,place\n", out);
	return visit_all(&visit);
}

int matrix_add_json(const struct matrix *matrix, struct json_object *list)
{
	struct visit visit = {.matrix = matrix, .list = list};

	return visit_all(&visit);
}
