/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what daemons ask an opened table. All of it was checked; only the question can be wrong. */
#include "table.h"

#include <string.h>

/* Order of the rows of a run. */
static uint32_t row_key(uint32_t type, uint32_t port)
{
	return type << 16 | port;
}

/* The row of a run that covers type and port, or NULL: the last one that does not begin behind. */
static const struct table_row *find_row(const struct table *table, const struct table_run *run,
					uint32_t type, uint32_t port)
{
	const struct table_row *row = table->row + run->row;
	uint32_t low = 0, high = run->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (row_key(row[middle].type, row[middle].port_lo) <= row_key(type, port)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	if (low == 0 || row[low - 1].type != type || row[low - 1].port_hi < port) {
		return NULL;
	}
	return &row[low - 1];
}

void table_decide(const struct table *table, const struct table_query *query,
		  struct table_answer *ret_answer)
{
	const uint32_t nodes = table->head->node_count;
	const struct table_row *row = NULL;

	if (query->kind < TABLE_KINDS && query->from < nodes && query->to < nodes &&
	    query->type != 0 && (query->type & (query->type - 1)) == 0) {
		uint32_t cell =
			table->cell[(query->kind * nodes + query->from) * nodes + query->to];

		row = find_row(table, &table->run[cell], (uint32_t)__builtin_ctz(query->type),
			       query->port);
	}
	*ret_answer = (struct table_answer){.rule = TABLE_NONE};
	if (row != NULL) {
		ret_answer->verdict = row->verdict;
		ret_answer->rule = row->rule;
		ret_answer->limit = row->limit == TABLE_NONE ? NULL : &table->limit[row->limit];
	}
}

uint32_t table_find(const struct table *table, const char *name)
{
	for (uint32_t i = 0; i < table->head->node_count; i++) {
		if (strcmp(table->string + table->node[i].name, name) == 0) {
			return i;
		}
	}
	return TABLE_NONE;
}

const char *table_name(const struct table *table, uint32_t node)
{
	return node < table->head->node_count ? table->string + table->node[node].name : "no-node";
}

const char *table_rule_id(const struct table *table, uint32_t rule)
{
	return rule < table->head->rule_count ? table->string + table->rule[rule].id : "no-rule";
}

/* First prefix that is not before (length, address) in the order of the table. */
static uint32_t find_prefix(const struct table *table, uint32_t length, const uint8_t address[16])
{
	uint32_t low = 0, high = table->head->prefix_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct table_prefix *prefix = &table->prefix[middle];

		if (prefix->length > length ||
		    (prefix->length == length && memcmp(prefix->address, address, 16) < 0)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void cut_address(uint8_t address[16], uint32_t length)
{
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t bits = length > i * 8 ? length - i * 8 : 0;

		address[i] &= bits >= 8 ? 0xff : (uint8_t)(0xff00u >> bits);
	}
}

uint32_t table_zone(const struct table *table, const uint8_t address[16])
{
	static const uint8_t ipv4[12] = {[10] = 0xff, [11] = 0xff};
	const uint32_t count = table->head->prefix_count;
	const uint32_t least = memcmp(address, ipv4, sizeof(ipv4)) == 0 ? 8 * sizeof(ipv4) : 0;
	uint8_t cut[16], last[16];
	uint32_t i = 0;

	memset(last, 0xff, sizeof(last));
	/* One turn for each length; an IPv4 address is in IPv4 zones only. */
	while (i < count && table->prefix[i].length >= least) {
		const uint32_t length = table->prefix[i].length;
		uint32_t hit;

		memcpy(cut, address, sizeof(cut));
		cut_address(cut, length);
		hit = find_prefix(table, length, cut);
		if (hit < count && table->prefix[hit].length == length &&
		    memcmp(table->prefix[hit].address, cut, sizeof(cut)) == 0) {
			return table->prefix[hit].node;
		}
		i = find_prefix(table, length, last);
		if (i < count && table->prefix[i].length == length) {
			i++; /* 128 bits, all of them ones */
		}
	}
	return TABLE_NONE;
}

/* bus: 0 PCI, 1 USB, else a device that its `what` describes. */
static bool match_fits(const struct table_match *match, const struct table_match *device)
{
	if (match->bus != device->bus) {
		return false;
	}
	if (match->bus > 1) {
		return (device->what & match->what) != 0;
	}
	return (device->class_code & match->class_mask) == match->class_code &&
	       (match->vendor == UINT32_MAX || match->vendor == device->vendor) &&
	       (match->product == UINT32_MAX || match->product == device->product);
}

uint32_t table_role(const struct table *table, const struct table_match *device)
{
	for (uint32_t i = table->head->part_count; i < table->head->node_count; i++) {
		const struct table_node *node = &table->node[i];

		for (uint32_t k = 0; node->type == TABLE_ROLE && k < node->count; k++) {
			if (match_fits(&table->match[node->first + k], device)) {
				return i;
			}
		}
	}
	return TABLE_NONE;
}

static const struct table_right *find_right(const struct table *table, uint32_t person,
					    uint32_t part)
{
	static const struct table_right none = {0, 0};

	return person < TABLE_PERSONS && part < table->head->part_count
		       ? &table->right[person * table->head->part_count + part]
		       : &none;
}

bool table_may(const struct table *table, uint32_t person, uint32_t part, uint32_t actions)
{
	return actions != 0 && (actions & ~find_right(table, person, part)->actions) == 0;
}

bool table_may_change(const struct table *table, uint32_t person, uint32_t part, uint32_t keys)
{
	return keys != 0 && (keys & ~find_right(table, person, part)->keys) == 0;
}
