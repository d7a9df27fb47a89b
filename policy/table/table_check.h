/* SPDX-License-Identifier: Apache-2.0 */
/** What the parts of a table must hold, once their places and sizes are known to be right. */
#ifndef POLICY_TABLE_CHECK_H
#define POLICY_TABLE_CHECK_H

#include "table.h"

/** Each looks at its sections only and builds on those named before it. Pure. Returns NULL, or what
 *  is wrong as a constant. */
const char *table_check_root(const struct table *table);
const char *table_check_strings(const struct table *table);
const char *table_check_nodes(const struct table *table);
const char *table_check_parts(const struct table *table);
const char *table_check_rules(const struct table *table);
const char *table_check_cells(const struct table *table);
/** All of them, in that order. */
const char *table_check(const struct table *table);

/** Name of a partition, role or zone: [a-z][a-z0-9-]*, at most 15 letters. */
bool table_check_name(const char *name);
/** Number of types of a kind; 1 for a kind without types, 0 out of range. */
uint32_t table_check_types(uint32_t kind);
/** SHA-256 of a whole table with its CRC and hash as 0. Returns 0 or -EIO. */
int table_check_hash(const void *bytes, size_t size, uint8_t ret_hash[32]);

#endif
