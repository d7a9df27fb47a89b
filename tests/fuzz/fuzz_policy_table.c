/* SPDX-License-Identifier: Apache-2.0 */
/* Policy tables of any content. Sizes, checksums and hash are made right first, so that the checks
 * behind them are reached; what is opened then answers any question within its sections, and root
 * mode takes it too. */
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "part/policy.h"
#include "table.h"
#include "table_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(uint8_t *bytes, size_t size)
{
	struct bh_policy *root = (void *)bytes;

	if (size < sizeof(*root) || root->size < sizeof(*root) || root->size > size) {
		return;
	}
	root->file_size = (uint32_t)size;
	root->crc32c = 0;
	root->rest_crc32c = checksum_crc32c(0, bytes + root->size, size - root->size);
	if (table_check_hash(bytes, size, root->hash) != 0) {
		abort();
	}
	root->crc32c = checksum_crc32c(0, bytes, root->size);
}

static void must(bool truth)
{
	if (!truth) {
		abort();
	}
}

static void check_answer(const struct table *table, const struct table_answer *answer)
{
	if (answer->rule == TABLE_NONE) {
		must(answer->verdict == 0 && answer->limit == NULL);
		return;
	}
	must(answer->rule < table->head->rule_count &&
	     answer->verdict == table->rule[answer->rule].verdict);
	must(answer->limit == NULL || (answer->limit->flags & ~3u) == 0);
	must(strlen(table_rule_id(table, answer->rule)) < 32);
}

/* Each row is what a question about its own first and last port finds. */
static void ask_cell(const struct table *table, uint32_t kind, uint32_t from, uint32_t to)
{
	const uint32_t nodes = table->head->node_count;
	const struct table_run *run = &table->run[table->cell[(kind * nodes + from) * nodes + to]];
	struct table_answer answer;

	for (uint32_t i = 0; i < run->count; i++) {
		const struct table_row *row = &table->row[run->row + i];
		struct table_query query = {kind, from, to, 1u << row->type, row->port_lo};

		table_decide(table, &query, &answer);
		check_answer(table, &answer);
		must(answer.rule == row->rule && answer.verdict == row->verdict);
		query.port = row->port_hi;
		table_decide(table, &query, &answer);
		must(answer.rule == row->rule);
	}
}

static void ask_nodes(const struct table *table)
{
	for (uint32_t i = 0; i < table->head->node_count; i++) {
		const struct table_node *node = &table->node[i];

		must(table_find(table, table_name(table, i)) == i);
		for (uint32_t k = 0; node->type == TABLE_PART && k < node->count; k++) {
			must(strlen(table->string + table->disk[node->first + k].file) > 0);
		}
		for (uint32_t k = 0; node->type == TABLE_ROLE && k < node->count; k++) {
			must(table_role(table, &table->match[node->first + k]) <= i);
		}
	}
	for (uint32_t i = 0; i < table->head->prefix_count; i++) {
		uint32_t zone = table_zone(table, table->prefix[i].address);

		must(zone == TABLE_NONE || table->node[zone].type == TABLE_ZONE);
	}
	for (uint32_t i = 0; i < table->head->part_count; i++) {
		must(strlen(table->string + table->part[i].title) < table->head->string_size);
		(void)table_may(table, i % 4, i, 63);
	}
}

static void ask(const struct table *table)
{
	const uint32_t nodes = table->head->node_count;
	struct table_query query = {3, nodes, 0, 1, 0};
	struct table_answer answer;

	table_decide(table, &query, &answer);
	must(answer.rule == TABLE_NONE);
	ask_nodes(table);
	for (uint32_t i = 0; i < TABLE_KINDS * nodes * nodes; i++) {
		ask_cell(table, i / nodes / nodes, i / nodes % nodes, i % nodes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);
	struct table table;
	const char *why = NULL;

	if (bytes == NULL) {
		return 0;
	}
	if (size > 0) {
		memcpy(bytes, data, size);
	}
	seal(bytes, size);
	if (table_open(bytes, size, &table, &why) == 0) {
		must(policy_check(bytes, size) == NULL);
		ask(&table);
	} else if (why == NULL) {
		abort();
	}
	free(bytes);
	return 0;
}
