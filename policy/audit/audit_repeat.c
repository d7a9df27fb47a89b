/* SPDX-License-Identifier: Apache-2.0 */
/* Counting of equal decisions; see audit_repeat.h. */
#include "audit_repeat.h"

#include <string.h>

bool audit_repeat_counts(enum audit_what what)
{
	return what == AUDIT_ALLOWED || what == AUDIT_DENIED || what == AUDIT_REFUSED;
}

static bool same(const struct audit_record *a, const struct audit_record *b)
{
	return a->what == b->what && strcmp(a->subject, b->subject) == 0 &&
	       strcmp(a->object, b->object) == 0 && strcmp(a->rule, b->rule) == 0 &&
	       strcmp(a->who, b->who) == 0 && strcmp(a->text, b->text) == 0;
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

static bool is_over(const struct audit_repeat *item, uint64_t boot_ms)
{
	return boot_ms - item->since_ms >= AUDIT_REPEAT_MS;
}

struct audit_repeat *audit_repeat_over(struct audit_repeats *repeats, uint64_t boot_ms)
{
	for (unsigned i = 0; i < AUDIT_REPEAT_MAX; i++) {
		if (repeats->item[i].used && is_over(&repeats->item[i], boot_ms)) {
			return &repeats->item[i];
		}
	}
	return NULL;
}

uint64_t audit_repeat_wait_ms(const struct audit_repeats *repeats, uint64_t boot_ms)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < AUDIT_REPEAT_MAX; i++) {
		const struct audit_repeat *item = &repeats->item[i];
		uint64_t wait;

		if (!item->used || item->count == 0) {
			continue;
		}
		wait = is_over(item, boot_ms) ? 0 : item->since_ms + AUDIT_REPEAT_MS - boot_ms;
		least = wait < least ? wait : least;
	}
	return least;
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
