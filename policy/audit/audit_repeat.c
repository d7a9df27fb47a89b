/* SPDX-License-Identifier: Apache-2.0 */
/* Counting of equal decisions; see audit_repeat.h. */
#include "audit_repeat.h"

#include <string.h>

static bool same(const struct audit_record *a, const struct audit_record *b)
{
	return strcmp(a->subject, b->subject) == 0 && strcmp(a->object, b->object) == 0 &&
	       strcmp(a->rule, b->rule) == 0 && strcmp(a->who, b->who) == 0;
}

struct audit_repeat *audit_repeat_find(struct audit_repeats *repeats,
				       const struct audit_record *record)
{
	for (unsigned i = 0; i < AUDIT_REPEAT_MAX; i++) {
		if (repeats->item[i].used && same(&repeats->item[i].record, record)) {
			return &repeats->item[i];
		}
	}
	return NULL;
}

struct audit_repeat *audit_repeat_room(struct audit_repeats *repeats)
{
	struct audit_repeat *oldest = &repeats->item[0];

	for (unsigned i = 0; i < AUDIT_REPEAT_MAX; i++) {
		struct audit_repeat *item = &repeats->item[i];

		if (!item->used) {
			return item;
		}
		if (item->since_ms < oldest->since_ms) {
			oldest = item;
		}
	}
	return oldest;
}

bool audit_repeat_owed(const struct audit_repeat *item, struct audit_record *ret_record)
{
	if (!item->used || item->count == 0) {
		return false;
	}
	*ret_record = item->record;
	ret_record->repeats = item->count - 1;
	return true;
}
