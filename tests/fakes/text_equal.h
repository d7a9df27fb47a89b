/* SPDX-License-Identifier: Apache-2.0 */
/** Whether two texts of policy say the same, wherever their statements stand. */
#ifndef TESTS_TEXT_EQUAL_H
#define TESTS_TEXT_EQUAL_H

#include <string.h>

#include "text.h"

static inline bool same_names(const struct text_names *a, const struct text_names *b)
{
	for (uint32_t i = 0; i < a->count && a->count == b->count; i++) {
		if (strcmp(a->item[i].name, b->item[i].name) != 0) {
			return false;
		}
	}
	return a->count == b->count;
}

static inline bool same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static inline bool same_value(const struct text_value *a, const struct text_value *b)
{
	return a->key == b->key && a->number == b->number && a->number2 == b->number2 &&
	       a->flags == b->flags && same_string(a->string, b->string) &&
	       same_names(&a->names, &b->names);
}

static inline bool same_rule(const struct text_rule *a, const struct text_rule *b)
{
	return strcmp(a->id, b->id) == 0 && a->verdict == b->verdict && a->kind == b->kind &&
	       same_names(&a->from, &b->from) && same_names(&a->to, &b->to) &&
	       a->types == b->types && a->port_lo == b->port_lo && a->port_hi == b->port_hi &&
	       a->limits.size_max == b->limits.size_max &&
	       a->limits.rate_max == b->limits.rate_max &&
	       a->limits.count_max == b->limits.count_max &&
	       a->limits.seconds_max == b->limits.seconds_max &&
	       a->limits.quarantine == b->limits.quarantine &&
	       a->limits.readonly == b->limits.readonly;
}

static inline bool same_role(const struct text_role *a, const struct text_role *b)
{
	return strcmp(a->name, b->name) == 0 && a->match_count == b->match_count &&
	       memcmp(a->match, b->match, a->match_count * sizeof(*a->match)) == 0;
}

static inline bool same_zone(const struct text_zone *a, const struct text_zone *b)
{
	for (uint32_t i = 0; i < a->prefix_count && a->prefix_count == b->prefix_count; i++) {
		if (a->prefix[i].length != b->prefix[i].length ||
		    a->prefix[i].v4 != b->prefix[i].v4 ||
		    memcmp(a->prefix[i].address, b->prefix[i].address, 16) != 0) {
			return false;
		}
	}
	return a->prefix_count == b->prefix_count && a->trusted == b->trusted &&
	       strcmp(a->name, b->name) == 0;
}

static inline bool same_may(const struct text_may *a, const struct text_may *b)
{
	return a->person == b->person && a->deny == b->deny && a->actions == b->actions &&
	       a->keys == b->keys && same_names(&a->partitions, &b->partitions);
}

static inline bool same_claim(const struct text_assert *a, const struct text_assert *b)
{
	return a->claim == b->claim && a->has_kind == b->has_kind && a->kind == b->kind &&
	       strcmp(a->from.name, b->from.name) == 0 && strcmp(a->to.name, b->to.name) == 0 &&
	       a->ask_closed == b->ask_closed;
}

static inline bool same_statement(const struct text_statement *a, const struct text_statement *b)
{
	if (a->type != b->type || a->open != b->open || strcmp(a->name.name, b->name.name) != 0) {
		return false;
	}
	switch (a->type) {
	case TEXT_ROLE:
		return same_role(&a->role, &b->role);
	case TEXT_ZONE:
		return same_zone(&a->zone, &b->zone);
	case TEXT_GROUP:
	case TEXT_CARRIES:
		return same_names(&a->names, &b->names);
	case TEXT_VALUE:
		return same_value(&a->value, &b->value);
	case TEXT_RULE:
		return same_rule(&a->rule, &b->rule);
	case TEXT_MAY:
		return same_may(&a->may, &b->may);
	case TEXT_ASSERT:
		return same_claim(&a->claim, &b->claim);
	case TEXT_CONFIRM:
	case TEXT_IOMMU:
		return a->number == b->number;
	case TEXT_POLICY:
	case TEXT_PARTITION:
	case TEXT_OPEN:
		return true;
	}
	return false;
}

static inline bool text_equal(const struct text *a, const struct text *b)
{
	if (a->layer != b->layer || a->version != b->version || a->count != b->count ||
	    !same_string(a->title, b->title)) {
		return false;
	}
	for (size_t i = 0; i < a->count; i++) {
		if (!same_statement(&a->statement[i], &b->statement[i])) {
			return false;
		}
	}
	return true;
}

#endif
