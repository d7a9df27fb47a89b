/* SPDX-License-Identifier: Apache-2.0 */
/* What daemons read of partitions in a table, and root mode's part of it as it lies there. */
#include <stdio.h>

#include "judge.h"
#include "table.h"

static void print_names(const struct table *table, uint64_t nodes)
{
	if (nodes == 0) {
		putchar('-');
	}
	for (uint32_t i = 0; i < table->head->node_count; i++) {
		if (nodes >> i & 1) {
			printf("%s,", table_name(table, i));
		}
	}
	putchar(' ');
}

void judge_print_parts(const struct table *table)
{
	for (uint32_t i = 0; i < table->head->part_count; i++) {
		const struct table_part *part = &table->part[i];
		const struct table_node *node = &table->node[i];

		printf("table-part %s %llu %llu %u %u %u %u %u %u %u %u %u %u %u ",
		       table_name(table, i), (unsigned long long)part->disk_rate,
		       (unsigned long long)part->network_rate, part->colour, part->pattern,
		       part->class, part->order, part->start, part->health, part->run,
		       part->restart_count, part->restart_seconds, part->health_seconds,
		       part->devices);
		print_names(table, part->owns);
		print_names(table, part->after);
		printf("%s\n", table->string + part->title);
		for (uint32_t k = 0; k < node->count; k++) {
			printf("table-disk %s %s %u\n", table_name(table, i),
			       table->string + table->disk[node->first + k].file,
			       table->disk[node->first + k].flags);
		}
	}
	printf("table-machine %u %u\n", table->head->confirm_seconds, table->head->layers);
}
