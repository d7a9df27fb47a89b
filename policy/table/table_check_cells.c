/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the rules of rules, limits, rows, runs and cells: each thing is looked at once, whatever
 * refers to it, so that no table takes longer than its size. */
#include "table_check.h"

#include <string.h>

#define VERDICT_LAST 2u
#define LIMIT_BITS   (TABLE_LIMIT_QUARANTINE | TABLE_LIMIT_READONLY)

uint32_t table_check_types(uint32_t kind)
{
	static const uint8_t types[TABLE_KINDS] = {5, 6, 4, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	return kind < TABLE_KINDS ? types[kind] : 0;
}

/* A string of the letters of names, so that it can stand in any log. */
static bool check_id(const struct table *table, uint32_t offset)
{
	size_t length;

	if (offset == 0 || offset >= table->head->string_size ||
	    table->string[offset - 1] != '\0') {
		return false;
	}
	length = strspn(table->string + offset, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return length > 0 && length <= TABLE_ID_MAX && table->string[offset + length] == '\0';
}

static const char *check_limits(const struct table *table)
{
	for (uint32_t i = 0; i < table->head->limit_count; i++) {
		const struct table_limit *limit = &table->limit[i];

		if ((limit->flags & ~LIMIT_BITS) != 0 || limit->reserved != 0) {
			return "a limit has flags that mean nothing";
		}
		if ((limit->size_max | limit->rate_max | limit->count_max | limit->seconds_max |
		     limit->flags) == 0) {
			return "a limit limits nothing";
		}
	}
	return NULL;
}

const char *table_check_rules(const struct table *table)
{
	const struct table_head *head = table->head;
	uint32_t layer = 0;

	if (head->layers == 0 || head->layers >> TABLE_LAYERS != 0) {
		return "no layer, or one that is not known";
	}
	for (uint32_t i = 0; i < TABLE_LAYERS; i++) {
		if (head->version[i] != 0 && (head->layers >> i & 1) == 0) {
			return "a layer that is not there has a version";
		}
	}
	for (uint32_t i = 0; i < head->rule_count; i++) {
		const struct table_rule *rule = &table->rule[i];

		if (rule->layer < layer || rule->layer >= TABLE_LAYERS ||
		    (head->layers >> rule->layer & 1) == 0) {
			return "a rule belongs to no layer, or rules are not in order";
		}
		layer = rule->layer;
		if (!check_id(table, rule->id)) {
			return "a rule has no proper id";
		}
		if (rule->file >= head->string_size || rule->verdict > VERDICT_LAST ||
		    (rule->file > 0 && table->string[rule->file - 1] != '\0')) {
			return "place or verdict of a rule out of range";
		}
	}
	return check_limits(table);
}

static const char *check_row(const struct table *table, const struct table_row *row)
{
	if (row->port_lo > row->port_hi || row->reserved != 0) {
		return "ports of a row are in the wrong order";
	}
	if (row->rule >= table->head->rule_count ||
	    row->verdict != table->rule[row->rule].verdict) {
		return "a row has no rule, or another verdict than its rule";
	}
	if (row->limit != TABLE_NONE && row->limit >= table->head->limit_count) {
		return "a row has a limit that is not there";
	}
	return NULL;
}

static const char *check_run(const struct table *table, const struct table_run *run)
{
	const struct table_row *row = table->row + run->row;
	const char *why = NULL;

	for (uint32_t i = 0; i < run->count && why == NULL; i++) {
		why = check_row(table, &row[i]);
		if (why == NULL && i > 0 &&
		    (row[i].type < row[i - 1].type ||
		     (row[i].type == row[i - 1].type && row[i].port_lo <= row[i - 1].port_hi))) {
			why = "rows of a run are not in order or overlap";
		}
	}
	return why;
}

static const char *check_runs(const struct table *table)
{
	const struct table_head *head = table->head;
	uint32_t used = 0;
	const char *why = NULL;

	for (uint32_t i = 0; i < head->run_count && why == NULL; i++) {
		const struct table_run *run = &table->run[i];

		if (run->row != used || (run->count == 0) != (i == 0) ||
		    run->count > head->row_count - used) {
			return "runs of rows do not follow each other";
		}
		used += run->count;
		why = check_run(table, run);
	}
	return why == NULL && used != head->row_count ? "a row belongs to no run" : why;
}

const char *table_check_cells(const struct table *table)
{
	const struct table_head *head = table->head;
	const uint32_t per_kind = head->node_count * head->node_count;
	const char *why = check_runs(table);
	uint32_t next = 1;

	for (uint32_t i = 0; i < TABLE_KINDS * per_kind && why == NULL; i++) {
		const uint32_t cell = table->cell[i];
		const struct table_run *run;

		if (cell > next || cell >= head->run_count) {
			return "cells do not take the runs in order";
		}
		next += cell == next;
		run = &table->run[cell];
		if (run->count > 0 &&
		    table->row[run->row + run->count - 1].type >= table_check_types(i / per_kind)) {
			why = "a row has a type that its kind does not have";
		}
	}
	return why == NULL && next != head->run_count ? "a run belongs to no cell" : why;
}

const char *table_check(const struct table *table)
{
	static const char *(*const check[])(const struct table *table) = {
		table_check_root,  table_check_strings, table_check_nodes,
		table_check_parts, table_check_rules,	table_check_cells,
	};
	const char *why = NULL;

	for (size_t i = 0; i < sizeof(check) / sizeof(check[0]) && why == NULL; i++) {
		why = check[i](table);
	}
	return why;
}
