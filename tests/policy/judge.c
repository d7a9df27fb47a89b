/* SPDX-License-Identifier: Apache-2.0 */
/* Answers every question about many policies in one process, for the judge (tests/policy/judge.py):
 * each stage of the compiler is run by itself and says what it found, in lines.
 *
 *  Input, per policy: "policy ID", then "layer NAME SIZE" and the bytes, "ports N,N,...", "kinds
 * WORD,..." (of which the closure is wanted by itself), "address HEX" for zones, "go". Output: see
 * the print functions; "end" closes each.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "closure.h"
#include "compile.h"
#include "emit.h"
#include "judge.h"
#include "parse.h"
#include "prove.h"
#include "table.h"

static void print_diags(struct diag_list *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		printf("diag %d %u %u %s\n", diags->item[i].level, diags->item[i].pos.file,
		       diags->item[i].pos.line, diags->item[i].message);
	}
	diag_fini(diags);
	memset(diags, 0, sizeof(*diags));
}

static void print_part(const struct model *model, uint32_t part)
{
	const struct model_part *p = &model->part[part];
	const char *name = model->node[part].name;

	for (unsigned int key = 0; key < TEXT_KEYS; key++) {
		if (p->key[key].given && key != TEXT_DISK) {
			printf("key %s %s %llu %llu %llx %s\n", name,
			       text_key_word((enum text_key)key),
			       (unsigned long long)p->key[key].number,
			       (unsigned long long)p->key[key].number2,
			       (unsigned long long)p->key[key].nodes,
			       p->key[key].string != NULL ? p->key[key].string : "");
		}
	}
	for (uint32_t i = 0; i < p->disk_count; i++) {
		printf("disk %s %s %u\n", name, p->disk[i].file, p->disk[i].flags);
	}
	for (unsigned int person = 0; person < TEXT_PERSONS; person++) {
		printf("right %s %s %u %u\n", name, text_person_word((enum text_person)person),
		       model->right[person][part].actions, model->right[person][part].keys);
	}
}

static void print_model(const struct model *model)
{
	static const char types[] = "prz";

	for (uint32_t i = 0; i < model->node_count; i++) {
		printf("node %s %c %llx\n", model->node[i].name, types[model->node[i].type],
		       (unsigned long long)model->node[i].carries);
	}
	for (uint32_t i = 0; i < model->part_count; i++) {
		print_part(model, i);
	}
	printf("machine %llu %d\n", (unsigned long long)model->confirm_seconds,
	       model->iommu_required);
}

/** A question of the walk over all of them. */
struct question {
	enum text_kind kind;
	uint32_t from, to, type;
	uint16_t port;
};

static void for_all_questions(const struct judge_case *c, uint32_t nodes,
			      void (*visit)(const struct question *question, void *data),
			      void *data)
{
	struct question q;

	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		uint32_t types = text_types_all((enum text_kind)kind);
		uint32_t ports = text_kind_has_ports((enum text_kind)kind) ? c->port_count : 1;

		q.kind = (enum text_kind)kind;
		for (q.from = 0; q.from < nodes; q.from++) {
			for (q.to = 0; q.to < nodes; q.to++) {
				for (q.type = 1; q.type != 0 && q.type <= types; q.type <<= 1) {
					for (uint32_t i = 0; q.type & types && i < ports; i++) {
						q.port = ports == 1 ? 0 : c->port[i];
						visit(&q, data);
					}
				}
			}
		}
	}
}

struct cells_walk {
	const struct model *model;
	const struct cells *cells;
};

static void print_cell(const struct question *q, void *data)
{
	const struct cells_walk *walk = data;
	const struct cells_row *row =
		cells_find(walk->cells, q->kind, q->from, q->to, q->type, q->port);

	if (row == NULL || row->rule == CELLS_NO_RULE) {
		if (row != NULL && row->verdict != TEXT_DENY) {
			printf("oddity a row without a rule that does not deny\n");
		}
		return;
	}
	printf("cell %u %u %u %u %u %u %s %llu %llu %u %u %d %d\n", q->kind, q->from, q->to,
	       q->type, q->port, row->verdict, walk->model->rule[row->rule].text->id,
	       (unsigned long long)row->limits.size_max, (unsigned long long)row->limits.rate_max,
	       row->limits.count_max, row->limits.seconds_max, row->limits.quarantine,
	       row->limits.readonly);
}

static void print_steps(const struct model *model, const struct closure_step *step, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		printf(" %u,%u,%d,%d,%d,%s", step[i].from, step[i].to, step[i].why,
		       step[i].why == CLOSURE_RULE ? (int)step[i].kind : 0, step[i].back,
		       step[i].why == CLOSURE_RULE ? model->rule[step[i].rule].text->id : "-");
	}
	putchar('\n');
}

/* All pairs: "path KIND ASK FROM TO STEPS...". */
static void print_closure(const struct model *model, const struct cells *cells, unsigned int kind)
{
	static struct closure_step steps[MODEL_NODES_MAX];

	for (unsigned int ask = 0; ask < 2; ask++) {
		struct closure closure;

		if (closure_build(model, cells, kind, ask, &closure) != 0) {
			printf("oddity no closure\n");
			continue;
		}
		for (uint32_t from = 0; from < model->node_count; from++) {
			for (uint32_t to = 0; to < model->node_count; to++) {
				uint32_t count =
					from == to ? 0 : closure_path(&closure, from, to, steps);

				if (count > 0) {
					printf("path %u %u %u %u", kind, ask, from, to);
					print_steps(model, steps, count);
				}
			}
		}
		closure_fini(&closure);
	}
}

static void print_proofs(const struct model *model, const struct cells *cells)
{
	struct diag_list diags = {0};

	for (unsigned int bit = 0; bit < 13; bit++) {
		int ret = prove_model(model, cells, 1u << bit, &diags);

		printf("proof %u %d %zu\n", bit, ret, diags.count);
		print_diags(&diags);
	}
}

struct table_walk {
	const struct model *model;
	const struct cells *cells;
	const struct table *table;
	uint32_t node[MODEL_NODES_MAX]; /* of the table */
	uint32_t count, wrong;
};

static bool same_limits(const struct text_limits *a, const struct table_limit *b)
{
	static const struct table_limit none;

	b = b != NULL ? b : &none;
	return a->size_max == b->size_max && a->rate_max == b->rate_max &&
	       a->count_max == b->count_max && a->seconds_max == b->seconds_max &&
	       a->quarantine == !!(b->flags & 1) && a->readonly == !!(b->flags & 2);
}

/* The table must say what the cells say; what those say is printed for the judge. */
static void compare_table(const struct question *q, void *data)
{
	struct table_walk *walk = data;
	const struct cells_row *row =
		cells_find(walk->cells, q->kind, q->from, q->to, q->type, q->port);
	struct table_query query = {q->kind, walk->node[q->from], walk->node[q->to], q->type,
				    q->port};
	struct table_answer answer = {99, 99, NULL};
	const char *rule = row == NULL || row->rule == CELLS_NO_RULE
				   ? "no-rule"
				   : walk->model->rule[row->rule].text->id;
	static const struct text_limits none;

	table_decide(walk->table, &query, &answer);
	walk->count++;
	if (answer.verdict != (row == NULL ? 0 : (uint32_t)row->verdict) ||
	    strcmp(table_rule_id(walk->table, answer.rule), rule) != 0 ||
	    (answer.verdict != TEXT_DENY &&
	     !same_limits(row == NULL ? &none : &row->limits, answer.limit))) {
		if (walk->wrong++ < 5) {
			printf("differs %u %u %u %u %u: table %u %s, cells %u %s\n", q->kind,
			       q->from, q->to, q->type, q->port, answer.verdict,
			       table_rule_id(walk->table, answer.rule),
			       row == NULL ? 0 : row->verdict, rule);
		}
	}
}

static void print_rights(const struct model *model, const struct table_walk *walk)
{
	for (uint32_t part = 0; part < model->part_count; part++) {
		for (unsigned int person = 0; person < TEXT_PERSONS; person++) {
			uint32_t actions = 0, keys = 0;

			for (unsigned int bit = 0; bit < 32; bit++) {
				actions |=
					table_may(walk->table, person, walk->node[part], 1u << bit)
						? 1u << bit
						: 0;
				keys |= table_may_change(walk->table, person, walk->node[part],
							 1u << bit)
						? 1u << bit
						: 0;
			}
			printf("table-right %s %s %u %u\n", model->node[part].name,
			       text_person_word((enum text_person)person), actions, keys);
		}
	}
}

static void ask_table(const struct judge_case *c, const struct model *model,
		      const struct cells *cells, const struct table *table)
{
	struct table_walk walk = {.model = model, .cells = cells, .table = table};

	for (uint32_t i = 0; i < model->node_count; i++) {
		walk.node[i] = table_find(table, model->node[i].name);
		if (walk.node[i] == TABLE_NONE ||
		    strcmp(table_name(table, walk.node[i]), model->node[i].name) != 0) {
			printf("differs node %s is not in the table\n", model->node[i].name);
			return;
		}
	}
	for_all_questions(c, model->node_count, compare_table, &walk);
	printf("table %u %u\n", walk.count, walk.wrong);
	print_rights(model, &walk);
	for (uint32_t i = 0; i < c->address_count; i++) {
		uint32_t zone = table_zone(table, c->address[i]);

		printf("zone %u %s\n", i, zone == TABLE_NONE ? "-" : table_name(table, zone));
	}
	judge_print_parts(table);
}

static void make_table(const struct judge_case *c, const struct model *model,
		       const struct cells *cells, const struct source_set *sources)
{
	struct diag_list diags = {0};
	struct table table;
	const char *why = "";
	void *bytes = NULL;
	size_t size = 0;
	int ret = emit_table(model, cells, sources, 1, NULL, 0, &diags, &bytes, &size);

	printf("emit %d %zu\n", ret, size);
	if (ret != 0) {
		judge_forget();
	}
	print_diags(&diags);
	if (ret != 0) {
		return;
	}
	ret = table_open(bytes, size, &table, &why);
	printf("open %d %s\n", ret, ret != 0 ? why : "");
	if (ret == 0) {
		ask_table(c, model, cells, &table);
		judge_gate(bytes, size);
	}
	free(bytes);
}

static void work_out(const struct judge_case *c, const struct model *model,
		     const struct source_set *sources)
{
	struct cells cells;
	struct cells_walk walk = {.model = model, .cells = &cells};

	if (cells_build(model, &cells) != 0) {
		printf("oddity no cells\n");
		return;
	}
	for_all_questions(c, model->node_count, print_cell, &walk);
	for (uint32_t i = 0; i < model->rule_count; i++) {
		if (cells.reached[i]) {
			printf("reached %s\n", model->rule[i].text->id);
		}
	}
	print_closure(model, &cells, TEXT_KINDS);
	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		if (c->kinds & (1u << kind)) {
			print_closure(model, &cells, kind);
		}
	}
	print_proofs(model, &cells);
	make_table(c, model, &cells, sources);
	cells_fini(&cells);
}

static void judge_stages(const struct judge_case *c)
{
	struct source_set sources = {.include_dir = -1};
	struct diag_list diags = {0};
	struct text text[TEXT_LAYERS] = {{0}};
	const struct text *texts[TEXT_LAYERS] = {NULL};
	struct model model;
	int ret = 0;

	for (uint32_t i = 0; i < c->layer_count; i++) {
		struct text one;
		int file = source_add(&sources, c->layer[i].name, c->layer[i].text,
				      c->layer[i].size, &diags);

		if (file < 0 || parse_text(&sources, (uint32_t)file, &diags, &one) != 0) {
			ret = -1;
		} else {
			text[one.layer] = one;
			texts[one.layer] = &text[one.layer];
		}
	}
	printf("parse %d\n", ret);
	print_diags(&diags);
	if (ret == 0) {
		ret = model_build(texts, &diags, &model);
		printf("model %d\n", ret);
		print_diags(&diags);
		if (ret == 0) {
			print_model(&model);
			work_out(c, &model, &sources);
			model_fini(&model);
		}
	}
	if (ret != 0) {
		judge_forget();
	}
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		if (texts[i] != NULL) {
			text_fini(&text[i]);
		}
	}
	source_fini(&sources);
}

/* The chain as the product runs it must end as its stages did. */
static void judge_chain(const struct judge_case *c)
{
	struct compile compile = {.sources = {.include_dir = -1}};
	int ret;

	for (uint32_t i = 0; i < c->layer_count; i++) {
		source_add(&compile.sources, c->layer[i].name, c->layer[i].text, c->layer[i].size,
			   &compile.diags);
	}
	ret = compile_sources(&compile, 0, c->layer_count, PROVE_ALL);
	printf("chain %d %zu\n", ret, compile.diags.error_count);
	compile_fini(&compile);
}

int main(void)
{
	struct judge_case c = {0};

	while (judge_read(stdin, &c)) {
		printf("policy %s\n", c.id);
		judge_stages(&c);
		judge_chain(&c);
		printf("end\n");
		fflush(stdout);
		judge_free(&c);
	}
	return ferror(stdout) ? 1 : 0;
}
